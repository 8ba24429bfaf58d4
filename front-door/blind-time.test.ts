import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { createDwellings } from "../alerting/registry/dwellings.ts";
import { createRegistry } from "../alerting/registry/registry.ts";
import { zoneOf } from "../alerting/rota/local-time.ts";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { blindTimeCommand } from "./blind-time.ts";

const hour = 3_600_000;
let folder: string;
let config: string;
const zone = zoneOf("Europe/Stockholm");
const today = zone.dayOf(systemClock().wallNow());
/** Yesterday at an hour. */
const at = (hours: number) => zone.at(today - 1, hours * 60);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-blind-time-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
  const store = openSqliteStore(join(folder, "data", "alerting"));
  let now = at(6);
  const clock = { ...systemClock(), wallNow: () => now };
  const registry = createRegistry(() => store, clock);
  const dwellings = createDwellings(() => store, clock);
  await store.blindTime.beat(now, 60_000, true);
  await registry.addDevice({ deviceId: "watch-38", placement: "wrist", key: "38", consentBy: "eva" });
  await registry.addDevice({ deviceId: "watch-61", placement: "wrist", key: "61" });
  const seen = (hours: number, worn: boolean) =>
    store.registry.deviceSeen("watch-38", at(hours), { online: true, battery: null, worn });
  await seen(6, true);
  await seen(8, false);
  await seen(9, true);
  now = at(10);
  await dwellings.pause({ key: "38" }, { minutes: 20, reason: "bath", by: "eva" });
  // The service was down from 12 to 14, and lives until now.
  for (let time = at(6); time <= systemClock().wallNow(); time += hour / 4) {
    if (time <= at(12) || time >= at(14)) await store.blindTime.beat(time, hour, true);
  }
  await store.blindTime.beat(Math.round(systemClock().wallNow()), hour, true);
  await store.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<string> {
  return typed(blindTimeCommand(), ...args, "--config", config);
}

test("a strip for each day, half an hour a character, the sums by reason and the share", async () => {
  const lines = (await run("--resident", "38", "--days", "2")).split("\n");
  const yesterday = lines.find((line) =>
    line.startsWith(new Date(today * 24 * hour - 24 * hour).toISOString().slice(0, 10)),
  );
  expect(yesterday?.slice(12)).toBe(`${" ".repeat(12)}····NN··P···SSSS${"·".repeat(20)}`);
  expect(lines).toContain("P  paused         20 min");
  expect(lines).toContain("S  service down   2 h 0 min");
  expect(lines).toContain("N  not worn       1 h 0 min");
  expect(lines.at(-2)).toMatch(/^Key 38: blind 3 h 20 min of .*, \d+\.\d %\.$/);
});

test("as JSON: every span with its reason, and one line for each dwelling where none is named", async () => {
  const told = JSON.parse(await run("--resident", "38", "--days", "2", "--json"));
  const iso = (hours: number) => new Date(at(hours)).toISOString();
  expect(told.spans).toEqual([
    { from: iso(8), until: iso(9), reason: "not-worn", minutes: 60 },
    { from: iso(10), until: new Date(at(10) + hour / 3).toISOString(), reason: "paused", minutes: 20 },
    { from: iso(12), until: iso(14), reason: "service-down", minutes: 120 },
  ]);
  expect(told).toMatchObject({ key: "38", blindMinutes: 200, minutesByReason: { overdue: 0, "service-down": 120 } });
  expect((await run("--days", "2")).split("\n")).toEqual([
    expect.stringMatching(/^key +unit +blind +share +why$/),
    expect.stringMatching(/^38 .*service down 2 h 0 min, not worn 1 h 0 min, paused 20 min$/),
    expect.stringMatching(/^61 .* 100\.0 % +no consent/),
    "",
  ]);
  await expect(run("--resident", "99")).rejects.toThrow(/no dwelling has the key 99/);
  await expect(run("--days", "0")).rejects.toThrow(/from 1 to 400/);
});
