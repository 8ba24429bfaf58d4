/** Wall time: ms since 1970 UTC. It can jump. */
export type WallMs = number & { readonly __time?: "wall" };
/** Monotonic time: ms since some start. It never goes back, and means nothing outside this process. */
export type MonotonicMs = number & { readonly __time?: "monotonic" };

/** The one clock that is passed in. Nothing but an implementation of this reads the machine's time. */
export interface Clock {
  wallNow(): WallMs;
  monotonicNow(): MonotonicMs;
  /** Calls `run` once after `ms` of this clock's time. Returns how to call it off. */
  after(ms: number, run: () => void): () => void;
}

// A longer setTimeout fires at once: Node keeps the delay in a signed 32-bit integer.
const longestTimer = 2 ** 31 - 1;

/**
 * The machine's clock, or one that runs `speed` times as fast from now on: a demo at speed 8 shows a night in an hour,
 * and every wait, text and deadline of the service is in the recording's time.
 */
export function systemClock(speed = 1): Clock {
  const wallStart = Date.now();
  const monotonicStart = performance.now();
  const elapsed = () => (performance.now() - monotonicStart) * speed;
  return {
    wallNow: () => (speed === 1 ? Date.now() : Math.round(wallStart + elapsed())),
    monotonicNow: elapsed,
    after(ms, run) {
      const due = performance.now() + Math.max(0, ms / speed);
      let timer: ReturnType<typeof setTimeout>;
      const arm = () => {
        const left = Math.max(0, due - performance.now());
        timer = left > longestTimer ? setTimeout(arm, longestTimer) : setTimeout(run, left);
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}
