import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
import { impactFrame, scriptFall } from "./fall-script.ts";
import { holdsWithin, isPaged, openPhones } from "./service-process.ts";

const clock = systemClock();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

/** A disk of its own, in memory, with so many MiB. */
function smallDisk(mebibytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]);
  undo.push(() => {
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Writes until not one byte more goes in. Returns how to give the space back. */
function fill(disk: string): () => void {
  const paths: string[] = [];
  // The last blocks are taken by small files: a write that needs one more page would succeed otherwise.
  for (const bytes of [1 << 20, 4096]) {
    for (;;) {
      const path = join(disk, `filler-${paths.length}`);
      paths.push(path);
      try {
        writeFileSync(path, Buffer.alloc(bytes));
      } catch {
        break;
      }
    }
  }
  expect(statfsSync(disk).bavail).toBe(0);
  return () => {
    for (const path of paths) rmSync(path, { force: true });
  };
}

interface Full {
  service: Service;
  network: PhoneNetwork;
  disk: string;
  device(deviceId: string, key: string): Promise<SimulatedDevice>;
  readyz(): Promise<number>;
}

/** The true service with its data folder, gateway's and alerting's, on a small disk. */
async function openOnSmallDisk(): Promise<Full> {
  const disk = smallDisk(64);
  const network = await openPhones(clock);
  undo.push(() => network.close());
  const port = await freePort();
  const dataDir = join(disk, "data");
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
      const added = await registry?.addDevice(wanted, { allowSimilarAliases: true });
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
const isRoot = process.getuid?.() === 0;
if (process.env.CI && !isRoot) throw new Error("a disk cannot be mounted: in CI the tests run as root");

test.skipIf(!isRoot)(
  "a full disk: no acknowledgement, readiness red within 5 s; with space again all is well within 10 s, and both alarms are paged (needs root)",
  { timeout: 90_000 },
  async () => {
    const { service, network, disk, device, readyz } = await openOnSmallDisk();
    const belt = await device("belt-1", "38");
    const button = await device("button-1", "54");
    const fall = scriptFall(belt, clock.wallNow());
    expect(service.gateway?.ready()).toBe(true);
    expect(await readyz()).toBe(200);

    const giveBack = fill(disk);
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
