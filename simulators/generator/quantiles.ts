/**
 * `node simulators/generator/quantiles.ts [--by-activity] [--json] DIR…`: quantiles of peak, dip, tilt change, rest and jerk of recording sets,
 * by part and label, soft falls apart. Real and generated sets are read the same way; only these numbers leave the recordings.
 */
import { parseArgs } from "node:util";
import type { Trial } from "../../firmware-contracts/recordings/format.ts";
import { readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { type Measures, measure, measureNames, quantile } from "./measure.ts";

export const quantilesShown = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** Quantiles (5, 25, 50, 75, 95 %) of each measure over one group of trials. */
export interface GroupQuantiles {
  dataset: string;
  part: string;
  /** "fall", "soft fall" or "adl"; with `byActivity` the activity too. */
  kind: string;
  trials: number;
  quantiles: Record<keyof Measures, number[]>;
}

/** The quantiles of measured trials; a measure that could not be taken of a trial is left out of its own quantiles only. */
export function quantilesOf(measured: readonly Measures[]): Record<keyof Measures, number[]> {
  const of = (name: keyof Measures) => {
    const values = measured.map((each) => each[name]).filter((value) => value !== null);
    return quantilesShown.map((q) => Number(quantile(values, q).toPrecision(3)));
  };
  return Object.fromEntries(measureNames.map((name) => [name, of(name)])) as Record<keyof Measures, number[]>;
}

/** Reads recording sets and gives their quantiles by part and kind (see `kindOf`), or by activity too; sets of one name are taken together. Problems go to `warn`. */
export async function quantilesOfSets(
  folders: readonly string[],
  options: { byActivity?: boolean; warn?: (line: string) => void } = {},
): Promise<GroupQuantiles[]> {
  const members = new Map<string, { dataset: string; part: string; kind: string; measured: (Measures | null)[] }>();
  for (const folder of folders) {
    const { dataset, parts, problems } = await readRecordingSet(folder);
    for (const { where, why } of problems) options.warn?.(`${where}: ${why}`);
    for (const { part, recordings } of parts) {
      for (const recording of recordings) {
        const { label, activity, activityName } = recording.trial;
        const kind = options.byActivity ? `${label} ${activity} ${activityName ?? ""}`.trim() : kindOf(recording.trial);
        const key = JSON.stringify([dataset, part, kind]);
        const group = members.get(key) ?? { dataset, part, kind, measured: [] };
        group.measured.push(measure(recording));
        members.set(key, group);
      }
    }
  }
  return [...members]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { measured, ...group }]) => ({
      ...group,
      trials: measured.length,
      quantiles: quantilesOf(measured.filter((each) => each !== null)),
    }));
}

/** Soft falls stand apart: the real sets have none that are labelled so. */
export function kindOf({ label, activityName }: Pick<Trial, "label" | "activityName">): string {
  return label === "fall" && /\bsoft\b/i.test(activityName ?? "") ? "soft fall" : label;
}

function markdown(groups: readonly GroupQuantiles[]): string {
  const lines = [
    "| set | what | trials | measure | 5 % | 25 % | 50 % | 75 % | 95 % |",
    "|---|---|---|---|---|---|---|---|---|",
  ];
  for (const group of groups) {
    for (const name of measureNames) {
      const cells = group.quantiles[name].join(" | ");
      lines.push(`| ${group.dataset} ${group.part} | ${group.kind} | ${group.trials} | ${name} | ${cells} |`);
    }
  }
  return lines.join("\n");
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, "by-activity": { type: "boolean" } },
  });
  if (positionals.length === 0) {
    console.error("Name at least one folder with a recording set: node simulators/generator/quantiles.ts DIR…");
    process.exitCode = 2;
  } else {
    const groups = await quantilesOfSets(positionals, {
      byActivity: values["by-activity"] ?? false,
      warn: (line) => console.error(line),
    });
    console.log(values.json ? JSON.stringify(groups, null, 1) : markdown(groups));
  }
}
