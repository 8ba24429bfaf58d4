import { type Figure, rate, share } from "../../detector/evaluation/intervals.ts";
import type { FullPartReport } from "../../detector/evaluation/report.ts";
import type { LeftOutReport } from "../../detector/training/left-out.ts";
import type { DetectorResult } from "../bench/detector-measure.ts";

/** What is aimed at, and what must be. Shares and points as parts of one. Null: nothing was set, the figure is only told. */
export interface Aim {
  goal: number;
  must: number;
  better: "higher" | "lower";
}

/** One figure of the detector, with what is asked of it. */
export interface Row {
  group: string;
  what: string;
  /** Null: not measured in this run. */
  value: number | null;
  low: number | null;
  high: number | null;
  unit: "%" | "points" | "alarms" | "per week" | "ns" | "µs" | "% of a core";
  aim: Aim | null;
}

export type Verdict = "goal" | "must" | "missed" | "told" | "not measured";

export function verdictOf({ value, aim }: Row): Verdict {
  if (value === null) return "not measured";
  if (!aim) return "told";
  const reaches = (limit: number) => (aim.better === "higher" ? value >= limit : value <= limit);
  return reaches(aim.goal) ? "goal" : reaches(aim.must) ? "must" : "missed";
}

const higher = (goal: number, must: number): Aim => ({ goal, must, better: "higher" });
const lower = (goal: number, must: number): Aim => ({ goal, must, better: "lower" });

type Pair = { sensitivity: Aim; specificity: Aim };
const pair = (goal: [number, number], must: [number, number]): Pair => ({
  sensitivity: higher(goal[0], must[0]),
  specificity: higher(goal[1], must[1]),
});

const peopleOut: Record<string, Pair> = {
  "sisfall/waist": pair([0.995, 0.997], [0.99, 0.993]),
  "weda-fall/wrist": pair([0.985, 0.985], [0.97, 0.96]),
  "smartfallmm/meta_wrist": pair([0.92, 0.95], [0.88, 0.92]),
  "smartfallmm/meta_hip": pair([0.95, 0.99], [0.92, 0.985]),
};
const wristSetOut = pair([0.8, 0.97], [0.6, 0.96]);
const waistSetOut = pair([0.97, 0.99], [0.87, 0.98]);
const setsOut: Record<string, Pair> = {
  "weda-fall/wrist": wristSetOut,
  "smartfallmm/meta_wrist": wristSetOut,
  "sisfall/waist": waistSetOut,
  "smartfallmm/meta_hip": waistSetOut,
};
/** Loss of sensitivity where daily life is as quiet, in parts of one. */
const losses: Record<string, Aim> = {
  "25 Hz": lower(0.005, 0.02),
  "turned, 1 of 1": lower(0.005, 0.01),
  "±2 g": lower(0.02, 0.05),
  "5 % of frames lost": lower(0.01, 0.03),
};
const seated = "stress-predict";

const nameOf = ({ dataset, part }: { dataset: string; part: string }) => `${dataset}/${part}`;
const figure = ({ value, low, high }: Figure) => ({ value, low, high });

/** Everything that is asked of the detector's accuracy, row by row, with what the reports of people and sets left out show. */
export function accuracyRows(people: LeftOutReport, sets: LeftOutReport): Row[] {
  return [
    ...pairRows("people left out", people.sets, peopleOut),
    ...pairRows("set left out as a whole", sets.sets, setsOut),
    ...people.sets.flatMap(olderRows),
    ...people.sets.filter(({ dataset }) => dataset === seated).map(seatedRow),
    ...weekRows(people.sets),
    ...robustnessRows(people),
  ];
}

function pairRows(group: string, reports: readonly FullPartReport[], aims: Record<string, Pair>): Row[] {
  return reports.flatMap((report): Row[] => {
    if (report.falls === 0) return [];
    const name = nameOf(report);
    const row = (what: "sensitivity" | "specificity"): Row => ({
      group,
      what: `${name}, ${what}`,
      ...figure(report[what]),
      unit: "%",
      aim: aims[name]?.[what] ?? null,
    });
    return [row("sensitivity"), ...elsewhereRow(group, report), row("specificity")];
  });
}

/** Where only the peak is labelled it may be that of getting up: then the fall itself was told, and counts as missed and as a false alarm. */
function elsewhereRow(group: string, report: FullPartReport): Row[] {
  const falls = report.trials.filter(({ label }) => label === "fall");
  const told = falls.filter(({ found, falseAlarms }) => found || falseAlarms > 0).length;
  if (told === falls.filter(({ found }) => found).length) return [];
  const what = `${nameOf(report)}, falls with an alarm anywhere in their trial`;
  return [{ group, what, ...figure(share(told, falls.length)), unit: "%", aim: null }];
}

function olderRows(report: FullPartReport): Row[] {
  return report.byAgeGroup
    .filter(({ ageGroup, adls }) => ageGroup === "elder" && adls > 0)
    .map(({ specificity }) => ({
      group: "older people's daily life, people left out",
      what: `${nameOf(report)}, specificity`,
      ...figure(specificity),
      unit: "%",
      aim: higher(0.995, report.dataset === "smartfallmm" ? 0.95 : 0.99),
    }));
}

const alarmsOf = ({ trials }: FullPartReport) => trials.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0);

function seatedRow(report: FullPartReport): Row {
  return {
    group: "seated hours, people left out",
    what: `${nameOf(report)}, false alarms in ${report.hours.toFixed(1)} h`,
    value: alarmsOf(report),
    low: null,
    high: null,
    unit: "alarms",
    aim: lower(0, 1),
  };
}

/** By wearing place, scripted and seated apart: 112 worn hours of nothing but that. */
function weekRows(reports: readonly FullPartReport[]): Row[] {
  const kindOf = ({ dataset, placement }: FullPartReport) =>
    `${placement}, ${dataset === seated ? "seated" : "scripted"}`;
  return [...Map.groupBy(reports, kindOf)].map(([what, own]): Row => {
    const quiet = own.flatMap(({ trials }) => trials.filter(({ label }) => label === "adl"));
    const hours = quiet.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
    const alarms = quiet.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0);
    return {
      group: "false alarms a resident-week (112 worn hours) of daily life, people left out",
      what: `${what}: ${alarms} in ${hours.toFixed(1)} h`,
      ...figure(rate(alarms, hours / 112)),
      unit: "per week",
      aim: null,
    };
  });
}

function robustnessRows({ robustness }: LeftOutReport): Row[] {
  return robustness
    .filter(({ skipped, name }) => skipped === null && name in losses)
    .map((row): Row => {
      const change = row.sameSpecificity?.change ?? null;
      return {
        group: "made worse: loss of sensitivity where daily life is as quiet, people left out",
        what: `${nameOf(row)}, ${row.name}`,
        // A gain is no loss.
        value: change === null ? null : Math.max(0, -change),
        low: null,
        high: null,
        unit: "points",
        aim: losses[row.name] ?? null,
      };
    });
}

/** What a sample, a window and a town of devices cost. */
export function costRows({ quiet, classifiers, shares, settings }: DetectorResult): Row[] {
  const row = (what: string, value: number | null, unit: Row["unit"], aim: Aim | null): Row => ({
    group: "cost on one core",
    what,
    value,
    low: null,
    high: null,
    unit,
    aim,
  });
  const kernel = classifiers.find(({ name, batch }) => name === "kernel" && batch === 1);
  const devices = settings.devices.toLocaleString("en");
  const [atRest, ...busy] = shares;
  return [
    row("quiet stream, a sample", quiet.all, "ns", lower(100, 250)),
    row("a candidate through the classifier", kernel?.us ?? null, "µs", lower(60, 150)),
    row(`${devices} devices at 50 Hz, quiet`, atRest?.share ?? null, "% of a core", lower(0.05, 0.12)),
    ...busy.map(({ share, asked }) =>
      row(
        `${devices} devices at 50 Hz, ${asked} gates an hour each`,
        share,
        "% of a core",
        asked >= 1000 ? lower(0.25, 0.5) : null,
      ),
    ),
  ];
}
