import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Counters } from "../counters.ts";
import type { Store } from "../store/store.ts";

/** A dwelling can be erased by another process; what this one has in memory of it is forgotten within this time, ms. */
const lookEveryMs = 20_000;

/** Notices what was erased beside the running service. */
export interface ErasureWatch {
  /** What was erased before is not in memory. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createErasureWatch(options: {
  store: Store;
  clock: Clock;
  counters: Counters;
  log: Logger;
  /** An episode is no more. */
  onErased(episodeId: string): void;
}): ErasureWatch {
  const { store, clock, counters, log, onErased } = options;
  let upTo = 0;
  let callOff = () => {};
  let looking: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function look(): Promise<void> {
    try {
      const erased = await store.erasure.erasedAfter(upTo);
      upTo = erased.upTo;
      for (const id of erased.episodes) onErased(id);
      if (erased.episodes.length > 0) log.info({ episodes: erased.episodes.length }, "erased episodes are forgotten");
    } catch (error) {
      counters.count("erasure.look-failed");
      log.error({ err: error }, "could not look for what was erased; looking again in 20 s");
    }
    if (!isStopped) later();
  }

  function later(): void {
    callOff = clock.after(lookEveryMs, () => {
      looking = look();
    });
  }

  return {
    async start() {
      upTo = (await store.erasure.erasedAfter(0)).upTo;
      later();
    },
    async stop() {
      isStopped = true;
      callOff();
      await looking;
    },
  };
}
