import { writeFile } from "node:fs/promises";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { Placement } from "../../firmware-contracts/detection.ts";
import { type ClassifierOptions, loadClassifier } from "../classifier/classifier.ts";
import { backendChoices } from "../classifier/network.ts";
import { type Comparison, compare, comparisonText, readEarlier } from "./compare.ts";
import { degradationsOf } from "./degradations.ts";
import { type EvaluationReport, evaluate } from "./evaluate.ts";
import { openAlbum } from "./pictures/album.ts";
import { toJson } from "./report-json.ts";
import { robustnessTable } from "./robustness.ts";
import { ageGroupTable, placementTable, stitchedTable, suspectedTable, tableOf } from "./tables.ts";

interface Flags {
  part?: string;
  placement?: Placement;
  subjects?: string[];
  limit?: number;
  rates?: number[];
  clip?: number[];
  rotate?: number;
  loss?: number[];
  stitched?: boolean;
  plot?: string;
  compare?: string;
  json?: string;
  backend: ClassifierOptions["backend"];
}

/** `fallvakt evaluate DIR…`, for the front door. Progress goes to stderr, the tables or JSON to stdout. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("run the detector over recording sets and tell how many falls it finds and how often it is wrong")
    .argument("<dir...>", "folders with recording sets (manifest.json and *.bin.gz)")
    .option("--part <name>", "only this part of each set")
    .addOption(
      new Option("--placement <place>", "where the device was worn, if neither part nor manifest tells").choices(
        Placement.options,
      ),
    )
    .option("--subjects <ids>", "only these people, with commas between", (text) => text.split(",").filter(Boolean))
    .option("--limit <n>", "at most so many trials of each part", wholeNumber)
    .option("--rates <hz>", "also as sensors of these rates would have recorded it, 20 to 200", numbers(20, 200))
    .option("--clip <g>", "also as sensors of these ranges would have, ±g", numbers(1, 16))
    .option("--rotate <n>", "also n times with every device turned, each trial in a way of its own", wholeNumber)
    .option("--loss <percent>", "also with this share of the frames of one second lost", numbers(0.1, 99))
    .option("--stitched", "also each fall followed by walking, by rest and by silence")
    .option("--plot <dir>", "draw every missed fall and every false alarm there, with an index.html")
    .option("--compare <report>", "tell what is different from an earlier report that --json wrote")
    .option("--json <file>", "write the report as JSON to a file, or to stdout with -")
    .addOption(new Option("--backend <name>", "what computes the model").choices(backendChoices).default("auto"))
    .addHelpText(
      "after",
      `
Examples:
  fallvakt evaluate recordings/weda-fall
  fallvakt evaluate recordings/sisfall recordings/weda-fall --json report.json
  fallvakt evaluate recordings/sisfall recordings/weda-fall --compare report.json
  fallvakt evaluate recordings/weda-fall --rates 20,25,50 --clip 2,4 --rotate 3 --loss 5,10
  fallvakt evaluate recordings/weda-fall --stitched --plot pictures
  fallvakt evaluate recordings/mine --placement wrist --subjects S01,S02 --json -`,
    )
    .action(run);
}

async function run(folders: string[], flags: Flags): Promise<void> {
  const { part, placement, subjects, limit } = flags;
  const earlier = flags.compare === undefined ? null : await readEarlier(flags.compare);
  const album = flags.plot === undefined ? null : await openAlbum(flags.plot);
  const warn = (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  const classifier = await loadClassifier({ backend: flags.backend, log: { info: () => {}, warn } });
  const bar = new cliProgress.SingleBar(
    { format: "{bar} {value}/{total} trials, {eta_formatted} left", stream: process.stderr, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  const report = await evaluate(folders, {
    ...given({ part, placement, subjects, limit }),
    classifier,
    degradations: degradationsOf(flags),
    stitched: flags.stitched ?? false,
    ...(album && { onPart: (one, played) => album.add(one, played, classifier.operatingPoints) }),
    onProgress(done, known) {
      if (!started) bar.start(known, 0);
      started = true;
      bar.update(done);
    },
  }).finally(() => {
    bar.stop();
    classifier.dispose();
  });
  for (const { where, why } of report.problems) process.stderr.write(`left out: ${where}: ${why}\n`);
  if (report.sets.length === 0) throw new Error("No trial could be played; see above what was left out, and why.");
  const compared = earlier && compare(earlier, report);
  const drawn = await album?.close(report.model.version);
  const text = `${toJson({ ...report, ...(compared && { compared }) })}\n`;
  if (flags.json && flags.json !== "-") await writeFile(flags.json, text);
  process.stdout.write(flags.json === "-" ? text : textOf(report, compared));
  if (drawn) process.stderr.write(`${drawn.pictures} pictures: ${drawn.index}\n`);
}

/** The flags that were given. */
function given<T extends object>(flags: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as never;
}

function textOf(report: EvaluationReport, compared: Comparison | null): string {
  const { sets, robustness, stitched } = report;
  const sections = [`model ${report.model.version}\n${tableOf(sets)}`];
  if (sets.some(({ falls }) => falls > 0)) sections.push(`Suspected and confirmed\n${suspectedTable(sets)}`);
  if (sets.some(({ byAgeGroup }) => byAgeGroup.length > 1)) sections.push(`By age group\n${ageGroupTable(sets)}`);
  if (sets.length > 1) sections.push(`By wearing place\n${placementTable(report.byPlacement)}`);
  if (robustness.length > 0) {
    sections.push(`Made worse; points against the recording as it is\n${robustnessTable(robustness)}`);
  }
  if (stitched.length > 0) {
    sections.push(`Falls cut 3 s after their end, and what follows for 40 s\n${stitchedTable(stitched)}`);
  }
  if (compared) sections.push(comparisonText(compared));
  return `${sections.join("\n\n")}\n`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
}

/** Numbers with commas between. */
function numbers(from: number, to: number): (text: string) => number[] {
  return (text) => {
    const values = text.split(",").map(Number);
    if (text === "" || values.some((value) => !(value >= from && value <= to))) {
      throw new InvalidArgumentError(`numbers of ${from} to ${to}, with commas between`);
    }
    return [...new Set(values)];
  };
}
