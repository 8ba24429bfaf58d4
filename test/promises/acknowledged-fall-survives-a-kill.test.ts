import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { impactFrame, scriptFall } from "../faults/fall-script.ts";
import { openPhones, prepareService, type ServiceProcess } from "../faults/service-process.ts";
import { createMosquitto, type OwnMosquitto } from "../services/mosquitto.ts";
import { wantedBroker } from "./town.ts";

const clock = systemClock();
const folder = mkdtempSync(join(tmpdir(), "fallvakt-killed-"));
let network: PhoneNetwork;
let mosquitto: OwnMosquitto | null = null;
let service: ServiceProcess;
let belt: SimulatedDevice;
let button: SimulatedDevice;

beforeAll(async () => {
  network = await openPhones(clock);
  if (wantedBroker() === "outside") mosquitto = await createMosquitto(folder);
  await mosquitto?.start();
  service = await prepareService(network, { mosquitto });
  belt = await service.addDevice("belt-1", "38");
  button = await service.addDevice("button-1", "54");
  await service.start();
  if (mosquitto) await service.follows(2);
  await Promise.all([belt.connect(), button.connect()]);
});
afterAll(async () => {
  await service?.close();
  await mosquitto?.stop();
  await network?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All texts that call somebody out to this dwelling. */
const pages = (key: string) =>
  [...network.phones.values()].flatMap((phone) =>
    phone.inbox.map(({ body }) => body).filter((body) => body.startsWith("LARM") && body.includes(`Nyckel ${key}.`)),
  );
const acknowledged = { timeout: 10_000, interval: 1 };
const settled = () => new Promise((resolve) => setTimeout(resolve, 1_000));

test("the service is killed at the moment a fall's impact was acknowledged: when it is back the fall is paged, once", {
  timeout: 60_000,
}, async () => {
  const fall = scriptFall(belt, clock.wallNow());
  fall.sendLead();
  fall.sendNext();
  await expect.poll(() => belt.records.frames[impactFrame]?.ackedAt, acknowledged).not.toBeNull();
  await service.kill();
  expect(pages("38")).toEqual([]);

  // The device goes on with what follows; the impact it does not send again.
  while (fall.sendNext());
  await service.start();
  await expect.poll(() => pages("38").length, { timeout: 20_000 }).toBe(1);
  expect(pages("38")[0]).toMatch(/^LARM FALL .*Hårt fall \d\d\.\d\d/);
  await settled();
  expect(service.detections().map(({ deviceId }) => deviceId)).toEqual(["belt-1"]);
});

test("and at the moment the help button was: it is paged, once, and the fall of before is not paged again", {
  timeout: 60_000,
}, async () => {
  await expect.poll(() => button.connected, { timeout: 10_000 }).toBe(true);
  void button.help().catch(() => {});
  await expect.poll(() => button.records.reports[0]?.ackedAt ?? null, acknowledged).not.toBeNull();
  await service.kill();
  // Nobody presses again, and the device is never heard of again.
  await button.disconnect();

  await service.start();
  await expect.poll(() => pages("54").length, { timeout: 20_000 }).toBeGreaterThan(0);
  await settled();
  // Killed while a page was on its way, that page is sent again and marked so: two texts are better than none.
  expect(new Set(pages("54")).size).toBe(1);
  expect(pages("38")).toHaveLength(1);
  expect(new Set(service.detections().map(({ episodeId }) => episodeId)).size).toBe(2);
});
