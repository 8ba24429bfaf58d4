import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { WelfareEvent } from "../../firmware-contracts/intake.ts";
import type { Counters } from "../counters.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { OutboxStore } from "../outbox/store.ts";
import type { SteadyTime } from "../stream/steady-time.ts";
import { within } from "../time-limit.ts";
import type { KeptWelfare } from "./kept-welfare.ts";

/** What has changed is written together so often, ms: a memory card wears out, and what is lost in a crash is a few movements. */
const keepEveryMs = 300_000;
/** A write that failed is tried again so often, ms. */
const retryMs = 5000;
/** Events that a disk which fails keeps from being safe; beyond, the oldest are dropped. */
const maxUnsafe = 1000;

export interface WelfareKeeperOptions {
  store: Pick<OutboxStore, "readWelfare">;
  outbox: Pick<Outbox, "keepWelfare">;
  clock: Clock;
  counters: Counters;
  /** What is known of a dwelling now; null where nothing is. */
  bodyOf(dwelling: string): KeptWelfare | null;
}

/** Keeps what is known of dwellings: seldom, and at once together with what is told of it, so that a restart tells nothing twice. */
export interface WelfareKeeper {
  /** What was kept, and until when the gateway had listened, in steady time; null where it never had. */
  read(): Promise<{ kept: KeptWelfare[]; heardUntil: WallMs | null }>;
  start(time: SteadyTime): void;
  /** A dwelling's state has changed, and this is to be told of it. */
  changed(dwelling: string, events: readonly WelfareEvent[]): void;
  /** What is kept of a dwelling is deleted. */
  forget(dwelling: string): void;
  /** Something that is to be told or deleted is not yet safe. */
  readonly busy: boolean;
  /** Keeps all, for 2 s at most. */
  stop(): Promise<void>;
}

export function createWelfareKeeper(options: WelfareKeeperOptions): WelfareKeeper {
  const { store, outbox, clock, counters, bodyOf } = options;
  const known = new Set<string>();
  let changed = new Set<string>();
  let gone = new Set<string>();
  let unsafe: WelfareEvent[] = [];
  let time: SteadyTime | null = null;
  let writing: Promise<void> | null = null;
  let callOff = () => {};

  function later(ms: number): void {
    callOff();
    if (time) callOff = clock.after(ms, () => void write());
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
    if (!time) return;
    const [ids, deleted, events] = [changed, gone, unsafe];
    const kept = [...ids].flatMap((id) => bodyOf(id) ?? []);
    // With no dwelling there is nothing to listen for, and nothing to write.
    if (known.size === 0 && deleted.size === 0 && events.length === 0) return later(keepEveryMs);
    [changed, gone, unsafe] = [new Set(), new Set(), []];
    try {
      await outbox.keepWelfare({ kept, gone: [...deleted], heardUntil: time.now(), events });
      later(isUrgent() ? 0 : keepEveryMs);
    } catch {
      counters.add("welfare.not-kept");
      changed = new Set([...ids, ...changed]);
      // One that is back since is not gone.
      for (const id of deleted) if (!known.has(id)) gone.add(id);
      unsafe = [...events, ...unsafe];
      later(retryMs);
    }
  }

  return {
    read: () => store.readWelfare(),
    start(steady) {
      time = steady;
      later(keepEveryMs);
    },
    changed(dwelling, events) {
      known.add(dwelling);
      gone.delete(dwelling);
      changed.add(dwelling);
      if (events.length === 0) return;
      unsafe.push(...events);
      if (unsafe.length > maxUnsafe) {
        counters.add("welfare.dropped", unsafe.length - maxUnsafe);
        unsafe = unsafe.slice(-maxUnsafe);
      }
      void write();
    },
    forget(dwelling) {
      known.delete(dwelling);
      changed.delete(dwelling);
      gone.add(dwelling);
      void write();
    },
    get busy() {
      return isUrgent() || writing !== null;
    },
    async stop() {
      callOff();
      // What a write under way left over, too.
      await within(clock, 2000, (writing ?? Promise.resolve()).then(write)).catch(() => {});
      time = null;
      callOff();
    },
  };
}
