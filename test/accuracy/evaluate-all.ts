import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { useWasm } from "../../detector/classifier/backend.ts";
import { modelFolder } from "../../detector/classifier/card.ts";
import { writeCardPage } from "../../detector/training/card-page.ts";
import { efforts, epochsOf, keptFolder, trainingOptions } from "../../detector/training/effort.ts";
import { examplesOf } from "../../detector/training/examples.ts";
import {
  leavePeopleOut,
  leaveSetsOut,
  peopleIn,
  setsWithFalls,
  trainingsOfPeopleOut,
} from "../../detector/training/left-out.ts";
import { startProgress } from "../../detector/training/progress.ts";
import { readSources } from "../../detector/training/sources.ts";
import { addFigures } from "../../detector/training/write-model.ts";
import type { DetectorResult } from "../bench/detector-measure.ts";
import { accuracyRows, costRows, verdictOf } from "./goals.ts";
import { goalsTable } from "./goals-table.ts";

// `npm run -s evaluate:all`: the detector's accuracy on people and sets left out, and its cost, beside what is aimed at.

interface Flags {
  quick?: boolean;
  bench: boolean;
  card?: boolean;
  json?: string;
  seed: number;
}

const command = new Command("evaluate:all")
  .description(
    "train with people and with whole sets left out, judge them by the streaming code, measure what the detector costs, and tell all of it beside goal and must",
  )
  .option("--quick", "few epochs and folds, and a short benchmark: to try it, not to believe it")
  .option("--no-bench", "accuracy alone")
  .option("--card", "write the figures into the card of the model that is there, and its page")
  .option("--json <file>", "write rows and reports as JSON to a file, or to stdout with -")
  .option("--seed <n>", "as for train", Number, 1)
  .addHelpText(
    "after",
    `
About an hour on two cores; what was trained before in the very same way is taken from ${keptFolder}, and then it takes some minutes. Thresholds are those of
people left out of the training folds: see detector/README.md.

Examples:
  FALLVAKT_RECORDINGS=recordings npm run -s evaluate:all
  FALLVAKT_RECORDINGS=recordings npm run -s evaluate:all -- --no-bench --json figures.json`,
  )
  .action(run);

async function run(flags: Flags): Promise<void> {
  const root = process.env.FALLVAKT_RECORDINGS;
  if (!root) throw new Error("FALLVAKT_RECORDINGS is not set: name the folder that holds the recording sets.");
  const effort = flags.quick ? efforts.quick : efforts.full;
  await useWasm();
  const sources = await readSources(root);
  const folds = peopleIn(sources, effort.folds);
  const progress = startProgress();
  const options = trainingOptions(effort, flags.seed, { onEpoch: (loss) => progress.step(1, loss) });
  try {
    progress.begin("windows", sources.length);
    const examples = examplesOf(sources, flags.seed, undefined, (count) => progress.step(count));
    progress.begin("people left out", epochsOf(effort) * trainingsOfPeopleOut(effort.folds));
    const people = await leavePeopleOut(sources, examples, folds, options, true);
    progress.begin("sets left out", epochsOf(effort) * (effort.folds + 1) * setsWithFalls(sources).length);
    const sets = await leaveSetsOut(sources, examples, folds, options);
    progress.end();
    if (flags.card) {
      const { epochs, branches } = effort;
      const how = `seed ${flags.seed}; ${epochs} epochs, branches of each kind: ${branches}`;
      const folder = fileURLToPath(modelFolder);
      await addFigures(folder, how, people, sets);
      await writeCardPage(folder);
    }
    const rows = [...accuracyRows(people, sets), ...(flags.bench ? costRows(await bench(flags)) : [])];
    const report = { rows: rows.map((row) => ({ ...row, verdict: verdictOf(row) })), people, sets };
    const text = `${JSON.stringify(report, null, 2)}\n`;
    if (flags.json === "-") process.stdout.write(text);
    else {
      if (flags.json) await writeFile(flags.json, text);
      process.stdout.write(`${goalsTable(rows)}\n`);
    }
  } finally {
    progress.end();
  }
}

/** In a process of its own: training leaves a heap behind that would be measured with it. */
async function bench({ quick }: Flags): Promise<DetectorResult> {
  const script = fileURLToPath(new URL("../bench/detector.ts", import.meta.url));
  const args = [script, "--json", ...(quick ? ["--quick"] : [])];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8, timeout: 900_000 });
  return JSON.parse(stdout) as DetectorResult;
}

try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(`evaluate:all: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
