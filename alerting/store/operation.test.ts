import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { playAlarm, settle } from "../../test/alerting/played-night.ts";
import { NightClock } from "../../test/promises/night-clock.ts";
import { createOperations } from "../registry/operations.ts";
import { createRegistry } from "../registry/registry.ts";
import { deviceTestKey } from "../test-alarm-facts.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

const clock = new NightClock(1, Date.UTC(2026, 10, 24, 9));
let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alerting-operation-"));
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
const operations = () => createOperations(() => store, clock);
const acts = async () => (await store.audit.entries("acts", 0, 100)).map(({ act }) => act?.act);

test("each change is one version, a line in its history with who and why, and an act", async () => {
  const registry = createRegistry(() => store, clock);
  await registry.addDevice({ deviceId: "watch-1", placement: "wrist", key: "38", consentBy: "eva" }, { by: "eva" });
  const before = (await store.control.versions()).version;
  await operations().commission("all", { by: "maria", reason: "moved" });
  await registry.setThreshold("watch-1", 0.4, "maria");
  await operations().store("watch-1", "eva");
  await operations().store("watch-1", "eva");
  await operations().move("watch-1", { key: "54" }, "eva");
  expect((await operations().changes("watch-1")).map(({ state, by, how, reason }) => [state, by, how, reason])).toEqual(
    [
      ["awaiting-test", "eva", null, null],
      ["in-operation", "maria", "bulk", "moved"],
      ["in-store", "eva", null, null],
      ["awaiting-test", "eva", null, null],
    ],
  );
  // What was set for whoever wore it is not the next one's, and that is a version of the threshold too.
  expect((await registry.list())[0]).toMatchObject({ key: "54", threshold: null });
  expect((await registry.thresholdVersions("watch-1")).map(({ threshold }) => threshold)).toEqual([0.4, null]);
  expect((await store.control.versions()).version).toBe(before + 5);
  expect(await acts()).toEqual([
    "device-added",
    "device-in-operation",
    "threshold-set",
    "threshold-set",
    "device-in-store",
    "device-awaiting-test",
  ]);
  expect((await store.audit.verify("acts")).brokenAt).toBeNull();
});

test("gateways hear a device in store without a dwelling and without consent: only its button gets through", async () => {
  await settle(store, clock, "watch-1", "38");
  await operations().store("watch-1", "eva");
  const [device] = (await store.control.since(0, clock.wallNow()))?.devices ?? [];
  expect(device).toMatchObject({ deviceId: "watch-1", consent: "missing", revoked: false });
  expect(device).not.toHaveProperty("dwelling");
});

test("moved while its test runs, the test is called off, and the right key number of then puts nothing into operation", async () => {
  await createRegistry(() => store, clock).addDevice({ deviceId: "watch-1", placement: "wrist", key: "38" });
  const test = await operations().test("watch-1", { minutes: 15, by: "eva" });
  await operations().move("watch-1", { key: "54" }, "eva");
  expect(await operations().lastTest("watch-1")).toMatchObject({ id: test.id, outcome: "called-off" });
  expect(await store.operation.listOpenTests()).toEqual([]);
  const late = playAlarm(store, { id: "e1", code: "T722", dwelling: "d", deviceId: "watch-1", key: "38" }, []);
  const state = await late;
  const passed = { testId: test.id, what: "passed", by: "patrol-1" } as const;
  const step = {
    state,
    input: { type: "ended" } as const,
    at: clock.wallNow(),
    pages: [],
    withdraw: false,
    retries: [],
  };
  await expect(store.episodes.commitStep({ ...step, operationTest: passed })).rejects.toThrow(/moved or stored/);
  expect((await store.registry.device("watch-1"))?.device.operation.state).toBe("awaiting-test");
});

test("an erasure takes the dwelling's tests and its history along, and those of no other", async () => {
  const own = await settle(store, clock, "watch-1", "38");
  const other = await settle(store, clock, "watch-2", "61");
  for (const [id, code, dwelling, deviceId, key] of [
    ["e1", "T722", own, "watch-1", "38"],
    ["e2", "T539", other, "watch-2", "61"],
  ] as const) {
    await playAlarm(store, { id, code, dwelling: deviceTestKey(dwelling, deviceId), deviceId, key });
  }
  const erasure = await store.erasure.begin(own, { at: clock.wallNow(), by: "maria", via: "cli" });
  await store.erasure.forget(erasure.id, clock.wallNow());
  expect(await store.episodes.episode("e1")).toBeNull();
  expect(await store.episodes.episode("e2")).not.toBeNull();
  expect(await operations().changes("watch-1")).toEqual([]);
  expect(await operations().changes("watch-2")).toHaveLength(1);
});
