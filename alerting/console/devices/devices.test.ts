import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../firmware-contracts/clock.ts";
import type { SupervisionEvent } from "../../../firmware-contracts/intake.ts";
import { verifySecret } from "../../../firmware-contracts/secret.ts";
import { createGeneratedBackend, operator } from "../../../test/console/generated-board.ts";
import { simulatedFleet } from "../../../test/services/simulated-fleet.ts";
import type { Board } from "../../board.ts";
import { AlertingConfig } from "../../config.ts";
import { createGatewayWatch, type GatewayWatch } from "../../intake/gateway-watch.ts";
import type { Keeper } from "../../keeper.ts";
import { createOperations } from "../../registry/operations.ts";
import { createRegistry, type Registry } from "../../registry/registry.ts";
import { createStaff } from "../../staff.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Store } from "../../store/store.ts";
import type { Account } from "../roles.ts";
import { consolePlugin } from "../server.ts";
import type { DeviceItem } from "./api.ts";
import { deviceAreas } from "./areas.ts";

// The register behind the console's addresses, with a true store; the chain behind a test alarm is in test/console/devices.test.ts.

const clock = systemClock();
const now = () => Math.round(clock.wallNow());
let dataDir: string;
let store: Store;
let registry: Registry;
let gatewayWatch: GatewayWatch;
let app: FastifyInstance;
let url: string;
/** Who logs in next. */
let who: Account;

const config = AlertingConfig.parse({
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0123456789abcdef".repeat(2)}`, authToken: "f".repeat(32), from: "+46766860000" },
  responders: [
    { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
    { id: "patrol-9", name: "Patrull 9", phone: "+46701740609" },
    { id: "leader", name: "Gruppchef", phone: "+46701740604" },
  ],
  policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 60 }] },
  operators: ["leader"],
  intake: { token: "a-token-of-more-than-twenty-characters" },
});

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-devices-"));
  store = openSqliteStore(dataDir);
  registry = createRegistry(() => store, clock);
  gatewayWatch = createGatewayWatch({
    ...{ store: () => store.gateways, clock, log: pino({ level: "silent" }), onEvent: () => {} },
  });
  await registry.addDevices(
    [
      { deviceId: "watch-a", placement: "wrist", key: "38", unit: "Gustavsberg", area: "Syd", consentBy: "eva" },
      { deviceId: "watch-b", placement: "wrist", key: "57", unit: "Hemmesta", area: "Norr", consentBy: "eva" },
    ],
    simulatedFleet,
  );
  const board = { states: () => [], detail: () => null } as unknown as Board;
  const keeper = { staff: createStaff(config, store, () => []) } as unknown as Keeper;
  const parts = {
    ...{ config, clock, store: () => store, board: () => board, keeper: () => keeper, gatewayWatch },
    brokerForDevices: (named?: string) => ({ broker: named ?? "mqtts://gw.example.se:8883", ca: "0".repeat(64) }),
  };
  app = Fastify({ forceCloseConnections: true });
  await app.register(consolePlugin, {
    backend: { ...createGeneratedBackend(clock, []), verifyUser: async () => who },
    ...{ clock, areas: deviceAreas(parts) },
    ...{ secureCookies: false, language: "sv" as const },
  });
  url = await app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(async () => {
  await app.close();
  gatewayWatch.stop();
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

type Method = "GET" | "POST" | "DELETE";

/** Logs in as somebody and returns how they ask. */
async function as(role: Account["role"], units: Account["units"] = null, name = "Ivar") {
  who = { name, role, units };
  const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };
  const body = JSON.stringify({ name, password: operator.password });
  const login = await fetch(`${url}/api/v1/session`, { method: "POST", headers, body });
  const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return async (method: Method, path: string, asked?: unknown) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      ...{ method, headers: { ...headers, cookie } },
      // An empty body would be no JSON.
      ...(method === "GET" ? {} : { body: JSON.stringify(asked ?? {}) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: text === "" ? null : JSON.parse(text) };
  };
}

/** What was done by way of the console, from the audit log: what, by whom. */
const acts = async () =>
  (await store.audit.entries("acts", 0, 100)).flatMap(({ act }) => (act?.via === "console" ? [[act.act, act.by]] : []));
const idsOf = ({ body }: { body: { devices: DeviceItem[] } }) => body.devices.map(({ deviceId }) => deviceId);

async function trouble(deviceId: string, change: Partial<SupervisionEvent> = {}): Promise<void> {
  const { trouble: kind = "overdue", since = now() - 600_000, deviceClass = "wearable", daysLeft = null } = change;
  await store.troubles.begin({
    ...{ deviceId, trouble: kind, since, at: now(), endedAt: null, deviceClass, gatewayId: change.gatewayId ?? null },
    ...{ battery: change.battery ?? null, daysLeft, driftMs: null, isRaised: true },
  });
}

const newDevice = { deviceId: "watch-c", placement: "wrist", key: "81", unit: "Gustavsberg" };

/** Every address of the part that changes something, on a device of Gustavsberg. */
const changes: [Method, string, unknown][] = [
  ["POST", "/devices", newDevice],
  ["POST", "/devices/watch-a/secret", {}],
  ["POST", "/devices/watch-a/placement", { placement: "waist" }],
  ["POST", "/devices/watch-a/move", { key: "91", unit: "Gustavsberg" }],
  ["POST", "/devices/watch-a/store", {}],
  ["POST", "/devices/watch-a/revoke", {}],
  ["POST", "/devices/watch-a/test", {}],
  ["DELETE", "/devices/watch-a/test", {}],
  ["GET", "/devices/options", undefined],
];
const looks = ["/devices", "/devices/watch-a", "/devices/watch-a/test", "/troubles", "/gateways"];

describe("who may", () => {
  test.each([
    ["responder", true, false],
    ["operator", true, true],
    ["installer", true, true],
    ["manager", true, false],
    ["auditor", false, false],
  ] as const)("%s: looks %s, changes %s", async (role, mayLook, mayChange) => {
    const ask = await as(role);
    for (const path of looks) expect([path, (await ask("GET", path)).status]).toEqual([path, mayLook ? 200 : 403]);
    for (const [method, path, body] of changes) {
      const { status } = await ask(method, path, body);
      expect([path, status === 403], `${method} ${path}`).toEqual([path, !mayChange]);
    }
    // What was refused has done nothing.
    if (!mayChange) expect((await registry.list()).map(({ deviceId }) => deviceId)).toEqual(["watch-a", "watch-b"]);
  });

  test("another unit's device is not there: not in the list, not by its address, and nothing can be done to it", async () => {
    await trouble("watch-a");
    const ask = await as("installer", ["Hemmesta"]);
    expect(idsOf(await ask("GET", "/devices"))).toEqual(["watch-b"]);
    expect(idsOf(await ask("GET", "/devices?unit=Gustavsberg"))).toEqual([]);
    expect((await ask("GET", "/devices")).body.units).toEqual(["Hemmesta"]);
    expect((await ask("GET", "/troubles")).body.devices).toEqual([]);
    expect((await ask("GET", "/devices/options")).text).not.toMatch(/Gustavsberg|38/);
    const missing = (await ask("GET", "/devices/watch-none")).text;
    expect((await ask("GET", "/devices/watch-a")).text).toBe(missing);
    for (const [method, path, body] of changes.filter(([, at]) => at.includes("watch-a"))) {
      expect([path, (await ask(method, path, body)).status]).toEqual([path, 404]);
    }
    // Nor is anything put into it, whether the dwelling is there or not.
    for (const key of ["38", "99"]) {
      const move = await ask("POST", "/devices/watch-b/move", { key, unit: "Gustavsberg" });
      expect(move).toMatchObject({ status: 422, body: { code: "refused" } });
    }
    expect((await ask("POST", "/devices", { ...newDevice })).status).toBe(422);
    // Their own unit need not be named.
    expect((await ask("POST", "/devices", { ...newDevice, unit: undefined })).status).toBe(200);
    expect(await registry.list()).toMatchObject([
      { deviceId: "watch-a", key: "38", revoked: false },
      { deviceId: "watch-b", key: "57" },
      { deviceId: "watch-c", key: "81", unit: "Hemmesta" },
    ]);
  });

  test("a device that comes from another unit by way of the store brings nothing of where it was", async () => {
    await trouble("watch-a", { trouble: "not-worn", since: now() - 60_000 });
    await createOperations(() => store, clock).store("watch-a", "eva");
    const ask = await as("installer", ["Hemmesta"]);
    expect(idsOf(await ask("GET", "/devices?filter=in-store"))).toEqual(["watch-a"]);
    const moved = await ask("POST", "/devices/watch-a/move", { key: "12" });
    expect(moved.body).toMatchObject({ key: "12", unit: "Hemmesta", operation: "awaiting-test", pastTroubles: [] });
    expect(moved.body.history).toMatchObject([{ state: "awaiting-test", key: "12" }]);
    expect(moved.text).not.toMatch(/Gustavsberg|"38"/);
    const all = await (await as("operator"))("GET", "/devices/watch-a");
    expect(all.body.history.map(({ key }: { key: string }) => key)).toEqual(["12", "38", "38"]);
    expect(all.body.pastTroubles).toMatchObject([{ trouble: "not-worn" }]);
  });
});

describe("the register", () => {
  test("a new device's secret is answered once, with what its QR code holds, and nowhere after that", async () => {
    const ask = await as("installer");
    const { body } = await ask("POST", "/devices", { ...newDevice, broker: "mqtts://larm.example.se:8883" });
    expect(body).toMatchObject({ deviceId: "watch-c", consent: "missing", oldUntil: null });
    const note = {
      v: 1,
      broker: "mqtts://larm.example.se:8883",
      id: "watch-c",
      secret: body.secret,
      ca: "0".repeat(64),
    };
    expect(JSON.stringify(body.note)).toBe(JSON.stringify(note));
    const [device] = (await store.control.since(0, now()))?.devices.filter((one) => one.deviceId === "watch-c") ?? [];
    expect(await verifySecret(body.secret, device?.secretHash ?? "")).toBe(true);
    for (const path of ["/devices", "/devices/watch-c", "/devices/options", "/devices/watch-c/test"]) {
      const { text } = await ask("GET", path);
      expect(text).not.toContain(body.secret);
      expect(text).not.toMatch(/secret|scrypt/i);
    }
    expect(await acts()).toEqual([["device-added", "Ivar"]]);
    const again = await ask("POST", "/devices", newDevice);
    expect(again).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/in the register already/) } });
  });

  test.each([
    ["watch-81", "81", true],
    ["w81-x", "81", true],
    ["watch-b7", "b7", true],
    ["watch-810", "81", false],
  ])("the id %s of a new device gives key %s away: %s", async (deviceId, key, isRefused) => {
    const ask = await as("installer");
    const answer = await ask("POST", "/devices", { ...newDevice, deviceId, key });
    expect([answer.status, answer.body.code]).toEqual(isRefused ? [422, "id-tells-key"] : [200, undefined]);
  });

  test("a new secret: the old one is valid until it is used, or ends at once; each is an act", async () => {
    const ask = await as("operator", null, "Maria");
    const before = (await store.registry.device("watch-a"))?.device.secretHash;
    const first = await ask("POST", "/devices/watch-a/secret", {});
    expect(first.body.oldUntil).toBeGreaterThan(now() + 29 * 86_400_000);
    expect((await store.registry.device("watch-a"))?.device).toMatchObject({ previousSecretHash: before });
    const second = await ask("POST", "/devices/watch-a/secret", { now: true });
    expect(second.body).toMatchObject({ oldUntil: null, note: { id: "watch-a", secret: second.body.secret } });
    expect(second.body.secret).not.toBe(first.body.secret);
    expect((await store.registry.device("watch-a"))?.device.previousSecretHash).toBeUndefined();
    expect(await acts()).toEqual(Array(2).fill(["device-secret-replaced", "Maria"]));
  });

  test("worn elsewhere, moved, into store, shut out: each is kept, told in the history and an act of the account", async () => {
    const ask = await as("operator", null, "Maria");
    const placed = await ask("POST", "/devices/watch-a/placement", { placement: "waist" });
    expect(placed.body).toMatchObject({ placement: "waist", operation: "awaiting-test", needsTest: true });
    const moved = await ask("POST", "/devices/watch-a/move", {
      key: "91",
      unit: "Gustavsberg",
      area: "Norr",
      room: "hall",
    });
    expect(moved.body).toMatchObject({ key: "91", area: "Norr", room: "hall", placement: "waist" });
    const like = await ask("POST", "/devices/watch-a/move", { key: "92", unit: "Gustavsberg", area: "Norr" });
    expect(like).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/too like key 91/) } });
    expect((await ask("POST", "/devices/watch-a/store")).body).toMatchObject({ key: null, operation: "in-store" });
    await store.registry.deviceSeen("watch-a", now(), { online: true, battery: 77, firmware: "2.1" });
    await store.registry.deviceSeen("watch-a", now(), { online: true, battery: 76 });
    expect((await ask("GET", "/devices/watch-a")).body).toMatchObject({ battery: 76, firmware: "2.1" });
    const revoked = await ask("POST", "/devices/watch-a/revoke");
    expect(revoked.body).toMatchObject({ revoked: true, needsTest: false });
    expect(revoked.body.history.map(({ state, key }: Record<string, string>) => [state, key])).toEqual([
      ["in-store", "91"],
      ["awaiting-test", "91"],
      ["awaiting-test", "38"],
      ["in-operation", "38"],
    ]);
    expect(await acts()).toEqual(
      ["device-awaiting-test", "device-placed", "device-awaiting-test", "device-in-store", "device-revoked"].map(
        (act) => [act, "Maria"],
      ),
    );
    // Shut out is for good.
    const asked = {
      move: { key: "7", unit: "Gustavsberg" },
      store: {},
      placement: { placement: "hip" },
      secret: {},
      test: {},
    };
    for (const [path, body] of Object.entries(asked)) {
      expect([path, (await ask("POST", `/devices/watch-a/${path}`, body)).status]).toEqual([path, 422]);
    }
    expect((await ask("GET", "/devices")).body.devices.map((one: DeviceItem) => one.deviceId)).toEqual(["watch-b"]);
    expect(idsOf(await ask("GET", "/devices?filter=revoked"))).toEqual(["watch-a"]);
  });

  test("the list is told a page at a time, by unit and key number as people count, filtered, and searched by any word", async () => {
    const many = Array.from({ length: 250 }, (_, i) => ({
      ...{ deviceId: `belt-${String(i).padStart(3, "0")}`, placement: "waist" as const, key: `A${i + 1}` },
      ...{ unit: "Ingarö", area: i % 2 === 0 ? "Brunn" : "Björkvik" },
    }));
    await registry.addDevices(many, { allowSimilarAliases: true });
    await trouble("belt-007", { trouble: "battery-low", battery: 9, daysLeft: 1.4 });
    const ask = await as("operator");
    const first = await ask("GET", "/devices?unit=Ingar%C3%B6");
    expect(first.body.counts).toEqual({
      ...{ all: 250, trouble: 1, "battery-low": 1, "awaiting-test": 250, "in-store": 0, revoked: 0 },
    });
    expect(first.body.matching).toBe(250);
    const pages = await Promise.all([0, 100, 200].map((from) => ask("GET", `/devices?unit=Ingar%C3%B6&from=${from}`)));
    expect(pages.flatMap((page) => page.body.devices.map(({ key }: DeviceItem) => key))).toEqual(
      many.map(({ key }) => key),
    );
    expect(idsOf(await ask("GET", "/devices?search=A12%20brunn"))).toEqual([
      "belt-120",
      "belt-122",
      "belt-124",
      "belt-126",
      "belt-128",
    ]);
    const low = await ask("GET", "/devices?filter=battery-low");
    expect(low.body.devices).toMatchObject([
      { deviceId: "belt-007", troubles: [{ trouble: "battery-low", daysLeft: 1.4, missed: null }] },
    ]);
    expect(idsOf(await ask("GET", "/devices?filter=awaiting-test&search=belt-03&from=5"))).toHaveLength(5);
    expect((await ask("GET", "/devices?filter=lost")).status).toBe(400);
  });
});

describe("trouble, quietly", () => {
  test("what makes falls unseen comes first; a presence sensor's silence does not, a button's is about help", async () => {
    const more = { placement: "waist" as const, unit: "Gustavsberg" };
    await registry.addDevices([
      { ...more, deviceId: "motion-1", key: "38", room: "hall" },
      { ...more, deviceId: "button-1", key: "38" },
    ]);
    await trouble("motion-1", { deviceClass: "presence", since: 1_000 });
    await trouble("button-1", { deviceClass: "button", since: 2_000 });
    await trouble("watch-b", { trouble: "battery-low", since: 3_000, battery: 12, daysLeft: 2 });
    await trouble("watch-a", { trouble: "not-worn", since: 4_000 });
    const { body } = await (await as("operator"))("GET", "/troubles");
    expect(body.devices.map((one: Record<string, unknown>) => [one.deviceId, one.trouble, one.missed])).toEqual([
      ["watch-a", "not-worn", "falls"],
      ["button-1", "overdue", "help"],
      ["motion-1", "overdue", null],
      ["watch-b", "battery-low", null],
    ]);
    expect(body.devices[0]).toMatchObject({ key: "38", area: "Syd", since: 4_000, alarm: null });
    expect(body.devices[3]).toMatchObject({ battery: 12, daysLeft: 2 });
    const own = await (await as("responder", ["Hemmesta"]))("GET", "/troubles");
    expect(own.body.devices.map(({ deviceId }: DeviceItem) => deviceId)).toEqual(["watch-b"]);
    expect(own.text).not.toMatch(/"38"|Gustavsberg/);
  });

  test("a lost gateway stands for the devices behind it; three lost together are an area", async () => {
    const heartbeat = (gatewayId: string) =>
      gatewayWatch.heard({ gatewayId, everyMs: 100, version: "0.1.0", at: now() - 5_000 }, 0);
    await gatewayWatch.start();
    for (const id of ["gw-1", "gw-2", "gw-3", "gw-4"]) heartbeat(id);
    await store.registry.deviceSeen("watch-a", now(), { online: true, battery: null, gatewayId: "gw-1" });
    await store.registry.deviceSeen("watch-b", now(), { online: true, battery: null, gatewayId: "gw-2" });
    await trouble("watch-a", { gatewayId: "gw-1" });
    await trouble("watch-b", { gatewayId: "gw-4" });
    const ask = await as("operator");
    const listed = (await ask("GET", "/gateways")).body.gateways;
    expect(listed[0]).toMatchObject({
      gatewayId: "gw-1",
      lostAt: null,
      version: "0.1.0",
      devices: 1,
      isCurrent: false,
    });
    expect(listed[0].clockAheadMs).toBeGreaterThan(-5_500);
    expect(listed[0].clockAheadMs).toBeLessThan(-4_500);
    const keepAlive = setInterval(() => heartbeat("gw-4"), 50);
    try {
      await expect.poll(() => gatewayWatch.lost().length, { timeout: 5000 }).toBe(3);
      const { body } = await ask("GET", "/troubles");
      expect(body.area).toMatchObject({ gateways: 3, dwellings: 2 });
      expect(body.gateways.map((one: Record<string, unknown>) => [one.gatewayId, one.trouble, one.dwellings])).toEqual([
        ["gw-1", "lost", 1],
        ["gw-2", "lost", 1],
        ["gw-3", "lost", 0],
      ]);
      // Heard through gw-2 last: what another gateway said of it before is not what is wrong.
      expect(body.devices).toEqual([]);
      const own = (await (await as("responder", ["Hemmesta"]))("GET", "/troubles")).body;
      expect(own.gateways.map((one: Record<string, unknown>) => one.dwellings)).toEqual([0, 1, 0]);
      const inTrouble = async () => idsOf(await ask("GET", "/devices?filter=trouble"));
      await expect.poll(inTrouble, { timeout: 5000 }).toEqual(["watch-a", "watch-b"]);
    } finally {
      clearInterval(keepAlive);
    }
  });
});

describe("a test alarm", () => {
  test("is begun for a phone that is on call there, and tells nobody the key number while it is awaited", async () => {
    await registry.addDevice({ ...newDevice, placement: "wrist" });
    const ask = await as("installer", ["Gustavsberg"]);
    const before = await ask("GET", "/devices/watch-c/test");
    expect(before.body).toMatchObject({ state: "none", operation: "awaiting-test", wrong: 0, testMinutes: 15 });
    expect(before.body.phones).toEqual([
      { id: "patrol-2", name: "Patrull 2", isOnCall: true },
      { id: "leader", name: "Gruppchef", isOnCall: false },
    ]);
    expect((await ask("POST", "/devices/watch-c/test", { to: "patrol-9" })).status).toBe(422);
    const begun = await ask("POST", "/devices/watch-c/test", { to: "patrol-2", minutes: 10 });
    expect(begun.body).toMatchObject({ state: "waiting", phone: "Patrull 2", by: "Ivar", heardAt: null });
    expect(begun.body.untilAt - begun.body.openedAt).toBe(600_000);
    await trouble("watch-c", { trouble: "battery-low" });
    const shown = ["/devices/watch-c/test", "/devices/watch-c", "/devices?search=watch-c", "/troubles"];
    for (const path of shown)
      expect([path, (await ask("GET", path)).text]).toEqual([path, expect.not.stringMatching(/"81"/)]);
    expect((await ask("GET", "/devices/watch-c")).body).toMatchObject({ key: null, isKeyHidden: true });
    // Nor can it be found out by looking for it.
    expect(idsOf(await ask("GET", "/devices?search=81"))).toEqual([]);
    const ended = await ask("DELETE", "/devices/watch-c/test");
    expect(ended.body.state).toBe("called-off");
    expect((await ask("GET", "/devices/watch-c")).body).toMatchObject({ key: "81", isKeyHidden: false });
    expect(await acts()).toEqual([
      ["device-test-opened", "Ivar"],
      ["device-test-called-off", "Ivar"],
    ]);
  });

  test("is refused where there is nothing to be tried, with the mend", async () => {
    const ask = await as("installer");
    const inOperation = await ask("POST", "/devices/watch-a/test");
    expect(inOperation).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/is in operation/) } });
    await createOperations(() => store, clock).store("watch-a", "eva");
    expect((await ask("POST", "/devices/watch-a/test")).body.detail).toMatch(/in store/);
  });
});
