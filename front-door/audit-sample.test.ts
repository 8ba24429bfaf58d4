import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import type { LookContext, Store } from "../alerting/store/store.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { minute, start } from "../test/alerting/episode-play.ts";
import { playAlarm, settle } from "../test/alerting/played-night.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { auditCommand } from "./audit.ts";
import { readConfig } from "./config.ts";
import { alertingFolder } from "./service.ts";

let folder: string;
let config: string;
let store: Store;
let dwelling: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-sample-"));
  config = join(folder, "fallvakt.yaml");
  const settings = townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 });
  writeFileSync(config, stringify(settings));
  store = openSqliteStore(alertingFolder(readConfig(config, "alerting", {})));
  dwelling = await settle(store, systemClock(), "watch-1", "38");
  await settle(store, systemClock(), "watch-2", "57");
  await playAlarm(store, { id: "e1", code: "274", dwelling, deviceId: "watch-1", key: "38" });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const sample = (...args: string[]) =>
  typed(auditCommand(), "sample", "--month", "2026-11", ...args, "--config", config);

async function look(by: string, at: number, context: LookContext = {}, key = "38") {
  const found = (await store.registry.dwellings()).find(({ alias }) => alias === key);
  await store.residents.lookUp(found?.id ?? "", { at, by, via: "console" }, context);
}

test("a look without an alarm or a shift is listed; the others are drawn, the same with the same seed", async () => {
  await look("Rut", start + minute, { episode: "e1", onShift: false });
  await look("Eva", start - 29 * minute);
  await look("Bo", start - 31 * minute, { onShift: false });
  await look("Liv", start + minute, { onShift: true }, "57");
  await look("Kim", start + minute, { onShift: false }, "57");
  for (let i = 0; i < 40; i++) await look(`of the shift ${i}`, start + i, { onShift: true }, "57");

  const told = JSON.parse(await sample("--json"));
  expect(told).toMatchObject({ month: "2026-11", marginMinutes: 30, seed: 202611, lookUps: 45 });
  const unexplained = told.unexplained.map(({ account, key }: { account: string; key: string }) => [account, key]);
  expect(unexplained).toEqual([
    ["Bo", "38"],
    ["Kim", "57"],
  ]);
  expect(told.sample).toHaveLength(20);
  expect(JSON.parse(await sample("--json")).sample).toEqual(told.sample);
  expect(JSON.parse(await sample("--json", "--seed", "7")).sample).not.toEqual(told.sample);
  const all = JSON.parse(await sample("--json", "--sample", "100")).sample;
  expect(all.slice(0, 2)).toMatchObject([
    { account: "Rut", explainedBy: "alarm", codes: ["274"] },
    { account: "Eva", explainedBy: "alarm" },
  ]);
  // A wider margin explains what a narrower one does not.
  expect(JSON.parse(await sample("--json", "--margin", "32")).unexplained).toMatchObject([{ account: "Kim" }]);
});

test("as a table and as CSV, by account and key number, and by nobody's name", async () => {
  const resident = { name: "Zäta Quist", contacts: [], flags: [] };
  await store.residents.put(dwelling, "r1", resident, null, { at: start, by: "eva", via: "cli" });
  await look('=Bo, "B"', start - 60 * minute);
  await look("Rut", start);
  await look("Liv", start + 90 * 86_400_000);
  const table = await sample();
  expect(table).toContain("2026-11: 2 look-ups, 1 without an alarm (± 30 min) or a shift.");
  expect(table).toMatch(/=Bo, "B" +38 +– +sheet +console +no alarm, no shift/);
  expect(table).toMatch(/1 of 1 explained ones, drawn with seed 202611:\n.*\n.*Rut +38 .* alarm 274/);
  const file = join(folder, "looks.csv");
  expect(await sample("--csv", "--out", file)).toContain("1 unexplained, 1 drawn");
  const csv = readFileSync(file, "utf8");
  expect(csv.split("\r\n")[1]).toMatch(/^unexplained,\d+,2026-11-24T01:12:00.000Z,"'=Bo, ""B""",console,sheet,38,,,$/);
  expect(table + csv).not.toContain("Zäta");
  const acts = (await store.audit.entries("acts", 0, 20)).map(({ act }) => act?.act);
  expect(acts.slice(-2)).toEqual(["audit-sampled", "audit-sampled"]);
});

test("what is wrong is said", async () => {
  await expect(typed(auditCommand(), "sample", "--month", "2026-13", "--config", config)).rejects.toThrow(/--month/);
  await expect(sample("--margin", "soon")).rejects.toThrow(/--margin: a whole number/);
  expect(await sample()).toBe("2026-11: 0 look-ups, 0 without an alarm (± 30 min) or a shift.\n");
});
