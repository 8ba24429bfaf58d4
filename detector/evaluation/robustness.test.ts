import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { impact, lying, type Motion, points, standing } from "../synthetic-wearer.ts";
import { randomFrom } from "../training/random.ts";
import { degradationsOf, degraded } from "./degradations.ts";
import { anyRotation, lostFrames, rotated } from "./degrade.ts";
import { evaluate } from "./evaluate.ts";
import { judge, recorded, writeSet } from "./made-up-set.ts";
import { framesOf, play, type Score } from "./play.ts";
import { atSameSpecificity, remembered } from "./same-specificity.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fall = impact(10.3, 4, standing, lying);
const magnitudes = ({ samples }: Recording) =>
  Array.from({ length: samples.length / 3 }, (_, i) =>
    Math.hypot(samples[i * 3]!, samples[i * 3 + 1]!, samples[i * 3 + 2]!),
  );

describe("rotations", () => {
  test("keep every magnitude, but for what a turned sensor cannot show", () => {
    const recording = recorded(fall, "fall");
    const turned = rotated(recording, anyRotation(randomFrom(3)), 16_000);
    expect(turned.samples).not.toEqual(recording.samples);
    const before = magnitudes(recording);
    magnitudes(turned).forEach((mg, i) => {
      expect(Math.abs(mg - before[i]!)).toBeLessThan(2);
    });
    const narrow = rotated(recording, anyRotation(randomFrom(3)), 2000);
    expect(Math.max(...narrow.samples.map(Math.abs))).toBe(2000);
  });

  test("lie evenly on the sphere", () => {
    const random = randomFrom(1);
    const axes = Array.from({ length: 4000 }, () => anyRotation(random).map((row) => row[1]));
    for (const axis of [0, 1, 2]) {
      const along = axes.map((one) => one[axis]!);
      expect(along.reduce((sum, value) => sum + value, 0) / axes.length).toBeCloseTo(0, 1);
      // On a sphere each coordinate is even on −1…1: a quarter lies above ½, and its mean square is ⅓.
      expect(along.filter((value) => value > 0.5).length / axes.length).toBeCloseTo(0.25, 1);
      expect(along.reduce((sum, value) => sum + value ** 2, 0) / axes.length).toBeCloseTo(1 / 3, 1);
    }
  });
});

describe("lost frames", () => {
  const options = { operatingPoints: points(0.5, 0.9), score: () => [0.6] };
  const lose = (motion: Motion, frames: number[]) =>
    play([{ recording: recorded(motion, "fall", { samples: 2000 }), rangeG: 8, lost: new Set(frames) }], options)[0]!;

  test("are a gap by their sequence and time, not rest", () => {
    const [alarm] = lose(fall, [15, 16, 20]).alarms;
    expect(alarm?.impactS).toBeCloseTo(10.3, 1);
    expect(alarm?.conclusion.evidence.unknownSeconds).toBeCloseTo(3, 1);
    expect(lose(fall, []).alarms[0]?.conclusion).toMatchObject({ reason: "still", evidence: { unknownSeconds: 0 } });
  });

  test("with the impact in them hide it: their middle is looked at, and what comes after is where it was", () => {
    const later = impact(20.3, 4, fall, lying);
    expect(lose(later, [10]).judged.map(({ impactS }) => Math.round(impactS * 10))).toEqual([105, 203]);
    expect(lose(later, []).judged.map(({ impactS }) => Math.round(impactS * 10))).toEqual([103, 203]);
  });

  test("in a row are a silence: what is due in it is done in it", () => {
    const score: Score = (_, inputs) => inputs.map(() => 0.95);
    const sent = { recording: recorded(fall, "fall"), rangeG: 8, lost: new Set([11, 12, 13, 14, 15, 16, 17, 18, 19]) };
    const [one] = play([sent], { ...options, score });
    // The last frame before it ends at 10.98 s; after 3 s of silence the window is judged as far as it goes.
    expect(one?.alarms[0]?.detectedS).toBeCloseTo(13.98, 1);
  });

  test("are as many as asked for, and the same each time", () => {
    const of = (seed: number) => [...lostFrames(10_000, 0.1, randomFrom(seed))];
    expect(of(1).length).toBeGreaterThan(900);
    expect(of(1).length).toBeLessThan(1100);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(framesOf(recorded(standing, "adl", { samples: 51 }))).toBe(2);
  });
});

test("a degradation is the same for the same trial, and another for each rotation and each trial", () => {
  const sent = { recording: recorded(fall, "fall"), rangeG: 8 };
  const [first, second] = degradationsOf({ rotate: 2 });
  const samples = (which: typeof first, name: string) => degraded(sent, which!, name).recording.samples;
  expect(samples(first, "a")).toEqual(samples(first, "a"));
  expect(samples(first, "a")).not.toEqual(samples(first, "b"));
  expect(samples(first, "a")).not.toEqual(samples(second, "a"));
  const [clip] = degradationsOf({ clip: [2] });
  expect(degraded(sent, clip!, "a")).toMatchObject({ rangeG: 2 });
  expect(Math.max(...degraded(sent, clip!, "a").recording.samples)).toBe(2000);
});

describe("rows", () => {
  test("each way of each part once, with differences; what changes nothing is skipped and said", async () => {
    const set = await writeSet(folder, [
      { motion: fall, label: "fall" },
      { motion: standing, label: "adl" },
    ]);
    const degradations = degradationsOf({ rates: [25, 50, 100], clip: [2, 8], rotate: 1, loss: [99] });
    let last = { done: 0, known: 0 };
    const onProgress = (done: number, known: number) => {
      last = { done, known };
    };
    const { robustness } = await evaluate([set], { classifier: judge(0.95), degradations, onProgress });
    expect(robustness.map(({ name, skipped }) => [name, skipped])).toEqual([
      ["25 Hz", null],
      ["50 Hz", "recorded at 50 Hz"],
      ["100 Hz", "recorded at 50 Hz, which is less"],
      ["±2 g", null],
      ["±8 g", "recorded with a sensor of ±4 g"],
      ["turned, 1 of 1", null],
      ["99 % of frames lost", null],
    ]);
    expect(robustness[0]).toMatchObject({ sensitivityChange: 0, specificityChange: 0, sensitivity: { value: 1 } });
    expect(robustness[6]).toMatchObject({ sensitivityChange: -1, specificityChange: 0, sensitivity: { value: 0 } });
    expect(robustness[6]?.sameSpecificity?.change).toBe(-1);
    expect(last).toEqual({ done: 10, known: 10 });
  });
});

describe("at the same specificity", () => {
  const scores = new Map<Recording, number>();
  const trial = (label: "fall" | "adl", at: number, score: number) => {
    const recording = recorded(impact(at, 4, standing, lying), label, { peakS: at });
    scores.set(recording, score);
    return { recording, rangeG: 8 };
  };
  // Impacts at times of their own, so that no two windows are the same.
  const trials = [
    ...[0.3, 0.55, 0.7, 0.95].map((score, i) => trial("fall", 5.103 + 0.907 * i, score)),
    ...[0.2, 0.4, 0.6, 0.8].map((score, i) => trial("adl", 15.111 + 0.907 * i, score)),
  ];
  const operatingPoints = points(0.5, 0.9);
  /** A model that knows each trial's window. */
  const known = new Map<string, number>();
  const score: Score = (_, inputs) => inputs.map((input) => known.get(input.join()) ?? Number.NaN);

  test("the medium threshold moves to where as much daily life is quiet, and falls are counted there", () => {
    const judged = { operatingPoints, score };
    play(trials, {
      operatingPoints,
      score: (_, inputs) => inputs.map(() => 0),
      onWindow: (recording, _, input) => known.set(input.join(), scores.get(recording)!),
    });
    expect(known.size).toBe(trials.length);
    const played = play(trials, judged);
    expect(played.map(({ alarms }) => alarms.length)).toEqual([0, 1, 1, 1, 0, 0, 1, 1]);
    const at = (allowed: number) => atSameSpecificity(played, allowed, judged);
    expect(at(2)).toMatchObject({ sensitivity: 0.75, specificity: 0.5 });
    expect(at(2)?.threshold).toBeCloseTo(0.4, 4);
    expect(at(1)).toMatchObject({ sensitivity: 0.5, specificity: 0.75 });
    expect(at(0)).toMatchObject({ sensitivity: 0.25, specificity: 1 });
    expect(at(4)).toMatchObject({ sensitivity: 1, specificity: 0 });
    expect(atSameSpecificity(played.slice(0, 4), 0, judged)).toBeNull();
  });
});

test("an alarm hides what comes within its minute: where the threshold moves past it, that is looked at", () => {
  const recording = recorded(impact(15.3, 4, impact(5.3, 4, standing, lying), lying), "adl");
  // The later impact is not judged once the earlier one has been told.
  const scoreAt = new Map<string, number>();
  const options = { operatingPoints: points(0.5, 0.9), score: scored };
  function scored(_: string, inputs: readonly Float32Array[]) {
    return inputs.map((input) => scoreAt.get(input.join()) ?? 0);
  }
  play([{ recording, rangeG: 8 }], {
    ...options,
    score: (_, inputs) => inputs.map(() => 0),
    onWindow: (_, impactS, input) => scoreAt.set(input.join(), impactS < 10 ? 0.92 : 0.97),
  });
  expect(scoreAt.size).toBe(2);
  const played = play([{ recording, rangeG: 8 }], options);
  expect(played[0]?.judged.map(({ score }) => score)).toEqual([0.92]);
  const at = atSameSpecificity(played, 0, options);
  expect(at?.specificity).toBe(1);
  expect(at?.threshold).toBeGreaterThan(0.97);
});

test("a remembered score is asked for once a window, and each window keeps its own", () => {
  let asked = 0;
  const score = remembered((_, inputs) => {
    asked += inputs.length;
    return inputs.map((input) => input[1]!);
  });
  const window = (value: number) => Float32Array.of(0, value, 2);
  expect(score("waist", [window(0.25), window(0.5)])).toEqual([0.25, 0.5]);
  expect(score("waist", [window(0.5), window(0.75), window(0.25)])).toEqual([0.5, 0.75, 0.25]);
  expect(asked).toBe(3);
  expect(score("wrist", [window(0.5)])).toEqual([0.5]);
  expect(asked).toBe(4);
});
