import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Alerting, createAlerting, type ServiceEvent } from "../../alerting/alerting.ts";
import { type DwellingLedger, readLedger } from "../../alerting/blind-time/ledger.ts";
import { AlertingConfig } from "../../alerting/config.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { DeviceEvent } from "../../firmware-contracts/intake.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { aFall } from "../alerting/a-fall.ts";
import { VirtualTime } from "../simulation/virtual-time.ts";
import { accountSid, authToken, serviceNumber } from "./town.ts";

const minute = 60_000;
const phone = "+46701740601";
/** Hours pass in seconds: time goes on when it is told to, five seconds at a time, and each time the service finishes what it has begun. */
const stepMs = 5_000;
const time = new VirtualTime(Date.UTC(2026, 10, 24, 1));
const begun = time.wall;
const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-ledger-"));
const events: Extract<ServiceEvent, { type: "blind-time" }>[] = [];
let network: PhoneNetwork;
let alerting: Alerting | null = null;
let isGatewayUp = true;
let said = 0;

const running = (): Alerting => alerting as Alerting;

async function start(): Promise<void> {
  const config = AlertingConfig.parse({
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: { accountSid, authToken, from: serviceNumber, baseUrl: network.url },
    responders: [{ id: "patrol-1", name: "Patrull 1", phone }],
    policy: { steps: [{ responders: ["patrol-1"], waitSeconds: 3600 }] },
    operators: ["patrol-1"],
    intake: { token: "a-token-of-more-than-twenty-characters" },
  });
  const log = pino({ level: "silent" });
  alerting = createAlerting({ config, dataDir, clock: time.clock(() => true, false), log });
  alerting.events.on((event) => {
    if (event.type === "blind-time" && event.alias === "38") events.push(event);
  });
  await alerting.start();
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    const end = time.now + Math.min(left, stepMs);
    if (isGatewayUp && alerting) await alerting.intake.control(0, { gatewayId: "stairwell-1", everyMs: 10_000 });
    for (let happens = time.next(end, false, () => null); happens; happens = time.next(end, false, () => null))
      happens();
    // The store does one thing after the other: what was asked of it before this is done.
    await alerting?.dwellings.pauses();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** The wearer of key 38 tells how it is, through its gateway. */
function says(event: DeviceEvent["event"], worn?: boolean, at = time.wall): Promise<void> {
  const word = { v: 1 as const, id: `e${said++}`, deviceId: "belt-38", at, event, gateway: "stairwell-1" };
  return running().intake.submit({
    type: "device-event",
    event: { ...word, ...(worn === undefined ? {} : { worn }) },
  });
}

/** The ledger, as a command reads it beside the service. */
async function ledger(): Promise<DwellingLedger> {
  const store = openSqliteStore(dataDir);
  try {
    const all = await readLedger(store.blindTime, { from: begun, until: time.wall });
    return all.find(({ key }) => key === "38") as DwellingLedger;
  } finally {
    await store.close();
  }
}

/** What was so since the last look: reasons with whole minutes; shorter than a minute is none. */
let lookedAt = 0;
async function blindSince(): Promise<[string, number][]> {
  const { spans, until } = await ledger();
  const since = lookedAt;
  lookedAt = until;
  return spans
    .filter((span) => span.until > since)
    .map((span): [string, number] => [span.reason, Math.round((span.until - Math.max(span.from, since)) / minute)])
    .filter(([, minutes]) => minutes > 0);
}

beforeAll(async () => {
  network = await startPhoneNetwork({ clock: systemClock(50), accountSid, authToken });
  network.addNumber(serviceNumber);
  network.addPhone(phone);
  await start();
  await running().registry.addDevice({ deviceId: "belt-38", placement: "waist", key: "38", consentBy: "eva" });
  await says("heartbeat", true);
});
afterAll(async () => {
  await alerting?.stop();
  await network.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test("worn and heard: seen. Taken off for an hour: not worn", async () => {
  await pass(20 * minute);
  expect(await blindSince()).toEqual([]);
  await says("heartbeat", false);
  await pass(60 * minute);
  await says("heartbeat", true);
  expect(await blindSince()).toEqual([["not-worn", 60]]);
});

test("out of reach for half an hour: overdue", async () => {
  await says("offline");
  await pass(30 * minute);
  await says("online");
  expect(await blindSince()).toEqual([["overdue", 30]]);
});

test("a bath: paused, ends by itself, and the help button pages through all of it", async () => {
  await running().dwellings.pause({ key: "38" }, { minutes: 15, reason: "bath", by: "eva" });
  await pass(2 * minute);
  const press = { kind: "help" as const, reason: "help-button" as const };
  await running().intake.submit({ type: "detection", detection: aFall("belt-38", time.wall, 1, press) });
  const isPaged = () => network.phones.get(phone)?.inbox.some(({ body }) => /Tryckte på larmknappen/.test(body));
  for (let tries = 0; tries < 400 && !isPaged(); tries++) {
    await pass(100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(isPaged()).toBe(true);
  await pass(28 * minute);
  expect(await blindSince()).toEqual([["paused", 15]]);
});

test("the service itself was down for two hours: that is in the ledger too, though nobody was there to write it", async () => {
  await running().stop();
  alerting = null;
  await pass(60 * minute);
  expect(await blindSince()).toEqual([["service-down", 60]]);
  lookedAt -= 60 * minute;
  await pass(60 * minute);
  await start();
  await pass(5 * minute);
  expect(await blindSince()).toEqual([["service-down", 120]]);
});

test("its gateway is lost for twenty minutes, from when it was last heard", async () => {
  isGatewayUp = false;
  await pass(20 * minute);
  isGatewayUp = true;
  await pass(5 * minute);
  expect(await blindSince()).toEqual([["gateway-down", 20]]);
});

test("what is learnt late corrects the past: it had been taken off before the gateway was lost", async () => {
  lookedAt = time.wall - 27 * minute;
  await says("heartbeat", false, lookedAt);
  expect(await blindSince()).toEqual([
    ["not-worn", 2],
    ["gateway-down", 20],
    ["not-worn", 5],
  ]);
  await says("heartbeat", true);
});

test("consent withdrawn, and at last no device: each has its own name", async () => {
  const { dwellings, registry } = running();
  lookedAt = time.wall;
  await dwellings.withdrawConsent({ key: "38" }, "eva");
  await pass(10 * minute);
  await dwellings.giveConsent({ key: "38" }, "eva");
  await registry.revoke("belt-38", "eva");
  await pass(10 * minute);
  expect(await blindSince()).toEqual([
    ["no-consent", 10],
    ["no-device", 10],
  ]);
});

test("the hours that are over are in the event log, by alias and reason, and without a name", async () => {
  await pass(70 * minute);
  const minutes = (reason: string) =>
    Math.round(events.filter((one) => one.reason === reason).reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  expect([minutes("paused"), minutes("service-down"), minutes("overdue")]).toEqual([15, 120, 30]);
  expect(JSON.stringify(events)).not.toMatch(/eva|Gustavsberg|\+46/);
});
