import type { Clock } from "../firmware-contracts/clock.ts";

/** What the wall clock may drift before deadlines follow it, ms. */
const leastJumpMs = 1_000;

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
