import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { checkCommand } from "./check.ts";
import { deviceCommand } from "./register.ts";
import { selfTestCommand } from "./self-test.ts";

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-operation-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as a person types it, and returns what it prints. */
async function run(command: () => Command, ...args: string[]): Promise<string> {
  const given = command();
  for (const one of [given, ...given.commands]) one.exitOverride().configureOutput({ writeErr: () => {} });
  return typed(given, ...args, "--config", config);
}
const device = (...args: string[]) => run(deviceCommand, ...args);
const json = async (...args: string[]) => JSON.parse(await device(...args, "--json"));
const add = (id: string, key: string) => device("add", id, "--placement", "wrist", "--key", key, "--consent-by", "eva");
const stateOf = async (id: string) =>
  ((await json("list")) as { deviceId: string; key: string; operation: { state: string; by: string | null } }[]).find(
    ({ deviceId }) => deviceId === id,
  );

test("a new device awaits its test, and says so where it is added and listed", async () => {
  expect(await add("watch-17", "38")).toMatch(/Not in operation yet.*fallvakt device test watch-17 --by NAME/);
  expect(await device("list")).toMatch(/watch-17 .*AWAITS ITS TEST/);
  expect(await device("test", "watch-17", "--by", "eva")).toMatch(/^Until .*watch-17.*The phone on call is asked/);
  expect(await json("test", "watch-17", "--to", "patrol-2", "--minutes", "5", "--by", "eva")).toMatchObject({
    responderId: "patrol-2",
    by: "eva",
  });
  await expect(device("test", "watch-17", "--to", "patrol-9", "--by", "eva")).rejects.toThrow(/known are patrol-1/);
  await expect(device("test", "watch-17", "--minutes", "90", "--by", "eva")).rejects.toThrow(/minutes: /);
  await expect(device("test", "watch-18", "--by", "eva")).rejects.toThrow(/no device has the id watch-18/);
  await expect(device("test", "watch-17")).rejects.toThrow(/--by/);
});

test("bulk commissioning takes a name and a reason, and says which devices", async () => {
  for (const [id, key] of [
    ["watch-1", "38"],
    ["watch-2", "54"],
    ["watch-3", "61"],
  ] as const)
    await add(id, key);
  await expect(device("commission", "--all", "--reason", "moved")).rejects.toThrow(/--by/);
  await expect(device("commission", "--all", "--by", "maria", "--reason", " ")).rejects.toThrow(/reason: /);
  await expect(device("commission", "--by", "maria", "--reason", "moved")).rejects.toThrow(
    /name devices or give --all/,
  );
  expect(await json("commission", "watch-2", "--by", "maria", "--reason", "moved")).toEqual({
    inOperation: ["watch-2"],
    by: "maria",
  });
  await expect(device("commission", "watch-2", "--by", "maria", "--reason", "moved")).rejects.toThrow(/already/);
  expect(await device("commission", "--all", "--by", "maria", "--reason", "simulated")).toContain("watch-1, watch-3");
  expect(await device("commission", "--all", "--by", "maria", "--reason", "simulated")).toMatch(/No device awaits/);
  expect(await device("list")).toMatch(/watch-1 .*since .*word of maria/);
});

test("store takes it out of its dwelling, move puts it into another, and worn elsewhere it is to be tried again", async () => {
  await add("watch-1", "38");
  await device("commission", "--all", "--by", "maria", "--reason", "simulated");
  await device("place", "watch-1", "--placement", "hip", "--by", "eva");
  expect((await stateOf("watch-1"))?.operation).toMatchObject({ state: "awaiting-test", by: "eva" });
  await device("store", "watch-1", "--by", "eva");
  expect(await stateOf("watch-1")).toMatchObject({ key: "", operation: { state: "in-store" } });
  await expect(device("test", "watch-1", "--by", "eva")).rejects.toThrow(/in store.*device move/);
  await expect(device("commission", "watch-1", "--by", "maria", "--reason", "moved")).rejects.toThrow(/in store/);
  expect(await device("commission", "--all", "--by", "maria", "--reason", "moved")).toMatch(/No device awaits/);
  expect(await device("move", "watch-1", "--key", "77", "--by", "eva")).toMatch(
    /at key 77.*\n.*No consent is on record/,
  );
  expect(await stateOf("watch-1")).toMatchObject({ key: "77", operation: { state: "awaiting-test" } });
});

test("the self-test's device is put into the register with a secret in a file of its own", async () => {
  const out = join(folder, "self-test.secret");
  expect(await run(selfTestCommand, "device", "--out", out, "--by", "eva")).toMatch(/alerting:\n {2}selfTest: /);
  expect(readFileSync(out, "utf8").trim()).toMatch(/^\S{20,}$/);
  expect(statSync(out).mode & 0o77).toBe(0);
  expect(await device("list")).toMatch(/self-test .*self-test/);
  await expect(device("test", "self-test", "--by", "eva")).rejects.toThrow(/self-test's own/);
  await expect(device("store", "self-test", "--by", "eva")).rejects.toThrow(/self-test's own/);
  expect(await run(selfTestCommand, "list")).toMatch(/No self-test yet/);
  await expect(run(selfTestCommand, "run")).rejects.toThrow(/alerting\.selfTest is missing/);
});

test("check tells of half a self-test", async () => {
  const settings = townSettings({
    dataDir: "data",
    phonesUrl: "http://127.0.0.1:1",
    port: 0,
    selfTest: { secret: "s".repeat(32) },
  });
  const { selfTest: _own, ...gateway } = settings.gateway;
  writeFileSync(config, stringify({ ...settings, gateway }));
  expect(await run(checkCommand)).toMatch(/mend gateway\.selfTest: missing: nobody runs alerting\.selfTest/);
  writeFileSync(config, stringify(settings));
  expect(await run(checkCommand)).toMatch(/ok +alerting\.selfTest: self-test/);
  process.exitCode = 0;
});
