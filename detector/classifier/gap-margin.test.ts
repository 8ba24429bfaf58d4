import { expect, test } from "vitest";
import { channelCount, channelLength, impactValue } from "../channels.ts";
import { featureCount } from "../features.ts";
import { hasGap, logitOf, lowerWhereGaps } from "./gap-margin.ts";

/** A model input of which the values [from, to) of each pair are known. */
function input(...known: [from: number, to: number][]): Float32Array {
  const made = new Float32Array(featureCount + channelLength * channelCount);
  for (const [from, to] of known) {
    for (let i = from; i < to; i++) made[featureCount + i * channelCount + channelCount - 1] = 1;
  }
  return made;
}
const gapped = input([0, 60], [70, channelLength]);
const whole = input([0, channelLength]);

test("a gap has something known on both sides", () => {
  expect(hasGap(gapped)).toBe(true);
  expect(hasGap(whole)).toBe(false);
  expect(hasGap(input([20, channelLength]))).toBe(false);
  expect(hasGap(input([0, 60]))).toBe(false);
  expect(hasGap(input([10, 20], [25, 60]))).toBe(true);
});

test("a window whose impact nobody saw is judged by a rule of its own, and has none here", () => {
  expect(hasGap(input([0, impactValue - 5], [impactValue + 5, channelLength]))).toBe(false);
  expect(hasGap(input())).toBe(false);
});

test("only windows with a gap are lowered, by the margin in logits; what is certain stays so", () => {
  const scores = lowerWhereGaps([0.9, 0.9, 1, 0], [gapped, whole, gapped, gapped], 1.5);
  expect(logitOf(scores[0]!)).toBeCloseTo(logitOf(0.9) - 1.5, 9);
  expect(scores.slice(1)).toEqual([0.9, 1, 0]);
  expect(lowerWhereGaps([0.9], [gapped], 0)).toEqual([0.9]);
});
