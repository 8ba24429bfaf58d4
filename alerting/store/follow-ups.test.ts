import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { playAlarm, settle } from "../../test/alerting/played-night.ts";
import { carryOver } from "./carry-over.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

const clock = systemClock();
const act = { at: 10, by: "Maria", via: "console" } as const;
let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-follow-ups-"));
  store = openSqliteStore(dataDir);
  const dwelling = await settle(store, clock, "watch-1", "38");
  await playAlarm(store, { id: "e1", code: "274", dwelling, deviceId: "watch-1", key: "38" });
});
afterEach(async () => {
  await store.close().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

const nurse = { episodeId: "e1", kind: "nurse" } as const;

test("the first who ticks it stands; taken back it is to be done again; each is in the audit log once", async () => {
  expect(await store.followUps.tick(nurse, act)).toBe(true);
  expect(await store.followUps.tick(nurse, { ...act, by: "Rut", at: 20 })).toBe(false);
  expect(await store.followUps.list(0)).toEqual([{ ...nurse, at: 10, by: "Maria" }]);
  expect(await store.followUps.list(Number.MAX_SAFE_INTEGER)).toEqual([]);
  expect(await store.followUps.untick(nurse, act)).toBe(true);
  expect(await store.followUps.untick(nurse, act)).toBe(false);
  expect(await store.followUps.list(0)).toEqual([]);
  const acts = (await store.audit.entries("acts", 0, 10)).map((entry) => entry.act?.act);
  expect(acts).toEqual(["follow-up-done", "follow-up-not-done"]);
});

test("they go with the dwelling when it is erased", async () => {
  await store.followUps.tick(nurse, act);
  const [dwelling] = await store.registry.dwellings();
  const erasure = await store.erasure.begin(dwelling!.id, { ...act, by: "Eva" });
  expect(await store.erasure.forget(erasure.id, 30)).toMatchObject({ episodes: 1 });
  expect(await store.followUps.list(0)).toEqual([]);
});

test("a backup that is put in place has the ticks of now: made since, and taken back since", async () => {
  await store.followUps.tick(nurse, act);
  await store.close();
  const backup = join(dataDir, "backup.db");
  copyFileSync(join(dataDir, "alerting.db"), backup);
  store = openSqliteStore(dataDir);
  await store.followUps.untick(nurse, act);
  await store.followUps.tick({ ...nurse, kind: "injury" }, { ...act, by: "Rut" });
  await store.close();
  const masterKey = { file: join(dataDir, "keys", "master.key") };
  const present = join(dataDir, "alerting.db");
  carryOver({ backup, present, masterKey, act: { at: 40, by: "Eva" }, madeAt: "2026-11-24" });
  copyFileSync(backup, present);
  store = openSqliteStore(dataDir);
  expect(await store.followUps.list(0)).toMatchObject([{ kind: "injury", by: "Rut" }]);
});
