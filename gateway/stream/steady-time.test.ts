import { expect, test } from "vitest";
import { createSteadyTime } from "./steady-time.ts";

test("a wall clock that jumps moves nothing in steady time; told times follow the clock as it is set now", () => {
  let wall = 1000;
  let monotonic = 50;
  const clock = { wallNow: () => wall, monotonicNow: () => monotonic, after: () => () => {} };
  const time = createSteadyTime(clock);
  const impact = time.now();
  // Ten seconds on, the clock is set from 1970 to 2026.
  monotonic += 10_000;
  wall = 1_795_000_000_000;
  expect(time.now() - impact).toBe(10_000);
  expect(time.toWall(impact)).toBe(1_795_000_000_000 - 10_000);
});

test("after a restart with a clock that went back, time goes on from the journal's last", () => {
  const clock = { wallNow: () => 5000, monotonicNow: () => 0, after: () => () => {} };
  expect(createSteadyTime(clock, 1_795_000_000_000).now()).toBe(1_795_000_000_000);
});
