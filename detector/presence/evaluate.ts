// npm run -s evaluate:presence -- [DIR]: plays logs of presence sensors through the welfare alarm, with stillness injected and with outages.
import { join } from "node:path";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { readLogs } from "./logs.ts";
import { faultCount, type HomeReport, measureHome } from "./measure.ts";
import { tableOf } from "./table.ts";

interface Flags {
  homes?: string[];
  injections: number;
  outages: number;
  seed: number;
  json?: boolean;
}

/** Progress goes to stderr, the table or JSON to stdout. */
export function evaluatePresenceCommand(): Command {
  return new Command("evaluate:presence")
    .description(
      "tell how soon the welfare alarm finds a resident who stops moving, and how often it is wrong, on logs of presence sensors",
    )
    .argument("[dir]", "folder with manifest.json and the logs; else FALLVAKT_RECORDINGS/presence")
    .option("--homes <names>", "only these homes, with commas between", (text) => text.split(",").filter(Boolean))
    .option("--injections <n>", "moments at which movement ends, for each home", wholeNumber, 200)
    .option("--outages <n>", "runs of each kind of outage, for each home", wholeNumber, 100)
    .option("--seed <n>", "the same seed draws the same moments", wholeNumber, 1)
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
Examples:
  npm run -s evaluate:presence
  npm run -s evaluate:presence -- logs/ --homes ordonez-b --injections 1000
  npm run -s evaluate:presence -- --outages 20 --json > report.json`,
    )
    .action(run);
}

async function run(folder: string | undefined, { homes, json, ...numbers }: Flags): Promise<void> {
  const logs = await readLogs(folder ?? usualFolder(), homes);
  const bar = new cliProgress.SingleBar(
    { format: "{bar} {value}/{total} plays, {eta_formatted} left", stream: process.stderr, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  bar.start(logs.length * (numbers.injections + faultCount * numbers.outages), 0);
  const reports: HomeReport[] = [];
  try {
    for (const log of logs) {
      reports.push(measureHome(log, { ...numbers, onDone: () => bar.increment() }));
      // Between homes, so that the bar is drawn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    bar.stop();
  }
  for (const problem of logs.flatMap(({ problems }) => problems)) process.stderr.write(`left out: ${problem}\n`);
  const text = json ? JSON.stringify({ seed: numbers.seed, homes: reports }, null, 2) : tableOf(reports);
  process.stdout.write(`${text}\n`);
}

/** Where presence logs are, where nobody says. Throws where that is not known. */
export function usualFolder(): string {
  const recordings = process.env.FALLVAKT_RECORDINGS;
  if (recordings) return join(recordings, "presence");
  throw new Error("Name a folder with presence logs, or set FALLVAKT_RECORDINGS to the folder that holds presence/.");
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
}

if (import.meta.main) {
  await evaluatePresenceCommand()
    .parseAsync()
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    });
}
