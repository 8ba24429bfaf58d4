import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { playAlarm, settle } from "../../test/alerting/played-night.ts";
import { verifyAudit } from "../audit/verify.ts";
import { createResidents } from "../registry/residents.ts";
import { fingerprint, masterKeyText, newKey } from "../sealing/seal.ts";
import { loadMasterKey, makeMasterKey, nextKeyFile, takeNextKey, writeNextKey } from "./master-key-file.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

const clock = systemClock();
let folder: string;
let file: string;
let opened: Store[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alerting-keys-"));
  file = join(folder, "keys", "master.key");
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await store.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

function openStore(source: Parameters<typeof openSqliteStore>[1] = { file }): Store {
  const store = openSqliteStore(join(folder, "data"), source);
  opened.push(store);
  return store;
}
const database = () => new DatabaseSync(join(folder, "data", "alerting.db"));

async function oneAlarm(store: Store, n = 1): Promise<string> {
  const dwelling = await settle(store, clock, `watch-${n}`, `${n}${n}${n}`);
  await playAlarm(store, { id: `e${n}`, code: `27${n}`, dwelling, deviceId: `watch-${n}`, key: `${n}${n}${n}` });
  return dwelling;
}

describe("the master key", () => {
  test("is made at the first start of an empty store, for its owner alone, and told of once", async () => {
    expect(await openStore().keys.open()).toBe(file);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(await openStore().keys.open()).toBeNull();
    expect(makeMasterKey(file)).toMatchObject({ isNew: false });
  });

  test("is not touched by whoever works on the register of devices alone", async () => {
    await settle(openStore(), clock, "watch-1", "38");
    expect(existsSync(file)).toBe(false);
  });

  test("missing, another, or none: refused with the mend, and nothing is made or added", async () => {
    await oneAlarm(openStore());
    const own = fingerprint(loadMasterKey({ file }) as ReturnType<typeof newKey>);
    renameSync(file, `${file}.away`);
    await expect(openStore().keys.open()).rejects.toThrow(new RegExp(`master.key is missing.*${own} from its backup`));
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, masterKeyText(newKey()));
    const other = openStore();
    await expect(other.keys.open()).rejects.toThrow(/sealed with another master key.*alerting\.masterKeyFile/);
    const dwelling = await settle(other, clock, "watch-2", "61");
    await expect(playAlarm(other, { id: "e2", code: "385", dwelling, deviceId: "watch-2", key: "61" })).rejects.toThrow(
      /another master key/,
    );
    expect(await other.episodes.episode("e2")).toBeNull();
    writeFileSync(file, "no key");
    await expect(openStore().keys.open()).rejects.toThrow(/holds no master key/);
    await expect(openStore({ text: "x" }).keys.open()).rejects.toThrow(/alerting\.masterKey is no master key/);
    const text = readFileSync(`${file}.away`, "utf8");
    await openStore({ text }).keys.open();
  });

  test("is rotated beside a running service, which goes on; the old one opens nothing", async () => {
    const service = openStore();
    await oneAlarm(service, 1);
    const old = readFileSync(file, "utf8");
    expect(await openStore().keys.rotate({ at: 1, by: "eva", via: "cli" })).toBe(1);
    expect(readFileSync(file, "utf8")).not.toBe(old);
    await oneAlarm(service, 2);
    const { differ, rebuilt } = await verifyAudit(openStore());
    expect({ differ, rebuilt }).toEqual({ differ: [], rebuilt: 2 });
    await expect(openStore({ text: old }).keys.open()).rejects.toThrow(/another master key/);
  });

  test("a rotation that was cut off on either side of its commit loses nothing", async () => {
    await oneAlarm(openStore(), 1);
    // Cut off before the commit: the next key lies there unused.
    writeNextKey(file, newKey());
    expect((await verifyAudit(openStore())).rebuilt).toBe(1);
    // Cut off after it: the store is sealed with the next one, and the file not yet in its place.
    const before = readFileSync(file, "utf8");
    await openStore().keys.rotate({ at: 1, by: null, via: "cli" });
    renameSync(file, nextKeyFile(file));
    writeFileSync(file, before);
    const store = openStore();
    await store.keys.open();
    expect(existsSync(nextKeyFile(file))).toBe(false);
    expect((await verifyAudit(store)).rebuilt).toBe(1);
    expect(() => takeNextKey(file)).toThrow();
  });
});

describe("dwellings' keys", () => {
  test("each dwelling has one, and a step that is rolled back leaves none that could be used", async () => {
    const store = openStore();
    const first = await oneAlarm(store, 1);
    const second = await settle(store, clock, "watch-2", "222");
    // The code is taken: the commit fails after the dwelling's key was made.
    const again = { id: "e1", code: "271", dwelling: second, deviceId: "watch-1", key: "222" };
    await expect(playAlarm(store, again)).rejects.toThrow();
    // Another process makes it then, and the first goes on with that one.
    await playAlarm(openStore(), { id: "e2", code: "385", dwelling: second, deviceId: "watch-2", key: "222" });
    await playAlarm(store, { id: "e3", code: "496", dwelling: second, deviceId: "watch-3", key: "222" });
    expect((await verifyAudit(openStore())).rebuilt).toBe(3);
    const db = database();
    const holders = db.prepare("SELECT holder FROM sealing_keys ORDER BY holder").all();
    db.close();
    expect(holders.map((row) => row.holder)).toEqual([first, second].sort());
  });

  test("two entries that change places, or one moved to another dwelling, do not open", async () => {
    const store = openStore();
    await oneAlarm(store, 1);
    const db = database();
    db.exec(`DROP TRIGGER episode_log_no_update;
      UPDATE episode_log SET input = (SELECT input FROM episode_log WHERE seq = 2) WHERE seq = 3`);
    db.close();
    await expect(store.episodes.log("e1")).rejects.toThrow(/episode_log 3: .*another place/);
  });
});

describe("residents", () => {
  const by = { key: "111" };
  const resident = { name: "Zäta Qvistbergh", keyCode: "83317", contacts: [{ name: "Öjvind", phone: "+46701988771" }] };

  test("are sealed, shown to who says who they are, and each look-up stands in the audit log first", async () => {
    const store = openStore();
    const dwelling = await oneAlarm(store, 1);
    const residents = createResidents(() => store, clock, "cli");
    const { id } = await residents.add(by, resident, "eva");
    expect(await residents.show(by, "maria")).toMatchObject([{ id, ...resident }]);
    await expect(residents.show(by, " ")).rejects.toThrow(/by: give the name/);
    expect(await residents.list()).toEqual([{ key: "111", unit: null, residents: 1 }]);
    const acts = (await store.audit.entries("acts", 0, 10)).map(({ act }) => act);
    expect(acts).toMatchObject([
      { act: "resident-added", by: "eva", via: "cli", subject: dwelling },
      { act: "resident-shown", by: "maria", via: "cli", subject: dwelling },
    ]);
    expect(JSON.stringify(acts)).not.toMatch(/Qvistbergh|83317|111/);
    const { id: next } = await residents.add(by, { ...resident, keyCode: "90210" }, "eva", id);
    expect(await residents.show(by, "eva")).toMatchObject([{ id: next, keyCode: "90210" }]);
    await expect(residents.add(by, resident, "eva", id)).rejects.toThrow(/has no resident/);
    await store.close();
    const bytes = readFileSync(join(folder, "data", "alerting.db"));
    for (const word of ["Qvistbergh", "83317", "90210", "701988771"]) expect(bytes.includes(word)).toBe(false);
  });

  test.each(["112", "+46112", "1177", "0701988771"])(
    "the contact %s is refused, and nothing is kept",
    async (phone) => {
      const store = openStore();
      await oneAlarm(store, 1);
      const residents = createResidents(() => store, clock, "cli");
      const wrong = { ...resident, contacts: [{ name: "Ö", phone }] };
      await expect(residents.add(by, wrong, "eva")).rejects.toThrow(/contacts\.0\.phone: /);
      expect(await residents.list()).toEqual([]);
    },
  );
});
