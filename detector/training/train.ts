import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { useWasm } from "../classifier/backend.ts";
import { robustnessTable } from "../evaluation/robustness.ts";
import { tableOf } from "../evaluation/tables.ts";
import { bankOf } from "./bank.ts";
import { writeCardPage } from "./card-page.ts";
import { cardOf } from "./card-text.ts";
import { type Design, designs, type Ranking, rankingsOf, rankingTable, tryDesign } from "./designs.ts";
import { type Effort, efforts, epochsOf, keptFolder, trainingOptions } from "./effort.ts";
import { dailyLifeOf, type Example, examplesOf, type Source } from "./examples.ts";
import { disposeOf, leaveOut, trainBoth } from "./folds.ts";
import { gapMarginsOf } from "./gap-margins.ts";
import {
  type LeftOutReport,
  leavePeopleOut,
  leaveSetsOut,
  peopleIn,
  setsWithFalls,
  trainingsOfPeopleOut,
} from "./left-out.ts";
import type { TrainingOptions } from "./network.ts";
import { type Progress, startProgress } from "./progress.ts";
import { readSources, trainingSets } from "./sources.ts";
import { thresholdsFor } from "./thresholds.ts";
import { writeModel } from "./write-model.ts";

interface Flags {
  folds?: number;
  setsOut?: boolean;
  robustness?: boolean;
  afresh?: boolean;
  json?: string;
  quick?: boolean;
  designs?: boolean;
  seed: number;
  out: string;
}

const modelFolder = fileURLToPath(new URL("../model/", import.meta.url));

const command = new Command("train")
  .description(
    "train the detector's model on the recording sets below FALLVAKT_RECORDINGS and write it to detector/model;\nwith --folds write nothing, and tell how it does on people left out",
  )
  .option("--folds <n>", "leave each person out once, in n groups, and report", wholeNumber)
  .option(
    "--sets-out",
    "leave each data set with falls out once, and report: people, devices and ways of falling that no training saw",
  )
  .option("--json <file>", "write the report as JSON to a file, or to stdout with -")
  .option("--robustness", "with --folds: also at lower rates, clipped, turned and with lost frames")
  .option("--designs", "write nothing: train each design that was tried, and tell how well it ranks people left out")
  .option("--afresh", `train all again; else what was trained in the very same way before is taken from ${keptFolder}`)
  .option("--quick", "few epochs and folds: to try the pipeline, not to ship")
  .option("--seed <n>", "the same seed trains the same model", wholeNumber, 1)
  .option("--out <dir>", "where the model is written", modelFolder)
  .addHelpText(
    "after",
    `
Examples:
  FALLVAKT_RECORDINGS=recordings npm run -s train
  FALLVAKT_RECORDINGS=recordings npm run -s train -- --folds 5 --json -
  FALLVAKT_RECORDINGS=recordings npm run -s train -- --sets-out
  FALLVAKT_RECORDINGS=recordings npm run -s train -- --designs --quick
  FALLVAKT_RECORDINGS=recordings npm run -s train -- --quick --out try-out

The sets: ${trainingSets.join(", ")}.`,
  )
  .action(run);

async function run(flags: Flags): Promise<void> {
  const root = process.env.FALLVAKT_RECORDINGS;
  if (!root) throw new Error("FALLVAKT_RECORDINGS is not set: name the folder that holds the recording sets.");
  const effort = { ...(flags.quick ? efforts.quick : efforts.full), ...(flags.folds && { folds: flags.folds }) };
  await useWasm();
  const sources = await readSources(root);
  const progress = startProgress();
  const options = trainingOptions(effort, flags.seed, {
    onEpoch: (loss) => progress.step(1, loss),
    afresh: flags.afresh ?? false,
  });
  try {
    progress.begin("windows", sources.length);
    const examples = examplesOf(sources, flags.seed, undefined, (count) => progress.step(count));
    const task: Task = { sources, examples, effort, options, flags, progress };
    if (flags.designs) await reportDesigns(task);
    else if (flags.setsOut) await reportSetsOut(task);
    else if (flags.folds) await reportPeopleOut(task);
    else await ship(task);
  } finally {
    progress.end();
  }
}

interface Task {
  sources: Source[];
  examples: Example[];
  effort: Effort;
  options: TrainingOptions;
  flags: Flags;
  progress: Progress;
}

/** Trains on everybody, with thresholds from models that left each person out once. */
async function ship({ sources, examples, effort, options, flags, progress }: Task) {
  progress.begin("training", epochsOf(effort) * (effort.folds + 1));
  const { scores, models: leftOut } = await leaveOut(examples, peopleIn(sources, effort.folds), options);
  for (const one of leftOut) disposeOf(one);
  const models = await trainBoth(examples, options);
  const operatingPoints = thresholdsFor(scores, dailyLifeOf(sources));
  progress.end();
  await writeModel(flags.out, {
    models,
    operatingPoints,
    gapMargins: gapMarginsOf(scores, operatingPoints),
    bank: bankOf(scores),
    examples,
    ...cardOf(sources, examples, { seed: flags.seed, quick: flags.quick ?? false, ...effort }),
  });
  await writeCardPage(flags.out);
  process.stdout.write(`wrote ${flags.out}; npm run -s evaluate:all -- --card puts figures into its card\n`);
}

async function reportDesigns({ sources, examples, effort, options, flags, progress }: Task) {
  const folds = peopleIn(sources, effort.folds);
  const rows: { design: string; rankings: Ranking[] }[] = [];
  for (const [name, design] of Object.entries<Design>(designs)) {
    progress.begin(name, (epochsOf(effort) * folds.folds * design.kinds.length * (design.together ? 1 : 2)) / 4);
    rows.push({ design: name, rankings: rankingsOf(await tryDesign(design, examples, folds, options), sources) });
    progress.end();
  }
  if (flags.json) await writeJson(flags.json, rows);
  if (flags.json !== "-") process.stdout.write(`${rankingTable(rows)}\n`);
}

async function reportPeopleOut({ sources, examples, effort, options, flags, progress }: Task) {
  progress.begin("training", epochsOf(effort) * trainingsOfPeopleOut(effort.folds));
  const folds = peopleIn(sources, effort.folds);
  await tell(
    await leavePeopleOut(sources, examples, folds, options, flags.robustness ?? false),
    effort,
    flags,
    progress,
  );
}

async function reportSetsOut({ sources, examples, effort, options, flags, progress }: Task) {
  progress.begin("training", epochsOf(effort) * (effort.folds + 1) * setsWithFalls(sources).length);
  await tell(await leaveSetsOut(sources, examples, peopleIn(sources, effort.folds), options), effort, flags, progress);
}

async function tell({ tells, sets, robustness }: LeftOutReport, effort: Effort, flags: Flags, progress: Progress) {
  progress.end();
  const version = `${tells}, seed ${flags.seed}; ${effort.epochs} epochs, branches of each kind: ${effort.branches}`;
  const report = { model: { version }, sets, robustness };
  if (flags.json) await writeJson(flags.json, report);
  if (flags.json === "-") return;
  process.stdout.write(`${tableOf(sets)}\n`);
  if (robustness.length > 0) process.stdout.write(`\n${robustnessTable(robustness)}\n`);
}

async function writeJson(file: string, value: unknown): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (file === "-") process.stdout.write(text);
  else await writeFile(file, text);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
}

try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(`train: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
