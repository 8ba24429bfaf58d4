import type { Placement } from "../../firmware-contracts/detection.ts";
import { type Degradation, degraded, whySkipped } from "./degradations.ts";
import { isQuiet } from "./figures.ts";
import { type Figure, rate, share } from "./intervals.ts";
import { type Played, type PlayOptions, play, type Sent } from "./play.ts";
import { resultOf } from "./report.ts";
import { type AtThreshold, atSameSpecificity, remembered } from "./same-specificity.ts";
import { aligned, nameOf, percent, perHour, pointsText } from "./tables.ts";

/** One part, made worse in one way. Differences are to the same part as it was recorded; shares, so 0.01 is one point. */
export interface RobustnessRow {
  dataset: string;
  part: string;
  placement: Placement;
  kind: Degradation["kind"];
  value: number;
  name: string;
  /** Why it was not played; null where it was. What follows is there only then. */
  skipped: string | null;
  sensitivity?: Figure;
  specificity?: Figure;
  falseAlarmsPerHour?: Figure;
  /** At the shipped operating point. */
  sensitivityChange?: number | null;
  specificityChange?: number | null;
  /**
   * Where the medium threshold is moved until no more daily life raises alarms than in the undegraded run at the shipped point. `change` is to the
   * undegraded run treated the same way.
   */
  sameSpecificity?: (AtThreshold & { change: number | null }) | null;
}

interface Part {
  dataset: string;
  part: string;
  placement: Placement;
}

/**
 * Plays a part again, made worse in one way at a time.
 * @param played the part as it was recorded, at the shipped operating point
 */
export function robustnessOf(
  { dataset, part, placement }: Part,
  sent: readonly Sent[],
  played: readonly Played[],
  options: Pick<PlayOptions, "operatingPoints" | "score" | "onPlayed">,
): (degradation: Degradation) => RobustnessRow {
  const { operatingPoints, score, onPlayed } = options;
  const before = outcomeOf(played);
  let asRecorded: AtThreshold | null | undefined;
  return (degradation) => {
    const row = { dataset, part, placement, ...degradation };
    const skipped = whySkipped(degradation, sent);
    if (skipped) return { ...row, skipped };
    asRecorded ??= atSameSpecificity(played, before.alarmed, { operatingPoints, score: remembered(score) });
    const judge = { operatingPoints, score: remembered(score) };
    const worse = sent.map((one) => degraded(one, degradation, `${dataset}/${part}/${one.recording.trial.id}`));
    const replayed = play(worse, { ...judge, ...(onPlayed && { onPlayed }) });
    const after = outcomeOf(replayed);
    const same = atSameSpecificity(replayed, before.alarmed, judge);
    return {
      ...row,
      skipped,
      sensitivity: after.sensitivity,
      specificity: after.specificity,
      falseAlarmsPerHour: after.falseAlarmsPerHour,
      sensitivityChange: less(after.sensitivity.value, before.sensitivity.value),
      specificityChange: less(after.specificity.value, before.specificity.value),
      sameSpecificity: same && { ...same, change: less(same.sensitivity, asRecorded?.sensitivity ?? null) },
    };
  };
}

function outcomeOf(played: readonly Played[]) {
  const trials = played.map(resultOf);
  const falls = trials.filter(({ label }) => label === "fall");
  const adls = trials.filter(({ label }) => label === "adl");
  const quiet = adls.filter(isQuiet).length;
  return {
    sensitivity: share(falls.filter(({ found }) => found).length, falls.length),
    specificity: share(quiet, adls.length),
    alarmed: adls.length - quiet,
    falseAlarmsPerHour: rate(
      trials.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0),
      trials.reduce((sum, { seconds }) => sum + seconds, 0) / 3600,
    ),
  };
}

const less = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);

/** For a terminal: what was played, then what was skipped. */
export function robustnessTable(rows: readonly RobustnessRow[]): string {
  const played = rows.filter(({ skipped }) => skipped === null);
  const table = aligned([
    [
      "set",
      "made worse",
      "found % (95 %)",
      "points",
      "quiet % (95 %)",
      "points",
      "false alarms/h (95 %)",
      "found % where quiet is as before, points",
    ],
    ...played.map((row) => {
      const same = row.sameSpecificity;
      return [
        nameOf(row),
        row.name,
        percent(row.sensitivity!),
        pointsText(row.sensitivityChange!),
        percent(row.specificity!),
        pointsText(row.specificityChange!),
        perHour(row.falseAlarmsPerHour!),
        same?.sensitivity == null ? "–" : `${(same.sensitivity * 100).toFixed(1)}, ${pointsText(same.change)}`,
      ];
    }),
  ]);
  const skipped = [
    ...Map.groupBy(
      rows.filter((row) => row.skipped !== null),
      nameOf,
    ),
  ].map(([name, own]) => `skipped: ${name}: ${own.map((row) => `${row.name} (${row.skipped})`).join(", ")}`);
  return [...(played.length > 0 ? [table] : []), ...skipped].join("\n");
}
