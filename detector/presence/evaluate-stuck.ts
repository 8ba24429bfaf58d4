// npm run -s evaluate:stuck -- [DIR]: plays logs of presence sensors with sensors that hang, and tells how soon they are found, and how often wrongly.
import { Command } from "commander";
import { rate } from "../evaluation/intervals.ts";
import { aligned } from "../evaluation/tables.ts";
import { usualFolder, wholeNumber } from "./evaluate.ts";
import { readLogs } from "./logs.ts";
import { measureStuck, monthDays, type StuckReport } from "./stuck-measure.ts";

interface Flags {
  homes?: string[];
  perSensor: number;
  seed: number;
  json?: boolean;
}

/** The table or JSON goes to stdout. */
export function evaluateStuckCommand(): Command {
  return new Command("evaluate:stuck")
    .description("tell how soon a presence sensor that hangs is found, and how often one that works is told as stuck")
    .argument("[dir]", "folder with manifest.json and the logs; else FALLVAKT_RECORDINGS/presence")
    .option("--homes <names>", "only these homes, with commas between", (text) => text.split(",").filter(Boolean))
    .option("--per-sensor <n>", "moments at which each sensor hangs, for each way of hanging", wholeNumber, 20)
    .option("--seed <n>", "the same seed draws the same moments", wholeNumber, 1)
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
Examples:
  npm run -s evaluate:stuck
  npm run -s evaluate:stuck -- logs/ --homes ordonez-b --per-sensor 100
  npm run -s evaluate:stuck -- --json > report.json`,
    )
    .action(run);
}

async function run(folder: string | undefined, { homes, json, ...numbers }: Flags): Promise<void> {
  const logs = await readLogs(folder ?? usualFolder(), homes);
  const reports = logs.map((log) => measureStuck(log, numbers));
  for (const problem of logs.flatMap(({ problems }) => problems)) process.stderr.write(`left out: ${problem}\n`);
  const text = json ? JSON.stringify({ seed: numbers.seed, homes: reports }, null, 2) : stuckTable(reports);
  process.stdout.write(`${text}\n`);
}

/** The reports as tables for a terminal. */
export function stuckTable(reports: readonly StuckReport[]): string {
  const found = [
    ["home", "sensor used", "hangs at", "injected", "found in 24 h, %", "hours, median"],
    ...reports.flatMap(({ home, rows }) =>
      rows
        .filter(({ injected }) => injected > 0)
        .map(({ uses, fault, injected, found: { value, low, high }, median }) => [
          home,
          uses,
          fault === "stuck" ? "what it said" : "on",
          `${injected}`,
          value === null ? "–" : `${whole(value)} (${whole(low)}–${whole(high)})`,
          median === null ? "over 24" : median.toFixed(1),
        ]),
    ),
  ];
  const days = reports.reduce((sum, { judgedDays }) => sum + judgedDays, 0);
  const falseOnes = reports.reduce((sum, one) => sum + one.falseOnes, 0);
  const all = { home: "together", judgedDays: days, falseOnes, falsePerMonth: rate(falseOnes, days / monthDays) };
  const wrong = [
    ["home", "days judged", "told with nothing injected", "a month (95 %)"],
    ...[...reports, all].map(({ home, judgedDays, falseOnes: count, falsePerMonth: { value, low, high } }) => [
      home,
      judgedDays.toFixed(1),
      `${count}`,
      value === null ? "–" : `${value.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`,
    ]),
  ];
  return [found, wrong].map(aligned).join("\n\n");
}

const whole = (value: number) => (value * 100).toFixed(0);

if (import.meta.main) {
  await evaluateStuckCommand()
    .parseAsync()
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    });
}
