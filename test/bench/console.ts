import { availableParallelism, loadavg } from "node:os";
import { Command } from "commander";
import { whole } from "./arguments.ts";
import { type ConsoleSettings, type Figure, measureConsole } from "./console-measure.ts";
import { columns } from "./table.ts";

// `npm run -s bench:console`: whether the page is quick and light when a whole town has fallen.

const usual = { episodes: 200, devices: 2000, rounds: 5 };
const quick = { episodes: 200, devices: 400, rounds: 1 };

interface Options extends Partial<ConsoleSettings> {
  quick?: boolean;
  json?: boolean;
}

const isBroken = ({ median, limit }: Figure) => !(median <= limit);
const shown = (value: number, unit: Figure["unit"]) => `${value.toFixed(unit === "ms" ? 0 : 1)} ${unit}`;

function tableOf({ episodes, devices, rounds }: ConsoleSettings, figures: readonly Figure[]): string {
  const whats = [...new Set(figures.map(({ what }) => what))];
  const cell = (screen: Figure["screen"], what: string) => {
    const figure = figures.find((one) => one.screen === screen && one.what === what);
    if (!figure) return ["", ""];
    const most = Math.max(...figure.values);
    return [`${isBroken(figure) ? "! " : ""}${shown(figure.median, figure.unit)}`, shown(most, figure.unit)];
  };
  const broken = figures.filter(isBroken);
  const load = loadavg()[0]!;
  const cores = availableParallelism();
  return [
    `${episodes} open episodes, ${devices} devices; ${rounds} rounds, medians and the most; the phone's processor is slowed down to a fourth`,
    "",
    ...columns([
      ["", "limit", "desktop", "most", "phone", "most"],
      ...whats.map((what) => {
        const own = figures.filter((one) => one.what === what);
        const limits = [...new Set(own.map(({ limit }) => limit))].join(" / ");
        return [what, `${limits} ${own[0]!.unit}`, ...cell("desktop", what), ...cell("phone", what)];
      }),
    ]),
    ...(load > cores
      ? ["", `Note: load ${load.toFixed(1)} on ${cores} cores; on a machine that does nothing else it is quicker`]
      : []),
    "",
    broken.length === 0
      ? "every limit is kept"
      : `broken: ${broken.map(({ screen, what }) => `${what} (${screen})`).join(", ")}`,
  ].join("\n");
}

const program = new Command("bench:console")
  .description("measure how quick and light the console's page is with many open episodes and devices")
  .option("--episodes <n>", `open episodes (default: ${usual.episodes})`, whole)
  .option("--devices <n>", `devices in the register (default: ${usual.devices})`, whole)
  .option("--rounds <n>", `times that each thing is measured (default: ${usual.rounds})`, whole)
  .option("--quick", `one round, ${quick.devices} devices: figures for a first look`)
  .option("--json", "print one JSON object instead of a table")
  .addHelpText(
    "after",
    `
The true service with its store, phones on a simulated network, and Chromium with an empty cache. Ends with 1 where a median breaks its limit.

Examples:
  $ npm run -s bench:console                       about two minutes
  $ npm run -s bench:console -- --quick
  $ npm run -s bench:console -- --rounds 9 --json > figures.json`,
  )
  .action(async ({ quick: isQuick, json, ...given }: Options) => {
    const settings = { ...(isQuick ? quick : usual), ...given };
    const figures = await measureConsole(settings, (line) => process.stderr.write(`${line} …\n`));
    console.log(json ? JSON.stringify({ settings, figures }, null, 2) : tableOf(settings, figures));
    if (figures.some(isBroken)) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench:console: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
