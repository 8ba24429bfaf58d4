import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";

/**
 * Wall time that never jumps: the wall time of the start, carried on by the monotonic clock.
 * Streams are judged in it, so that a clock set right in the middle of a fall (a board without a battery wakes in 1970) neither delays nor loses it.
 */
export interface SteadyTime {
  now(): WallMs;
  /** What the wall clock, as it is set now, calls that time. */
  toWall(at: WallMs): WallMs;
}

/** @param notBefore the latest time already used, by a journal from before a restart. */
export function createSteadyTime(clock: Clock, notBefore: WallMs = 0): SteadyTime {
  const start = Math.max(clock.wallNow(), notBefore) - clock.monotonicNow();
  const now = () => Math.round(start + clock.monotonicNow());
  return { now, toWall: (at) => Math.max(0, Math.round(at + clock.wallNow() - now())) };
}
