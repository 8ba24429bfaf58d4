import type { Clock } from "../firmware-contracts/clock.ts";

/** True at the first call with a key, and then once in `everyMs`: what a faulty device does over and over is told once a minute, and always counted. */
export type Seldom = (key: string, everyMs: number) => boolean;

/** Beyond this many keys all are forgotten, which costs some lines of log and no memory. */
const maxKeys = 10_000;

export function createSeldom(clock: Clock): Seldom {
  const told = new Map<string, number>();
  return (key, everyMs) => {
    const now = clock.monotonicNow();
    const last = told.get(key);
    if (last !== undefined && now - last < everyMs) return false;
    if (told.size >= maxKeys) told.clear();
    told.set(key, now);
    return true;
  };
}
