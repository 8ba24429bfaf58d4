import type { Clock } from "../../firmware-contracts/clock.ts";

interface Entry {
  at: number;
  order: number;
  /** Null: called off. */
  run: (() => void) | null;
}

/** The dispatcher's and others' looks at the store come this often at least, ms; a shorter timer of theirs may be skipped while nothing is due. */
const longestPollMs = 1_000;

/**
 * Time that passes only when it is told to: monotonic and wall apart, so that the wall clock can jump.
 * Looks at the store that would find nothing are skipped, as if the process had not been scheduled: months pass in milliseconds.
 */
export class VirtualTime {
  /** Monotonic, ms. */
  now = 0;
  /** Wall less monotonic, ms. */
  #offset: number;
  #order = 0;
  readonly #heap: Entry[] = [];
  #polls: Entry[] = [];

  constructor(wallStart: number) {
    this.#offset = wallStart;
  }

  get wall(): number {
    return this.#offset + this.now;
  }

  jump(byMs: number): void {
    this.#offset += byMs;
  }

  /** Calls `run` at monotonic `at`. Returns how to call it off. */
  at(at: number, run: () => void): () => void {
    const entry: Entry = { at: Math.max(at, this.now), order: this.#order++, run };
    push(this.#heap, entry);
    return () => {
      entry.run = null;
    };
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.now + Math.max(0, ms), run);
  }

  #poll(ms: number, run: () => void): () => void {
    const entry: Entry = { at: this.now + Math.max(0, ms), order: this.#order++, run };
    this.#polls = this.#polls.filter((other) => other.run !== null);
    this.#polls.push(entry);
    return () => {
      entry.run = null;
    };
  }

  /** A process's clock: it reads this time until `isAlive` says no; then none of its timers fires. `skips`: its looks at the store may be skipped. */
  clock(isAlive: () => boolean, skips: boolean): Clock {
    return {
      wallNow: () => this.wall,
      monotonicNow: () => this.now,
      after: (ms, run) => {
        const alive = () => {
          if (isAlive()) run();
        };
        return skips && ms <= longestPollMs ? this.#poll(ms, alive) : this.after(ms, alive);
      },
    };
  }

  /**
   * Goes on to the next thing that happens, and returns what it is; null where that is after `end`.
   * `workAt`: the wall time of the earliest work in the store, or null; looks before it are skipped where `maySkip`.
   */
  next(end: number, maySkip: boolean, workAt: () => number | null): (() => void) | null {
    while (this.#heap[0]?.run === null) pop(this.#heap);
    const planned = this.#heap[0];
    let poll: Entry | undefined;
    for (const entry of this.#polls) {
      if (entry.run !== null && (!poll || entry.at < poll.at || (entry.at === poll.at && entry.order < poll.order))) {
        poll = entry;
      }
    }
    let pollAt = poll?.at ?? Number.POSITIVE_INFINITY;
    if (poll && maySkip && pollAt < (planned?.at ?? end)) {
      const work = workAt();
      pollAt = work === null ? Number.POSITIVE_INFINITY : Math.max(pollAt, work - this.#offset);
    }
    const takesPoll = poll !== undefined && pollAt < (planned?.at ?? Number.POSITIVE_INFINITY);
    const at = takesPoll ? pollAt : (planned?.at ?? Number.POSITIVE_INFINITY);
    if (at > end) {
      this.now = Math.max(this.now, end);
      return null;
    }
    this.now = Math.max(this.now, at);
    const entry = takesPoll ? poll : pop(this.#heap);
    const run = entry?.run ?? (() => {});
    if (entry) entry.run = null;
    return run;
  }
}

const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let i = heap.push(entry) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(entry, heap[parent] as Entry)) break;
    heap[i] = heap[parent] as Entry;
    i = parent;
  }
  heap[i] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (heap.length === 0 || last === undefined) return first;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
    if (!before(heap[child] as Entry, last)) break;
    heap[i] = heap[child] as Entry;
    i = child;
  }
  heap[i] = last;
  return first;
}
