import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { EvaluationReport } from "./evaluate.ts";
import { aligned, nameOf, pointsText } from "./tables.ts";

const value = z.object({ value: z.number().nullable() });

/** What a comparison needs of an earlier report. Those of before trials were kept have none. */
const EarlierReport = z.object({
  model: z.object({ version: z.string() }),
  sets: z.array(
    z.object({
      dataset: z.string(),
      part: z.string(),
      falls: z.number(),
      adls: z.number(),
      sensitivity: value,
      specificity: value,
      falseAlarmsPerHour: value,
      trials: z
        .array(
          z.object({ id: z.string(), label: z.enum(["fall", "adl"]), found: z.boolean(), falseAlarms: z.number() }),
        )
        .optional(),
    }),
  ),
});
export type EarlierReport = z.infer<typeof EarlierReport>;
type EarlierSet = EarlierReport["sets"][number];

/** One set now against then. Differences are now less then: shares, so 0.01 is one point; null where either has none. */
export interface SetComparison {
  dataset: string;
  part: string;
  sensitivityChange: number | null;
  specificityChange: number | null;
  falseAlarmsPerHourChange: number | null;
  /** What keeps the two from being the same trials, or from being compared by trial. */
  note: string | null;
  /** By trial; null where the earlier report has no trials. Lists hold trials' ids. */
  trials: {
    fallsLost: string[];
    fallsGained: string[];
    falseAlarmsGained: string[];
    falseAlarmsLost: string[];
    /** Trials of one report only. */
    onlyNow: number;
    onlyThen: number;
  } | null;
}

export interface Comparison {
  modelThen: string;
  modelNow: string;
  sets: SetComparison[];
  /** Sets of the earlier report that were not played now, and the other way round. */
  onlyThen: string[];
  onlyNow: string[];
}

/** Reads a report written with --json. Throws where the file is none. */
export async function readEarlier(path: string): Promise<EarlierReport> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: ${why}. --compare takes a report that fallvakt evaluate wrote with --json.`);
  }
  const report = EarlierReport.safeParse(json);
  if (report.success) return report.data;
  const issue = report.error.issues[0];
  throw new Error(
    `${path}: ${issue?.path.join(".")}: ${issue?.message}. --compare takes a report that fallvakt evaluate wrote with --json.`,
  );
}

export function compare(then: EarlierReport, now: Pick<EvaluationReport, "model" | "sets">): Comparison {
  // Two folders may hold sets of the same name: the first goes with the first.
  const left = [...then.sets];
  const sets: SetComparison[] = [];
  const onlyNow: string[] = [];
  for (const set of now.sets) {
    const at = left.findIndex((one) => nameOf(one) === nameOf(set));
    if (at < 0) onlyNow.push(nameOf(set));
    else sets.push(compareSet(left.splice(at, 1)[0]!, set));
  }
  return { modelThen: then.model.version, modelNow: now.model.version, sets, onlyThen: left.map(nameOf), onlyNow };
}

function compareSet(then: EarlierSet, now: EarlierSet): SetComparison {
  const notes: string[] = [];
  if (then.falls !== now.falls || then.adls !== now.adls) {
    notes.push(
      `other trials: ${then.falls} falls and ${then.adls} of daily life then, ${now.falls} and ${now.adls} now`,
    );
  }
  if (!then.trials) notes.push("the earlier report has no trials: only its figures are compared");
  return {
    dataset: now.dataset,
    part: now.part,
    sensitivityChange: change(then.sensitivity.value, now.sensitivity.value),
    specificityChange: change(then.specificity.value, now.specificity.value),
    falseAlarmsPerHourChange: change(then.falseAlarmsPerHour.value, now.falseAlarmsPerHour.value),
    note: notes.length > 0 ? notes.join("; ") : null,
    trials: then.trials && now.trials ? compareTrials(then.trials, now.trials) : null,
  };
}

type Trials = NonNullable<EarlierSet["trials"]>;

function compareTrials(then: Trials, now: Trials): NonNullable<SetComparison["trials"]> {
  // Nothing keeps ids of a maker from being the same: the first goes with the first.
  const before = Map.groupBy(then, ({ id }) => id);
  const pairs = now.flatMap((trial) => {
    const old = before.get(trial.id)?.shift();
    return old ? [{ id: trial.id, old, new: trial }] : [];
  });
  const idsWhere = (holds: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(holds).map(({ id }) => id);
  return {
    fallsLost: idsWhere((pair) => pair.old.found && !pair.new.found),
    fallsGained: idsWhere((pair) => !pair.old.found && pair.new.found),
    falseAlarmsGained: idsWhere((pair) => pair.new.falseAlarms > pair.old.falseAlarms),
    falseAlarmsLost: idsWhere((pair) => pair.new.falseAlarms < pair.old.falseAlarms),
    onlyNow: now.length - pairs.length,
    onlyThen: then.length - pairs.length,
  };
}

const change = (then: number | null, now: number | null) => (then === null || now === null ? null : now - then);

/** For a terminal: a table of differences, then the trials set by set. */
export function comparisonText({ modelThen, modelNow, sets, onlyThen, onlyNow }: Comparison): string {
  const lines = [`Against the earlier report (model ${modelThen} then, ${modelNow} now); + is more now:`];
  if (sets.length > 0) {
    lines.push(
      aligned([
        ["set", "found, points", "quiet, points", "false alarms/h", "falls lost", "gained", "false alarms new", "gone"],
        ...sets.map((set) => [
          nameOf(set),
          pointsText(set.sensitivityChange),
          pointsText(set.specificityChange),
          signed(set.falseAlarmsPerHourChange),
          ...(["fallsLost", "fallsGained", "falseAlarmsGained", "falseAlarmsLost"] as const).map((list) =>
            set.trials ? `${set.trials[list].length}` : "–",
          ),
        ]),
      ]),
    );
  }
  for (const set of sets) {
    if (set.note) lines.push(`${nameOf(set)}: ${set.note}`);
    if (!set.trials) continue;
    const { fallsLost, fallsGained, falseAlarmsGained, falseAlarmsLost } = set.trials;
    const told = { "falls lost": fallsLost, "falls gained": fallsGained };
    const alarms = { "false alarms new": falseAlarmsGained, "false alarms gone": falseAlarmsLost };
    for (const [what, ids] of Object.entries({ ...told, ...alarms })) {
      if (ids.length > 0) lines.push(`${nameOf(set)}: ${what}: ${ids.join(", ")}`);
    }
  }
  if (onlyThen.length > 0) lines.push(`only in the earlier report: ${onlyThen.join(", ")}`);
  if (onlyNow.length > 0) lines.push(`not in the earlier report: ${onlyNow.join(", ")}`);
  return lines.join("\n");
}

function signed(difference: number | null): string {
  if (difference === null) return "–";
  const text = difference.toFixed(2);
  return Number(text) > 0 ? `+${text}` : text.replace("-", "−").replace(/^−0\.00$/, "0.00");
}
