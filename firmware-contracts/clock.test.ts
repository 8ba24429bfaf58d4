import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

afterEach(() => void vi.useRealTimers());

test("a clock at speed 8 runs 8 times as fast, its waits too, and calling off calls off", async () => {
  const clock = systemClock(8);
  const began = performance.now();
  const [wall, monotonic] = [clock.wallNow(), clock.monotonicNow()];
  let fired = 0;
  const callOff = clock.after(100, () => fired++);
  callOff();
  await new Promise<void>((resolve) => {
    clock.after(4000, resolve);
  });
  const [wallPassed, monotonicPassed] = [clock.wallNow() - wall, clock.monotonicNow() - monotonic];
  const reallyPassed = performance.now() - began;
  // A timer may fire a millisecond or two early, and on a busy machine late: the clock's time is held against the machine's, not against the wait.
  expect(monotonicPassed).toBeGreaterThan(3900);
  expect(reallyPassed).toBeLessThan(4000);
  expect(Math.abs(monotonicPassed - reallyPassed * 8)).toBeLessThan(400);
  expect(Math.abs(wallPassed - reallyPassed * 8)).toBeLessThan(400);
  expect(fired).toBe(0);
});

test("at speed 1 the wall clock is the machine's", () => {
  expect(Math.abs(systemClock().wallNow() - Date.now())).toBeLessThan(1000);
});

test("a wait of 60 days lasts 60 days, though a timer holds only 24.8", () => {
  vi.useFakeTimers();
  const day = 86_400_000;
  let fired = 0;
  systemClock().after(60 * day, () => fired++);
  vi.advanceTimersByTime(60 * day - 1000);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(2000);
  expect(fired).toBe(1);
  const callOff = systemClock().after(60 * day, () => fired++);
  vi.advanceTimersByTime(30 * day);
  callOff();
  vi.advanceTimersByTime(60 * day);
  expect(fired).toBe(1);
});
