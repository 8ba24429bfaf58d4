import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { createRegistry } from "../../alerting/registry/registry.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import { createDevice, type SimulatedDevice } from "../../simulators/device/device.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { accountSid, authToken, serviceNumber, townSettings } from "../promises/town.ts";
import type { OwnMosquitto } from "../services/mosquitto.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

/** Groups of running services: they must not outlive a test that ends in the middle. */
const groups = new Set<number>();
process.on("exit", () => {
  for (const group of groups) endGroup(group);
});

function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Gone already.
  }
}

const compileCache = join(tmpdir(), "fallvakt-compile-cache");
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** A phone network whose texts arrive within a fraction of a second, with a phone for every number. */
export async function openPhones(clock: Clock): Promise<PhoneNetwork> {
  const behaviour = { queueMs: 20, deliveryMs: 50, receiptMs: 50 };
  const network = await startPhoneNetwork({ clock, accountSid, authToken, everyNumberHasAPhone: true, behaviour });
  network.addNumber(serviceNumber);
  return network;
}

/** Whether somebody was called out to the dwelling with this key. */
export function isPaged(network: PhoneNetwork, key: string): boolean {
  const pattern = new RegExp(`^LARM .*Nyckel ${key}\\b`);
  return [...network.phones.values()].some((phone) => phone.inbox.some(({ body }) => pattern.test(body)));
}

export interface StartOptions {
  /** A program, with its arguments, that runs the service under it: strace. */
  under?: readonly string[];
  env?: Record<string, string>;
  /** What follows `start`. */
  args?: readonly string[];
  /** Ends the wait where the service does not come up, ms. Default 30,000. */
  withinMs?: number;
}

/** The true service, as `fallvakt start` runs it, in a process of its own that can be killed and started again on the same folder. */
export interface ServiceProcess {
  readonly folder: string;
  readonly dataDir: string;
  readonly mqttUrl: string;
  readonly httpUrl: string;
  /** Resolves when the gateway hears so many devices through an outside broker, which throws away what nobody has subscribed to. */
  follows(devices: number): Promise<void>;
  /** Registers a device in a dwelling of its own and makes it; the service must not be running for the first time yet. */
  addDevice(deviceId: string, key: string): Promise<SimulatedDevice>;
  /** Resolves true when the service says that it is up; false where it ended before that. */
  start(options?: StartOptions): Promise<boolean>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  readonly running: boolean;
  /** Of the running process. @throws where none runs. */
  readonly pid: number;
  /** SIGKILL to the service and to what it runs under; resolves when both are gone. */
  kill(): Promise<void>;
  /** What was written to standard error. */
  readonly errors: string;
  /** Detections that alerting's store holds, with their episodes. */
  detections(): { id: string; deviceId: string; episodeId: string }[];
  /** Kills it, and removes its folder unless told to keep it. */
  close(keepFolder?: boolean): Promise<void>;
}

export interface PrepareOptions {
  /** Elsewhere than in the service's folder. */
  dataDir?: string;
  gateway?: Record<string, unknown>;
  clock?: Clock;
  /** What is run with `start`. Default: this repository's sources. */
  program?: readonly string[];
  /** The broker between devices and gateway; it runs for itself. */
  mosquitto?: OwnMosquitto | null;
}

/** Makes a folder with the configuration of a service; nothing runs yet. */
export async function prepareService(network: PhoneNetwork, options: PrepareOptions = {}): Promise<ServiceProcess> {
  const { clock = systemClock(), mosquitto = null, program: own = [process.execPath, "fallvakt.ts"] } = options;
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-faults-"));
  const dataDir = options.dataDir ?? join(folder, "data");
  mkdirSync(dataDir, { recursive: true });
  const port = await freePort();
  const mqttPort = await freePort();
  const healthPort = await freePort();
  const outside = mosquitto ? { outside: { url: mosquitto.gatewaysUrl } } : {};
  const settings = townSettings({ ...outside, dataDir, phonesUrl: network.url, port, mqttPort, waitSeconds: 3600 });
  const config = join(folder, "fallvakt.yaml");
  const gateway = { ...settings.gateway, ...options.gateway };
  writeFileSync(config, stringify({ ...settings, gateway, health: { port: healthPort } }));
  const mqttUrl = mosquitto?.devicesUrl ?? `mqtt://127.0.0.1:${mqttPort}`;
  const devices: SimulatedDevice[] = [];
  let child: ChildProcess | null = null;
  let gone: Promise<void> = Promise.resolve();
  let errors = "";

  async function kill(): Promise<void> {
    const running = child;
    if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
    // The whole group: strace would otherwise leave the service running.
    endGroup(running.pid);
    await gone;
  }

  return {
    folder,
    dataDir,
    mqttUrl,
    httpUrl: `http://127.0.0.1:${port}`,
    async follows(count) {
      const wanted = `\nfallvakt_gateway_connections_open ${count}\n`;
      const end = performance.now() + 20_000;
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${healthPort}/metrics`).catch(() => null);
        if ((await answer?.text())?.includes(wanted)) return;
        if (performance.now() > end) throw new Error(`the gateway does not follow ${count} devices: ${errors}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    get gone() {
      return gone;
    },
    get running() {
      return child !== null && child.exitCode === null && child.signalCode === null;
    },
    get pid() {
      if (child?.pid === undefined) throw new Error("the service does not run");
      return child.pid;
    },
    get errors() {
      return errors;
    },
    async addDevice(deviceId, key) {
      const store = openSqliteStore(join(dataDir, "alerting"));
      try {
        const { secret } = await createRegistry(() => store, clock).addDevice(
          { deviceId, placement: "waist", key, consentBy: "eva" },
          { allowSimilarAliases: true, ...simulatedFleet },
        );
        await mosquitto?.addUser(deviceId, secret);
        const device = createDevice({
          url: mqttUrl,
          deviceId,
          secret,
          clock,
          rangeG: 16,
          reconnectMs: 150,
          heartbeatMs: 0,
        });
        devices.push(device);
        return device;
      } finally {
        await store.close();
      }
    },
    async start({ under = [], env = {}, args: more = [], withinMs = 30_000 } = {}) {
      const [program = "", ...args] = [...under, ...own, "start", "--config", config, ...more];
      errors = "";
      const started = spawn(program, args, {
        cwd: root,
        // Kept compiled for the next start: a sweep starts the service some hundred times, and under strace each file that is read costs.
        env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      child = started;
      const { pid } = started;
      if (pid) groups.add(pid);
      gone = once(started, "exit").then(() => {
        if (pid) groups.delete(pid);
      });
      started.stderr.on("data", (chunk) => {
        errors += chunk;
      });
      const up = new Promise<boolean>((resolve) => {
        started.stdout.on("data", (chunk: Buffer) => chunk.toString().includes("Console:") && resolve(true));
        void gone.then(() => resolve(false));
      });
      let callOff = () => {};
      const late = new Promise<never>((_, reject) => {
        callOff = clock.after(withinMs, () => reject(new Error(`the service was not up in ${withinMs} ms: ${errors}`)));
      });
      return Promise.race([up, late]).finally(callOff);
    },
    kill,
    detections() {
      const db = new DatabaseSync(join(dataDir, "alerting", "alerting.db"), { readOnly: true, timeout: 2000 });
      try {
        const rows = db.prepare("SELECT id, device_id, episode_id FROM detections").all();
        return rows.map((row) => ({
          id: String(row.id),
          deviceId: String(row.device_id),
          episodeId: String(row.episode_id),
        }));
      } finally {
        db.close();
      }
    },
    async close(keepFolder = false) {
      await Promise.all(devices.map((device) => device.disconnect().catch(() => {})));
      await kill();
      if (!keepFolder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves true when `is` holds, false where it does not within `ms`. */
export async function holdsWithin(ms: number, is: () => boolean): Promise<boolean> {
  const end = performance.now() + ms;
  while (!is()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
