import type { ModelPlacement, OperatingPoint, OperatingPoints, RangeClass } from "../operating-points.ts";
import type { DailyLife } from "./examples.ts";
import type { LeftOut } from "./folds.ts";

/**
 * The alarm budget: the share of scripted daily-life trials that may alarm, on every set by itself, and seated hours' alarms.
 * Scripted trials are all lying down, jumping and stumbling; a day holds a handful of those. A sensor that clips at ±2 g tells falls less well from
 * daily life, and may cost more.
 */
export const budget = {
  scripted: { wrist: { wide: 0.033, "2g": 0.05 }, waist: { wide: 0.0062, "2g": 0.016 } } satisfies Record<
    ModelPlacement,
    Record<RangeClass, number>
  >,
  seatedPerHour: 1,
  /** Strong evidence, which nothing can dismiss, gets this share of it. */
  strongShare: 0.5,
  /** Thresholds travel badly: where one set's scripted daily life alone stands behind a model, it may cost only this share. */
  soleShare: 1 / 3,
};

/** The set that is one long daily life rather than scripted trials, and its hours. */
const seatedSet = "stress-predict";
const seatedHours = 18.6;
const seatedPeople = 20;
/** Whatever the budget would allow. */
const leastThreshold = 0.4;

/**
 * Sets both thresholds of each model and range class by the budget, from scores of people the scoring model never saw.
 * @param dailyLife all trials there are: one that never opens the gate has no score, and is quiet
 */
export function thresholdsFor(scored: readonly LeftOut[], dailyLife: readonly DailyLife[]): OperatingPoints {
  const people = new Set(scored.map(({ example }) => example.person));
  const known = dailyLife.filter(({ person }) => people.has(person));
  const point = (model: ModelPlacement, range: RangeClass): OperatingPoint => {
    const ours = scored.filter(
      ({ example }) =>
        example.model === model &&
        example.rangeClass === range &&
        example.label === 0 &&
        !example.inFall &&
        (example.variant === "as-is" || example.variant === "clipped"),
    );
    const trials = known.filter((trial) => trial.model === model && trial.rangeClass === range);
    const sets = Map.groupBy(trials, ({ dataset }) => dataset);
    const scripted = new Set(known.filter((trial) => trial.model === model).map(({ dataset }) => dataset));
    scripted.delete(seatedSet);
    const share = scripted.size > 1 ? 1 : budget.soleShare;
    const at = (part: number) => {
      let threshold = leastThreshold;
      for (const [dataset, list] of sets) {
        const peaks = trialPeaks(once(ours.filter(({ example }) => example.dataset === dataset)));
        const allowed =
          dataset === seatedSet
            ? budget.seatedPerHour * seatedHours * (new Set(list.map(({ person }) => person)).size / seatedPeople)
            : budget.scripted[model][range] * list.length * share;
        threshold = Math.max(threshold, between(peaks, Math.floor(allowed * part)));
      }
      return threshold;
    };
    const medium = at(1);
    return { medium, strong: Math.max(medium, at(budget.strongShare)) };
  };
  const hasAny = (model: ModelPlacement, range: RangeClass) =>
    known.some((trial) => trial.model === model && trial.rangeClass === range);
  // Where nothing of one class was seen, the other's is the best guess there is.
  const both = (model: ModelPlacement) => ({
    "2g": point(model, hasAny(model, "2g") ? "2g" : "wide"),
    wide: point(model, hasAny(model, "wide") ? "wide" : "2g"),
  });
  return { wrist: both("wrist"), waist: both("waist") };
}

/** Without copies of recordings that are of this range as they are: an hour would count once, and its windows twice. */
function once(scored: readonly LeftOut[]): LeftOut[] {
  const recordingOf = ({ example }: LeftOut) => example.trial.slice(0, example.trial.lastIndexOf("/"));
  const asIs = new Set(scored.filter(({ example }) => example.variant === "as-is").map(recordingOf));
  return scored.filter((one) => one.example.variant === "as-is" || !asIs.has(recordingOf(one)));
}

/** The highest score of each trial, highest first. Of the seated hours every window counts by itself. */
function trialPeaks(scored: readonly LeftOut[]): number[] {
  const peaks = new Map<string, number>();
  scored.forEach(({ example, score }, i) => {
    const key = example.dataset === seatedSet ? `${i}` : example.trial;
    peaks.set(key, Math.max(peaks.get(key) ?? 0, score));
  });
  return [...peaks.values()].sort((a, b) => b - a);
}

/** A threshold that lets `allowed` of the values through: half way between the last let through and the first held back. */
function between(values: readonly number[], allowed: number): number {
  const held = values[allowed] ?? 0;
  const through = values[allowed - 1] ?? 1;
  return (held + through) / 2;
}
