import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import type { OutboxTables } from "./tables.ts";
import type { TablesCall } from "./tables-worker.ts";

export type { SupervisionChanges } from "./supervision-tables.ts";
export type { OutboxEvent } from "./tables.ts";
export type { WelfareChanges } from "./welfare-tables.ts";

/** The outbox's tables behind a thread of their own: what a sync on a slow memory card holds up is that thread, and no frame. Calls are done one by one, in their order. */
export type OutboxStore = {
  [Method in keyof OutboxTables]: (
    ...args: Parameters<OutboxTables[Method]>
  ) => Promise<Awaited<ReturnType<OutboxTables[Method]>>>;
};

/** SQLite's caches and some thousand rows; without a limit V8 lets a thread grow as it lets a process. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/** `open` starts the thread, `close` ends it. */
export function createOutboxStore(folder: string): OutboxStore {
  let pool: Tinypool | null = null;

  async function call<Method extends keyof OutboxTables>(
    method: Method,
    ...args: Parameters<OutboxTables[Method]>
  ): Promise<Awaited<ReturnType<OutboxTables[Method]>>> {
    if (!pool) throw new Error("the gateway's store is not open");
    return pool.run({ method, args } as TablesCall);
  }

  return {
    async open(at) {
      const filename = new URL(`./tables-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href;
      pool = new Tinypool({ filename, minThreads: 1, maxThreads: 1, workerData: { folder }, resourceLimits });
      await call("open", at);
    },
    async close() {
      if (!pool) return;
      const closing = pool;
      const closed = call("close");
      pool = null;
      await closed.finally(() => closing.destroy());
    },
    putDetections: (...args) => call("putDetections", ...args),
    waitingDetections: (...args) => call("waitingDetections", ...args),
    detectionsDelivered: (...args) => call("detectionsDelivered", ...args),
    countDetections: (...args) => call("countDetections", ...args),
    putFallUpdate: (...args) => call("putFallUpdate", ...args),
    waitingFallUpdates: (...args) => call("waitingFallUpdates", ...args),
    fallUpdatesDelivered: (...args) => call("fallUpdatesDelivered", ...args),
    countFallUpdates: (...args) => call("countFallUpdates", ...args),
    endWatch: (...args) => call("endWatch", ...args),
    watches: (...args) => call("watches", ...args),
    putEvents: (...args) => call("putEvents", ...args),
    waitingEvents: (...args) => call("waitingEvents", ...args),
    eventsDelivered: (...args) => call("eventsDelivered", ...args),
    countEvents: (...args) => call("countEvents", ...args),
    putWelfare: (...args) => call("putWelfare", ...args),
    readWelfare: (...args) => call("readWelfare", ...args),
    waitingWelfare: (...args) => call("waitingWelfare", ...args),
    welfareDelivered: (...args) => call("welfareDelivered", ...args),
    countWelfare: (...args) => call("countWelfare", ...args),
    putSupervision: (...args) => call("putSupervision", ...args),
    readSupervision: (...args) => call("readSupervision", ...args),
    waitingSupervision: (...args) => call("waitingSupervision", ...args),
    supervisionDelivered: (...args) => call("supervisionDelivered", ...args),
    countSupervision: (...args) => call("countSupervision", ...args),
    readControl: (...args) => call("readControl", ...args),
    writeControl: (...args) => call("writeControl", ...args),
    probe: (...args) => call("probe", ...args),
  };
}
