import type { Clock } from "../../firmware-contracts/clock.ts";

interface Timer {
  /** On this clock's monotonic time, ms. */
  due: number;
  run: () => void;
  handle: ReturnType<typeof setTimeout> | undefined;
}

/**
 * A clock that runs in real time, faster or slower, and whose wall time can be set, as an operator or NTP sets it. It can hurry up to a moment, which it
 * does not overshoot however busy the machine is.
 */
export class NightClock implements Clock {
  #speed: number;
  #haste: { speed: number; until: number } | null = null;
  #passed = 0;
  #since = performance.now();
  #wallStart: number;
  readonly #timers = new Set<Timer>();

  constructor(speed: number, startAt: number) {
    this.#speed = speed;
    this.#wallStart = startAt;
  }

  monotonicNow(): number {
    const real = performance.now() - this.#since;
    const haste = this.#haste;
    if (!haste) return this.#passed + real * this.#speed;
    const hurried = (haste.until - this.#passed) / haste.speed;
    return real <= hurried ? this.#passed + real * haste.speed : haste.until + (real - hurried) * this.#speed;
  }

  wallNow(): number {
    return Math.round(this.#wallStart + this.monotonicNow());
  }

  /** Sets the wall clock by so much. What is timed goes on. */
  set(byMs: number): void {
    this.#wallStart += byMs;
  }

  /** Runs at this speed from now on, and does not hurry. */
  calm(speed: number): void {
    if (this.#haste === null && speed === this.#speed) return;
    this.#change(speed, null);
  }

  /** Hurries until this monotonic time, ms; from then on it runs as before. */
  hurry(speed: number, until: number): void {
    if (this.#haste?.speed === speed && Math.abs(this.#haste.until - until) < 1) return;
    this.#change(this.#speed, until > this.monotonicNow() ? { speed, until } : null);
  }

  #change(speed: number, haste: { speed: number; until: number } | null): void {
    this.#passed = this.monotonicNow();
    this.#since = performance.now();
    this.#speed = speed;
    this.#haste = haste;
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

  /** Real ms from the last change of speed to this time. */
  #realUntil(due: number): number {
    const haste = this.#haste;
    if (!haste) return (due - this.#passed) / this.#speed;
    if (due <= haste.until) return (due - this.#passed) / haste.speed;
    return (haste.until - this.#passed) / haste.speed + (due - haste.until) / this.#speed;
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const left = this.#realUntil(timer.due) - (performance.now() - this.#since);
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
