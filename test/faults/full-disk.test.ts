import { join } from "node:path";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createDevice, type SimulatedDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { townSettings } from "../promises/town.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { lacksMount, mountSmallDisk, type SmallDisk } from "../services/small-disk.ts";
import { impactFrame, scriptFall } from "./fall-script.ts";
import { holdsWithin, isPaged, openPhones } from "./service-process.ts";

const clock = systemClock();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

interface Full {
  service: Service;
  network: PhoneNetwork;
  disk: SmallDisk;
  device(deviceId: string, key: string): Promise<SimulatedDevice>;
  readyz(): Promise<number>;
}

/** The true service with its data folder, gateway's and alerting's, on a small disk. */
async function openOnSmallDisk(): Promise<Full> {
  const disk = mountSmallDisk(64);
  undo.push(() => disk.unmount());
  const network = await openPhones(clock);
  undo.push(() => network.close());
  const port = await freePort();
  const dataDir = join(disk.folder, "data");
  const config = Config.parse(townSettings({ dataDir, phonesUrl: network.url, port, waitSeconds: 3600 }));
  const log = pino({ level: "silent" });
  const service = await startService({ config, role: "all", clock, log });
  undo.push(() => service.stop());
  return {
    service,
    network,
    disk,
    async device(deviceId, key) {
      const registry = service.alerting?.registry;
      const wanted = { deviceId, placement: "waist" as const, key, consentBy: "eva" };
      const added = await registry?.addDevice(wanted, { allowSimilarAliases: true, ...simulatedFleet });
      const url = service.gateway?.mqttUrl ?? "";
      const secret = added?.secret ?? "";
      const device = createDevice({ url, deviceId, secret, clock, rangeG: 16, reconnectMs: 200, heartbeatMs: 0 });
      undo.push(() => device.disconnect());
      await device.connect();
      return device;
    },
    readyz: async () => (await fetch(`${service.consoleUrl}/readyz`)).status,
  };
}

const seconds = (since: number) => (performance.now() - since) / 1000;

test.skipIf(lacksMount())(
  "a full disk: no acknowledgement, readiness red within 5 s; with space again all is well within 10 s, and both alarms are paged (needs root)",
  { timeout: 90_000 },
  async () => {
    const { service, network, disk, device, readyz } = await openOnSmallDisk();
    const belt = await device("belt-1", "38");
    const button = await device("button-1", "54");
    const fall = scriptFall(belt, clock.wallNow());
    expect(service.gateway?.ready()).toBe(true);
    expect(await readyz()).toBe(200);

    const giveBack = disk.fill();
    const filled = performance.now();
    // The journal has no file yet: one that has would take a few frames more, into the rest of its last block.
    fall.sendLead();
    while (fall.sendNext());
    void button.help().catch(() => {});
    await expect.poll(() => service.gateway?.ready(), { timeout: 5000 }).toBe(false);
    await expect.poll(readyz, { timeout: 5000 }).toBe(503);
    expect(seconds(filled)).toBeLessThan(5);
    for (const store of ["journal", "outbox"]) {
      await expect
        .poll(() => service.gateway?.problems(), { timeout: 5000 })
        .toContain(`the ${store} cannot be written`);
    }

    // The devices go on trying; nothing is acknowledged for as long as the disk is full.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(service.gateway?.ready()).toBe(false);
    expect(belt.records.frames[impactFrame]?.ackedAt).toBeNull();
    expect(button.records.reports[0]?.ackedAt).toBeNull();

    giveBack();
    const given = performance.now();
    await expect.poll(() => service.gateway?.ready(), { timeout: 10_000 }).toBe(true);
    await expect.poll(readyz, { timeout: 10_000 }).toBe(200);
    expect(seconds(given)).toBeLessThan(10);
    expect(await holdsWithin(15_000, () => isPaged(network, "38") && isPaged(network, "54"))).toBe(true);
    expect(await holdsWithin(10_000, () => belt.records.frames[impactFrame]?.ackedAt !== null)).toBe(true);
    expect(await holdsWithin(10_000, () => button.records.reports[0]?.ackedAt !== null)).toBe(true);
    expect(service.alerting?.episodes()).toHaveLength(2);
  },
);
