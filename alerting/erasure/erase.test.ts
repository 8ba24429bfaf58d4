import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { start } from "../../test/alerting/episode-play.ts";
import { playAlarm, settle } from "../../test/alerting/played-night.ts";
import { verifyAudit } from "../audit/verify.ts";
import { erasingStatements } from "../event-log/erase-influx.ts";
import { blankSpooled } from "../event-log/erase-spool.ts";
import { createEventLog } from "../event-log/event-log.ts";
import { openSpool } from "../event-log/spool.ts";
import { createDwellings } from "../registry/dwellings.ts";
import { createResidents } from "../registry/residents.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { deviceTroubleKinds } from "../trouble-kinds.ts";
import { troubleKey, welfareKey } from "../welfare-keys.ts";
import { type ErasureOptions, eraseDwelling } from "./erase.ts";

const clock = systemClock(50);
let dataDir: string;
let store: Store;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-erasure-"));
  store = openSqliteStore(dataDir);
});
afterEach(async () => {
  await store.close().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

const key = "QX77J";
const wordsOf = (file = "alerting.db") => readFileSync(join(dataDir, file)).includes(key);
const options = (own: Partial<ErasureOptions> = {}): ErasureOptions => ({
  store,
  dataDir,
  influx: undefined,
  clock,
  onPart: () => {},
  ...own,
});

async function lived(letters?: Parameters<typeof playAlarm>[2], unit?: string): Promise<string> {
  const dwelling = await settle(store, clock, "watch-1", key, unit);
  await createResidents(() => store, clock, "cli").add({ key, unit }, { name: "Zäta" }, "eva");
  await playAlarm(store, { id: "e1", code: "274", dwelling, deviceId: "watch-1", key }, letters);
  return dwelling;
}

describe("erasing", () => {
  test("an alarm is open: nothing is erased, not even the devices", async () => {
    await lived(["T"]);
    await expect(eraseDwelling(options(), { key }, "eva")).rejects.toThrow(/alarm that is open/);
    expect(await store.registry.device("watch-1")).toMatchObject({
      device: { revoked: false },
      dwelling: { alias: key },
    });
    expect(await store.erasure.unfinished()).toEqual([]);
  });

  test("what the dwelling's presence has raised goes with it", async () => {
    const dwelling = await lived();
    const unheard = troubleKey({ kind: "presence-unheard", subject: dwelling });
    for (const [id, code, holder, deviceId] of [
      ["e2", "295", welfareKey(dwelling), "watch-2"],
      ["e3", "T348", unheard, "watch-3"],
    ] as const) {
      await playAlarm(store, { id, code, dwelling: holder, deviceId, key });
    }
    expect(await store.registry.dwelling(dwelling)).toMatchObject({ alias: key });
    const [done] = await eraseDwelling(options(), { key }, "eva");
    expect(done?.forgotten).toMatchObject({ keys: 3, episodes: 3 });
    for (const id of ["e2", "e3"]) expect(await store.episodes.log(id)).toEqual([]);
    expect(wordsOf()).toBe(false);
    // What comes late of it opens nothing.
    expect(await store.registry.dwelling(dwelling)).toBeNull();
  });

  test("what was wrong with its devices goes with it, alarms and history", async () => {
    await lived();
    const key1 = { deviceId: "watch-1", trouble: "overdue", since: 5 } as const;
    const more = { deviceClass: "wearable", gatewayId: "g", battery: null, daysLeft: null, driftMs: null } as const;
    await store.troubles.begin({ ...key1, ...more, at: 9, endedAt: null, isRaised: false });
    await store.troubles.begin({ ...key1, ...more, deviceId: "watch-2", at: 9, endedAt: 10, isRaised: false });
    for (const [n, kind] of deviceTroubleKinds.entries()) {
      const alarm = { id: `t${n}`, code: `T${300 + n}`, dwelling: troubleKey({ kind, subject: "watch-1" }) };
      await playAlarm(store, { ...alarm, deviceId: `other-${n}`, key });
    }
    const [done] = await eraseDwelling(options(), { key }, "eva");
    expect(done?.forgotten.episodes).toBe(1 + deviceTroubleKinds.length);
    expect((await store.troubles.between(0, 100)).map(({ deviceId }) => deviceId)).toEqual(["watch-2"]);
    expect(wordsOf()).toBe(false);
  });

  test("leaves a whole log that nobody reads, devices that are shut out, and a late repeat that opens nothing", async () => {
    const dwelling = await lived();
    const [done] = await eraseDwelling(options(), { key }, "eva");
    expect(done?.forgotten).toMatchObject({ keys: 1, residents: 1, devices: 1, episodes: 1, unsealedEntries: 0 });
    expect(await verifyAudit(store)).toMatchObject({ episodes: { brokenAt: null }, rebuilt: 0, erased: 1, differ: [] });
    expect(await store.episodes.log("e1")).toEqual([]);
    expect(await store.episodes.episode("e1")).toBeNull();
    expect(await store.episodes.detection("watch-1.1.1.fall")).toBeNull();
    expect(await store.episodes.episodeOfDetection("watch-1.1.1.fall")).toBe("e1");
    expect((await store.episodes.usedCodes(0)).map(({ code }) => code)).toEqual(["274"]);
    expect(await store.pages.sendable(start * 2, 10)).toEqual([]);
    const found = await store.registry.device("watch-1");
    expect(found).toMatchObject({ device: { revoked: true, consent: "withdrawn", room: null } });
    expect(found?.dwelling?.alias).toMatch(/^erased-[0-9a-f]{12}$/);
    expect(JSON.stringify(await store.control.changes())).not.toContain(key);
    expect(wordsOf()).toBe(false);
    // A key number is free for who moves in, and has nothing of before.
    expect(await settle(store, clock, "watch-2", key)).not.toBe(dwelling);
    expect(await createResidents(() => store, clock, "cli").show({ key }, "eva")).toEqual([]);
  });

  test("its blind time, pauses and consents go with it, and what was told of them is dropped by its id where the key number is shared", async () => {
    const dwelling = await lived();
    const dwellings = createDwellings(() => store, clock);
    await store.blindTime.beat(0, 60_000, true);
    await store.registry.deviceSeen("watch-1", 1, { online: true, battery: null, worn: false, gatewayId: "g1" });
    await dwellings.pause({ key }, { minutes: 5, reason: "bath", by: "eva" });
    const consent = {
      person: "resident" as const,
      giver: "Zäta",
      how: "visit",
      reviewAt: clock.wallNow() + 86_400_000,
    };
    await dwellings.recordConsent({ key }, consent, "eva");
    await store.blindTime.tell([{ dwellingId: dwelling, hourAt: 0, reason: "paused", seconds: 60 }]);
    expect((await store.blindTime.causes(0)).dwellings[0]?.causes.pauses).toHaveLength(1);
    await eraseDwelling(options(), { key }, "eva");
    expect((await store.blindTime.causes(0)).dwellings).toEqual([]);
    expect(await store.blindTime.told(0, [dwelling])).toEqual([]);
    const database = new DatabaseSync(join(dataDir, "alerting.db"), { readOnly: true });
    for (const table of ["pause_history", "consent_records", "device_outages", "device_gateways", "blind_time_told"]) {
      expect(database.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get(), table).toEqual({ n: 0 });
    }
    database.close();
    const traces = { dwellingId: dwelling, alias: key, isShared: true, devices: [], episodes: [] };
    expect(erasingStatements(traces)).toEqual([`DROP SERIES WHERE "dwelling" = '${dwelling}'`]);
  });

  test("a step that was under way when it was erased brings nothing back", async () => {
    const dwelling = await lived();
    const state = await store.episodes.episode("e1");
    await eraseDwelling(options(), { key }, "eva");
    if (!state) throw new Error("no state");
    const late = { state, at: start + 9_000, pages: [], withdraw: false, retries: [] };
    await expect(store.episodes.commitStep({ ...late, input: { type: "ended" } })).rejects.toThrow(/was erased/);
    expect((await verifyAudit(store)).episodes.brokenAt).toBeNull();
    expect((await store.erasure.erasedAfter(0)).episodes).toEqual(["e1"]);
    expect(dwelling).not.toBe("");
  });

  test("a page that was being sent is not sent again after a restart", async () => {
    await lived();
    const [page] = await store.pages.pagesOf("e1");
    await store.pages.beginAttempt(page?.id ?? "", start);
    await eraseDwelling(options(), { key }, "eva");
    await store.pages.resumeCutOff(start + 60_000);
    expect(await store.pages.sendable(start * 2, 10)).toEqual([]);
    expect((await store.pages.pagesOf("e1")).map(({ body }) => body).join("")).toBe("");
  });

  test.each(["begin", "forget", "dropTraces", "compact", "finish"] as const)(
    "cut off before or after %s, it is finished by running it again",
    async (method) => {
      for (const when of ["before", "after"] as const) {
        await lived();
        const dying = {
          ...store.erasure,
          [method]: async (...args: never[]) => {
            if (when === "after") await (store.erasure[method] as (...given: never[]) => Promise<unknown>)(...args);
            throw new Error("killed");
          },
        };
        await expect(eraseDwelling(options({ store: { ...store, erasure: dying } }), { key }, "eva")).rejects.toThrow(
          "killed",
        );
        const isOver = method === "finish" && when === "after";
        if (isOver) await expect(eraseDwelling(options(), { key }, "eva")).rejects.toThrow(/no dwelling has the key/);
        else await eraseDwelling(options(), { key }, "eva");
        expect(await store.erasure.unfinished()).toEqual([]);
        expect(wordsOf()).toBe(false);
        expect(readFileSync(join(dataDir, "alerting.db-wal")).length === 0 || !wordsOf("alerting.db-wal")).toBe(true);
        expect((await verifyAudit(store)).differ).toEqual([]);
        await store.close();
        rmSync(dataDir, { recursive: true, force: true });
        dataDir = mkdtempSync(join(tmpdir(), "alerting-erasure-"));
        store = openSqliteStore(dataDir);
      }
    },
  );

  test("InfluxDB away: said with the mend; the store has forgotten already, and running it again finishes it", async () => {
    await lived();
    const influx = { url: "http://127.0.0.1:1", database: "fallvakt" };
    await expect(eraseDwelling(options({ influx }), { key }, "eva")).rejects.toThrow(/Run this again when it answers/);
    expect(await store.episodes.episode("e1")).toBeNull();
    expect(await store.erasure.unfinished()).toMatchObject([{ traces: { alias: key } }]);
    await eraseDwelling(options(), { key }, "eva");
    expect(await store.erasure.unfinished()).toEqual([]);
    expect(wordsOf()).toBe(false);
  });

  test("what was deleted before deleted bytes were overwritten is gone from the file too", async () => {
    await lived();
    const before = new DatabaseSync(join(dataDir, "alerting.db"));
    before.exec(`PRAGMA secure_delete = OFF; CREATE TABLE old (text TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO old SELECT '${key}' || i FROM n;
      DROP TABLE old; PRAGMA wal_checkpoint(TRUNCATE);`);
    before.close();
    expect(readFileSync(join(dataDir, "alerting.db")).includes(`${key}299`)).toBe(true);
    await eraseDwelling(options(), { key }, "eva");
    expect(wordsOf()).toBe(false);
  });

  test("a store that is busy is tried again until it is written anew", async () => {
    await lived();
    let tries = 0;
    const busy = { ...store.erasure, compact: async () => ++tries > 3 && store.erasure.compact() };
    await eraseDwelling(options({ store: { ...store, erasure: busy } }), { key }, "eva");
    expect(tries).toBe(4);
    expect(wordsOf()).toBe(false);
  });
});

describe("the spool", () => {
  const point = (alias: string, episode: string, device?: string) =>
    JSON.stringify({
      measurement: "page",
      tags: { alias, ...(device ? { device } : {}) },
      fields: { episode },
      at: 1,
      n: 1,
    });
  const spooled = () => {
    const [segment = ""] = readdirSync(join(dataDir, "spool")).filter((name) => name.endsWith(".ndjson"));
    return readFileSync(join(dataDir, "spool", segment), "utf8");
  };

  test("lines about it are blanked in place, and whoever is reading keeps its place", async () => {
    await lived();
    const spool = await openSpool(join(dataDir, "spool"), 65_536);
    const own = [
      point(key, "e1"),
      point("38", "e7"),
      point("erased-1", "e8", "watch-1"),
      point("39", "e1"),
      point("å", "e9"),
    ];
    await spool.append(own);
    await spool.advance(await spool.peek(1));
    const [done] = await eraseDwelling(options(), { key }, "eva");
    expect(done?.spooledLines).toBe(3);
    expect(Buffer.byteLength(spooled())).toBe(Buffer.byteLength(`${own.join("\n")}\n`));
    expect(spooled()).not.toMatch(/QX77J|watch-1/);
    const left = (await spool.peek(10)).lines.filter((line) => line.trim() !== "");
    expect(left).toEqual([own[1], own[4]]);
    await spool.append([point("40", "e10")]);
    expect((await spool.peek(10)).lines.at(-1)).toBe(point("40", "e10"));
  });

  test("a key number that another unit uses too: only what is surely this dwelling's goes", async () => {
    await settle(store, clock, "watch-9", key, "norr");
    await lived(undefined, "syd");
    const spool = await openSpool(join(dataDir, "spool"), 65_536);
    await spool.append([point(key, "e1"), point(key, "e99"), point(key, "e98", "watch-9")]);
    const [done] = await eraseDwelling(options(), { key, unit: "syd" }, "eva");
    expect(done?.spooledLines).toBe(1);
    expect(await store.registry.device("watch-9")).toMatchObject({
      dwelling: { alias: key },
      device: { revoked: false },
    });
  });

  test("blank lines are neither written nor counted as lost", async () => {
    const spool = await openSpool(join(dataDir, "spool"), 65_536);
    await spool.append([point(key, "e1")]);
    expect(await blankSpooled(join(dataDir, "spool"), () => true)).toBe(1);
    const log = pino({ level: "silent" });
    const events = createEventLog({
      dataDir,
      spool: { maxBytes: 65_536, maxDays: 90 },
      influx: { url: "http://127.0.0.1:1", database: "x" },
      clock,
      log,
    });
    await events.start();
    while (events.counts().spooled > 0) await new Promise((resolve) => clock.after(50, () => resolve(null)));
    expect(events.counts()).toEqual({ written: 0, spooled: 0, dropped: 0 });
    await events.stop();
  });
});

test("InfluxDB is told to drop series, quoted; where the key number is shared, only the time of its own episodes", () => {
  const traces = {
    alias: "Q'7",
    isShared: false,
    devices: ["watch-1"],
    episodes: [{ id: "e1", from: 1000, to: 2000 }],
  };
  expect(erasingStatements(traces)).toEqual([
    `DROP SERIES WHERE "alias" = 'Q\\'7'`,
    `DROP SERIES WHERE "device" = 'watch-1'`,
  ]);
  expect(erasingStatements({ ...traces, isShared: true })[0]).toBe(
    `DELETE WHERE "alias" = 'Q\\'7' AND time >= 1000ms AND time <= 3602000ms`,
  );
});
