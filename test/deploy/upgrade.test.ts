import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { type Upgraded, upgrade } from "../../front-door/upgrade.ts";
import { compileService } from "../../gateway/deploy/debian/stage.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { isPaged, openPhones, prepareService, type ServiceProcess } from "../faults/service-process.ts";

const folder = mkdtempSync(join(tmpdir(), "fallvakt-upgrade-test-"));
const root = join(folder, "installed");
const clock = systemClock();
let network: PhoneNetwork;
let service: ServiceProcess;
let device: SimulatedDevice;
let supervisor: ChildProcess;

/** A package of the version, with a fault of its own: files are links to the same ones until they are written anew. */
function packageOf(version: string, change: (path: string) => void = () => {}): string {
  const path = join(folder, version);
  execFileSync("cp", ["-al", join(folder, "staged"), path]);
  rewrite(join(path, "package.json"), (text) => JSON.stringify({ ...JSON.parse(text), version }));
  change(path);
  return path;
}

function rewrite(file: string, change: (text: string) => string): void {
  const text = change(readFileSync(file, "utf8"));
  rmSync(file);
  writeFileSync(file, text);
}

beforeAll(async () => {
  const staged = join(folder, "staged");
  compileService(staged, "1.0.0");
  // What no version changes, by links: copies of it would take most of the time.
  mkdirSync(join(staged, "bin"));
  symlinkSync(process.execPath, join(staged, "bin/node"));
  symlinkSync(realpathSync("node_modules"), join(staged, "node_modules"));
  network = await openPhones(clock);
  service = await prepareService(network);
  device = await service.addDevice("button-38", "38");
  mkdirSync(join(root, "releases"), { recursive: true });
  cpSync(packageOf("1.0.0"), join(root, "releases/1.0.0"), { recursive: true, verbatimSymlinks: true });
  symlinkSync("releases/1.0.0", join(root, "current"));
  // What systemd does: whatever ends is started again.
  const config = join(service.folder, "fallvakt.yaml");
  const loop = `while :; do ${root}/current/bin/node ${root}/current/dist/fallvakt.js start --config ${config} & echo $! > ${folder}/pid; wait; sleep 0.2; done`;
  supervisor = spawn("/bin/sh", ["-c", loop], { detached: true, stdio: "ignore" });
  await device.connect();
}, 120_000);
afterAll(async () => {
  await device.disconnect().catch(() => {});
  process.kill(-(supervisor.pid as number), "SIGKILL");
  await service.close();
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

const current = () => readlinkSync(join(root, "current"));

async function upgradeTo(path: string): Promise<Upgraded & { code: number; said: string }> {
  const script = join(root, "current/dist/fallvakt.js");
  const args = [
    script,
    "upgrade",
    path,
    "--root",
    root,
    "--force",
    "--json",
    "--config",
    join(service.folder, "fallvakt.yaml"),
  ];
  const run = promisify(execFile)(join(root, "current/bin/node"), [
    ...args,
    "--ready-within",
    "25",
    "--restart",
    `kill $(cat ${folder}/pid) || true`,
  ]);
  const { stdout, stderr, code } = await run.then(
    (output) => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  expect(stdout, stderr).toMatch(/^\{/);
  return { ...(JSON.parse(stdout) as Upgraded), code, said: stderr };
}

function openAlarms(): unknown[] {
  const db = new DatabaseSync(join(service.dataDir, "alerting/alerting.db"), { readOnly: true, timeout: 2000 });
  try {
    return db.prepare("SELECT id, code FROM episodes WHERE closed_at IS NULL ORDER BY opened_at").all();
  } finally {
    db.close();
  }
}

test("refused at night and on weekends, by the clock that is handed in, before anything is touched", async () => {
  const options = {
    package: join(folder, "not-there"),
    config: { dataDir: service.dataDir },
    configFile: "fallvakt.yaml",
    version: "1.0.0",
    force: false,
    readyWithinMs: 1000,
    say: () => {},
  };
  const at = (text: string) => ({ ...systemClock(), wallNow: () => Date.parse(text) });
  await expect(upgrade({ ...options, clock: at("2026-11-27T22:00:00+01:00") })).rejects.toThrow(
    /between 16 and 07.*--force/,
  );
  await expect(upgrade({ ...options, clock: at("2026-11-29T10:00:00+01:00") })).rejects.toThrow(/weekend.*--force/);
  await expect(upgrade({ ...options, clock: at("2026-11-27T10:00:00+01:00") })).rejects.toThrow(
    /not-there is not there/,
  );
  await expect(upgrade({ ...options, force: true, clock: at("2026-11-29T10:00:00+01:00") })).rejects.toThrow(
    /is not there/,
  );
});

test("a good version is in force; one that fails, or has changed the store as well, is rolled back with every alarm", {
  timeout: 120_000,
}, async () => {
  await device.help();
  await expect.poll(() => isPaged(network, "38"), { timeout: 10_000 }).toBe(true);
  const alarms = openAlarms();
  expect(alarms).toHaveLength(1);

  expect(await upgradeTo(packageOf("1.1.0"))).toMatchObject({ code: 0, from: "1.0.0", to: "1.1.0", failed: null });
  expect(current()).toBe("releases/1.1.0");
  expect(openAlarms()).toEqual(alarms);

  // It brings a newer schema, takes part in nothing, and is never ready.
  const broken = packageOf("1.2.0", (path) => {
    rewrite(join(path, "dist/alerting/store/migrations.js"), (text) =>
      text.replace(/\];\s*$/, "  `CREATE TABLE newer (id INTEGER) STRICT`,\n];\n"),
    );
    rewrite(join(path, "dist/front-door/health.js"), (text) =>
      text.replace("const problems =", 'if (true) return ["it is broken"];\n    const problems ='),
    );
  });
  const rolledBack = await upgradeTo(broken);
  expect(rolledBack, rolledBack.said).toMatchObject({ code: 1, from: "1.1.0", to: "1.2.0", restored: true });
  expect(rolledBack.failed).toBe("it is broken");
  expect(current()).toBe("releases/1.1.0");
  expect(openAlarms()).toEqual(alarms);
  // The device comes back to it by itself.
  await expect
    .poll(
      () =>
        device.help().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
});
