import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aFall } from "../../test/alerting/a-fall.ts";
import { playAlarm, settle } from "../../test/alerting/played-night.ts";
import { VirtualTime } from "../../test/simulation/virtual-time.ts";
import { createCounters } from "../counters.ts";
import { createDwellings } from "../registry/dwellings.ts";
import { createRegistry } from "../registry/registry.ts";
import { openInMemory } from "../store/database.ts";
import { openSqliteStore, storeIn } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { staffTagMs, takeStaffTag } from "./staff-tag.ts";

const minute = 60_000;
let time: VirtualTime;
let store: Store;
let presses: number;
const clock = () => time.clock(() => true, false);
const counters = createCounters();
const pauses = () => createDwellings(() => store, clock()).pauses();

beforeEach(async () => {
  time = new VirtualTime(Date.UTC(2026, 10, 24, 3));
  store = storeIn(openInMemory(), { file: "/nowhere" });
  presses = 0;
  const registry = createRegistry(() => store, clock());
  for (const deviceId of ["watch-1", "tag-1"]) await registry.addDevice({ deviceId, placement: "wrist", key: "38" });
  await registry.setStaffTag("tag-1", true, "eva");
});
afterEach(() => store.close());

const pressed = (deviceId: string, ageMs = 0) =>
  aFall(deviceId, time.wall - ageMs, presses++, { kind: "help", reason: "help-button", impactAt: time.wall - ageMs });
const take = (detection: ReturnType<typeof pressed>) => takeStaffTag({ store, clock: clock(), counters }, detection);

test("a press says that staff are there: the dwelling is paused for half an hour, and by whom is in the history", async () => {
  expect(await take(pressed("tag-1"))).toBe(true);
  expect(await pauses()).toMatchObject([
    { key: "38", reason: "staff-in-dwelling", until: time.wall + staffTagMs, by: "tag tag-1" },
  ]);
  time.now += staffTagMs;
  expect(await pauses()).toEqual([]);
});

test("pressed again while that runs it pages; a bounce, and the same press handed in again, do not", async () => {
  const first = pressed("tag-1");
  await take(first);
  time.now += 3_000;
  expect(await take(pressed("tag-1"))).toBe(true);
  time.now += minute;
  expect(await take(first)).toBe(true);
  expect(await take(pressed("tag-1"))).toBe(false);
  time.now += staffTagMs;
  expect(await take(first)).toBe(true);
  expect(await pauses()).toEqual([]);
});

test("the resident's own button pages always, also while staff are there", async () => {
  await take(pressed("tag-1"));
  expect(await take(pressed("watch-1"))).toBe(false);
  const fall = aFall("tag-1", time.wall, presses++);
  expect(await take(fall)).toBe(false);
});

test("a press that comes late pauses nobody, and a shorter pause takes no longer one's place", async () => {
  expect(await take(pressed("tag-1", 6 * minute))).toBe(true);
  expect(await pauses()).toEqual([]);
  const stay = { minutes: 2 * 24 * 60, reason: "hospital" as const, by: "eva" };
  const { until } = await createDwellings(() => store, clock()).pause({ key: "38" }, stay);
  expect(await take(pressed("tag-1"))).toBe(true);
  expect(await pauses()).toMatchObject([{ reason: "hospital", until }]);
});

test("a device that has raised an alarm is somebody's own, and cannot be made a tag", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "alerting-staff-tag-"));
  const kept = openSqliteStore(dataDir);
  try {
    const dwelling = await settle(kept, clock(), "watch-7", "61");
    await playAlarm(kept, { id: "e1", code: "274", dwelling, deviceId: "watch-7", key: "61" });
    await expect(createRegistry(() => kept, clock()).setStaffTag("watch-7", true, "eva")).rejects.toThrow(
      /has raised an alarm/,
    );
    expect((await kept.registry.device("watch-7"))?.device.staffTag).toBeUndefined();
  } finally {
    await kept.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
