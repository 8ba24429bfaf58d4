import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { DeviceEvent, Intake } from "../../firmware-contracts/intake.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import { RefusedItem } from "./refused-item.ts";
import type { OutboxStore } from "./store.ts";

/** Events are written together so often, ms. */
const eventFlushMs = 250;
/** A store that failed is tried again so often, ms. */
const probeMs = 1000;
const firstRetryMs = 250;
/** A Detection refused so many times no longer goes before the others: alone in being refused, it must not hold them up. */
const refusalsBeforeLast = 3;

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

/** At-least-once to the intake. Detections and events have a sender each, so that neither waits for the other. */
export interface Outbox {
  start(): void;
  /** Ends both senders; what waits stays in the store. */
  stop(): void;
  /**
   * Resolves when the Detection is safe: committed here or, where the store fails, taken by the intake. Rejects where neither is so.
   * The same id twice is one Detection.
   */
  put(detection: Detection): Promise<void>;
  /** As `put`, again and again until it succeeds. Rejects only at a stop. */
  keep(detection: Detection): Promise<void>;
  /** Events are dropped, oldest first and counted, where they cannot be kept. */
  event(event: DeviceEvent): void;
  /** False from a failed commit until one succeeds. */
  readonly healthy: boolean;
  readonly empty: boolean;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, intake, clock, counters, log } = options;
  let stopped = true;
  let healthy = true;
  let fresh: DeviceEvent[] = [];
  const callOffs = new Map<string, () => void>();
  const refusals = new Map<string, number>();

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
    const skipped = new Set<string>();
    for (;;) {
      const waiting = store.waitingDetections(100).filter((one) => !skipped.has(one.id));
      if (waiting.length === 0 || stopped) return skipped.size > 0 ? "failed" : "emptied";
      const isLast = (one: Detection) => Number((refusals.get(one.id) ?? 0) >= refusalsBeforeLast);
      waiting.sort((a, b) => isLast(a) - isLast(b));
      const next = waiting[0]!;
      try {
        await within(clock, options.submitSeconds * 1000, intake.submit({ type: "detection", detection: next }));
      } catch (error) {
        const times = (refusals.get(next.id) ?? 0) + 1;
        refusals.set(next.id, times);
        counters.add("outbox.detections.failed");
        log.warn({ id: next.id, times, error: String(error) }, "alerting did not take a Detection; it is tried again");
        skipped.add(next.id);
        // One may be at fault itself; two in a row are alerting's.
        if (skipped.size >= 2) return "failed";
        continue;
      }
      if (stopped) return "failed";
      store.detectionDelivered(next.id, clock.wallNow());
      refusals.delete(next.id);
      counters.add("outbox.detections.delivered");
    }
  });

  const events = sender("events", async () => {
    for (;;) {
      const waiting = store.waitingEvents(50);
      if (waiting.length === 0 || stopped) return "emptied";
      let delivered = 0;
      try {
        for (const { number, event } of waiting) {
          await within(clock, options.submitSeconds * 1000, intake.submit({ type: "device-event", event }));
          delivered = number;
          if (stopped) break;
        }
      } catch (error) {
        if (error instanceof RefusedItem) {
          // In order as they are, one that alerting cannot read would hold up all behind it.
          const at = waiting.findIndex(({ number }) => number > delivered);
          store.eventsDelivered(waiting[at]?.number ?? delivered);
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
        store.eventsDelivered(delivered);
        counters.add("outbox.events.delivered", waiting.filter(({ number }) => number <= delivered).length);
      }
      if (delivered !== waiting.at(-1)!.number) return "failed";
    }
  });

  function flushEvents(): void {
    const list = fresh;
    fresh = [];
    if (list.length === 0) return;
    try {
      const dropped = store.putEvents(list, options.maxEvents);
      if (dropped > 0) counters.add("outbox.events.dropped", dropped);
      events.wake(false);
    } catch (error) {
      counters.add("outbox.events.dropped", list.length);
      log.warn({ error: String(error), events: list.length }, "device events could not be kept and are dropped");
    }
  }

  function failed(error: unknown): void {
    counters.add("outbox.commit-failed");
    if (healthy) log.error({ error: String(error) }, "the outbox cannot be written; check the disk's space and rights");
    healthy = false;
    later("probe", probeMs, probe);
  }

  function probe(): void {
    try {
      store.probe();
      if (!healthy) log.info({}, "the outbox can be written again");
      healthy = true;
    } catch (error) {
      failed(error);
    }
  }

  async function put(detection: Detection): Promise<void> {
    try {
      store.putDetection(detection, clock.wallNow());
      healthy = true;
      detections.wake(true);
    } catch (error) {
      failed(error);
      // No room here: then alerting itself must have it before the device is told so.
      await within(clock, options.submitSeconds * 1000, intake.submit({ type: "detection", detection }));
      counters.add("outbox.detections.delivered");
    }
  }

  return {
    put,
    async keep(detection) {
      for (;;) {
        try {
          return await put(detection);
        } catch {
          if (stopped) throw new Error("stopped before the Detection was safe");
          await new Promise<void>((resolve) => clock.after(probeMs, resolve));
        }
      }
    },
    event(event) {
      fresh.push(event);
      if (fresh.length > options.maxEvents) {
        fresh.shift();
        counters.add("outbox.events.dropped");
      }
      if (!callOffs.has("flush")) later("flush", eventFlushMs, flushEvents);
    },
    get healthy() {
      return healthy;
    },
    get empty() {
      return fresh.length === 0 && store.countDetections() === 0 && store.countEvents() === 0;
    },
    start() {
      stopped = false;
      detections.wake(true);
      events.wake(true);
    },
    stop() {
      flushEvents();
      stopped = true;
      for (const callOff of callOffs.values()) callOff();
      callOffs.clear();
    },
  };
}
