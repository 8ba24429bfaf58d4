import { afterAll, beforeAll, expect, test } from "vitest";
import type { Intake } from "../../firmware-contracts/intake.ts";
import { createDevice, type SimulatedDevice } from "../../simulators/device/device.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { Town } from "./town.ts";

let town: Town;
let isAway = false;
const secrets = new Map<string, string>();
const devices: SimulatedDevice[] = [];
const line = (intake: Intake): Intake => ({
  submit: (item) => (isAway ? Promise.reject(new Error("cut")) : intake.submit(item)),
  control: (have, heartbeat) => (isAway ? Promise.reject(new Error("cut")) : intake.control(have, heartbeat)),
});

beforeAll(async () => {
  // Devices are of this test: they connect again after a restart, to another port.
  town = await Town.open({ waitSeconds: 3600, throughIntake: line, broker: "embedded" });
  const { registry, dwellings } = town.alerting;
  const dwelling = { placement: "waist" as const, area: "Gustavsberg syd" };
  const added = await registry.addDevices(
    [
      { deviceId: "belt-1", key: "38", consentBy: "eva", ...dwelling },
      { deviceId: "belt-2", key: "54", ...dwelling },
      { deviceId: "belt-3", key: "61", consentBy: "eva", ...dwelling },
    ],
    simulatedFleet,
  );
  for (const { deviceId, secret } of added) secrets.set(deviceId, secret);
  await dwellings.pause({ key: "61" }, { minutes: 60, reason: "staff-in-dwelling", by: "eva" });
  await town.until("the gateway follows", () => town.gateway.controlVersion === 2);
});
afterAll(async () => {
  for (const device of devices) await device.disconnect();
  await town.close();
});

async function connected(deviceId: string): Promise<SimulatedDevice> {
  const { clock, gateway } = town;
  const secret = secrets.get(deviceId) ?? "";
  const device = createDevice({ url: gateway.mqttUrl, deviceId, secret, clock, rangeG: 16 });
  devices.push(device);
  await device.connect();
  return device;
}

test("started again without contact, the gateway goes on with the last state: who is watched, who is not, who is paused", async () => {
  isAway = true;
  await town.restart();
  expect(town.gateway.controlVersion).toBe(2);
  const belts = await Promise.all(["belt-1", "belt-2", "belt-3"].map(connected));
  await Promise.all(belts.map((belt) => town.fall(belt)));
  await town.pass(30_000);
  const counters = town.gateway.counters();
  expect(counters["detections.fall"]).toBe(1);
  expect(counters["frames.dropped.no-consent"]).toBeGreaterThan(5);
  expect(counters["frames.dropped.paused"]).toBeGreaterThan(5);
  expect(counters["control.failed"]).toBeGreaterThan(0);
});

test("what changed meanwhile is in force as soon as there is contact, and the fall of before is told", async () => {
  await town.alerting.dwellings.giveConsent({ key: "54" }, "eva");
  await town.alerting.dwellings.endPause({ key: "61" }, "eva");
  expect(town.gateway.controlVersion).toBe(2);
  isAway = false;
  await town.text("patrol-1", /LARM FALL.*Nyckel 38/);
  await town.until("the gateway follows", () => town.gateway.controlVersion === 4);
  for (const belt of devices.slice(1)) await town.fall(belt);
  await town.text("patrol-1", /LARM FALL.*Nyckel 54/);
  await town.text("patrol-1", /LARM FALL.*Nyckel 61/);
});
