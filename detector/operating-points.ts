import type { Placement } from "../firmware-contracts/detection.ts";

/** Which of the two models judges: the wrist's, or the waist's for everything worn on the trunk or thigh. */
export type ModelPlacement = "wrist" | "waist";
/** What a sensor can show: one that clips at ±2 g, or a wider one. */
export type RangeClass = "2g" | "wide";

/** Scores, 0 to 1. At `medium` the aftermath is awaited; at `strong` the fall is told at once. */
export interface OperatingPoint {
  medium: number;
  strong: number;
}

/** Thresholds per model and range class, set by an alarm budget on daily life when the model is trained. */
export type OperatingPoints = Record<ModelPlacement, Record<RangeClass, OperatingPoint>>;

/** Chest, hip and pocket are judged by the waist's model: no other was shown to be better. */
export function modelFor(placement: Placement): ModelPlacement {
  return placement === "wrist" ? "wrist" : "waist";
}

/** `rangeG`: the sensor's full scale in g, as its frames tell it. */
export function rangeClassOf(rangeG: number): RangeClass {
  return rangeG <= 2 ? "2g" : "wide";
}

/** How a candidate came up: by an impact, by a change of posture without one, or by one across a gap that may hide it. */
export type Lane = "impact" | "soft" | "hidden";

/** A candidate whose impact was not seen must score so much more than strong evidence, in logits, to be awaited. */
const hiddenMargin = 0.8;

/**
 * The point with a device's own threshold, where it has one: what is told at once is never less than what is awaited. Where the impact itself was not
 * seen, only a score well above what would be strong elsewhere asks to await the aftermath: lost frames are many.
 */
export function withThreshold(point: OperatingPoint, threshold: number | null | undefined, lane: Lane): OperatingPoint {
  const medium = threshold ?? point.medium;
  const strong = Math.max(point.strong, medium);
  return { medium: lane === "hidden" ? raised(strong, hiddenMargin) : medium, strong };
}

/** A score, 0 to 1, moved by so many logits. */
function raised(score: number, by: number): number {
  if (score <= 0 || score >= 1) return score;
  return 1 / (1 + Math.exp(-(Math.log(score / (1 - score)) + by)));
}
