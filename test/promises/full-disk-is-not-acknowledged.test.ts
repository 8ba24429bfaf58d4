import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { impactFrame, scriptFall } from "../faults/fall-script.ts";
import { lacksMount, mountSmallDisk, type SmallDisk } from "../services/small-disk.ts";
import { Town } from "./town.ts";

const skipped = lacksMount();
let disk: SmallDisk;
let town: Town;
const logged: string[] = [];
beforeAll(async () => {
  if (skipped) return;
  disk = mountSmallDisk(64);
  // Seconds are true ones here: five to be red, ten to heal.
  const log = pino({ level: "warn" }, { write: (line: string) => void logged.push(line) });
  town = await Town.open({ speed: 1, waitSeconds: 3600, dataDir: join(disk.folder, "data"), log });
});
afterAll(async () => {
  await town?.close();
  disk?.unmount();
});

const readiness = async () => (await fetch(`${town.service.healthUrl}/readyz`)).status;
const paged = (key: string) => town.pagesOn("patrol-1").filter((text) => text.includes(`Nyckel ${key}.`));

test.skipIf(skipped)(
  "the disk is full: nothing is acknowledged and all can see it; with space again it heals, and the fall and the call are paged (needs root)",
  { timeout: 60_000 },
  async () => {
    const belt = await town.device("belt-1", "38", { reconnectMs: 200 });
    const button = await town.device("button-1", "54", { reconnectMs: 200 });
    expect(await readiness()).toBe(200);

    const giveBack = disk.fill();
    const fall = scriptFall(belt, town.clock.wallNow());
    fall.sendLead();
    while (fall.sendNext());
    void button.help().catch(() => {});
    await expect.poll(readiness, { timeout: 5_000 }).toBe(503);

    // The devices go on trying, and their records say what they were told.
    await town.pass(3_000);
    expect(await readiness()).toBe(503);
    expect(town.pagesOn("patrol-1")).toEqual([]);
    if (town.mosquitto) {
      // Mosquitto has acknowledged, and keeps what the gateway will not take.
      expect(town.gateway.counters()["outside.ended.uncommitted"]).toBeGreaterThan(0);
    } else {
      expect(belt.records.frames[impactFrame]?.ackedAt).toBeNull();
      expect(button.records.reports[0]?.ackedAt).toBeNull();
    }

    giveBack();
    await expect.poll(readiness, { timeout: 10_000 }).toBe(200);
    await town.until("both are paged", () => paged("38").length > 0 && paged("54").length > 0);
    await town.until("all is acknowledged", () => belt.pending === 0 && button.pending === 0);
    await town.until("nothing is undecided", () => town.gateway.ready());
    await town.pass(1_000);
    expect([paged("38"), paged("54")].map((pages) => pages.length)).toEqual([1, 1]);
    expect(town.alerting.episodes()).toHaveLength(2);
    // It was logged; the log's own disk is spared what is tried again and again.
    expect(logged.join("")).toContain("check the disk");
    expect(logged.filter((line) => line.includes("could not be committed"))).toHaveLength(1);
  },
);
