import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { VirtualTime } from "../../test/simulation/virtual-time.ts";
import { createCounters } from "../counters.ts";
import type { ServiceEvent } from "../events.ts";
import { createDwellings } from "../registry/dwellings.ts";
import { createRegistry } from "../registry/registry.ts";
import { openInMemory } from "../store/database.ts";
import { storeIn } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { createLifeBeat } from "./beat.ts";
import { createBlindTimeTeller } from "./teller.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 24);
let time: VirtualTime;
let store: Store;
let told: Extract<ServiceEvent, { type: "blind-time" }>[];
let isFailing: boolean;
const counters = createCounters();
const said = () => told.splice(0).map(({ at, reason, seconds }) => [(at - start) / hour, reason, seconds]);

async function pass(ms: number): Promise<void> {
  const end = time.now + ms;
  for (let happens = time.next(end, false, () => null); happens; happens = time.next(end, false, () => null)) {
    happens();
    for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

beforeEach(async () => {
  time = new VirtualTime(start);
  store = storeIn(openInMemory(), { file: "/nowhere" });
  told = [];
  isFailing = false;
  const clock = time.clock(() => true, false);
  const failing = { ...store.blindTime, causes: async () => Promise.reject(new Error("disk full")) };
  const parts = {
    store: () => (isFailing ? failing : store.blindTime),
    clock,
    counters,
    log: pino({ level: "silent" }),
  };
  await createLifeBeat(parts).start();
  createBlindTimeTeller({ ...parts, onEvent: (event) => told.push(event) }).start();
  await createRegistry(() => store, clock).addDevice({ deviceId: "watch-1", placement: "wrist", key: "38" });
});
afterEach(() => store.close());

test("an hour is told once it is over, and what is learnt later of it as what it adds or takes away", async () => {
  await pass(2.2 * hour);
  expect(said()).toEqual([
    [0, "no-consent", 3600],
    [1, "no-consent", 3600],
  ]);
  await createDwellings(
    () => store,
    time.clock(() => true, false),
  ).giveConsent({ key: "38" }, "eva");
  await pass(1.8 * hour);
  expect(said()).toEqual([
    [2, "no-consent", 720],
    [2, "overdue", 2880],
  ]);
  // A gateway whose events were held up says only now that the watch was heard, and that nobody wore it.
  await store.registry.deviceSeen("watch-1", start + 2.5 * hour, { online: true, battery: null, worn: false });
  await pass(hour);
  expect(said()).toEqual([
    [2, "overdue", -1800],
    [2, "not-worn", 1800],
    [3, "not-worn", 3600],
  ]);
});

test("what could not be told is told when the store is there again; nobody's dwelling is told of whose erasure has begun", async () => {
  isFailing = true;
  await pass(1.5 * hour);
  expect(said()).toEqual([]);
  expect(counters.read()["blind-time.tell-failed"]).toBeGreaterThan(0);
  isFailing = false;
  await pass(0.6 * hour);
  expect(said()).toEqual([
    [0, "no-consent", 3600],
    [1, "no-consent", 3600],
  ]);
  const [dwelling] = await store.registry.dwellings();
  await store.erasure.begin(dwelling?.id ?? "", { at: time.wall, by: "eva", via: "cli" });
  await pass(3 * hour);
  expect(said()).toEqual([]);
});
