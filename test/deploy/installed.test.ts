import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import { openPackage } from "../../front-door/installation.ts";
import type { NodeArch } from "../../gateway/deploy/debian/control.ts";
import { nodeBinary } from "../../gateway/deploy/debian/node-binary.ts";
import { packageDeb } from "../../gateway/deploy/debian/package-deb.ts";
import { compileService } from "../../gateway/deploy/debian/stage.ts";
import { createDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { scriptFall } from "../faults/fall-script.ts";
import { isPaged, openPhones, prepareService } from "../faults/service-process.ts";
import { townSettings } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";
import { bootSystemd, canBootSystemd } from "./systemd-container.ts";

const clock = systemClock();
const folder = mkdtempSync(join(tmpdir(), "fallvakt-installed-test-"));
const running: ChildProcess[] = [];
let network: PhoneNetwork;

beforeAll(async () => {
  network = await openPhones(clock);
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    cwd: "/",
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
}

/** Starts it; resolves when it says `until`. */
async function start(command: readonly string[], until: string, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd: "/", env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let said = "";
  child.stderr?.on("data", (chunk) => (said += chunk));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk) => {
      said += chunk;
      if (said.includes(until)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  return child;
}

/** One fall, as fast as the network goes. */
async function fall(url: string, deviceId: string, secret: string): Promise<void> {
  const device = createDevice({ url, deviceId, secret, clock, rangeG: 16, heartbeatMs: 0 });
  await device.connect();
  const script = scriptFall(device, clock.wallNow());
  script.sendLead();
  while (script.sendNext()) {
    // Each frame is a second that the device had stored.
  }
  await device.drain();
  await device.disconnect();
}

let packed: string | null = null;
/** Made once for all that want it. */
const thePackage = () => {
  packed ??= packageDeb({ out: folder, arch: process.arch as NodeArch, compression: "none", say: () => {} });
  return packed;
};

const unit = "lib/systemd/system/fallvakt@.service";
/** What the unit takes from the process, as far as it goes without systemd. */
const hardened = [
  "--reuid=fallvakt",
  "--regid=fallvakt",
  "--init-groups",
  "--no-new-privs",
  "--bounding-set=-all",
  "--inh-caps=-all",
];

test.skipIf(lacks("dpkg as root"))(
  "the Debian package: installed, set up, a fall pages, removed and purged (needs root and dpkg)",
  {
    timeout: 240_000,
  },
  async () => {
    // Its purge deletes them.
    for (const path of ["/etc/fallvakt", "/var/lib/fallvakt", "/usr/lib/fallvakt"]) {
      if (existsSync(path)) throw new Error(`${path} is there: this test would delete it`);
    }
    const deb = thePackage();
    try {
      expect(run("dpkg", "--install", deb)).toContain("Fallvakt is installed and not started");
      expect(run("fallvakt", "--version").trim()).toMatch(/^\d+\.\d+\.\d+/);
      expect(run("systemd-analyze", "verify", `/${unit}`)).toBe("");
      const score = run("systemd-analyze", "security", "--offline=true", `/${unit}`);
      expect(Number(/exposure level for .*: (\d+\.\d)/.exec(score)?.[1])).toBeLessThanOrEqual(2);

      const config = "/etc/fallvakt/fallvakt.yaml";
      process.env.FALLVAKT_CONFIG = config;
      run("sh", "-c", "cd /etc/fallvakt && fallvakt init --simulated-phones");
      expect(readFileSync(config, "utf8")).toContain("dataDir: /var/lib/fallvakt");
      for (const path of [config, "/etc/fallvakt/keys/master.key"]) expect(statSync(path).mode & 0o077).toBe(0);
      const [port, mqttPort] = [await freePort(), await freePort()];
      const settings = townSettings({
        dataDir: "/var/lib/fallvakt",
        phonesUrl: network.url,
        port,
        mqttPort,
        waitSeconds: 3600,
        masterKeyFile: "keys/master.key",
      });
      writeFileSync(config, stringify(settings));
      const added = run(
        "fallvakt",
        "device",
        "add",
        "watch-38",
        "--placement",
        "waist",
        "--key",
        "38",
        "--consent-by",
        "eva",
        "--json",
      );

      // ExecStart's line, as the unit's user and with what the unit takes away.
      const line = /^ExecStart=(.*)$/m.exec(readFileSync(`/${unit}`, "utf8"))?.[1]?.replaceAll("%i", "all") ?? "";
      const service = await start(["setpriv", ...hardened, "--", ...line.split(" ")], "Console:", {
        HOME: "/var/lib/fallvakt",
      });
      expect(readFileSync(`/proc/${service.pid}/status`, "utf8")).toMatch(/^NoNewPrivs:\s+1$/m);
      await fall(`mqtt://127.0.0.1:${mqttPort}`, "watch-38", (JSON.parse(added) as { secret: string }).secret);
      await expect.poll(() => isPaged(network, "38"), { timeout: 20_000 }).toBe(true);
      const gone = new Promise((resolve) => service.once("exit", resolve));
      service.kill("SIGTERM");
      expect(await gone).toBe(0);

      // What an upgrade puts back where it fails is packed from what is installed.
      const { installation } = openPackage(deb, undefined);
      installation.keep(folder);
      writeFileSync("/usr/lib/fallvakt/dist/fallvakt.js", "process.exit(1);");
      installation.putBack();
      expect(run("fallvakt", "--version").trim()).toMatch(/^\d+\.\d+\.\d+/);
      expect(run("dpkg", "--verify", "fallvakt").trim()).not.toContain("/usr/lib/fallvakt");

      expect(run("dpkg", "--remove", "fallvakt")).toMatch(/Kept: .*\/var\/lib\/fallvakt/);
      expect(existsSync("/usr/lib/fallvakt")).toBe(false);
      expect(readdirSync("/var/lib/fallvakt")).toContain("alerting");
    } finally {
      delete process.env.FALLVAKT_CONFIG;
      for (const child of running) child.kill("SIGKILL");
      run("dpkg", "--purge", "fallvakt");
    }
    for (const path of ["/etc/fallvakt", "/var/lib/fallvakt"]) expect(existsSync(path)).toBe(false);
  },
);

test.skipIf(!canBootSystemd())(
  "under a running systemd: its sandbox holds, it says that it is ready, a fall pages, what hangs is started anew (needs root and a host that lets containers boot)",
  {
    timeout: 240_000,
  },
  async () => {
    const unpacked = join(folder, "unpacked");
    run("dpkg-deb", "--extract", thePackage(), unpacked);
    const etc = join(folder, "etc");
    mkdirSync(etc);
    const fallvakt = (...args: string[]) =>
      execFileSync(process.execPath, ["fallvakt.ts", ...args], { encoding: "utf8" });
    const config = join(etc, "fallvakt.yaml");
    fallvakt("init", "--simulated-phones", "--config", config);
    const [port, mqttPort] = [await freePort(), await freePort()];
    const settings = { phonesUrl: network.url, port, mqttPort, waitSeconds: 3600, masterKeyFile: "keys/master.key" };
    writeFileSync(config, stringify(townSettings({ dataDir: "/var/lib/fallvakt", ...settings })));
    const instance = "fallvakt@all.service";
    const container = await bootSystemd({
      root: join(folder, "root"),
      usr: join(unpacked, "usr"),
      unitFile: join(unpacked, unit),
      instances: ["all"],
      user: { name: "fallvakt", id: 990 },
      etc: { name: "fallvakt", folder: etc },
    });
    try {
      const isReady = () => [container.show(instance, "ActiveState"), container.show(instance, "StatusText")];
      await expect.poll(isReady, { timeout: 60_000, interval: 500 }).toEqual(["active", "ready"]);
      const pid = container.show(instance, "MainPID");
      const status = container.run("cat", `/proc/${pid}/status`);
      for (const line of [/^Uid:\s+990\s/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m, /^CapBnd:\s+0+$/m]) {
        expect(status).toMatch(line);
      }
      const inside = (...command: string[]) => container.run("nsenter", "--target", pid, "--mount", ...command);
      expect(() => inside("touch", "/etc/fallvakt/written")).toThrow(/Read-only/);
      const added = container.run(
        ...["/usr/bin/fallvakt", "device", "add", "watch-48", "--placement", "waist", "--key", "48"],
        ...["--consent-by", "eva", "--json"],
      );
      const { secret } = JSON.parse(added) as { secret: string };
      await fall(`mqtt://127.0.0.1:${mqttPort}`, "watch-48", secret);
      await expect.poll(() => isPaged(network, "48"), { timeout: 20_000 }).toBe(true);

      // As the unit has it, but that a minute is too long for a test.
      container.run("mkdir", "-p", "/run/systemd/system/fallvakt@.service.d");
      container.run(
        "sh",
        "-c",
        "printf '[Service]\\nWatchdogSec=4\\n' > /run/systemd/system/fallvakt@.service.d/quick.conf",
      );
      container.run("systemctl", "daemon-reload");
      const before = clock.monotonicNow();
      container.run("systemctl", "restart", instance);
      expect(clock.monotonicNow() - before).toBeLessThan(15_000);
      container.run("kill", "-STOP", container.show(instance, "MainPID"));
      await expect.poll(() => container.show(instance, "NRestarts"), { timeout: 30_000, interval: 500 }).toBe("1");
      await expect.poll(isReady, { timeout: 60_000, interval: 500 }).toEqual(["active", "ready"]);
      expect(container.run("journalctl", "--unit", instance)).toContain("Failed with result 'watchdog'");
      container.run("systemctl", "stop", instance);
      expect([container.show(instance, "ActiveState"), container.show(instance, "Result")]).toEqual([
        "inactive",
        "success",
      ]);
    } finally {
      await container.close();
    }
  },
);

test.skipIf(lacks("qemu-aarch64-static"))(
  "the gateway's role on arm64 pages one fall through alerting on this machine (needs qemu)",
  {
    timeout: 120_000,
  },
  async () => {
    const service = await prepareService(network);
    try {
      const device = await service.addDevice("watch-47", "47");
      await device.disconnect().catch(() => {});
      await service.start({ args: ["--role", "alerting"] });
      const { secret } = JSON.parse(
        execFileSync(
          process.execPath,
          ["fallvakt.ts", "device", "rotate", "watch-47", "--json", "--config", join(service.folder, "fallvakt.yaml")],
          { encoding: "utf8" },
        ),
      ) as { secret: string };
      const lib = join(folder, "arm64");
      compileService(lib, "0.0.0");
      symlinkSync(realpathSync("node_modules"), join(lib, "node_modules"));
      const mqttPort = await freePort();
      const config = join(folder, "gateway.yaml");
      const intake = { url: service.httpUrl, token: "a-token-of-more-than-twenty-characters" };
      writeFileSync(
        config,
        stringify({
          dataDir: "arm",
          gateway: { id: "arm", mqtt: { port: mqttPort }, detector: { backend: "kernel" }, intake },
        }),
      );
      // The flags that `start` gives itself by execve, which would leave the emulator.
      const node = [
        "qemu-aarch64-static",
        "-L",
        "/usr/aarch64-linux-gnu",
        nodeBinary("arm64"),
        "--max-semi-space-size=8",
        "--optimize-for-size",
      ];
      expect(
        execFileSync(node[0] as string, [...node.slice(1), "-p", "process.arch"], { encoding: "utf8" }).trim(),
      ).toBe("arm64");
      await start(
        [...node, join(lib, "dist/fallvakt.js"), "start", "--role", "gateway", "--config", config],
        "Devices connect to",
      );
      await fall(`mqtt://127.0.0.1:${mqttPort}`, "watch-47", secret);
      await expect.poll(() => isPaged(network, "47"), { timeout: 60_000 }).toBe(true);
    } finally {
      await service.close();
    }
  },
);
