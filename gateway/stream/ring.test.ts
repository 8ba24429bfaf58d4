import { expect, test } from "vitest";
import { restFrame } from "../test-bench.ts";
import { createRing, type RingEntry } from "./ring.ts";

const entry = (sequence: number, takenAt: number, kept: RingEntry["kept"] = "no"): RingEntry => ({
  bootId: 1,
  sequence,
  frame: restFrame({ sequence }),
  bytes: null,
  arrivedAt: takenAt,
  takenAt,
  kept,
});
const numbers = (entries: RingEntry[]) => entries.map(({ frame }) => frame.sequence);

test("ten seconds before the newest frame are kept, and it", () => {
  const ring = createRing(10_000);
  for (let n = 0; n < 30; n++) ring.push(entry(n, n * 1000));
  expect(numbers(ring.unkept())).toEqual([19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});

test("frames that come all at once without an age fill no more than that", () => {
  const ring = createRing(10_000);
  for (let n = 0; n < 500; n++) ring.push(entry(n, 7));
  expect(ring.unkept()).toHaveLength(11);
});

test("after a silence nothing old is left", () => {
  const ring = createRing(10_000);
  for (let n = 0; n < 5; n++) ring.push(entry(n, n * 1000));
  ring.push(entry(5, 60_000));
  expect(numbers(ring.unkept())).toEqual([5]);
});

test("what the journal has is not written twice, until it lets go", () => {
  const ring = createRing(10_000);
  ring.push(entry(1, 1000, "yes"));
  ring.push(entry(2, 2000));
  expect(numbers(ring.unkept())).toEqual([2]);
  ring.forgetKept();
  expect(numbers(ring.unkept())).toEqual([1, 2]);
});
