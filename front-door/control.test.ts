import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { controlCommand } from "./control.ts";
import { dwellingCommand } from "./dwelling.ts";
import { deviceCommand, gatewayCommand } from "./register.ts";
import { consentCommand, pauseCommand } from "./watching.ts";

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-control-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as a person types it, and returns what it prints. */
async function run(command: () => Command, ...args: string[]): Promise<string> {
  return typed(command(), ...args, "--config", config);
}
const json = async (command: () => Command, ...args: string[]) => JSON.parse(await run(command, ...args, "--json"));
const add = (...more: string[]) =>
  run(deviceCommand, "add", "watch-17", "--placement", "wrist", "--key", "38", ...more);

test("a device without consent: said where it is added and where it is listed, with the mend, and mended by it", async () => {
  expect(await add()).toMatch(
    /falls raise NO alarm.*until: fallvakt consent give 38 --giver NAME --how TEXT --by NAME/,
  );
  expect(await run(deviceCommand, "list")).toMatch(/watch-17.*NO CONSENT/);
  await run(consentCommand, "give", "38", "--vouched", "--by", "eva");
  expect(await run(deviceCommand, "list")).toMatch(/watch-17.*watched$/m);
  expect(await json(consentCommand, "list")).toMatchObject([{ key: "38", state: "given", by: "eva" }]);
  expect(await run(consentCommand, "withdraw", "38", "--by", "eva")).toContain("Falls raise no alarm");
  expect(await json(deviceCommand, "list")).toMatchObject([{ consent: "withdrawn" }]);
});

test("a device with consent: nothing is left to say", async () => {
  expect(await add("--consent-by", "eva")).not.toMatch(/consent/i);
  expect(await json(consentCommand, "list")).toMatchObject([{ state: "given", by: "eva" }]);
});

test("pause KEY begins one, pause end KEY ends it, pause list shows it", async () => {
  await add("--consent-by", "eva");
  const begin = ["38", "--minutes", "30", "--reason", "visit", "--by", "eva"];
  expect(await run(pauseCommand, ...begin)).toMatch(/Key 38: paused until .*the help button does/);
  expect(await json(pauseCommand, "list")).toMatchObject([{ key: "38", reason: "visit", by: "eva" }]);
  expect(await run(deviceCommand, "list")).toMatch(/paused until/);
  expect(await run(pauseCommand, "end", "38")).toContain("watched again");
  expect(await run(pauseCommand, "end", "38")).toContain("no pause was running");
  expect(await json(pauseCommand, "list")).toEqual([]);
});

test("a stay in hospital is paused until the day of the return, when it begins; half a word is refused with the mend", async () => {
  await add("--consent-by", "eva");
  const stay = (...more: string[]) => run(pauseCommand, "38", "--reason", "hospital", "--by", "eva", ...more);
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toLocaleDateString("sv-SE", { timeZone: "Europe/Stockholm" });
  await stay("--until", inTwoDays);
  const [pause] = await json(pauseCommand, "list");
  expect(new Date(pause.until).toLocaleString("sv-SE", { timeZone: "Europe/Stockholm" })).toBe(`${inTwoDays} 00:00:00`);
  await stay("--until", `${inTwoDays} 14:00`);
  const [later] = await json(pauseCommand, "list");
  expect(later.until - pause.until).toBe(14 * 3_600_000);
  for (const wrong of [[], ["--minutes", "5", "--until", inTwoDays]]) {
    await expect(stay(...wrong)).rejects.toThrow(/either --minutes/);
  }
  await expect(stay("--until", "2026-13-40")).rejects.toThrow(/no date/);
  await expect(stay("--until", "2020-01-01")).rejects.toThrow(/a time to come, within 30 days/);
});

test("consent is put on record person by person: what is lacking is said, and a list shows whose review is due", async () => {
  await add();
  const give = (...more: string[]) =>
    run(consentCommand, "give", "38", "--how", "visit, leaflet", "--by", "eva", ...more);
  await expect(run(consentCommand, "give", "38", "--by", "eva")).rejects.toThrow(/--giver NAME --how TEXT/);
  expect(await give("--giver", "Asta Ek")).toMatch(/Lacking: nobody has said who lives there.*\nFalls raise NO alarm/);
  await run(dwellingCommand, "household", "38", "--shared", "--by", "eva");
  const other = await give("--giver", "Nils Ek", "--person", "other", "--review", "2030-01-01");
  expect(other).toMatch(/on record.*\nIt is watched for falls/);
  expect(await run(consentCommand, "show", "38", "--by", "eva")).toMatch(
    /Asta Ek \(resident.*\n.*visit, leaflet.*\nNils Ek \(other/,
  );
  const listed = await run(consentCommand, "list");
  expect(listed).toMatch(/^38 .*given.* 2 +\d{4}-/m);
  expect(listed).not.toMatch(/Ek|DUE/);
  expect(await run(dwellingCommand, "household", "38", "--alone", "--by", "eva")).not.toMatch(/NO alarm/);
  expect(await json(consentCommand, "withdraw", "38", "--person", "resident", "--by", "eva")).toMatchObject({
    isNews: true,
  });
});

test("a staff's tag is said where devices are listed", async () => {
  await add("--consent-by", "eva");
  expect(await run(deviceCommand, "staff-tag", "watch-17", "--by", "eva")).toMatch(/a second one pages/);
  expect(await run(deviceCommand, "list")).toMatch(/watch-17.*staff's tag$/m);
  await run(deviceCommand, "staff-tag", "watch-17", "--off", "--by", "eva");
  expect(await json(deviceCommand, "list")).toMatchObject([{ staffTag: false }]);
});

test("placement and threshold, the latter with its reset", async () => {
  await add("--consent-by", "eva");
  await run(deviceCommand, "place", "watch-17", "--placement", "waist", "--by", "eva");
  await run(deviceCommand, "threshold", "watch-17", "0.4", "--approved-by", "maria");
  expect(await json(deviceCommand, "list")).toMatchObject([{ placement: "waist", threshold: 0.4 }]);
  const threshold = (...args: string[]) =>
    run(deviceCommand, "threshold", "watch-17", ...args, "--approved-by", "maria");
  for (const wrong of [["0.99"], ["high"]]) await expect(threshold(...wrong)).rejects.toThrow(/from 0.02 to 0.98/);
  for (const wrong of [[], ["0.5", "--reset"]]) await expect(threshold(...wrong)).rejects.toThrow(/one of them/);
  await threshold("--reset");
  expect(await json(deviceCommand, "list")).toMatchObject([{ threshold: null }]);
});

test("control show and gateway list tell who is behind; control log tells what was changed, by whom", async () => {
  await add("--consent-by", "eva", "--by", "tom");
  const store = openSqliteStore(join(folder, "data", "alerting"));
  const heard = { everyMs: 3000, lastSeenAt: 1, lostAt: null };
  await store.gateways.putGateway({ gatewayId: "stairwell-1", controlVersion: 1, ...heard });
  await store.gateways.putGateway({ gatewayId: "stairwell-2", controlVersion: 2, ...heard });
  await store.close();
  await run(deviceCommand, "place", "watch-17", "--placement", "hip", "--by", "eva");
  await run(deviceCommand, "place", "watch-17", "--placement", "wrist", "--by", "eva");

  expect(await json(controlCommand, "show")).toEqual({
    version: 3,
    versions: { registry: 1, consents: 1, pauses: 0, placements: 3, thresholds: 0, revocations: 0 },
    gateways: [
      { gatewayId: "stairwell-1", controlVersion: 1, isCurrent: false },
      { gatewayId: "stairwell-2", controlVersion: 2, isCurrent: false },
    ],
  });
  expect(await run(controlCommand, "show")).toMatch(/^placements +3$/m);
  const again = openSqliteStore(join(folder, "data", "alerting"));
  await again.gateways.putGateway({ gatewayId: "stairwell-2", controlVersion: 3, ...heard });
  await again.close();
  expect(await run(gatewayCommand, "list")).toMatch(/stairwell-1.*behind \(1 of 3\)\n.*stairwell-2.*current/);

  const log = await json(controlCommand, "log");
  expect(log.map((line: { by: string; what: string }) => [line.by, line.what])).toEqual([
    ["tom", "added, wrist"],
    ["eva", "given"],
    ["eva", "hip, before: wrist"],
    ["eva", "wrist, before: hip"],
  ]);
  expect((await run(controlCommand, "log")).split("\n").filter(Boolean)).toHaveLength(5);
});

test("who lives in a dwelling, and which doors lead out of it; half a word is refused with the mend", async () => {
  await add("--leads-out");
  expect(await json(deviceCommand, "list")).toMatchObject([{ leadsOut: true }]);
  expect(await run(deviceCommand, "door", "watch-17", "--inside", "--by", "eva")).toBe(
    "watch-17 is at no door that leads out.\n",
  );
  expect(await json(deviceCommand, "list")).toMatchObject([{ leadsOut: false }]);
  await expect(run(deviceCommand, "door", "watch-17", "--by", "eva")).rejects.toThrow(/either --leads-out/);
  const household = (...args: string[]) => run(dwellingCommand, "household", "38", ...args, "--by", "eva");
  expect(await household("--alone")).toBe("Key 38: its resident lives alone.\n");
  expect(await household("--unknown")).toBe("Key 38: nobody knows who lives there.\n");
  for (const wrong of [[], ["--alone", "--shared"]]) await expect(household(...wrong)).rejects.toThrow(/say one of/);
});

test("a dwelling's own time to arrive; a wrong one is refused with the mend", async () => {
  await add();
  expect(await run(dwellingCommand, "arrival", "38", "--minutes", "90")).toBe(
    "Key 38: 90 min to arrive, from the next alarm on.\n",
  );
  const store = openSqliteStore(join(folder, "data", "alerting"));
  const [dwelling] = await store.registry.dwellings();
  expect(await store.registry.dwellingTerms(dwelling?.id ?? "")).toMatchObject({ arriveMinutes: 90 });
  await store.close();
  await expect(run(dwellingCommand, "arrival", "38", "--minutes", "0")).rejects.toThrow(/from 1 to 1440/);
  await expect(run(dwellingCommand, "arrival", "38")).rejects.toThrow(/either --minutes/);
  expect(await json(dwellingCommand, "arrival", "38", "--as-policy")).toEqual({ key: "38", arriveMinutes: null });
});
