import { writeFile } from "node:fs/promises";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { Placement } from "../../firmware-contracts/detection.ts";
import { type ClassifierOptions, loadClassifier } from "../classifier/classifier.ts";
import { backendChoices } from "../classifier/network.ts";
import { evaluate } from "./evaluate.ts";
import { tableOf } from "./report.ts";

interface Flags {
  part?: string;
  placement?: Placement;
  subjects?: string[];
  limit?: number;
  json?: string;
  backend: ClassifierOptions["backend"];
}

/** `fallvakt evaluate DIR…`, for the front door. Progress goes to stderr, the table or JSON to stdout. */
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
    .option("--json <file>", "write the report as JSON to a file, or to stdout with -")
    .addOption(new Option("--backend <name>", "what computes the model").choices(backendChoices).default("auto"))
    .addHelpText(
      "after",
      `
Examples:
  fallvakt evaluate recordings/weda-fall
  fallvakt evaluate recordings/sisfall recordings/weda-fall --json report.json
  fallvakt evaluate recordings/mine --placement wrist --subjects S01,S02 --json -`,
    )
    .action(run);
}

async function run(folders: string[], flags: Flags): Promise<void> {
  const { json, backend, ...reading } = flags;
  const warn = (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  const classifier = await loadClassifier({ backend, log: { info: () => {}, warn } });
  const bar = new cliProgress.SingleBar(
    { format: "{bar} {value}/{total} trials, {eta_formatted} left", stream: process.stderr, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  const report = await evaluate(folders, {
    ...reading,
    classifier,
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
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (json === "-") {
    process.stdout.write(text);
    return;
  }
  if (json) await writeFile(json, text);
  process.stdout.write(`model ${report.model.version}\n${tableOf(report.sets)}\n`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
}
