import type { Clock } from "../firmware-contracts/clock.ts";

/** The wall clock was set where it moves this much against the monotonic one, ms; less is drift. */
const leastJumpMs = 2_000;

/** Notices that the wall clock was set: by hand, by a time server, by a battery that was empty. */
export interface ClockJumps {
  /** By how much it was set since the last `followed`, ms; 0 where it only ran. */
  jumpedBy(): number;
  /** The deadlines have followed: from here on it counts anew. */
  followed(byMs: number): void;
}

export function createClockJumps(clock: Clock): ClockJumps {
  const offset = () => clock.wallNow() - clock.monotonicNow();
  let known = offset();
  return {
    jumpedBy() {
      const byMs = Math.round(offset() - known);
      return Math.abs(byMs) < leastJumpMs ? 0 : byMs;
    },
    followed: (byMs) => {
      known += byMs;
    },
  };
}
