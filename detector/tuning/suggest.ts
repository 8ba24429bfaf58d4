import type { ThresholdLimits } from "./limits.ts";

/** Thresholds are given with four decimals: near 1 scores lie close together. */
const steps = 10_000;

export interface Suggestion {
  /** Null where no threshold would help. */
  threshold: number | null;
  /** Confirmed false alarms that it drops, and those that it cannot without losing a fall or leaving the bounds. */
  drops: number;
  remain: number;
}

/** The least threshold of four decimals that a score is under. */
const above = (score: number) => (Math.floor(score * steps) + 1) / steps;

/**
 * The threshold that drops as many confirmed false alarms as can be without losing a confirmed fall, within bounds, and no higher than that needs. It never
 * suggests a lower one: nobody confirms the alarms that were not raised.
 *
 * @param falls scores of alarms where somebody had fallen
 * @param noFalls scores of alarms where whoever came there found no fall
 */
export function suggestThreshold(
  { falls, noFalls }: { falls: readonly number[]; noFalls: readonly number[] },
  { most }: Pick<ThresholdLimits, "most">,
  now: number,
): Suggestion {
  const highest = Math.min(most, ...falls);
  const raised = noFalls.filter((score) => score >= now);
  const droppable = raised.map(above).filter((threshold) => threshold <= highest);
  const threshold = droppable.length > 0 ? Math.max(...droppable) : null;
  return { threshold, drops: droppable.length, remain: raised.length - droppable.length };
}
