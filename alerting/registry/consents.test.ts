import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { createDwellings, type Dwellings, type NewConsent } from "./dwellings.ts";
import { createRegistry } from "./registry.ts";
import { createResidents } from "./residents.ts";

const day = 86_400_000;
let dataDir: string;
let store: Store;
let dwellings: Dwellings;
let now: number;
const clock = { ...systemClock(), wallNow: () => now };
const key = { key: "38" };

beforeEach(async () => {
  now = Date.UTC(2026, 10, 24, 12);
  dataDir = mkdtempSync(join(tmpdir(), "alerting-consents-"));
  store = openSqliteStore(dataDir);
  dwellings = createDwellings(() => store, clock);
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const registry = () => createRegistry(() => store, clock);
const add = (consentBy?: string) =>
  registry().addDevice({ deviceId: "watch-1", placement: "wrist", key: "38", consentBy });
const give = (person: NewConsent["person"], giver: string, more: Partial<NewConsent> = {}) =>
  dwellings.recordConsent(
    key,
    { person, giver, how: "visit, leaflet in Finnish", reviewAt: now + 365 * day, ...more },
    "eva",
  );
/** What gateways are told. */
const told = async () => (await store.control.since(-1, now))?.devices[0]?.consent;

describe("whose consent is on record", () => {
  beforeEach(() => add());

  test("who lives alone: the resident's is enough, but not before it is said that nobody else lives there", async () => {
    expect(await give("resident", "Asta Ek")).toMatchObject({ lacking: ["household"], state: "missing" });
    expect(await told()).toBe("missing");
    await dwellings.setHousehold(key, "alone", "eva");
    expect(await told()).toBe("given");
    expect(await dwellings.consents()).toMatchObject([{ state: "given", isRecorded: true, records: 1, by: "eva" }]);
  });

  test("a shared household: neither the resident's nor the other's alone, only both", async () => {
    await dwellings.setHousehold(key, "shared", "eva");
    expect((await give("other", "Nils Ek")).lacking).toEqual(["resident"]);
    expect(await told()).toBe("missing");
    expect((await give("resident", "Asta Ek")).lacking).toEqual([]);
    expect(await told()).toBe("given");
  });

  test("the same person twice is one: two signatures of one do not make two", async () => {
    await dwellings.setHousehold(key, "shared", "eva");
    await give("resident", "Asta Ek");
    expect((await give("resident", "asta ek ")).lacking).toEqual(["other"]);
    expect((await dwellings.consents())[0]?.records).toBe(1);
  });

  test("three live there: each must have given theirs", async () => {
    const residents = createResidents(() => store, clock, "cli");
    for (const name of ["Asta", "Nils", "Bo"]) await residents.add(key, { name }, "eva");
    await give("resident", "Asta");
    expect((await give("resident", "Nils")).lacking).toEqual(["other"]);
    expect((await give("other", "Bo")).lacking).toEqual([]);
    expect(await told()).toBe("given");
  });

  test("somebody moves in: no frame is stored before theirs is on record too", async () => {
    await dwellings.setHousehold(key, "alone", "eva");
    await give("resident", "Asta Ek");
    await dwellings.setHousehold(key, "shared", "eva");
    expect(await told()).toBe("missing");
    expect((await store.control.changes()).at(-1)).toMatchObject({ part: "consents", what: "missing: other" });
    await give("other", "Nils Ek");
    expect(await told()).toBe("given");
  });

  test("one withdraws: the dwelling's is withdrawn, and comes back with theirs; all withdraw: nobody's is left", async () => {
    await dwellings.setHousehold(key, "shared", "eva");
    await give("resident", "Asta Ek");
    await give("other", "Nils Ek");
    expect(await dwellings.withdrawConsent(key, "eva", "other")).toBe(true);
    expect(await told()).toBe("withdrawn");
    await give("resident", "Asta Ek");
    expect(await told()).toBe("withdrawn");
    await give("other", "Nils Ek");
    expect(await told()).toBe("given");
    await dwellings.withdrawConsent(key, "eva");
    expect(await give("other", "Nils Ek")).toMatchObject({ lacking: ["resident"], state: "withdrawn" });
  });
});

test("who was vouched for stays watched while the records come in one by one", async () => {
  await add("eva");
  await dwellings.setHousehold(key, "shared", "eva");
  expect(await give("resident", "Asta Ek")).toMatchObject({ lacking: ["other"], state: "given" });
  expect(await dwellings.consents()).toMatchObject([{ isRecorded: false }]);
  await give("other", "Nils Ek");
  expect(await dwellings.consents()).toMatchObject([{ state: "given", isRecorded: true, records: 2 }]);
});

test("nobody consents for another, a consent is of the past, and its review of the future", async () => {
  await add();
  await expect(give("resident", " Eva ")).rejects.toThrow(/nobody consents for another/);
  await expect(give("resident", "Asta", { how: "" })).rejects.toThrow(/how: at least/);
  await expect(give("resident", "Asta", { givenAt: now + day })).rejects.toThrow(/date:/);
  for (const reviewAt of [now - day, now + 6 * 365 * day]) {
    await expect(give("resident", "Asta", { reviewAt })).rejects.toThrow(/review:/);
  }
  expect((await dwellings.consents())[0]).toMatchObject({ records: 0, state: "missing" });
});

test("a review that is due is said, and silences nobody", async () => {
  await add();
  await dwellings.setHousehold(key, "alone", "eva");
  await give("resident", "Asta Ek", { reviewAt: now + 30 * day });
  expect((await dwellings.consents())[0]?.isReviewDue).toBe(false);
  now += 31 * day;
  expect(await dwellings.consents()).toMatchObject([{ state: "given", isReviewDue: true }]);
  expect(await store.watching.reviewsDue(now)).toBe(1);
  expect(await told()).toBe("given");
  await give("resident", "Asta Ek");
  expect((await dwellings.consents())[0]?.isReviewDue).toBe(false);
});

test("who gave it and how is sealed on the disk, and shown only after the look-up is in the audit log", async () => {
  await add();
  await give("resident", "Asta Ekwall", { how: "visit, leaflet QX77" });
  expect(await dwellings.showConsents(key, "maria")).toMatchObject([
    { giver: "Asta Ekwall", how: "visit, leaflet QX77", person: "resident", by: "eva" },
  ]);
  const acts = (await store.audit.entries("acts", 0, 100)).map(({ act }) => [act?.act, act?.by]);
  expect(acts).toEqual([
    ["consent-recorded", "eva"],
    ["consent-shown", "maria"],
  ]);
  new DatabaseSync(join(dataDir, "alerting.db")).exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const bytes = readFileSync(join(dataDir, "alerting.db"));
  for (const word of ["Ekwall", "QX77"]) expect(bytes.includes(word)).toBe(false);
});
