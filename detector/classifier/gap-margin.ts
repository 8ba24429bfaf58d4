import { channelCount, channelLength, impactValue } from "../channels.ts";
import { featureCount } from "../features.ts";
import type { ModelPlacement } from "../operating-points.ts";

/** By how many logits a window with a gap is scored lower, by model: with lost frames in it daily life looks more like a fall. */
export type GapMargins = Record<ModelPlacement, number>;

export const noGapMargins: GapMargins = { wrist: 0, waist: 0 };

/**
 * Whether a model input's window has a gap: its impact is known, and so is something on both sides of what is not. One that merely begins late, or ends in
 * silence, has none.
 */
export function hasGap(input: Float32Array): boolean {
  const isKnown = (value: number) => input[featureCount + value * channelCount + channelCount - 1]! > 0;
  if (!isKnown(impactValue)) return false;
  let first = 0;
  while (!isKnown(first)) first++;
  let last = channelLength - 1;
  while (!isKnown(last)) last--;
  for (let value = first + 1; value < last; value++) if (!isKnown(value)) return true;
  return false;
}

/** The scores, 0 to 1, with those of windows with a gap lowered by `margin` logits. In place. */
export function lowerWhereGaps(scores: number[], inputs: readonly Float32Array[], margin: number): number[] {
  if (margin <= 0) return scores;
  inputs.forEach((input, i) => {
    const score = scores[i]!;
    if (score > 0 && score < 1 && hasGap(input)) scores[i] = 1 / (1 + Math.exp(margin - logitOf(score)));
  });
  return scores;
}

export const logitOf = (score: number) => Math.log(score / (1 - score));
