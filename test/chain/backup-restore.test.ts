import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { RestoreReport } from "../../front-door/restore-swap.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { isPaged, openPhones, prepareService, type ServiceProcess } from "../faults/service-process.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const clock = systemClock();
let network: PhoneNetwork;
let service: ServiceProcess;
let folder: string;
let devices: SimulatedDevice[];

beforeAll(async () => {
  network = await openPhones(clock);
});
afterAll(() => network.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-backups-"));
  service = await prepareService(network);
  devices = [await service.addDevice("button-38", "38"), await service.addDevice("button-47", "47")];
  await service.start();
  for (const device of devices) await device.connect();
});
afterEach(async () => {
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

async function fallvakt(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const config = ["--config", join(service.folder, "fallvakt.yaml")];
  const run = promisify(execFile)(process.execPath, ["fallvakt.ts", ...args, ...config], { cwd: root });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

const store = () => join(service.dataDir, "alerting/alerting.db");

function openAlarms(): { id: string; code: string; alias: string; hasDue: number }[] {
  const db = new DatabaseSync(store(), { readOnly: true, timeout: 2000 });
  try {
    const rows = db.prepare(
      `SELECT id, code, state ->> '$.facts.place.alias' AS alias, (SELECT COUNT(*) > 0 FROM due WHERE episode_id = id) AS "hasDue"
       FROM episodes WHERE closed_at IS NULL AND test = 0 ORDER BY opened_at`,
    );
    return rows.all() as { id: string; code: string; alias: string; hasDue: number }[];
  } finally {
    db.close();
  }
}

const textsAbout = (key: string) =>
  [...network.phones.values()].flatMap(({ inbox }) => inbox).filter(({ body }) => body.includes(`Nyckel ${key}`))
    .length;

async function press(device: SimulatedDevice, key: string): Promise<void> {
  await device.help();
  await expect.poll(() => isPaged(network, key), { timeout: 10_000 }).toBe(true);
  // The phones have texts of the tests before.
  await expect.poll(() => openAlarms().map(({ alias }) => alias), { timeout: 10_000 }).toContain(key);
}

async function backedUp(where: string, ...more: string[]): Promise<string> {
  const made = await fallvakt("backup", where, "--json", ...more);
  expect(made.code, made.stderr).toBe(0);
  return (JSON.parse(made.stdout) as { path: string }).path;
}

test("a restore beside the running service loses no alarm, pages none anew, and brings back nothing that was forbidden", async () => {
  const [first, second] = devices as [SimulatedDevice, SimulatedDevice];
  await press(first, "38");
  expect((await fallvakt("device", "add", "spare-1", "--placement", "wrist", "--key", "86")).code).toBe(0);
  const backup = await backedUp(join(folder, "monday.tar.gz"));
  expect(statSync(backup).mode & 0o077).toBe(0);
  await press(second, "47");
  const before = openAlarms();
  expect(before.map(({ alias }) => alias)).toEqual(["38", "47"]);
  const added = await fallvakt("device", "add", "late-1", "--placement", "wrist", "--key", "59", "--json");
  expect(added.code, added.stderr).toBe(0);
  expect((await fallvakt("device", "revoke", "button-38")).code).toBe(0);
  const stored = await fallvakt("device", "store", "spare-1", "--by", "eva");
  expect(stored.code, stored.stderr).toBe(0);
  const texts = textsAbout("47");

  const restored = await fallvakt("restore", backup, "--by", "eva", "--json");
  expect(restored.code, restored.stderr).toBe(0);
  const { report } = JSON.parse(restored.stdout) as { report: RestoreReport };
  expect(report).toMatchObject({
    alerting: { open: 1, revoked: ["button-38"], moved: ["spare-1"], unknownDevices: ["late-1"] },
    gateway: { kept: true },
  });
  expect(readdirSync(join(report.replaced ?? "", "alerting"))).toEqual(["alerting.db"]);
  expect(existsSync(join(service.dataDir, "restoring", "staged"))).toBe(false);

  // Both are open as they were, with their codes and a deadline each; nobody was called out twice.
  expect(openAlarms()).toEqual(before);
  expect(before.map(({ hasDue }) => hasDue)).toEqual([1, 1]);
  expect((await fallvakt("audit", "verify")).stdout).toMatch(/entries whole, 2 episodes rebuilt, 0 erased, 0 differ/);
  expect((await fallvakt("device", "list")).stdout).not.toContain("late-1");
  // The same process goes on: the device comes back, and its alarm joins the one that is open.
  expect(service.running).toBe(true);
  await expect
    .poll(
      () =>
        second.help().then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true);
  expect(openAlarms()).toHaveLength(2);
  expect(textsAbout("47")).toBe(texts);
});

test("a backup that was changed, is unfinished, or is of another master key changes nothing; each says the mend", async () => {
  await press(devices[0] as SimulatedDevice, "38");
  const backup = await backedUp(folder);
  expect(backup.startsWith(join(folder, "fallvakt-"))).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
  const file = join(backup, "alerting/alerting.db");
  const bytes = readFileSync(file);
  const refused = async (mend: RegExp, ...more: string[]) => {
    const { code, stderr } = await fallvakt("restore", backup, ...more);
    expect(stderr).toMatch(mend);
    expect(code).toBe(1);
    expect(openAlarms()).toHaveLength(1);
    expect(service.running).toBe(true);
  };
  const changed = Buffer.from(bytes);
  changed[5000] = 255 - (bytes[5000] ?? 0);
  writeFileSync(file, changed);
  await refused(/alerting\.db was changed or damaged\. Take another copy/);
  writeFileSync(file, bytes);
  const manifest = join(backup, "manifest.json");
  const text = readFileSync(manifest, "utf8");
  rmSync(manifest);
  await refused(/unfinished one: it has no manifest\.json/);
  writeFileSync(manifest, text);
  expect((await fallvakt("keys", "rotate")).code).toBe(0);
  await refused(/sealed with another master key.*Put back the key with the fingerprint/s);
});

test("a damaged store is not given up without being told to; then what was replaced is kept", async () => {
  await press(devices[0] as SimulatedDevice, "38");
  const backup = await backedUp(join(folder, "whole"));
  await service.kill();
  const bytes = readFileSync(store());
  writeFileSync(store(), bytes.fill(7, 4096, 40_960));
  rmSync(`${store()}-wal`, { force: true });
  const refused = await fallvakt("restore", backup);
  expect(refused.stderr).toMatch(/is damaged .* Nothing was changed\. .*--without-present/s);
  const restored = await fallvakt("restore", backup, "--without-present", "--by", "eva");
  expect(restored.code, restored.stderr).toBe(0);
  expect(restored.stdout).toMatch(/Alarms that came after it are not in it: call on whoever may have fallen/);
  expect(await service.start()).toBe(true);
  expect(openAlarms()).toMatchObject([{ alias: "38" }]);
});

test("killed anywhere in a restore, the service comes up with its alarms", { timeout: 60_000 }, async () => {
  const [first, second] = devices as [SimulatedDevice, SimulatedDevice];
  await press(first, "38");
  const backup = await backedUp(join(folder, "kills"));
  await press(second, "47");
  const before = openAlarms();
  for (const afterMs of [600, 900]) {
    const config = join(service.folder, "fallvakt.yaml");
    const restoring = spawn(process.execPath, ["fallvakt.ts", "restore", backup, "--config", config], { cwd: root });
    const ended = once(restoring, "exit");
    await new Promise<void>((resolve) => clock.after(afterMs, resolve));
    await service.kill();
    await ended;
    expect(await service.start(), service.errors).toBe(true);
    expect(openAlarms(), `killed after ${afterMs} ms`).toEqual(before);
  }
  expect((await fallvakt("audit", "verify")).code).toBe(0);
});
