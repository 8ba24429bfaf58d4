import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import { z } from "zod";
import { Detection } from "../../firmware-contracts/detection.ts";
import {
  DeviceEvent,
  FallUpdate,
  GatewayEvent,
  SupervisionEvent,
  WelfareEvent,
} from "../../firmware-contracts/intake.ts";
import { SelfTestEvent } from "../../firmware-contracts/self-test.ts";
import { KeptControl } from "../ingest/kept-control.ts";
import { KeptWatch } from "./kept-watch.ts";
import type { OutboxEvent, OutboxTables } from "./tables.ts";
import type { TablesCall } from "./tables-worker.ts";

export type { SupervisionChanges } from "./supervision-tables.ts";
export type { OutboxEvent } from "./tables.ts";
export type { WelfareChanges } from "./welfare-tables.ts";

type Behind<Method extends (...args: never[]) => unknown> = (
  ...args: Parameters<Method>
) => Promise<Awaited<ReturnType<Method>>>;

/** What is read as JSON, and checked here. */
interface Read {
  waitingDetections(limit: number): Promise<Detection[]>;
  waitingFallUpdates(limit: number): Promise<FallUpdate[]>;
  waitingWelfare(limit: number): Promise<WelfareEvent[]>;
  waitingSupervision(limit: number): Promise<SupervisionEvent[]>;
  waitingEvents(limit: number): Promise<{ number: number; event: OutboxEvent }[]>;
  watches(): Promise<{ open: KeptWatch[]; ended: string[] }>;
  /** Null also where what lies there is of a release that this one does not understand. */
  readControl(): Promise<KeptControl | null>;
}

/** The outbox's tables behind a thread of their own: what a sync on a slow memory card holds up is that thread, and no frame. Calls are done one by one, in their order. */
export type OutboxStore = Read & {
  [Method in Exclude<keyof OutboxTables, keyof Read>]: Behind<OutboxTables[Method]>;
};

const AnyOutboxEvent = z.union([SelfTestEvent, GatewayEvent, DeviceEvent]);

/** @throws where what was kept is not what the schema says. */
function readAs<T>(schema: z.ZodType<T>, bodies: readonly string[]): T[] {
  return bodies.map((body) => schema.parse(JSON.parse(body)));
}

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
    waitingDetections: async (limit) => readAs(Detection, await call("waitingDetections", limit)),
    detectionsDelivered: (...args) => call("detectionsDelivered", ...args),
    countDetections: (...args) => call("countDetections", ...args),
    putFallUpdate: (...args) => call("putFallUpdate", ...args),
    waitingFallUpdates: async (limit) => readAs(FallUpdate, await call("waitingFallUpdates", limit)),
    fallUpdatesDelivered: (...args) => call("fallUpdatesDelivered", ...args),
    countFallUpdates: (...args) => call("countFallUpdates", ...args),
    endWatch: (...args) => call("endWatch", ...args),
    async watches() {
      const { open, ended } = await call("watches");
      return { open: readAs(KeptWatch, open), ended };
    },
    putEvents: (...args) => call("putEvents", ...args),
    async waitingEvents(limit) {
      const rows = await call("waitingEvents", limit);
      return rows.map(({ number, event }) => ({ number, event: AnyOutboxEvent.parse(JSON.parse(event)) }));
    },
    eventsDelivered: (...args) => call("eventsDelivered", ...args),
    countEvents: (...args) => call("countEvents", ...args),
    putWelfare: (...args) => call("putWelfare", ...args),
    readWelfare: (...args) => call("readWelfare", ...args),
    waitingWelfare: async (limit) => readAs(WelfareEvent, await call("waitingWelfare", limit)),
    welfareDelivered: (...args) => call("welfareDelivered", ...args),
    countWelfare: (...args) => call("countWelfare", ...args),
    putSupervision: (...args) => call("putSupervision", ...args),
    readSupervision: (...args) => call("readSupervision", ...args),
    waitingSupervision: async (limit) => readAs(SupervisionEvent, await call("waitingSupervision", limit)),
    supervisionDelivered: (...args) => call("supervisionDelivered", ...args),
    countSupervision: (...args) => call("countSupervision", ...args),
    async readControl() {
      const body = await call("readControl");
      const read = body === null ? null : KeptControl.safeParse(JSON.parse(body));
      return read?.success ? read.data : null;
    },
    writeControl: (...args) => call("writeControl", ...args),
    probe: (...args) => call("probe", ...args),
  };
}
