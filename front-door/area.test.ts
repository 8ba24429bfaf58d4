import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { areaCommand } from "./area.ts";
import { dwellingCommand } from "./dwelling.ts";
import { deviceCommand } from "./register.ts";
import { pauseCommand } from "./watching.ts";

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-area-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as a person types it, and returns what it prints. */
async function run(command: () => Command, ...args: string[]): Promise<string> {
  return typed(command(), ...args, "--config", config);
}

test("whom to look in at, by priority: alone before unknown before shared before paused; another gateway's and revoked ones are left out", async () => {
  const keys = ["9", "100", "38", "54", "61", "72", "115"];
  for (const key of keys) {
    await run(
      deviceCommand,
      "add",
      `watch-${key}`,
      "--placement",
      "wrist",
      "--key",
      key,
      "--area",
      "Ängö",
      "--consent-by",
      "eva",
    );
  }
  await run(dwellingCommand, "household", "54", "--alone", "--by", "eva");
  await run(dwellingCommand, "household", "9", "--shared", "--by", "eva");
  await run(pauseCommand, "61", "--minutes", "600", "--reason", "hospital", "--by", "eva");
  await run(deviceCommand, "revoke", "watch-115");
  expect(await run(areaCommand, "visiting-list")).toContain("No gateway is lost");
  const store = openSqliteStore(join(folder, "data", "alerting"));
  const seen = Date.UTC(2026, 10, 24, 2, 10);
  for (const key of keys) {
    const gatewayId = key === "72" ? "stairwell-2" : "stairwell-1";
    await store.registry.deviceSeen(`watch-${key}`, seen, { online: true, battery: null, gatewayId });
  }
  const common = { everyMs: 3000, controlVersion: 1, lastSeenAt: seen };
  await store.gateways.putGateway({ ...common, gatewayId: "stairwell-1", lostAt: seen });
  await store.gateways.putGateway({ ...common, gatewayId: "stairwell-2", lostAt: null });
  await store.close();

  const list = JSON.parse(await run(areaCommand, "visiting-list", "--json"));
  expect(list.gateways).toEqual([{ gatewayId: "stairwell-1", lostAt: seen }]);
  expect(list.visits.map(({ key, priority }: { key: string; priority: string }) => `${key} ${priority}`)).toEqual([
    "54 alone",

    "38 unknown",
    "100 unknown",
    "9 shared",
    "61 paused",
  ]);
  const text = await run(areaCommand, "visiting-list");
  expect(text).toMatch(/^VISITING LIST .* 5 dwellings\ngateway stairwell-1: silent since /);
  expect(text).toMatch(/1 +\[ \] +54 +Ängö +lives alone +stairwell-1/);
  expect(text).toMatch(/5 +\[ \] +61 .*paused: hospital until/);
  expect(await run(areaCommand, "visiting-list", "--all")).toMatch(/6 dwellings[\s\S]*72/);
});
