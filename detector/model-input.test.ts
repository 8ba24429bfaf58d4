import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { channelCount, channelLength } from "./channels.ts";
import { featureCount, featureNames } from "./features.ts";
import { emptyHistory, remember, rememberUnknown } from "./history.ts";
import { inputLength, modelInput } from "./model-input.ts";
import { slotsAfter, slotsBefore, windowAround } from "./window.ts";

type Vector = [number, number, number];

/** An impact at slot 100 of 300, in milli-g, turned by `turn`; unknown where `known` says so. */
function inputOf(turn: (v: Vector) => Vector, known: (slot: number) => boolean = () => true): Float32Array {
  const history = emptyHistory();
  for (let i = 0; i < 300; i++) {
    if (!known(i)) {
      rememberUnknown(history);
      continue;
    }
    const near = Math.exp(-(((i - 100) / 4) ** 2)) * 2500;
    const upright = i < 100;
    const sway = 60 * Math.sin(i / 3);
    const [x, y, z] = turn([near + (upright ? 0 : 1000), sway + (upright ? 1000 : 0), near / 2 - sway]);
    const one = (value: number) => Float64Array.of(value);
    const slot = {
      x: one(Math.round(x)),
      y: one(Math.round(y)),
      z: one(Math.round(z)),
      magnitude: one(Math.hypot(x, y, z)),
    };
    remember(history, slot, 0, 1);
  }
  return modelInput(windowAround(history, 100));
}

const asIs = (v: Vector) => v;

describe("the model's input", () => {
  test("has the length that the model takes, and a name for each feature", () => {
    expect(inputOf(asIs)).toHaveLength(inputLength);
    expect(inputLength).toBe(featureCount + channelLength * channelCount);
    expect(new Set(featureNames).size).toBe(featureCount);
  });

  test("does not depend on how the device is turned", () => {
    const reference = inputOf(asIs);
    const angle = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
    fc.assert(
      fc.property(angle, angle, (a, b) => {
        const turned = inputOf(([x, y, z]) => {
          const [u, v] = [x * Math.cos(a) - y * Math.sin(a), x * Math.sin(a) + y * Math.cos(a)];
          return [u, v * Math.cos(b) - z * Math.sin(b), v * Math.sin(b) + z * Math.cos(b)];
        });
        // Features that count whole samples may move by one; all else by the rounding to milli-g.
        turned.forEach((value, i) => {
          expect(Math.abs(value - reference[i]!), featureNames[i] ?? `value ${i}`).toBeLessThan(0.04);
        });
      }),
    );
  });

  test("is finite and within bounds whatever is known", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 300, maxLength: 300 }), (known) => {
        for (const value of inputOf(asIs, (slot) => known[slot]!)) {
          expect(Number.isFinite(value)).toBe(true);
          expect(Math.abs(value)).toBeLessThan(60);
        }
      }),
    );
    for (const value of inputOf(asIs, () => false)) expect(Number.isFinite(value)).toBe(true);
  });

  test("what is unknown is not taken for stillness: the known shares tell", () => {
    const cut = inputOf(asIs, (slot) => slot < 100 + slotsAfter / 2);
    expect(cut[featureNames.indexOf("share known before")]).toBe(1);
    expect(cut[featureNames.indexOf("share known, 1.2 to 2.5")]).toBeLessThan(0.1);
    const late = inputOf(asIs, (slot) => slot >= 100 - slotsBefore / 2);
    expect(late[featureNames.indexOf("share known before")]).toBeLessThan(0.6);
  });

  test("a peak beyond 4 g counts as 4 g: no fall is judged by how hard it was", () => {
    const harder = (factor: number) => inputOf(([x, y, z]) => [x * factor, y, z]);
    expect(harder(3)[0]).toBeCloseTo(Math.log(4), 5);
    expect(harder(6)[0]).toBe(harder(3)[0]);
  });
});
