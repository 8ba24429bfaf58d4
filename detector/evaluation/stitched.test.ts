import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { impact, lying, type Motion, standing, switching, walking } from "../synthetic-wearer.ts";
import { randomFrom } from "../training/random.ts";
import { evaluate } from "./evaluate.ts";
import { judge, recorded, writeSet } from "./made-up-set.ts";
import { type Continuation, isWalking, stitch } from "./stitched.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const walk = { activity: "D01", activityName: "Walking" };
/** Down, and up again 2 s later: what walking on from there starts with. */
const upAgain: Motion = switching(12.3, impact(10.3, 4, standing, lying), standing);

describe("what is stitched", () => {
  const fall = recorded(upAgain, "fall", { endS: 11 });
  const walks = [
    recorded(walking, "adl", { ...walk, samples: 700 }),
    recorded(lying, "adl", { ...walk, subject: "S1" }),
    recorded(walking, "adl", { ...walk, samples: 400 }),
  ];
  const make = (continuation: Continuation) => stitch(fall, continuation, walks, randomFrom(1))!;

  test("the fall up to 3 s after its labelled end, then 40 s at the same rate and in the same clock", () => {
    expect(make("silence").samples).toEqual(fall.samples.slice(0, 14 * 50 * 3));
    for (const continuation of ["walking", "rest"] as const) {
      const { samples, trial } = make(continuation);
      expect(samples.slice(0, 14 * 50 * 3)).toEqual(fall.samples.slice(0, 14 * 50 * 3));
      expect(samples.length / 3).toBe((14 + 40) * 50);
      expect(trial).toMatchObject({
        samples: samples.length / 3,
        rateHz: 50,
        id: `T0 + ${continuation}`,
        label: "fall",
      });
    }
    expect(stitch(recorded(upAgain, "fall"), "silence", [], randomFrom(1))?.samples.length).toBe(665 * 3);
  });

  test("walking is the same person's, all of it in turn", () => {
    const follows = make("walking").samples.subarray(14 * 50 * 3);
    expect(follows.slice(0, 700 * 3)).toEqual(walks[0]!.samples);
    expect(follows.slice(700 * 3, 1100 * 3)).toEqual(walks[2]!.samples);
    expect(follows.slice(1100 * 3, 1800 * 3)).toEqual(walks[0]!.samples);
    expect(stitch(fall, "walking", [walks[1]!], randomFrom(1))).toBeNull();
  });

  test("rest holds the last second's posture, with no more than the sensor's own noise", () => {
    const noisy: Motion = (t) => [1 + 0.05 * Math.sin(t * 977), 0.02, -0.03];
    const quiet = recorded(impact(10.3, 4, standing, noisy), "fall", { endS: 11 });
    const follows = stitch(quiet, "rest", [], randomFrom(1))!.samples.subarray(14 * 50 * 3);
    const x = follows.filter((_, i) => i % 3 === 0);
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length);
    expect(mean).toBeCloseTo(1000, -1);
    // Standing, before the fall, has no noise at all; the least of all seconds is taken for each axis.
    expect(deviation).toBeLessThan(8);
    expect(new Set(follows.filter((_, i) => i % 3 === 2))).toEqual(new Set([-30]));
  });

  test("by the manifest's words only plain walking is walking", () => {
    const is = (activityName: string, label: "fall" | "adl" = "adl") =>
      isWalking(recorded(standing, label, { activityName }).trial);
    for (const name of ["Walking", "Walking slowly", "Walking / TUG", "walk"]) expect(is(name)).toBe(true);
    for (const name of ["Walking up and downstairs", "Stumble while walking", "Jogging slowly", "Sitting"])
      expect(is(name)).toBe(false);
    expect(is("Walking", "fall")).toBe(false);
  });
});

test("medium evidence: told of who rests or is silent at 20 to 25 s, not of who walks; strong evidence is told whatever follows", async () => {
  const set = await writeSet(folder, [
    { motion: upAgain, label: "fall", more: { endS: 11 } },
    { motion: upAgain, label: "fall", more: { endS: 11 } },
    { motion: walking, label: "adl", more: { ...walk, subject: "S0" } },
  ]);
  const { stitched } = await evaluate([set], { classifier: judge(0.6), stitched: true });
  expect(
    stitched.map(({ continuation, trials, leftOut, alarmed }) => [continuation, trials, leftOut, alarmed.value]),
  ).toEqual([
    ["walking", 1, 1, 0],
    ["rest", 2, 0, 1],
    ["silence", 2, 0, 1],
  ]);
  expect(stitched.map(({ why }) => why)).toEqual([{ upright: 1 }, { still: 2 }, { silent: 2 }]);
  for (const { results, mediumEarly, mediumLate } of stitched.slice(1)) {
    expect([mediumEarly, mediumLate]).toEqual([0, 0]);
    for (const { afterS, strength } of results) {
      expect(strength).toBe("medium");
      expect(afterS).toBeGreaterThanOrEqual(20);
      expect(afterS).toBeLessThanOrEqual(25);
    }
  }
  const strong = await evaluate([set], { classifier: judge(0.95), stitched: true });
  expect(strong.stitched.map((row) => [row.strong, row.medium])).toEqual([
    [1, 0],
    [2, 0],
    [2, 0],
  ]);
});
