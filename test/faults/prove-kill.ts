// npm run -s prove:kill -- --times N: kills the true service at random moments around alarms, and shows that none that was acknowledged is lost.
import { randomInt } from "node:crypto";
import { Presets, SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { killRounds } from "./kill-rounds.ts";

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0");
  return value;
}

interface Options {
  times: number;
  seed?: number;
  broker: "embedded" | "outside";
  json?: boolean;
}

// Without this an interrupted run would leave its services behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

await new Command("prove:kill")
  .description(
    "kills the service with SIGKILL 0–500 ms after a fall or a help call was published, starts it again, and compares what was acknowledged, by the devices' own records, with episodes and with texts at the simulated phone network",
  )
  .option("--times <n>", "how many kills; 40 take about a minute", whole, 40)
  .option("--seed <n>", "of the moments and of who falls or presses (default: at random)", whole)
  .addOption(
    new Option("--broker <which>", "the gateway's own, or a Mosquitto that lives on between devices and gateway")
      .choices(["embedded", "outside"])
      .default("embedded"),
  )
  .option("--json", "the result as one JSON object on stdout")
  .addHelpText(
    "after",
    `
The last line is "N kills, M acknowledged, L lost"; with losses the exit code is 1, and the folders they happened in are kept and named.

Examples:
  npm run -s prove:kill -- --times 40
  npm run -s prove:kill -- --times 40 --broker outside
  npm run -s prove:kill -- --times 1000 --seed 7 --json`,
  )
  .action(async ({ times, seed = randomInt(1, 2 ** 31), broker, json }: Options) => {
    process.stderr.write(`seed ${seed}\n`);
    const isShown = Boolean(process.stderr.isTTY);
    const bar = new SingleBar({ format: "{bar} {value}/{total} kills, {eta_formatted} left" }, Presets.shades_classic);
    if (isShown) bar.start(times, 0);
    let kills = 0;
    const onKill = () => {
      kills++;
      if (isShown) bar.increment();
      else if (kills % 10 === 0) process.stderr.write(`${kills} of ${times} kills\n`);
    };
    const report = await killRounds(times, seed, { onKill, broker });
    bar.stop();
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else {
      for (const line of report.lost) process.stdout.write(`LOST ${line}\n`);
      process.stdout.write(
        `seed ${seed}; acknowledged before the kill: ${report.acknowledgedBeforeKill}; start again, median: ${report.medianRestartMs} ms\n`,
      );
      process.stdout.write(`${report.kills} kills, ${report.acknowledged} acknowledged, ${report.lostAlarms} lost\n`);
    }
    process.exitCode = report.lost.length > 0 ? 1 : 0;
  })
  .parseAsync();
