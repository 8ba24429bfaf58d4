import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { controlParts } from "../../firmware-contracts/control-parts.ts";
import { type Control, longestPauseMs } from "../../firmware-contracts/intake.ts";
import { migrations } from "../store/migrations.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { openRegister, type Register } from "./register.ts";
import { createResidents } from "./residents.ts";

const minute = 60_000;
let dataDir: string;
let register: Register;
/** Alerting's wall time. */
let now: number;
const clock = { ...systemClock(), wallNow: () => now };

beforeEach(() => {
  now = 1_800_000_000_000;
  dataDir = mkdtempSync(join(tmpdir(), "alerting-control-"));
  register = openRegister({ dataDir, clock });
});
afterEach(async () => {
  await register.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const add = (deviceId: string, key: string, consentBy?: string) =>
  register.registry.addDevice({ deviceId, placement: "wrist", key, consentBy }, { allowSimilarAliases: true });
const control = async () => (await register.registry.controlSince(-1)) as Control;
const device = async (deviceId = "watch-1") => (await control()).devices.find((one) => one.deviceId === deviceId);

describe("consent", () => {
  test("is the dwelling's: given with one device it counts for the next, and withdrawn for both", async () => {
    expect((await add("watch-1", "38", "eva")).consent).toBe("given");
    expect((await add("button-1", "38")).consent).toBe("given");
    expect((await add("watch-2", "61")).consent).toBe("missing");
    expect(await device("watch-2")).toMatchObject({ consent: "missing" });
    expect(await register.dwellings.withdrawConsent({ key: "38" }, "maria")).toBe(true);
    expect(await register.dwellings.withdrawConsent({ key: "38" }, "maria")).toBe(false);
    expect((await control()).devices.map(({ consent }) => consent)).toEqual(["withdrawn", "withdrawn", "missing"]);
    const unrecorded = { isRecorded: false, records: 0, reviewAt: null, isReviewDue: false };
    expect(await register.dwellings.consents()).toEqual([
      { key: "38", unit: null, state: "withdrawn", at: now, by: "maria", ...unrecorded },
      { key: "61", unit: null, state: "missing", at: null, by: null, ...unrecorded },
    ]);
    expect((await add("watch-3", "38", "eva")).consent).toBe("given");
  });

  test("who gave it is not sent to gateways", async () => {
    await add("watch-1", "38", "Eva at the unit");
    expect(JSON.stringify(await control())).not.toContain("Eva");
  });

  test("a list says it in a column of its own", async () => {
    const added = await register.registry.addFromCsv(
      "deviceId,placement,key,consentBy\nwatch-1,wrist,38,eva\nwatch-2,wrist,61,\n",
    );
    expect(added.map(({ consent }) => consent)).toEqual(["given", "missing"]);
  });

  test("a key that is in no unit, or in several, is refused with the mend", async () => {
    await register.registry.addDevices([
      { deviceId: "watch-1", placement: "wrist", key: "38", unit: "Syd" },
      { deviceId: "watch-2", placement: "wrist", key: "38", unit: "Norr" },
    ]);
    const { giveConsent } = register.dwellings;
    await expect(giveConsent({ key: "99" }, "eva")).rejects.toThrow(/no dwelling has the key 99/);
    await expect(giveConsent({ key: "38" }, "eva")).rejects.toThrow(/several units \(Norr, Syd\)/);
    await giveConsent({ key: "38", unit: "Syd" }, "eva");
    expect(await device("watch-1")).toMatchObject({ consent: "given" });
    expect(await device("watch-2")).toMatchObject({ consent: "missing" });
    await expect(giveConsent({ key: "38", unit: "Syd" }, " ")).rejects.toThrow(/by: give the name/);
    await expect(giveConsent({ key: "38", unit: "Syd" }, "e\nva")).rejects.toThrow(/by: letters, digits/);
  });
});

describe("a pause", () => {
  const visit = (minutes: number) => register.dwellings.pause({ key: "38" }, { minutes, reason: "visit", by: "eva" });
  beforeEach(() => add("watch-1", "38", "eva"));

  test("is told with alerting's time and its bounds, and no more once it is over", async () => {
    const from = now;
    await visit(30);
    now += 10 * minute;
    expect((await control()).at).toBe(now);
    expect((await device())?.pause).toEqual({ from, until: from + 30 * minute, reason: "visit" });
    expect(await register.dwellings.pauses()).toMatchObject([{ key: "38", reason: "visit", by: "eva" }]);
    expect((await register.registry.list())[0]?.pausedUntil).toBe(from + 30 * minute);
    now = from + 30 * minute;
    expect((await device())?.pause).toBeUndefined();
    expect(await register.dwellings.pauses()).toEqual([]);
    expect((await register.registry.list())[0]?.pausedUntil).toBeNull();
    expect(await register.dwellings.endPause({ key: "38" })).toBe(false);
  });

  test("another takes its place, and it can be ended", async () => {
    await visit(30);
    await visit(5);
    expect((await device())?.pause?.until).toBe(now + 5 * minute);
    expect(await register.dwellings.endPause({ key: "38" }, "eva")).toBe(true);
    expect((await device())?.pause).toBeUndefined();
  });

  test("of more than 30 days, of none, or for a reason that is none, is refused", async () => {
    const { version } = await control();
    for (const minutes of [0, -1, 0.5, Number.NaN, longestPauseMs / minute + 1]) {
      await expect(visit(minutes)).rejects.toThrow(/from 1 to 43200 \(30 days\)/);
    }
    const wrong = { minutes: 5, reason: "sleep" as "visit", by: "eva" };
    await expect(register.dwellings.pause({ key: "38" }, wrong)).rejects.toThrow(/reason: one of visit, bath/);
    expect((await control()).version).toBe(version);
    await visit(longestPauseMs / minute);
  });
});

describe("placement and threshold", () => {
  beforeEach(() => add("watch-1", "38", "eva"));

  test("are told, and what is so already is no change", async () => {
    await register.registry.place("watch-1", "waist", "eva");
    await register.registry.setThreshold("watch-1", 0.4, "maria");
    expect(await device()).toMatchObject({ placement: "waist", threshold: 0.4 });
    const { version } = await control();
    await register.registry.place("watch-1", "waist", "eva");
    await register.registry.setThreshold("watch-1", 0.4, "maria");
    expect((await control()).version).toBe(version);
    await register.registry.setThreshold("watch-1", null, "maria");
    expect(await device()).not.toHaveProperty("threshold");
  });

  test("beyond the bounds, or of a device that is none, is refused", async () => {
    const { setThreshold, place, revoke } = register.registry;
    for (const wrong of [0.019, 0.981, 0, 1, Number.NaN]) {
      await expect(setThreshold("watch-1", wrong, "maria")).rejects.toThrow(/from 0.02 to 0.98/);
    }
    await setThreshold("watch-1", 0.02, "maria");
    await setThreshold("watch-1", 0.98, "maria");
    await expect(place("watch-9", "hip", "eva")).rejects.toThrow(/no device has the id/);
    await revoke("watch-1");
    await expect(place("watch-1", "hip", "eva")).rejects.toThrow(/revoked/);
    await expect(setThreshold("watch-1", 0.4, "maria")).rejects.toThrow(/revoked/);
  });
});

describe("what presence needs to know", () => {
  beforeEach(() => add("watch-1", "38", "eva"));
  const alone = async () => (await device())?.livesAlone;
  const version = async () => (await control()).version;
  const resident = async () => {
    const store = openSqliteStore(dataDir);
    const { id } = await createResidents(() => store, clock, "cli").add({ key: "38" }, { name: "Astrid Ek" }, "eva");
    await store.close();
    return id;
  };

  test("devices of one dwelling have one id, and it names nobody", async () => {
    await add("door-1", "38");
    await add("watch-2", "61");
    const ids = (await control()).devices.map(({ dwelling }) => dwelling);
    expect(ids[0]).toMatch(/^d[0-9a-f]{12}$/);
    expect(ids).toEqual([ids[0], ids[0], expect.not.stringContaining(ids[0] ?? "")]);
  });

  test("who lives there: not known, unless somebody says it or there are two residents", async () => {
    expect(await alone()).toBeUndefined();
    await resident();
    expect(await alone()).toBeUndefined();
    expect(await register.dwellings.setHousehold({ key: "38" }, "alone", "eva")).toBe(true);
    expect(await alone()).toBe(true);
    const before = await version();
    expect(await register.dwellings.setHousehold({ key: "38" }, "alone", "eva")).toBe(false);
    expect(await version()).toBe(before);
    await resident();
    expect(await alone()).toBe(false);
    expect(await version()).toBe(before + 1);
    await register.dwellings.setHousehold({ key: "38" }, "shared", "eva");
    expect(await alone()).toBe(false);
    expect((await register.control.changes()).map(({ what }) => what).slice(-3)).toEqual([
      "household: alone, before: not known",
      "household: two residents",
      "household: shared, before: alone",
    ]);
    expect(JSON.stringify(await control())).not.toContain("Astrid");
  });

  test("a door that leads out: with the device, in a list, and later", async () => {
    await register.registry.addFromCsv(
      "deviceId,placement,key,leadsOut\ndoor-1,wrist,38,yes\ndoor-2,wrist,38,no\ndoor-3,wrist,38,\n",
    );
    const doors = async () => (await control()).devices.map(({ leadsOut }) => leadsOut);
    expect(await doors()).toEqual([true, undefined, undefined, undefined]);
    const before = await version();
    await register.registry.setLeadsOut("door-3", true, "eva");
    await register.registry.setLeadsOut("door-3", true, "eva");
    expect(await doors()).toEqual([true, undefined, true, undefined]);
    expect(await version()).toBe(before + 1);
    expect((await register.registry.list()).map(({ leadsOut }) => leadsOut)).toEqual([true, false, true, false]);
    const wrong = register.registry.addFromCsv("deviceId,placement,key,leadsOut\ndoor-4,wrist,38,perhaps\n");
    await expect(wrong).rejects.toThrow(/line 2: leadsOut: yes or no/);
    await expect(register.registry.setLeadsOut("door-9", true, "eva")).rejects.toThrow(/no device has the id/);
  });
});

describe("versions and history", () => {
  test("each change is one version, with who did what to which, and each part knows its last", async () => {
    await add("watch-1", "38", "eva");
    await register.dwellings.pause({ key: "38" }, { minutes: 30, reason: "bath", by: "eva" });
    await register.registry.rotate("watch-1", 30, "tom");
    await register.registry.setThreshold("watch-1", 0.4, "maria");
    await register.registry.place("watch-1", "waist", "tom");
    await register.registry.revoke("watch-1");
    const { version, versions } = await register.control.versions();
    expect(version).toBe(6);
    expect(versions).toEqual({ registry: 3, consents: 1, pauses: 2, placements: 5, thresholds: 4, revocations: 6 });
    expect((await control()).versions).toEqual(versions);
    expect(
      (await register.control.changes()).map(({ version: n, part, deviceId, key, by, what }) => [
        n,
        part,
        deviceId ?? key,
        by,
        what,
      ]),
    ).toEqual([
      [1, "registry", "watch-1", null, "added, wrist"],
      [1, "consents", "38", "eva", "given"],
      [2, "pauses", "38", "eva", `until ${new Date(now + 30 * minute).toISOString()}, bath`],
      [3, "registry", "watch-1", "tom", "new secret"],
      [4, "thresholds", "watch-1", "maria", "0.4, before: the model's own"],
      [5, "placements", "watch-1", "tom", "waist, before: wrist"],
      [6, "revocations", "watch-1", null, "revoked"],
    ]);
  });

  test("the history cannot be changed", async () => {
    await add("watch-1", "38");
    const file = new DatabaseSync(join(dataDir, "alerting.db"));
    expect(() => file.exec("UPDATE control_changes SET by = 'somebody'")).toThrow(/append-only/);
    expect(() => file.exec("DELETE FROM control_changes")).toThrow(/append-only/);
    file.close();
  });

  test("whatever is done: what gateways are told changes with the version, and never without a line of that part", async () => {
    const keys = ["38", "61", "99"];
    for (const key of keys) await add(`watch-${key}`, key);
    const ids = keys.map((key) => `watch-${key}`);
    const id = fc.constantFrom(...ids);
    const more = fc.integer({ min: 1, max: 30 }).map((n) => `more-${n}`);
    const key = fc.constantFrom(...keys).map((one) => ({ key: one }));
    const { registry, dwellings } = register;
    const acts = fc.oneof(
      fc.tuple(more, fc.constantFrom(...keys), fc.constantFrom("eva", undefined)).map(
        ([deviceId, to, consentBy]) =>
          () =>
            add(deviceId, to, consentBy),
      ),
      key.map((one) => () => dwellings.giveConsent(one, "eva")),
      key.map((one) => () => dwellings.withdrawConsent(one, "eva")),
      fc.tuple(key, fc.integer({ min: 1, max: 90 })).map(
        ([one, minutes]) =>
          () =>
            dwellings.pause(one, { minutes, reason: "other", by: "eva" }),
      ),
      key.map((one) => () => dwellings.endPause(one)),
      more.map((one) => () => registry.revoke(one)),
      fc.tuple(id, fc.constantFrom("hip" as const, "wrist" as const)).map(
        ([one, place]) =>
          () =>
            registry.place(one, place, "eva"),
      ),
      fc.tuple(id, fc.boolean()).map(
        ([one, leadsOut]) =>
          () =>
            registry.setLeadsOut(one, leadsOut, "eva"),
      ),
      fc.tuple(key, fc.constantFrom("alone" as const, "shared" as const, null)).map(
        ([one, household]) =>
          () =>
            dwellings.setHousehold(one, household, "eva"),
      ),
      fc.tuple(id, fc.constantFrom(0.1, 0.9, null)).map(
        ([one, threshold]) =>
          () =>
            registry.setThreshold(one, threshold, "maria"),
      ),
    );
    /** What of a device belongs to which part. */
    const partsOf = ({ devices }: Control) => ({
      registry: devices.map(({ deviceId, secretHash, dwelling, livesAlone, leadsOut }) => [
        ...[deviceId, secretHash, dwelling, livesAlone, leadsOut],
      ]),
      consents: devices.map(({ deviceId, consent }) => [deviceId, consent]),
      pauses: devices.map(({ deviceId, pause }) => [deviceId, pause]),
      placements: devices.map(({ deviceId, placement }) => [deviceId, placement]),
      thresholds: devices.map(({ deviceId, threshold }) => [deviceId, threshold]),
      revocations: devices.map(({ deviceId, revoked }) => [deviceId, revoked]),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 12 }), async (steps) => {
        for (const step of steps) {
          const before = await control();
          const lines = (await register.control.changes()).length;
          await step().catch(() => {});
          const after = await control();
          const written = (await register.control.changes()).slice(lines);
          expect(after.version - before.version).toBe(written.length > 0 ? 1 : 0);
          for (const line of written) {
            expect(line.version).toBe(after.version);
            expect(after.versions?.[line.part]).toBe(after.version);
          }
          const [was, is] = [partsOf(before), partsOf(after)];
          const isNewDevice = before.devices.length !== after.devices.length;
          for (const part of controlParts) {
            if (isNewDevice && part !== "registry") continue;
            if (JSON.stringify(was[part]) === JSON.stringify(is[part])) continue;
            expect(written.map((line) => line.part)).toContain(part);
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});

test("an upgrade silences nobody: whoever was in the register is watched, and the history says why", async () => {
  const folder = mkdtempSync(join(tmpdir(), "alerting-upgrade-"));
  const file = new DatabaseSync(join(folder, "alerting.db"));
  // As the release before consents left it.
  for (const sql of migrations.slice(0, 3)) file.exec(sql);
  file.exec(`PRAGMA user_version = 3;
    INSERT INTO dwellings (id, alias) VALUES ('d1', '38'), ('d2', '61');
    INSERT INTO devices (id, dwelling_id, placement, secret_hash, added_at) VALUES ('watch-1', 'd1', 'wrist', 'h', 5), ('watch-2', 'd2', 'hip', 'h', 6);
    UPDATE control SET version = 9;`);
  file.close();
  const upgraded = openRegister({ dataDir: folder, clock });
  try {
    const told = await upgraded.registry.controlSince(9);
    expect(told).toMatchObject({ version: 11, versions: { registry: 11, consents: 10, pauses: 0 } });
    expect(told?.devices.map(({ deviceId, consent, dwelling }) => [deviceId, consent, dwelling])).toEqual([
      ["watch-1", "given", "d1"],
      ["watch-2", "given", "d2"],
    ]);
    expect((await upgraded.dwellings.consents())[0]).toMatchObject({
      state: "given",
      by: "before consents were recorded",
    });
    // Who was watched before commissioning was kept is in operation.
    const operations = (await upgraded.registry.list()).map(({ operation }) => operation);
    expect(operations).toEqual(
      [5, 6].map((since) => ({ state: "in-operation", since, by: "before commissioning was kept", how: "bulk" })),
    );
    expect(await upgraded.control.changes()).toMatchObject([
      { version: 9, part: "registry", deviceId: "watch-1" },
      { version: 9, part: "registry", deviceId: "watch-2" },
      { version: 10, part: "consents", key: "38" },
      { version: 10, part: "consents", key: "61" },
      { version: 11, part: "registry", what: "which devices share a dwelling, for presence" },
    ]);
  } finally {
    await upgraded.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
