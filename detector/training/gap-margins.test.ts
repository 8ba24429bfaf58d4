import { expect, test } from "vitest";
import { channelCount, channelLength } from "../channels.ts";
import { logitOf, lowerWhereGaps } from "../classifier/gap-margin.ts";
import { inputLength } from "../model-input.ts";
import { points } from "../synthetic-wearer.ts";
import type { Example } from "./examples.ts";
import type { LeftOut } from "./folds.ts";
import { gapMarginsOf } from "./gap-margins.ts";
import { withGap } from "./made-up-windows.ts";
import { randomFrom } from "./random.ts";

const whole = new Float32Array(inputLength).fill(1, inputLength - channelLength * channelCount);
const random = randomFrom(5);

function scored(count: number, variant: Example["variant"], input: Float32Array, shift: number): LeftOut[] {
  return Array.from({ length: count }, (_, i) => ({
    example: {
      ...{ input, variant, label: 0, model: "wrist", rangeClass: "wide", inFall: false },
      ...{ person: "a/1", dataset: "a", trial: `${variant}${i}` },
    },
    score: 1 / (1 + Math.exp(-(random.between(-6, 1) + shift))),
  }));
}
const asIs = scored(2000, "as-is", whole, 0);
const gapped = scored(2000, "lost", withGap(whole), 1);
const sharePast = (list: readonly LeftOut[], by = 0) =>
  list.filter(({ score }) => logitOf(score) - by >= logitOf(0.5)).length / list.length;

test("with the margin daily life with gaps reaches the threshold as often as without", () => {
  const { wrist, waist } = gapMarginsOf([...asIs, ...gapped], points(0.5, 0.9));
  expect(wrist).toBeGreaterThan(0.7);
  expect(wrist).toBeLessThan(1.3);
  expect(waist).toBe(0);
  expect(sharePast(gapped)).toBeGreaterThan(1.5 * sharePast(asIs));
  const lowered = lowerWhereGaps(
    gapped.map(({ score }) => score),
    gapped.map(({ example }) => example.input),
    wrist,
  );
  expect(lowered.filter((score) => score > 0.5).length / lowered.length).toBeCloseTo(sharePast(asIs), 2);
});

test("windows without a gap, falls and what few windows would say move nothing", () => {
  expect(gapMarginsOf([...asIs, ...scored(2000, "lost", whole, 1)], points(0.5, 0.9)).wrist).toBe(0);
  expect(gapMarginsOf([...asIs, ...gapped.slice(0, 100)], points(0.5, 0.9)).wrist).toBe(0);
  const falls = gapped.map(({ example, score }) => ({ example: { ...example, label: 1 as const }, score }));
  expect(gapMarginsOf([...asIs, ...falls], points(0.5, 0.9)).wrist).toBe(0);
});
