import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Counters } from "../counters.ts";
import type { BlindTimeStore } from "../store/store.ts";
import { lateBeatMs } from "./ledger.ts";

/** How often the service writes down that it lives, ms: what a crash makes the ledger err by, on the safe side. */
const beatEveryMs = 15_000;
/** After a start the clock may not be set yet, and show less than when the service last lived; after this it is believed, ms. */
const clockSetsWithinMs = 600_000;

/** Writes down that the service lives, so that the time in which it did not counts as blind. */
export interface LifeBeat {
  /** What lies between the last sign of life and now was a gap, however short. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createLifeBeat(options: {
  store: () => BlindTimeStore;
  clock: Clock;
  counters: Counters;
  log: Logger;
}): LifeBeat {
  const { store, clock, counters, log } = options;
  const startedAt = clock.monotonicNow();
  let isStopped = false;
  let hasFailed = false;
  /** The last that counts, of this process; null: none yet. */
  let lastAt: number | null = null;
  let beating: Promise<void> = Promise.resolve();
  let callOff = () => {};

  async function beat(): Promise<void> {
    const at = Math.round(clock.wallNow());
    // A clock that goes back while the service runs was set; one that is behind at a start may only not be set yet.
    const isSure = lastAt !== null || clock.monotonicNow() - startedAt >= clockSetsWithinMs;
    try {
      // Of a start's first sign of life the time before counts, however short it was.
      if (await store().beat(at, lastAt === null ? 0 : lateBeatMs, isSure)) lastAt = at;
      hasFailed = false;
    } catch (error) {
      counters.count("blind-time.beat-failed");
      if (!hasFailed) log.error({ err: error }, "it cannot be written down that the service lives; it counts as down");
      hasFailed = true;
    }
  }

  function later(): void {
    callOff = clock.after(beatEveryMs, () => {
      if (isStopped) return;
      beating = beat().then(() => {
        if (!isStopped) later();
      });
    });
  }

  return {
    async start() {
      isStopped = false;
      await beat();
      later();
    },
    async stop() {
      isStopped = true;
      callOff();
      await beating;
      await beat();
    },
  };
}
