import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import {
  type DeviceEvent,
  type FallUpdate,
  type Intake,
  itemId,
  type SupervisionEvent,
  type WelfareEvent,
} from "../../firmware-contracts/intake.ts";
import { createCounters } from "../counters.ts";
import { Away } from "./away.ts";
import type { KeptWatch } from "./kept-watch.ts";
import { createOutbox } from "./outbox.ts";
import { RefusedItem } from "./refused-item.ts";
import { createOutboxStore, type OutboxStore } from "./store.ts";

let folder: string;
let store: OutboxStore;
let stop: () => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-outbox-"));
  store = createOutboxStore(folder);
  await store.open(Date.now());
});
afterEach(async () => {
  stop();
  await store.close();
  await rm(folder, { recursive: true });
});

const detection = (n: number): Detection => ({
  v: 1,
  id: `watch-1.1.${n}.help`,
  deviceId: "watch-1",
  kind: "help",
  strength: "strong",
  reason: "help-button",
  impactAt: 1,
  detectedAt: 1,
  arrivedAt: 1,
  late: false,
  clockSuspect: false,
  evidence: null,
  model: null,
  test: false,
});
const event = (n: number): DeviceEvent => ({ v: 1, id: `event-${n}`, deviceId: "watch-1", at: 1, event: "heartbeat" });

/** An outbox on a clock of 50 times the speed. */
function open(submit: Intake["submit"], maxEvents = 1000) {
  const counters = createCounters();
  const outbox = createOutbox({
    store,
    intake: { submit, control: async () => null },
    clock: systemClock(50),
    counters,
    log: pino({ level: "silent" }),
    retrySeconds: 5,
    submitSeconds: 10,
    maxEvents,
  });
  stop = outbox.stop;
  outbox.start();
  return { outbox, counters };
}

test("in order, each once, and gone only when taken", async () => {
  const taken: string[] = [];
  let failures = 4;
  const { outbox } = open(async (item) => {
    if (failures-- > 0) throw new Error("away");
    taken.push(itemId(item));
  });
  for (let n = 0; n < 5; n++) await outbox.put(detection(n));
  await outbox.put(detection(2));
  await expect.poll(() => outbox.isEmpty()).toBe(true);
  expect(taken).toEqual([0, 1, 2, 3, 4].map((n) => detection(n).id));
  // Known as delivered: it does not go again.
  await outbox.put(detection(3));
  expect(await outbox.isEmpty()).toBe(true);
});

test("Detections do not wait behind device events", async () => {
  const taken: string[] = [];
  const { outbox } = open((item) => {
    if (item.type === "device-event") return new Promise(() => {});
    taken.push(itemId(item));
    return Promise.resolve();
  });
  for (let n = 0; n < 200; n++) outbox.event(event(n));
  await expect.poll(() => store.countEvents()).toBe(200);
  await outbox.put(detection(1));
  await expect.poll(() => taken).toEqual([detection(1).id]);
});

test("one Detection that alerting never takes does not hold up the others, and is never dropped", async () => {
  const taken: string[] = [];
  const { outbox } = open(async (item) => {
    if (itemId(item) === detection(1).id || itemId(item) === detection(2).id) throw new Error("cannot");
    taken.push(itemId(item));
  });
  for (let n = 1; n <= 5; n++) await outbox.put(detection(n));
  await expect.poll(() => taken, { timeout: 5000 }).toEqual([3, 4, 5].map((n) => detection(n).id));
  expect((await store.waitingDetections(10)).map(({ id }) => id)).toEqual([1, 2].map((n) => detection(n).id));
});

test("an alerting that is back in the midst of a round gets the rest in order", async () => {
  const taken: string[] = [];
  // Each is refused three times before the next is tried too: the 23rd try is of the third, in a round that began with the first two.
  let refusals = 22;
  const { outbox } = open(async (item) => {
    if (refusals-- > 0) throw new Error("cannot");
    taken.push(itemId(item));
  });
  await Promise.all([1, 2, 3, 4, 5].map((n) => outbox.put(detection(n))));
  await expect.poll(() => taken.length, { timeout: 5000 }).toBe(5);
  expect(taken).toEqual([3, 1, 2, 4, 5].map((n) => detection(n).id));
});

const update = (n: number): FallUpdate => ({
  v: 1,
  id: `${detection(n).id}.long-lie`,
  detectionId: detection(n).id,
  deviceId: "watch-1",
  at: 2,
  event: "long-lie",
  lyingSeconds: 301,
  unknownSeconds: 4,
});

describe("what became of somebody after a fall", () => {
  test("goes once, and only when alerting has the Detection, whichever was refused meanwhile", async () => {
    const taken: string[] = [];
    let isRefused = true;
    const { outbox } = open(async (item) => {
      if (isRefused && itemId(item) === detection(1).id) throw new Error("cannot");
      taken.push(itemId(item));
    });
    await Promise.all([1, 2].map((n) => outbox.put(detection(n))));
    await Promise.all([1, 1, 2].map((n) => outbox.keepUpdate(update(n))));
    await expect.poll(() => taken, { timeout: 5000 }).toEqual([detection(2).id, update(2).id]);
    isRefused = false;
    await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
    expect(taken).toEqual([detection(2).id, update(2).id, detection(1).id, update(1).id]);
    await outbox.keepUpdate(update(1));
    expect(await outbox.isEmpty()).toBe(true);
  });

  test("waits while alerting is away, and is dropped where alerting cannot read it", async () => {
    const taken: string[] = [];
    let trouble: "away" | "old" | null = null;
    const { outbox, counters } = open(async (item) => {
      if (trouble === "away") throw new Away("no contact");
      if (trouble === "old" && item.type === "fall-update") throw new RefusedItem("alerting refused an item");
      taken.push(itemId(item));
    });
    await outbox.put(detection(1));
    await outbox.put(detection(2));
    await expect.poll(() => outbox.isEmpty()).toBe(true);
    trouble = "away";
    await outbox.keepUpdate(update(1));
    await expect.poll(() => counters.read()["outbox.updates.failed"] ?? 0).toBeGreaterThan(1);
    expect(await store.waitingFallUpdates(10)).toEqual([update(1)]);
    trouble = null;
    await expect.poll(() => taken).toContain(update(1).id);
    trouble = "old";
    await outbox.keepUpdate(update(2));
    await expect.poll(() => outbox.isEmpty()).toBe(true);
    expect(counters.read()["outbox.updates.dropped"]).toBe(1);
  });

  test("a fall is watched from its Detection's commit until it is told, or ended, also where that comes first", async () => {
    const watch = (n: number): KeptWatch => ({
      detectionId: detection(n).id,
      deviceId: "watch-1",
      fall: { bootId: 1, sequence: n, impactAt: 1, before: { x: 0, y: 1, z: 0, known: 125 } },
    });
    const { outbox } = open(async () => {});
    for (const n of [1, 2, 3]) await outbox.put(detection(n), watch(n));
    expect(await store.watches()).toEqual({ open: [1, 2, 3].map(watch), ended: [] });
    await outbox.keepUpdate(update(1));
    outbox.endWatch(detection(2).id);
    outbox.endWatch(detection(4).id);
    await outbox.put(detection(4), watch(4));
    // Told again by a journal that is played again.
    await outbox.put(detection(1), watch(1));
    const ended = [1, 2, 4].map((n) => detection(n).id);
    expect(await store.watches()).toEqual({ open: [watch(3)], ended });
    await store.close();
    await store.open(Date.now());
    expect(await store.watches()).toEqual({ open: [watch(3)], ended });
  });
});

test("an event that gets through first brings the Detections on their way", async () => {
  const taken: string[] = [];
  let eventTries = 0;
  const { outbox } = open(async (item) => {
    // Whoever comes back is seen first by an event.
    if (item.type === "device-event") eventTries++;
    if (eventTries < 8) throw new Away("nobody there");
    // Alerting commits it; meanwhile the Detection is read.
    await new Promise((resolve) => setTimeout(resolve, 10));
    taken.push(itemId(item));
  });
  for (let n = 0; n < 400; n++) outbox.event(event(n));
  await outbox.put(detection(1));
  await expect.poll(() => taken.length, { timeout: 15_000 }).toBe(401);
  expect(taken.indexOf(detection(1).id)).toBeLessThan(5);
});

test("while alerting is away only the first is tried, and none of them is at fault", async () => {
  const tried: string[] = [];
  let away = 6;
  const { outbox } = open(async (item) => {
    tried.push(itemId(item));
    if (away-- > 0) throw new Away("nobody there");
  });
  for (let n = 1; n <= 5; n++) await outbox.put(detection(n));
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
  const first = detection(1).id;
  expect(tried).toEqual([...Array.from({ length: 6 }, () => first), ...[1, 2, 3, 4, 5].map((n) => detection(n).id)]);
});

test("of too many events the oldest are dropped and counted; a refused one is dropped alone", async () => {
  const taken: string[] = [];
  let away = true;
  const { outbox, counters } = open(async (item) => {
    if (away) throw new Error("away");
    if (itemId(item) === "event-27") throw new RefusedItem("cannot be read");
    taken.push(itemId(item));
  }, 10);
  for (let n = 0; n < 20; n++) outbox.event(event(n));
  await expect.poll(() => store.countEvents()).toBe(10);
  for (let n = 20; n < 30; n++) outbox.event(event(n));
  await expect.poll(async () => (await store.waitingEvents(1))[0]?.event.id).toBe("event-20");
  away = false;
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
  expect(taken).toEqual([20, 21, 22, 23, 24, 25, 26, 28, 29].map((n) => `event-${n}`));
  expect(counters.read()["outbox.events.dropped"]).toBe(21);
});

test("a submit that never answers is tried again", async () => {
  let calls = 0;
  const { outbox } = open(() => (++calls === 1 ? new Promise(() => {}) : Promise.resolve()));
  await outbox.put(detection(1));
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
  expect(calls).toBe(2);
});

const welfare = (n: number): WelfareEvent => ({
  v: 1,
  id: `d1.${n}.inactive`,
  dwelling: "d1",
  at: n,
  event: "inactive",
});
const changes = (...events: WelfareEvent[]) => ({ kept: [], gone: [], heardUntil: 1, events });

test("welfare events go in order, each once, also where they are told again; one that alerting cannot read is dropped and counted", async () => {
  const taken: string[] = [];
  let failures = 3;
  const { outbox, counters } = open(async (item) => {
    if (failures-- > 0) throw new Error("away");
    if (itemId(item) === "d1.2.inactive") throw new RefusedItem("cannot be read");
    taken.push(itemId(item));
  });
  await outbox.keepWelfare(changes(welfare(1), welfare(2)));
  await outbox.keepWelfare(changes(welfare(3), welfare(1)));
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
  await outbox.keepWelfare(changes(welfare(3), welfare(4)));
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
  expect(taken).toEqual([1, 3, 4].map((n) => welfare(n).id));
  expect(counters.read()).toMatchObject({ "outbox.welfare.delivered": 3, "outbox.welfare.dropped": 1 });
});

test("where the disk takes nothing welfare events are safe once alerting has them; where neither does, they are not", async () => {
  const taken: string[] = [];
  let isAway = false;
  const { outbox } = open(async (item) => {
    if (isAway) throw new Error("away");
    taken.push(itemId(item));
  });
  const other = new DatabaseSync(join(folder, "gateway.sqlite"));
  other.exec("BEGIN EXCLUSIVE");
  await outbox.keepWelfare(changes(welfare(1)));
  expect(taken).toEqual([welfare(1).id]);
  expect(outbox.healthy).toBe(false);
  await expect(outbox.keepWelfare(changes())).rejects.toThrow(/locked/);
  isAway = true;
  await expect(outbox.keepWelfare(changes(welfare(2)))).rejects.toThrow(/locked/);
  other.exec("ROLLBACK");
  other.close();
  isAway = false;
  await outbox.keepWelfare(changes(welfare(2)));
  await expect.poll(() => taken, { timeout: 5000 }).toEqual([1, 2].map((n) => welfare(n).id));
  await expect.poll(() => outbox.isEmpty(), { timeout: 5000 }).toBe(true);
});

test("words of supervision go in order, each once, with what is known of the devices in the same commit", async () => {
  const taken: string[] = [];
  let isAway = true;
  const { outbox } = open(async (item) => {
    if (isAway) throw new Error("away");
    taken.push(itemId(item));
  });
  const word = (event: "began" | "ended"): SupervisionEvent => ({
    v: 1,
    id: `watch-1.overdue.5.${event}`,
    deviceId: "watch-1",
    at: 9,
    event,
    trouble: "overdue",
    since: 5,
  });
  const kept = [{ id: "watch-1", body: "{}" }];
  await outbox.keepSupervision({ kept, gone: [], events: [word("began")] });
  await outbox.keepSupervision({ kept: [], gone: ["watch-1"], events: [word("began"), word("ended")] });
  expect(await store.readSupervision()).toEqual([]);
  isAway = false;
  await vi.waitFor(async () => expect(await store.countSupervision()).toBe(0), 5000);
  expect(taken).toEqual(["watch-1.overdue.5.began", "watch-1.overdue.5.ended"]);
});
