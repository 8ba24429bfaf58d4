import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { auditCommand, incidentCommand, keysCommand } from "./audit.ts";
import { readConfig } from "./config.ts";
import { initCommand } from "./init.ts";
import { checkMasterKey } from "./master-key-check.ts";
import { deviceCommand } from "./register.ts";
import { residentCommand } from "./residents.ts";

let folder: string;
let config: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-residents-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 })));
  await run(deviceCommand(), "add", "watch-17", "--placement", "wrist", "--key", "38", "--consent-by", "eva");
});
afterEach(() => {
  process.exitCode = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command as a person types it, and returns what it prints. */
async function run(command: Command, ...args: string[]): Promise<string> {
  return typed(command, ...args, "--config", config);
}
const keyFile = () => join(folder, "keys", "master.key");
const checked = () => {
  const read = readConfig(config, "alerting", {});
  return checkMasterKey(read, read.alerting as NonNullable<typeof read.alerting>);
};

test("a resident from the command line: added, listed without a name, shown, corrected, erased", async () => {
  const added = ["--key", "38", "--by", "eva", "--name", "Zäta Q", "--contact", "Anna=B=+46701234567"];
  const { id } = JSON.parse(await run(residentCommand(), "add", ...added, "--json"));
  expect(await run(residentCommand(), "list")).toMatch(/^38 +– +1$/m);
  const shown = await run(residentCommand(), "show", "--key", "38", "--by", "eva");
  expect(shown).toMatch(/^Zäta Q \(r[0-9a-f]{12}, since/);
  expect(shown).toContain("Call: Anna=B, +46701234567");
  const corrected = [
    "--key",
    "38",
    "--by",
    "eva",
    "--name",
    "Zäta R",
    "--key-code",
    "4711",
    "--replaces",
    id,
    "--note",
    "ring twice",
  ];
  await run(residentCommand(), "add", ...corrected, "--flag", "door-chain", "two-needed");
  expect(JSON.parse(await run(residentCommand(), "show", "--key", "38", "--by", "eva", "--json"))).toMatchObject([
    { name: "Zäta R", keyCode: "4711", contacts: [], flags: ["two-needed", "door-chain"], note: "ring twice" },
  ]);
  const acts = await run(auditCommand(), "export");
  expect(acts.match(/"act":"resident-\w+"/g)).toEqual(
    ["added", "shown", "changed", "shown"].map((act) => `"act":"resident-${act}"`),
  );
  const [done] = JSON.parse(await run(residentCommand(), "erase", "--key", "38", "--by", "eva", "--yes", "--json"));
  expect(done.forgotten).toMatchObject({ residents: 1, devices: 1 });
  expect(await run(residentCommand(), "list")).not.toContain("38");
});

test("what is wrong is said with the mend, and nothing is kept", async () => {
  const add = (...more: string[]) => run(residentCommand(), "add", "--key", "38", "--by", "eva", ...more);
  await expect(add()).rejects.toThrow(/name: /);
  await expect(add("--name", "Z", "--contact", "Anna=112")).rejects.toThrow(/contacts\.0\.phone: 112.*never/);
  await expect(add("--name", "Z", "--contact", "+46701234567")).rejects.toThrow(/contacts\.0\.name/);
  await expect(add("--from", join(folder, "none.json"))).rejects.toThrow(/no JSON of a resident/);
  await expect(run(residentCommand(), "show", "--key", "39", "--by", "eva")).rejects.toThrow(
    /no dwelling has the key 39/,
  );
  await expect(run(residentCommand(), "erase", "--key", "38", "--by", "eva")).rejects.toThrow(/give --yes/);
  expect(JSON.parse(await run(residentCommand(), "list", "--json"))).toEqual([]);
  await expect(run(incidentCommand("0"), "export", "274")).rejects.toThrow(/no episode has the id or code 274/);
  await expect(run(auditCommand(), "export", "--from", "soon")).rejects.toThrow(/--from: write a day/);
});

test("audit verify: exit code 1 where an export or the log is broken", async () => {
  await run(residentCommand(), "add", "--key", "38", "--by", "eva", "--name", "Zäta");
  const file = join(folder, "log.ndjson");
  await run(auditCommand(), "export", "--out", file);
  expect(await run(auditCommand(), "verify", "--file", file)).toContain("1 entries whole");
  expect(process.exitCode).toBeUndefined();
  writeFileSync(file, readFileSync(file, "utf8").replace(/"at":\d+/, '"at":7'));
  expect(await run(auditCommand(), "verify", "--file", file)).toContain("NOT WHOLE");
  expect(process.exitCode).toBe(1);
});

test("init makes a master key, and leaves one that is there alone", async () => {
  const other = join(folder, "own", "fallvakt.yaml");
  mkdirSync(join(folder, "own"));
  const init = () => initCommand().parseAsync(["--config", other, "--simulated-phones", "--force"], { from: "user" });
  await init();
  const made = readFileSync(join(folder, "own", "keys", "master.key"), "utf8");
  await init();
  expect(readFileSync(join(folder, "own", "keys", "master.key"), "utf8")).toBe(made);
  expect(readConfig(other, "all", {}).alerting?.masterKeyFile).toBe(join(folder, "own", "keys", "master.key"));
});

test("check says of the master key what is wrong, and makes none", async () => {
  expect(checked()).toMatchObject({ level: "ok", says: expect.stringContaining("made at the first start") });
  expect(existsSync(keyFile())).toBe(false);
  await run(residentCommand(), "add", "--key", "38", "--by", "eva", "--name", "Zäta");
  expect(checked()).toMatchObject({ level: "ok", says: expect.stringMatching(/fingerprint [0-9a-f]{16}/) });
  chmodSync(keyFile(), 0o644);
  expect(checked()).toMatchObject({ level: "mend", says: expect.stringContaining("chmod 600") });
  renameSync(keyFile(), join(folder, "away"));
  expect(checked()).toMatchObject({ level: "mend", says: expect.stringMatching(/missing: put it back.*fingerprint/) });
  const text = stringify(
    townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1, masterKeyFile: "data/k" }),
  );
  writeFileSync(config, text);
  renameSync(join(folder, "away"), join(folder, "data", "k"));
  chmodSync(join(folder, "data", "k"), 0o600);
  expect(checked()).toMatchObject({ level: "warn", says: expect.stringContaining("lies in the data folder") });
  expect(await run(keysCommand(), "rotate", "--by", "eva")).toContain("1 keys wrapped anew");
  expect(await run(residentCommand(), "show", "--key", "38", "--by", "eva")).toContain("Zäta");
  // Out of an environment's variable, as a store of secrets gives it.
  const key = readFileSync(join(folder, "data", "k"), "utf8").trim();
  rmSync(join(folder, "data", "k"));
  vi.stubEnv("FALLVAKT_TEST_MASTER_KEY", key);
  writeFileSync(config, text.replace("masterKeyFile: data/k", "masterKey: { env: FALLVAKT_TEST_MASTER_KEY }"));
  expect(await run(residentCommand(), "show", "--key", "38", "--by", "eva")).toContain("Zäta");
  await expect(run(keysCommand(), "rotate")).rejects.toThrow(/only one in a file of its own/);
  vi.unstubAllEnvs();
});
