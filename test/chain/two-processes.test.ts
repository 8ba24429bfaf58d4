import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRegister } from "../../alerting/registry/register.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createDevice, type SimulatedDevice } from "../../simulators/device/device.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { accountSid, authToken, hardFall, serviceNumber, townSettings } from "../promises/town.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

const clock = systemClock(8);
const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-two-"));
const log = pino({ level: "error" }, pino.destination(2));
let network: PhoneNetwork;
let alerting: Service | null = null;
let gateway: Service | null = null;
let watch: SimulatedDevice | null = null;
let port: number;

const settings = (role: string) =>
  townSettings({ dataDir: join(dataDir, role), phonesUrl: network.url, port, waitSeconds: 3600 });
const startAlerting = () => startService({ config: Config.parse(settings("alerting")), role: "alerting", clock, log });

function startGateway(): Promise<Service> {
  const { gateway: own } = settings("gateway");
  const intake = { url: `http://127.0.0.1:${port}`, token: "a-token-of-more-than-twenty-characters" };
  const config = Config.parse({ dataDir: join(dataDir, "gateway"), gateway: { ...own, intake } });
  return startService({ config, role: "gateway", clock, log });
}

beforeAll(async () => {
  network = await startPhoneNetwork({ clock, accountSid, authToken, everyNumberHasAPhone: true });
  network.addNumber(serviceNumber);
  port = await freePort();
  alerting = await startAlerting();
  gateway = await startGateway();
});
afterAll(async () => {
  await watch?.disconnect();
  await gateway?.stop();
  await alerting?.stop();
  await network.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const inbox = () => network.phones.get("+46701740601")?.inbox.map((message) => message.body) ?? [];

test("a gateway and alerting apart, over HTTP: a fall while alerting is down is paged when it is back", async () => {
  const added = await alerting?.alerting?.registry.addDevice(
    {
      deviceId: "belt-1",
      placement: "waist",
      key: "38",
      consentBy: "eva",
    },
    simulatedFleet,
  );
  const url = gateway?.gateway?.mqttUrl ?? "";
  watch = createDevice({ url, deviceId: "belt-1", secret: added?.secret ?? "", clock, rangeG: 16 });
  await watch.connect();

  await alerting?.stop();
  alerting = null;
  await playTrial(watch, hardFall(), clock);
  await watch.drain();
  await expect.poll(() => gateway?.gateway?.counters()["detections.fall"], { timeout: 10_000 }).toBe(1);
  expect(inbox()).toEqual([]);

  alerting = await startAlerting();
  await expect.poll(inbox, { timeout: 20_000 }).toHaveLength(1);
  expect(inbox()[0]).toMatch(/^LARM FALL .*Nyckel 38/);
});

test("what shall be is fetched over HTTP with the heartbeat, and the version in force is reported", async () => {
  const { dwellings, registry } = alerting?.alerting ?? {};
  const count = (name: string) => gateway?.gateway?.counters()[name] ?? 0;
  await dwellings?.pause({ key: "38" }, { minutes: 60, reason: "bath", by: "eva" });
  const paused = (await registry?.controlSince(-1))?.version ?? -1;
  await expect.poll(() => gateway?.gateway?.controlVersion, { timeout: 10_000 }).toBe(paused);
  if (watch) await playTrial(watch, hardFall(3, 1), clock);
  await watch?.drain();
  expect(count("frames.dropped.paused")).toBeGreaterThan(5);
  await dwellings?.withdrawConsent({ key: "38" }, "eva");
  await expect.poll(() => gateway?.gateway?.controlVersion, { timeout: 10_000 }).toBe(paused + 1);
  if (watch) await playTrial(watch, hardFall(3, 1), clock);
  await watch?.drain();
  expect(count("frames.dropped.no-consent")).toBeGreaterThan(5);
  expect(count("detections.fall")).toBe(1);

  const register = openRegister({ dataDir: join(dataDir, "alerting", "alerting"), clock });
  const reported = async () => (await register.gateways.gateways()).map(({ controlVersion }) => controlVersion);
  await expect.poll(reported, { timeout: 10_000 }).toEqual([paused + 1]);
  await register.close();
});

test("a gateway that goes silent is lost after three heartbeats, told once, and again when it is back", async () => {
  const told: string[] = [];
  alerting?.alerting?.events.on((event) => {
    if (event.type === "gateway") told.push(event.event);
  });
  const troubles = () => alerting?.alerting?.backend.troubles() ?? [];
  expect(troubles()).not.toContain("gateway-lost");
  await gateway?.stop();
  await expect.poll(troubles, { timeout: 10_000 }).toContain("gateway-lost");

  // Lost it stays, over a restart of alerting too, and is no news then.
  await alerting?.stop();
  alerting = await startAlerting();
  alerting.alerting?.events.on((event) => {
    if (event.type === "gateway") told.push(event.event);
  });
  expect(troubles()).toContain("gateway-lost");

  gateway = await startGateway();
  await expect.poll(troubles, { timeout: 10_000 }).not.toContain("gateway-lost");
  expect(told).toEqual(["gateway-lost", "gateway-back"]);
});

test("a gateway with a wrong token hands in nothing", async () => {
  const answer = await fetch(`http://127.0.0.1:${port}/intake/v1/control?have=0`, {
    headers: { Authorization: "Bearer wrong-token-of-more-than-twenty" },
  });
  expect(answer.status).toBe(401);
  expect((await fetch(`http://127.0.0.1:${port}/intake/v1/items`, { method: "POST", body: "{}" })).status).toBe(401);
});
