import type { ModelPlacement, RangeClass } from "../operating-points.ts";
import type { LeftOut } from "./folds.ts";

/** Shares of the falls and the score below which so many lie: what a device's own threshold may cost is read off here. */
export type Bank = Record<ModelPlacement, Partial<Record<RangeClass, [share: number, score: number][]>>>;

const shares = [0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5] as const;

/**
 * How falls of people left out score, by model and range class: of each recorded fall, and of its copy as a sensor of ±2 g sees it, the likeliest
 * window. Falls that open no gate are not among them.
 */
export function bankOf(scores: readonly LeftOut[]): Bank {
  const bank: Bank = { wrist: {}, waist: {} };
  const falls = scores.filter(
    ({ example: { label, variant } }) => label === 1 && (variant === "as-is" || variant === "clipped"),
  );
  const groups = Map.groupBy(falls, ({ example: { model, rangeClass } }) => `${model} ${rangeClass}`);
  for (const own of groups.values()) {
    const { model, rangeClass } = own[0]!.example;
    const best = new Map<string, number>();
    for (const { example, score } of own) best.set(example.trial, Math.max(best.get(example.trial) ?? 0, score));
    const sorted = [...best.values()].sort((a, b) => a - b);
    bank[model][rangeClass] = shares.map((share) => [share, sorted[Math.floor(share * sorted.length)]!]);
  }
  return bank;
}
