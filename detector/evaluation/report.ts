import type { Placement } from "../../firmware-contracts/detection.ts";
import { impactSpan } from "../../firmware-contracts/recordings/format.ts";
import { type Figure, quantile, rate, share } from "./intervals.ts";
import type { Played } from "./play.ts";

/** Hours that a resident wears the device in a week: 16 a day. */
export const hoursWornInWeek = 112;

/** What one part of a recording set showed. Shares are of trials, with Wilson's 95 % interval; rates with Poisson's. */
export interface PartReport {
  dataset: string;
  part: string;
  placement: Placement;
  falls: number;
  adls: number;
  people: number;
  /** Length of all trials. */
  hours: number;
  sensitivity: Figure;
  specificity: Figure;
  falseAlarmsPerHour: Figure;
  falseAlarmsPerResidentWeek: Figure;
  /** From the impact to the alarm, in recording time, over the falls found. */
  latencySeconds: { median: number | null; p95: number | null; p99: number | null };
  byActivity: { activity: string; name: string | null; label: string; trials: number; alarmed: number }[];
}

/** A fall is found where an alarm's impact lies in its labelled span; its other alarms, and all of daily life's, are false. */
export function judgeTrial({ recording, alarms }: Played): {
  found: boolean;
  falseAlarms: number;
  latencyS: number | null;
} {
  const span = impactSpan(recording.trial);
  const hit = span ? alarms.find(({ impactS }) => impactS >= span.from && impactS <= span.to) : undefined;
  return {
    found: hit !== undefined,
    falseAlarms: alarms.length - (hit ? 1 : 0),
    latencyS: hit ? hit.detectedS - hit.impactS : null,
  };
}

export function reportPart(
  part: { dataset: string; part: string; placement: Placement },
  played: readonly Played[],
): PartReport {
  let falls = 0;
  let found = 0;
  let quiet = 0;
  let falseAlarms = 0;
  let seconds = 0;
  const latencies: number[] = [];
  const activities = new Map<string, PartReport["byActivity"][number]>();
  for (const one of played) {
    const { trial, samples } = one.recording;
    const verdict = judgeTrial(one);
    seconds += samples.length / 3 / trial.rateHz;
    falseAlarms += verdict.falseAlarms;
    if (verdict.latencyS !== null) latencies.push(verdict.latencyS);
    if (trial.label === "fall") falls++;
    if (trial.label === "fall" && verdict.found) found++;
    if (trial.label === "adl" && one.alarms.length === 0) quiet++;
    const key = `${trial.label} ${trial.activity}`;
    const row = activities.get(key) ?? {
      activity: trial.activity,
      name: trial.activityName ?? null,
      label: trial.label,
      trials: 0,
      alarmed: 0,
    };
    row.trials++;
    if (trial.label === "fall" ? verdict.found : one.alarms.length > 0) row.alarmed++;
    activities.set(key, row);
  }
  const hours = seconds / 3600;
  return {
    dataset: part.dataset,
    part: part.part,
    placement: part.placement,
    falls,
    adls: played.length - falls,
    people: new Set(played.map(({ recording }) => recording.trial.subject)).size,
    hours,
    sensitivity: share(found, falls),
    specificity: share(quiet, played.length - falls),
    falseAlarmsPerHour: rate(falseAlarms, hours),
    falseAlarmsPerResidentWeek: rate(falseAlarms, hours / hoursWornInWeek),
    latencySeconds: {
      median: quantile(latencies, 0.5),
      p95: quantile(latencies, 0.95),
      p99: quantile(latencies, 0.99),
    },
    byActivity: [...activities.values()].sort((a, b) => (a.label + a.activity < b.label + b.activity ? -1 : 1)),
  };
}

/** The report as a table for a terminal. */
export function tableOf(parts: readonly PartReport[]): string {
  const rows = parts.map((part) => [
    `${part.dataset}/${part.part}`,
    part.placement,
    `${part.falls}`,
    percent(part.sensitivity),
    `${part.adls}`,
    percent(part.specificity),
    part.hours.toFixed(1),
    part.falseAlarmsPerHour.value === null
      ? "–"
      : `${part.falseAlarmsPerHour.value.toFixed(2)} (${part.falseAlarmsPerHour.low.toFixed(2)}–${part.falseAlarmsPerHour.high.toFixed(2)})`,
    part.latencySeconds.median === null
      ? "–"
      : `${part.latencySeconds.median.toFixed(1)} / ${part.latencySeconds.p95?.toFixed(1)}`,
  ]);
  const head = [
    "set",
    "worn",
    "falls",
    "found % (95 %)",
    "daily life",
    "quiet % (95 %)",
    "hours",
    "false alarms/h (95 %)",
    "s to alarm: median / p95",
  ];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function percent({ value, low, high }: Figure): string {
  if (value === null) return "–";
  return `${(value * 100).toFixed(1)} (${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)})`;
}
