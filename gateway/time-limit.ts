import type { Clock } from "../firmware-contracts/clock.ts";

/** Waits for `work`, but no longer than `ms` of the clock: then it rejects, and what the work still brings is let go. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(ms, () => reject(new Error(`no answer within ${ms / 1000} s`)));
    work.then(resolve, reject).finally(callOff);
  });
}
