import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { useWasm } from "../classifier/backend.ts";
import type { Played } from "../evaluation/play.ts";
import { play } from "../evaluation/play.ts";
import { type PartReport, reportPart } from "../evaluation/report.ts";
import { tableOf } from "../evaluation/tables.ts";
import { modelFor } from "../operating-points.ts";
import { writeCardPage } from "./card-page.ts";
import { cardOf } from "./card-text.ts";
import { type Design, designs, type Ranking, rankingsOf, rankingTable, tryDesign } from "./designs.ts";
import { type Example, examplesOf, personOf, type Source } from "./examples.ts";
import { foldsOf, type Models, scoreLeftOut, trainBoth } from "./folds.ts";
import { scoresOf } from "./network.ts";
import { type Progress, startProgress } from "./progress.ts";
import { readSources, trainingSets } from "./sources.ts";
import { thresholdsFor } from "./thresholds.ts";
import { addFigures, writeModel } from "./write-model.ts";

interface Flags {
  folds?: number;
  setsOut?: boolean;
  json?: string;
  card?: boolean;
  quick?: boolean;
  designs?: boolean;
  seed: number;
  out: string;
}

/**
 * What one run costs: epochs, branches of each kind, and folds within the training people for the thresholds. `leftOut`: many models are trained for
 * five folds, each with half the epochs and branches of the one that ships.
 */
const efforts = {
  full: { epochs: 20, branches: 2, inner: 3 },
  leftOut: { epochs: 10, branches: 1, inner: 2 },
  quick: { epochs: 3, branches: 1, inner: 2 },
};
type Effort = (typeof efforts)[keyof typeof efforts];

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
  .option("--card", "with --folds: write the figures into the card of the model that is there")
  .option("--designs", "write nothing: train each design that was tried, and tell how well it ranks people left out")
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
  const writesNothing = flags.designs || flags.setsOut || flags.folds;
  const effort = flags.quick ? efforts.quick : writesNothing ? efforts.leftOut : efforts.full;
  await useWasm();
  const sources = await readSources(root);
  const progress = startProgress();
  try {
    progress.begin("windows", sources.length);
    const examples = examplesOf(sources, flags.seed, undefined, (count) => progress.step(count));
    if (flags.designs) await reportDesigns(sources, examples, effort, flags, progress);
    else if (flags.setsOut) await reportLeftOut(sources, examples, setsOut(sources), effort, flags, progress);
    else if (flags.folds)
      await reportLeftOut(sources, examples, peopleOut(sources, flags.folds), effort, flags, progress);
    else await ship(sources, examples, effort, flags, progress);
  } finally {
    progress.end();
  }
}

/** Trains on everybody, with thresholds from models that left each person out once. */
async function ship(sources: Source[], examples: Example[], effort: Effort, flags: Flags, progress: Progress) {
  progress.begin("training", 2 * epochsOf(effort) * (effort.inner + 1));
  const options = { ...effort, seed: flags.seed, onEpoch: (loss: number) => progress.step(1, loss) };
  const operatingPoints = thresholdsFor(await scoreLeftOut(examples, effort.inner, options));
  const models = await trainBoth(examples, options);
  progress.end();
  await writeModel(flags.out, {
    models,
    operatingPoints,
    examples,
    ...cardOf(sources, examples, { seed: flags.seed, quick: flags.quick ?? false, ...effort }),
  });
  await writeCardPage(flags.out);
  process.stdout.write(`wrote ${flags.out}\n`);
}

async function reportDesigns(sources: Source[], examples: Example[], effort: Effort, flags: Flags, progress: Progress) {
  const folds = flags.folds ?? 5;
  const rows: { design: string; rankings: Ranking[] }[] = [];
  for (const [name, design] of Object.entries<Design>(designs)) {
    progress.begin(name, effort.epochs * effort.branches * design.kinds.length * folds * (design.together ? 1 : 2));
    const options = { ...effort, seed: flags.seed, onEpoch: (loss: number) => progress.step(1, loss) };
    rows.push({ design: name, rankings: rankingsOf(await tryDesign(design, examples, folds, options), sources) });
    progress.end();
  }
  if (flags.json) await writeJson(flags.json, rows);
  if (flags.json !== "-") process.stdout.write(`${rankingTable(rows)}\n`);
}

async function writeJson(file: string, value: unknown): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (file === "-") process.stdout.write(text);
  else await writeFile(file, text);
}

/** Who is left out together: the fold of each person, 0 to `count` − 1. Who has none is always trained on. */
interface LeavingOut {
  foldOf: ReadonlyMap<string, number>;
  count: number;
  tells: string;
}

const peopleOut = (sources: readonly Source[], count: number): LeavingOut => ({
  foldOf: foldsOf(sources.map(personOf), count),
  count,
  tells: `people left out in ${count} folds`,
});

/** Each set with falls as a whole. */
function setsOut(sources: readonly Source[]): LeavingOut {
  const withFalls = [
    ...new Set(sources.filter(({ recording }) => recording.trial.label === "fall").map(({ dataset }) => dataset)),
  ];
  const folds = sources.map((source): [string, number] => [personOf(source), withFalls.indexOf(source.dataset)]);
  return {
    foldOf: new Map(folds.filter(([, fold]) => fold >= 0)),
    count: withFalls.length,
    tells: `each of ${withFalls.join(", ")} left out as a whole`,
  };
}

/** Each fold is left out once: training, scaling and thresholds see only the others. The shipped streaming code judges whole recordings. */
async function reportLeftOut(
  sources: Source[],
  examples: Example[],
  { foldOf, count, tells }: LeavingOut,
  effort: Effort,
  flags: Flags,
  progress: Progress,
) {
  progress.begin("training", 2 * epochsOf(effort) * (effort.inner + 1) * count);
  const played = new Map<string, Played[]>();
  for (let fold = 0; fold < count; fold++) {
    const known = examples.filter(({ person }) => foldOf.get(person) !== fold);
    const options = { ...effort, seed: flags.seed + fold, onEpoch: (loss: number) => progress.step(1, loss) };
    const operatingPoints = thresholdsFor(await scoreLeftOut(known, effort.inner, options));
    const models = await trainBoth(known, options);
    const out = sources.filter((source) => foldOf.get(personOf(source)) === fold);
    for (const [part, ofPart] of Map.groupBy(out, (source) => `${source.dataset}/${source.part}`)) {
      const list = played.get(part) ?? [];
      list.push(...play(ofPart, { operatingPoints, score: scorer(models) }));
      played.set(part, list);
    }
    models.wrist.dispose();
    models.waist.dispose();
  }
  progress.end();
  const sets: PartReport[] = [...played].map(([name, list]) => {
    const [dataset = "", part = ""] = name.split("/");
    return reportPart({ dataset, part, placement: list[0]!.recording.placement }, list);
  });
  const report = {
    model: {
      version: `${tells}, seed ${flags.seed}; ${effort.epochs} epochs, branches of each kind: ${effort.branches}`,
    },
    sets,
  };
  if (flags.card) {
    await addFigures(flags.out, report);
    await writeCardPage(flags.out);
  }
  if (flags.json) await writeJson(flags.json, report);
  if (flags.json !== "-") process.stdout.write(`${tableOf(sets)}\n`);
}

const scorer =
  (models: Models): Parameters<typeof play>[1]["score"] =>
  (placement, inputs) =>
    Array.from(scoresOf(models[modelFor(placement)], inputs));

const epochsOf = (effort: Effort) => effort.epochs * effort.branches * 2;

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
