import type { Logger } from "pino";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type {
  FallUpdate,
  Intake,
  IntakeItem,
  SupervisionEvent,
  WelfareEvent,
} from "../../firmware-contracts/intake.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import { Away } from "./away.ts";
import type { KeptWatch } from "./kept-watch.ts";
import { RefusedItem } from "./refused-item.ts";
import type { OutboxEvent, OutboxStore, SupervisionChanges, WelfareChanges } from "./store.ts";

/** Events are written together so often, ms. */
const eventFlushMs = 250;
/** A store that failed is tried again so often, ms. */
const probeMs = 1000;
const firstRetryMs = 250;
/** Items read, and marked as delivered, together. */
const batchSize = 50;
/** When a Detection was refused so many times, the next is tried too: if that is taken, the first goes behind the others from then on. */
const refusalsBeforeNext = 3;

export interface OutboxOptions {
  store: OutboxStore;
  intake: Intake;
  clock: Clock;
  counters: Counters;
  log: Logger;
  retrySeconds: number;
  submitSeconds: number;
  maxEvents: number;
}

/** At-least-once to the intake. Detections, what became of falls, and events have a sender each, so that none waits for another. */
export interface Outbox {
  start(): void;
  /** Ends the senders; what waits stays in the store, which may be closed after this. */
  stop(): void;
  /**
   * Resolves when the Detection is safe: committed here or, where the store fails, taken by the intake. Rejects where neither is so.
   * The same id twice is one Detection. With `watch` it is kept, too, that its fall is watched.
   */
  put(detection: Detection, watch?: KeptWatch): Promise<void>;
  /** As `put`, again and again until it succeeds. Rejects only at a stop. */
  keep(detection: Detection, watch?: KeptWatch): Promise<void>;
  /** Keeps what became of somebody, trying until that succeeds; it goes to the intake once its Detection is there. Rejects only at a stop. */
  keepUpdate(update: FallUpdate): Promise<void>;
  /** A fall is watched no more. Tried until it is kept. */
  endWatch(detectionId: string): void;
  /**
   * Keeps what is known of dwellings, and what is to be told of them, all or none. Where the store fails it resolves once the intake has what is to be told;
   * rejects where neither is so. The same id twice is one event.
   */
  keepWelfare(changes: WelfareChanges): Promise<void>;
  /** The same for what supervision knows of devices. */
  keepSupervision(changes: SupervisionChanges): Promise<void>;
  /** Events are dropped, oldest first and counted, where they cannot be kept. */
  event(event: OutboxEvent): void;
  /** False from a failed commit until one succeeds. */
  readonly healthy: boolean;
  /** Whether all that was given has been taken by the intake. */
  isEmpty(): Promise<boolean>;
}

/** What goes one by one: its name for the log, and what is counted of it. */
interface HandedOn {
  what: string;
  counts: Record<"delivered" | "dropped" | "failed", string>;
}
const handedOn = {
  updates: {
    what: "what became of a fall",
    counts: {
      delivered: "outbox.updates.delivered",
      dropped: "outbox.updates.dropped",
      failed: "outbox.updates.failed",
    },
  },
  welfare: {
    what: "a welfare event",
    counts: {
      delivered: "outbox.welfare.delivered",
      dropped: "outbox.welfare.dropped",
      failed: "outbox.welfare.failed",
    },
  },
  supervision: {
    what: "a word of supervision",
    counts: {
      delivered: "outbox.supervision.delivered",
      dropped: "outbox.supervision.dropped",
      failed: "outbox.supervision.failed",
    },
  },
} satisfies Record<string, HandedOn>;

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, intake, clock, counters, log } = options;
  let stopped = true;
  let healthy = true;
  let fresh: OutboxEvent[] = [];
  /** Writes of events under way. */
  let flushing = 0;
  let isCommitting = false;
  let freshDetections: {
    detection: Detection;
    watch: KeptWatch | undefined;
    resolve(): void;
    reject(error: unknown): void;
  }[] = [];
  const callOffs = new Map<string, () => void>();
  const refusals = new Map<string, number>();
  /** Detections that were refused while others were taken: they no longer hold up the others. */
  const setAside = new Set<string>();
  /** Why alerting could not be reached when a Detection was last tried; null where it could. */
  let awayWhy: string | null = null;

  function later(name: string, ms: number, run: () => void): void {
    callOffs.get(name)?.();
    if (stopped) return;
    const callOff = clock.after(ms, () => {
      if (callOffs.get(name) === callOff) callOffs.delete(name);
      run();
    });
    callOffs.set(name, callOff);
  }

  /** Runs a sender's rounds one at a time; after a failed one the next comes after a wait that doubles. */
  function sender(name: string, round: () => Promise<"emptied" | "failed">) {
    let running = false;
    let wanted = false;
    let failures = 0;
    async function run(): Promise<void> {
      if (running || stopped) {
        wanted = true;
        return;
      }
      running = true;
      wanted = false;
      const outcome = await round().catch((error: unknown) => {
        if (!stopped) log.error({ error: String(error) }, `${name}: the outbox cannot be read`);
        return "failed" as const;
      });
      running = false;
      failures = outcome === "failed" ? failures + 1 : 0;
      if (failures > 0) later(name, Math.min(firstRetryMs * 2 ** (failures - 1), options.retrySeconds * 1000), run);
      else if (wanted) later(name, 0, run);
    }
    return {
      /** Something new: tried at once; unless it is not `urgent`, and a wait after a failure is on. */
      wake(urgent: boolean) {
        if (!urgent && failures > 0 && callOffs.has(name)) return;
        callOffs.get(name)?.();
        callOffs.delete(name);
        void run();
      },
    };
  }

  const detections = sender("detections", async () => {
    /** One was taken in this round: what is refused from then on is at fault itself. */
    let isTaking = false;
    for (;;) {
      const waiting = await store.waitingDetections(batchSize);
      if (waiting.length === 0 || stopped) return "emptied";
      waiting.sort((a, b) => Number(setAside.has(a.id)) - Number(setAside.has(b.id)));
      const delivered: string[] = [];
      let refused = 0;
      let again = false;
      for (const next of waiting) {
        if (stopped) break;
        const answer = await submitDetection(next);
        if (answer === "away") break;
        if (answer === "taken") {
          delivered.push(next.id);
          isTaking = true;
          // Those before may have been refused by an alerting that was only just up: they have their turn before the others.
          again = refused > 0;
          if (again) break;
        } else if (!setAside.has(next.id)) {
          const isSuspect = (refusals.get(next.id) ?? 0) >= refusalsBeforeNext;
          if (!isSuspect) break;
          if (isTaking) setAside.add(next.id);
          else refused++;
        }
      }
      // At a stop the store may be closed; what was taken goes again at the next start, and alerting knows its id.
      if (stopped) return "failed";
      if (delivered.length > 0) {
        await store.detectionsDelivered(delivered, clock.wallNow());
        updates.wake(false);
      }
      counters.add("outbox.detections.delivered", delivered.length);
      if (!again && delivered.length < waiting.length) return "failed";
    }
  });

  async function submitDetection(detection: Detection): Promise<"taken" | "refused" | "away"> {
    const { id } = detection;
    try {
      await within(clock, options.submitSeconds * 1000, intake.submit({ type: "detection", detection }));
      refusals.delete(id);
      setAside.delete(id);
      answered();
      return "taken";
    } catch (error) {
      counters.add("outbox.detections.failed");
      if (error instanceof Away) {
        if (awayWhy !== error.message) log.warn({ error: error.message }, "alerting is away; what waits is kept");
        awayWhy = error.message;
        return "away";
      }
      answered();
      const times = (refusals.get(id) ?? 0) + 1;
      refusals.set(id, times);
      if (error instanceof RefusedItem) setAside.add(id);
      log.warn({ id, times, error: String(error) }, "alerting did not take a Detection; it is tried again");
      return "refused";
    }
  }

  function answered(): void {
    if (awayWhy !== null) log.info({}, "alerting is there again");
    awayWhy = null;
  }

  /** Whether it is done with, or why not: one that alerting cannot read, being older, would hold up all behind it, and is dropped. */
  async function submitOrDrop(
    { what, counts }: HandedOn,
    id: string,
    item: IntakeItem,
  ): Promise<"done" | "failed" | "away"> {
    try {
      await within(clock, options.submitSeconds * 1000, intake.submit(item));
      counters.add(counts.delivered);
      if (awayWhy !== null) detections.wake(true);
      return "done";
    } catch (error) {
      if (error instanceof RefusedItem) {
        counters.add(counts.dropped);
        log.error({ id, error: String(error) }, `alerting refused ${what}; it is dropped`);
        return "done";
      }
      counters.add(counts.failed);
      return error instanceof Away ? "away" : "failed";
    }
  }

  /** Rounds of what is handed on one by one and marked together. `goesOn`: whether one that failed, alerting being there, lets those behind it pass. */
  function oneByOne<Item extends { id: string }>(
    waitingFor: (limit: number) => Promise<Item[]>,
    submit: (item: Item) => ReturnType<typeof submitOrDrop>,
    delivered: (ids: string[], at: WallMs) => Promise<void>,
    goesOn: boolean,
  ): () => Promise<"emptied" | "failed"> {
    return async () => {
      for (;;) {
        const waiting = await waitingFor(batchSize);
        if (waiting.length === 0 || stopped) return "emptied";
        const done: string[] = [];
        for (const item of waiting) {
          if (stopped) break;
          const answer = await submit(item);
          if (answer === "done") done.push(item.id);
          else if (answer === "away" || !goesOn) break;
        }
        if (stopped) return "failed";
        if (done.length > 0) await delivered(done, clock.wallNow());
        if (done.length < waiting.length) return "failed";
      }
    };
  }

  /** What the intake takes of a fall that it does not have would be lost: each waits for its Detection, in the store. */
  const submitUpdate = (update: FallUpdate) =>
    submitOrDrop(handedOn.updates, update.id, { type: "fall-update", update });
  const updates = sender(
    "fall updates",
    oneByOne(
      (limit) => store.waitingFallUpdates(limit),
      submitUpdate,
      (ids, at) => store.fallUpdatesDelivered(ids, at),
      true,
    ),
  );

  const events = sender("events", async () => {
    for (;;) {
      const waiting = await store.waitingEvents(batchSize);
      if (waiting.length === 0 || stopped) return "emptied";
      let delivered = 0;
      try {
        for (const { number, event } of waiting) {
          await within(clock, options.submitSeconds * 1000, intake.submit(itemOf(event)));
          delivered = number;
          if (stopped) break;
          // Alerting is there: no Detection waits longer than an event.
          if (awayWhy !== null) detections.wake(true);
        }
      } catch (error) {
        if (error instanceof RefusedItem) {
          // In order as they are, one that alerting cannot read would hold up all behind it.
          const at = waiting.findIndex(({ number }) => number > delivered);
          await store.eventsDelivered(waiting[at]?.number ?? delivered);
          counters.add("outbox.events.delivered", at);
          counters.add("outbox.events.dropped");
          log.error({ error: String(error) }, "alerting refused a device event, which is dropped");
          continue;
        }
        counters.add("outbox.events.failed");
        log.debug({ error: String(error) }, "alerting did not take a device event; it is tried again");
      }
      if (stopped) return "failed";
      if (delivered > 0) {
        await store.eventsDelivered(delivered);
        counters.add("outbox.events.delivered", waiting.filter(({ number }) => number <= delivered).length);
      }
      if (delivered !== waiting.at(-1)!.number) return "failed";
    }
  });

  const submitWelfare = (event: WelfareEvent) =>
    submitOrDrop(handedOn.welfare, event.id, { type: "welfare-event", event });
  /** In order; a person waits for what stands in them, so that they are not among the other events. */
  const welfare = sender(
    "welfare",
    oneByOne(
      (limit) => store.waitingWelfare(limit),
      submitWelfare,
      (ids, at) => store.welfareDelivered(ids, at),
      false,
    ),
  );

  const submitSupervision = (event: SupervisionEvent) =>
    submitOrDrop(handedOn.supervision, event.id, { type: "supervision-event", event });
  /** In order: an outage's end is not to come before its beginning. */
  const supervision = sender(
    "supervision",
    oneByOne(
      (limit) => store.waitingSupervision(limit),
      submitSupervision,
      (ids, at) => store.supervisionDelivered(ids, at),
      false,
    ),
  );

  /** Keeps what is known together with what is told of it. */
  async function keepAll<Event>(
    events: readonly Event[],
    keep: () => Promise<void>,
    wake: () => void,
    submit: (event: Event) => ReturnType<typeof submitOrDrop>,
  ): Promise<void> {
    try {
      await keep();
      if (events.length > 0) wake();
    } catch (error) {
      failed(error);
      if (events.length === 0) throw error;
      // No room here: then alerting itself must have it.
      for (const event of events) if ((await submit(event)) !== "done") throw error;
    }
  }

  async function flushEvents(): Promise<void> {
    const list = fresh;
    fresh = [];
    if (list.length === 0) return;
    flushing++;
    try {
      const dropped = await store.putEvents(list, options.maxEvents);
      if (dropped > 0) counters.add("outbox.events.dropped", dropped);
      events.wake(false);
    } catch (error) {
      counters.add("outbox.events.dropped", list.length);
      log.warn({ error: String(error), events: list.length }, "device events could not be kept and are dropped");
    } finally {
      flushing--;
    }
  }

  function failed(error: unknown): void {
    counters.add("outbox.commit-failed");
    if (healthy) log.error({ error: String(error) }, "the outbox cannot be written; check the disk's space and rights");
    healthy = false;
    later("probe", probeMs, () => void probe());
  }

  async function probe(): Promise<void> {
    try {
      await store.probe();
      if (!healthy) log.info({}, "the outbox can be written again");
      healthy = true;
    } catch (error) {
      if (!stopped) failed(error);
    }
  }

  /** Commits what came together at once, and what comes meanwhile in the next: a sync each would hold up a building whose power blinked. */
  async function commitFresh(): Promise<void> {
    while (freshDetections.length > 0) {
      const batch = freshDetections;
      freshDetections = [];
      try {
        await store.putDetections(
          batch.map((one) => one.detection),
          clock.wallNow(),
          batch.flatMap((one) => one.watch ?? []),
        );
        healthy = true;
        for (const one of batch) one.resolve();
        detections.wake(true);
      } catch (error) {
        failed(error);
        for (const one of batch) one.reject(error);
      }
    }
    isCommitting = false;
  }

  function commit(detection: Detection, watch: KeptWatch | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      freshDetections.push({ detection, watch, resolve, reject });
      if (isCommitting) return;
      isCommitting = true;
      setImmediate(() => void commitFresh());
    });
  }

  async function put(detection: Detection, watch?: KeptWatch): Promise<void> {
    try {
      await commit(detection, watch);
    } catch {
      // No room here: then alerting itself must have it before the device is told so.
      await within(clock, options.submitSeconds * 1000, intake.submit({ type: "detection", detection }));
      counters.add("outbox.detections.delivered");
    }
  }

  async function untilDone(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch {
        if (stopped) throw new Error("stopped before it was safe");
        await new Promise<void>((resolve) => clock.after(probeMs, resolve));
      }
    }
  }

  return {
    put,
    keep: (detection, watch) => untilDone(() => put(detection, watch)),
    async keepUpdate(update) {
      await untilDone(() => store.putFallUpdate(update, clock.wallNow()));
      updates.wake(true);
    },
    endWatch(detectionId) {
      // At a stop it goes on after the next start, and is told where nobody is seen to get up.
      untilDone(() => store.endWatch(detectionId, clock.wallNow())).catch(() => {});
    },
    keepWelfare: (changes) =>
      keepAll(
        changes.events,
        () => store.putWelfare(changes),
        () => welfare.wake(true),
        submitWelfare,
      ),
    keepSupervision: (changes) =>
      keepAll(
        changes.events,
        () => store.putSupervision(changes),
        () => supervision.wake(true),
        submitSupervision,
      ),
    event(event) {
      fresh.push(event);
      if (fresh.length > options.maxEvents) {
        fresh.shift();
        counters.add("outbox.events.dropped");
      }
      if (!callOffs.has("flush")) later("flush", eventFlushMs, () => void flushEvents());
    },
    get healthy() {
      return healthy;
    },
    async isEmpty() {
      if (fresh.length > 0 || flushing > 0 || isCommitting) return false;
      const waiting = [
        store.countDetections(),
        store.countFallUpdates(),
        store.countWelfare(),
        store.countSupervision(),
        store.countEvents(),
      ];
      return (await Promise.all(waiting)).every((count) => count === 0);
    },
    start() {
      stopped = false;
      detections.wake(true);
      updates.wake(true);
      welfare.wake(true);
      supervision.wake(true);
      events.wake(true);
    },
    stop() {
      // Its write is before the store's close in the store's order.
      void flushEvents();
      stopped = true;
      for (const callOff of callOffs.values()) callOff();
      callOffs.clear();
    },
  };
}

function itemOf(event: OutboxEvent): IntakeItem {
  if ("run" in event) return { type: "self-test-event", event };
  return "deviceId" in event ? { type: "device-event", event } : { type: "gateway-event", event };
}
