import { pino } from "pino";
import { expect, test } from "vitest";
import type { Classifier } from "../../detector/classifier/classifier.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { createCounters } from "../counters.ts";
import { createScorer } from "./scorer.ts";

let now = 0;
const clock: Clock = { wallNow: () => now, monotonicNow: () => now, after: () => () => {} };
const classifier = { score: (_: string, inputs: readonly unknown[]) => inputs.map(() => 0.5) } as unknown as Classifier;

function open() {
  const counters = createCounters();
  return { counters, scorer: createScorer(classifier, clock, counters, pino({ level: "silent" })) };
}

test("a building that falls as one gets twenty pictures a second, and frames their turn", () => {
  const { scorer } = open();
  const make = () => scorer.picture((score) => score("waist", [new Float32Array(1)]));
  now = 10_000;
  const first = Array.from({ length: 50 }, make);
  expect(first.filter(Boolean)).toHaveLength(20);
  expect(first.slice(0, 20)).toEqual(Array(20).fill([0.5]));
  now = 11_000;
  expect(make()).toEqual([0.5]);
});

test("a picture that cannot be made is none, and is counted", () => {
  const { scorer, counters } = open();
  now = 20_000;
  const failing = () => {
    throw new Error("no picture");
  };
  expect(scorer.picture(failing)).toBeNull();
  expect(scorer.picture(() => null)).toBeNull();
  expect(counters.read()).toMatchObject({ "classifier.no-picture": 1 });
});
