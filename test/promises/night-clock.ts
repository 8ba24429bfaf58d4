import type { Clock } from "../../firmware-contracts/clock.ts";

interface Timer {
  /** On this clock's monotonic time, ms. */
  due: number;
  run: () => void;
  handle: ReturnType<typeof setTimeout> | undefined;
}

/** A clock that runs in real time at a speed that can be changed, and whose wall time can be set, as an operator or NTP sets it. */
export class NightClock implements Clock {
  #speed: number;
  #passed = 0;
  #since = performance.now();
  #wallStart: number;
  readonly #timers = new Set<Timer>();

  constructor(speed: number, startAt: number) {
    this.#speed = speed;
    this.#wallStart = startAt;
  }

  monotonicNow(): number {
    return this.#passed + (performance.now() - this.#since) * this.#speed;
  }

  wallNow(): number {
    return Math.round(this.#wallStart + this.monotonicNow());
  }

  /** Sets the wall clock by so much. What is timed goes on. */
  set(byMs: number): void {
    this.#wallStart += byMs;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    if (speed === this.#speed) return;
    this.#passed = this.monotonicNow();
    this.#since = performance.now();
    this.#speed = speed;
    for (const timer of this.#timers) this.#arm(timer);
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { due: this.monotonicNow() + Math.max(0, ms), run, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const left = (timer.due - this.monotonicNow()) / this.#speed;
    timer.handle = setTimeout(
      () => {
        // A timer may come a little early, and one of days does not fit into setTimeout.
        if (timer.due > this.monotonicNow()) return this.#arm(timer);
        this.#timers.delete(timer);
        timer.run();
      },
      Math.min(2 ** 31 - 1, Math.max(0, left)),
    );
  }
}
