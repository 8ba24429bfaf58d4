import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import { createDevice, type SimulatedDevice } from "../../simulators/device/device.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { accountSid, authToken, codeIn, hardFall, serviceNumber, townSettings } from "./town.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "fallvakt-kill-"));
const clock = systemClock();
let network: PhoneNetwork;
let service: ChildProcess | null = null;
let watch: SimulatedDevice;
let mqttPort: number;
const config = join(folder, "fallvakt.yaml");

function run(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["fallvakt.ts", ...args], { cwd: root });
    let out = "";
    let errors = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.once("exit", (code) => (code === 0 ? resolve(out) : reject(new Error(errors || `exit ${code}`))));
  });
}

/** Starts the service as a process of its own; resolves when it says where the console is. */
function start(): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["fallvakt.ts", "start", "--config", config], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("Console:")) resolve(child);
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${errors}`)));
  });
}

/** By somebody's word: whether a device was tried is another story. */
const commission = () =>
  run("device", "commission", "--all", "--by", "eva", "--reason", "simulated devices", "--config", config);

async function kill(): Promise<void> {
  const child = service;
  service = null;
  if (!child || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

beforeAll(async () => {
  network = await startPhoneNetwork({ clock, accountSid, authToken, everyNumberHasAPhone: true });
  const port = await freePort();
  mqttPort = await freePort();
  network.addNumber(serviceNumber, { inboundUrl: `http://127.0.0.1:${port}/webhooks/twilio/inbound` });
  writeFileSync(
    config,
    stringify(townSettings({ dataDir: "data", phonesUrl: network.url, port, mqttPort, waitSeconds: 4 })),
  );
  const added = JSON.parse(
    await run(
      "device",
      "add",
      "belt-1",
      "--placement",
      "waist",
      "--key",
      "38",
      "--consent-by",
      "eva",
      "--json",
      "--config",
      config,
    ),
  );
  await commission();
  service = await start();
  watch = createDevice({
    url: `mqtt://127.0.0.1:${mqttPort}`,
    deviceId: "belt-1",
    secret: added.secret,
    clock,
    rangeG: 16,
  });
  await watch.connect();
});
afterAll(async () => {
  await watch?.disconnect();
  await kill();
  await network?.close();
  rmSync(folder, { recursive: true, force: true });
});

const inboxOf = (number: string) => network.phones.get(number)?.inbox.map((message) => message.body) ?? [];
const pagesOf = (number: string) => inboxOf(number).filter((body) => body.startsWith("LARM"));
const patrol1 = "+46701740601";
const patrol2 = "+46701740602";

test("killed with -9 after the first page, it goes on with the next when it is started again", {
  timeout: 60_000,
}, async () => {
  await playTrial(watch, hardFall(2), clock);
  await expect.poll(() => pagesOf(patrol1).length, { timeout: 15_000 }).toBe(1);
  const code = codeIn(pagesOf(patrol1)[0] ?? "");
  await kill();

  // The wait of the first step ends while nobody is there.
  await new Promise((resolve) => clock.after(5_000, () => resolve(undefined)));
  service = await start();
  await expect.poll(() => pagesOf(patrol2).length, { timeout: 15_000 }).toBeGreaterThan(0);
  expect(codeIn(pagesOf(patrol2)[0] ?? "")).toBe(code);

  // And it can be taken, with the code it had before.
  await network.phones.get(patrol2)?.reply(`${code} T`, serviceNumber);
  await expect
    .poll(() => inboxOf(patrol2).some((body) => body.includes("DU HAR LARMET")), { timeout: 15_000 })
    .toBe(true);
});

test("killed with -9 as soon as the frame with the impact was acknowledged, the fall is paged all the same", {
  timeout: 60_000,
}, async () => {
  const trial = hardFall(2, 1);
  const before = pagesOf(patrol1).length;
  // Another dwelling, so that nothing joins the first alarm.
  const added = JSON.parse(
    await run(
      "device",
      "add",
      "belt-2",
      "--placement",
      "waist",
      "--key",
      "54",
      "--consent-by",
      "eva",
      "--json",
      "--config",
      config,
    ),
  );
  await commission();
  const other = createDevice({
    url: `mqtt://127.0.0.1:${mqttPort}`,
    deviceId: "belt-2",
    secret: added.secret,
    clock,
    rangeG: 16,
  });
  await other.connect();
  const peakSample = (trial.trial.peakS ?? 0) * trial.trial.rateHz;
  const stop = new AbortController();
  await playTrial(other, trial, clock, {
    signal: stop.signal,
    onFrame: (frame) => {
      if (frame.startSample + frame.sampleCount > peakSample) stop.abort();
    },
  });
  await expect
    .poll(() => other.records.frames.every((frame) => frame.ackedAt !== null), { timeout: 5_000, interval: 1 })
    .toBe(true);
  await kill();
  await other.disconnect();

  service = await start();
  await expect
    .poll(
      () =>
        pagesOf(patrol1)
          .slice(before)
          .some((body) => body.includes("Nyckel 54")),
      { timeout: 40_000 },
    )
    .toBe(true);
});
