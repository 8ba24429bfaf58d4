// npm run -s simulate:alerting -- --seeds N: plays alerting through N seeds of trouble on a virtual clock, and holds it to its promises after each step.
import { availableParallelism } from "node:os";
import { Presets, SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { playSeeds } from "./many-seeds.ts";
import { marks } from "./marks.ts";
import { plantedFaults } from "./planted-faults.ts";
import { playSeed } from "./seed.ts";
import type { FailedSeed } from "./seed-worker.ts";
import { slowdown } from "./yardstick.ts";

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31) {
    throw new InvalidArgumentError("a whole number above 0");
  }
  return value;
}

interface Options {
  seeds: number;
  from: number;
  seed?: number;
  jobs: number;
  fault?: string;
  verbose?: boolean;
  json?: boolean;
}

function replayOf(seed: number, fault: string | undefined): string {
  return `npm run -s simulate:alerting -- --seed ${seed} --verbose${fault === undefined ? "" : ` --fault ${fault}`}`;
}

function show({ seed, violation, story }: FailedSeed, fault: string | undefined): string {
  return [
    `seed ${seed} breaks "${violation.rule}": ${violation.what}`,
    ...story.map((line) => `  ${line}`),
    `play it again: ${replayOf(seed, fault)}`,
    "",
    "",
  ].join("\n");
}

const days = (ms: number) => Math.round(ms / 86_400_000);

async function replay(seed: number, { verbose, json, fault }: Options): Promise<void> {
  const { violation, story, simulatedMs, ...rest } = await playSeed(seed, fault ? plantedFaults[fault] : undefined);
  if (json)
    process.stdout.write(`${JSON.stringify({ ...rest, simulatedMs, violation, ...(verbose ? { story } : {}) })}\n`);
  else {
    const lines = verbose ? story : violation ? story.slice(-40) : [];
    for (const line of lines) process.stdout.write(`${line}\n`);
    process.stdout.write(`1 seeds, ${days(simulatedMs)} simulated days, ${violation ? 1 : 0} violations\n`);
  }
  process.exitCode = violation ? 1 : 0;
}

async function playMany(options: Options): Promise<void> {
  const { seeds, from, jobs, fault, json } = options;
  const isShown = Boolean(process.stderr.isTTY);
  const bar = new SingleBar({ format: "{bar} {value}/{total} seeds, {eta_formatted} left" }, Presets.shades_classic);
  if (isShown) bar.start(seeds, 0);
  let done = 0;
  let toldAt = 0;
  const beganAt = performance.now();
  const result = await playSeeds({
    from,
    count: seeds,
    jobs,
    ...(fault === undefined ? {} : { fault }),
    onDone(count, failed) {
      done += count;
      if (isShown) bar.update(done);
      else if (done - toldAt >= 1000) {
        toldAt = done;
        process.stderr.write(`${done} of ${seeds} seeds\n`);
      }
      if (!json) for (const one of failed) process.stdout.write(show(one, fault));
    },
  });
  bar.stop();
  const seconds = (performance.now() - beganAt) / 1000;
  const { simulatedMs, commits, episodes, failed } = result;
  if (json) {
    const violations = failed.map(({ seed, violation }) => ({ seed, ...violation }));
    const untold = marks.map(({ source }) => source).filter((mark) => !result.told.has(mark));
    const figures = {
      ...{ seeds: result.seeds, simulatedDays: days(simulatedMs), episodes, commits, violations },
      ...{ untold, seconds, slowdown: slowdown(result.yardstickMs) },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } else {
    process.stdout.write(`${episodes} episodes, ${commits} commits\n`);
    process.stdout.write(`${result.seeds} seeds, ${days(simulatedMs)} simulated days, ${failed.length} violations\n`);
  }
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await new Command("simulate:alerting")
  .description(
    "plays the true keeper, dispatcher, reply desk, intake and SQLite store on a virtual clock: the provider fails, staff do not answer or answer wrongly, clocks jump, the process is killed between commits; promises 3–11 and 16 are checked after every step",
  )
  .option("--seeds <n>", "how many seeds", whole, 200)
  .option("--from <k>", "the first", whole, 1)
  .option("--seed <k>", "only this one", whole)
  .option("--verbose", "with --seed: the whole story")
  .option("--jobs <n>", "threads", whole, Math.min(2, availableParallelism()))
  .addOption(new Option("--fault <name>", "with a fault planted").choices(Object.keys(plantedFaults)))
  .option("--json", "the result as one JSON object on stdout")
  .addHelpText(
    "after",
    `
The last line is "N seeds, M simulated days, V violations"; with violations the exit code is 1, and each failing seed is told with the last lines of its story and the
command that plays it again. After 20 failing seeds no more are begun. --json has besides: what no story told of (untold), and by how much the machine was
slower than two idle cores on which 2,000 seeds have a minute (slowdown).

Examples:
  npm run -s simulate:alerting -- --seeds 2000
  npm run -s simulate:alerting -- --seed 42 --verbose
  npm run -s simulate:alerting -- --seeds 200 --fault closed-by-timer`,
  )
  .action((options: Options) => (options.seed === undefined ? playMany(options) : replay(options.seed, options)))
  .parseAsync();
