import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import type { Kept, KeptChanges } from "./kept-tables.ts";

/** What has changed is written together so often, ms: a memory card wears out, and what is lost in a crash is a few movements or signs of life. */
const keepEveryMs = 300_000;
/** A write that failed is tried again so often, ms. */
const retryMs = 5000;
/** Events that a disk which fails keeps from being safe; beyond, the oldest are dropped. */
const maxUnsafe = 1000;

export interface ChangeKeeperOptions<Event> {
  /** Keeps changes and hands on what is to be told, all or none. */
  keep(changes: KeptChanges<Event>): Promise<void>;
  /** What is known of a dwelling or device now; null where nothing is. */
  bodyOf(id: string): Kept | null;
  clock: Clock;
  counters: Counters;
  /** What a write that failed, and an event that was dropped, is counted as. */
  counts: { notKept: string; dropped: string };
}

/** Keeps what a state machine knows: seldom, and at once together with what is told of it, so that a restart tells nothing twice. */
export interface ChangeKeeper<Event> {
  start(): void;
  /** A state has changed, and this is to be told of it. */
  changed(id: string, events: readonly Event[]): void;
  /** What is kept is deleted, together with what is to be told of that. */
  forget(id: string, events?: readonly Event[]): void;
  /** Something that is to be told or deleted is not yet safe. */
  readonly busy: boolean;
  /** Keeps all, for 2 s at most. */
  stop(): Promise<void>;
}

export function createChangeKeeper<Event>(options: ChangeKeeperOptions<Event>): ChangeKeeper<Event> {
  const { keep, clock, counters, counts, bodyOf } = options;
  const known = new Set<string>();
  let changed = new Set<string>();
  let gone = new Set<string>();
  let unsafe: Event[] = [];
  let isStarted = false;
  let writing: Promise<void> | null = null;
  let callOff = () => {};

  function later(ms: number): void {
    callOff();
    if (isStarted) callOff = clock.after(ms, () => void write());
  }

  const isUrgent = () => unsafe.length > 0 || gone.size > 0;

  /** One write at a time; what comes meanwhile goes into the next. */
  function write(): Promise<void> {
    writing ??= writeOnce().finally(() => {
      writing = null;
    });
    return writing;
  }

  async function writeOnce(): Promise<void> {
    if (!isStarted) return;
    const [ids, deleted, events] = [changed, gone, unsafe];
    const kept = [...ids].flatMap((id) => bodyOf(id) ?? []);
    // With nobody to listen for there is nothing to write.
    if (known.size === 0 && deleted.size === 0 && events.length === 0) return later(keepEveryMs);
    [changed, gone, unsafe] = [new Set(), new Set(), []];
    try {
      await keep({ kept, gone: [...deleted], events });
      later(isUrgent() ? 0 : keepEveryMs);
    } catch {
      counters.add(counts.notKept);
      changed = new Set([...ids, ...changed]);
      // One that is back since is not gone.
      for (const id of deleted) if (!known.has(id)) gone.add(id);
      unsafe = [...events, ...unsafe];
      later(retryMs);
    }
  }

  function tell(events: readonly Event[]): void {
    unsafe.push(...events);
    if (unsafe.length > maxUnsafe) {
      counters.add(counts.dropped, unsafe.length - maxUnsafe);
      unsafe = unsafe.slice(-maxUnsafe);
    }
  }

  return {
    start() {
      isStarted = true;
      later(keepEveryMs);
    },
    changed(id, events) {
      known.add(id);
      gone.delete(id);
      changed.add(id);
      if (events.length === 0) return;
      tell(events);
      void write();
    },
    forget(id, events = []) {
      known.delete(id);
      changed.delete(id);
      gone.add(id);
      tell(events);
      void write();
    },
    get busy() {
      return isUrgent() || writing !== null;
    },
    async stop() {
      callOff();
      // What a write under way left over, too.
      await within(clock, 2000, (writing ?? Promise.resolve()).then(write)).catch(() => {});
      isStarted = false;
      callOff();
    },
  };
}
