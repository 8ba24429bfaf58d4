import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { freePort } from "../../front-door/free-port.ts";
import { createDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { isPaged, openPhones } from "../faults/service-process.ts";
import { accountSid, authToken } from "../promises/town.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "fallvakt-by-hand-"));
const [server, stairwell] = [join(folder, "server"), join(folder, "stairwell")];
const clock = systemClock();
const running: ChildProcess[] = [];
let network: PhoneNetwork;

beforeAll(async () => {
  for (const one of [server, stairwell]) mkdirSync(one);
  network = await openPhones(clock);
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A command as a person types it in a folder. */
async function fallvakt(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  // Where CI is set, words are coloured though nobody looks.
  const env = { ...process.env, NO_COLOR: "1" };
  const command = [join(root, "fallvakt.ts"), ...args];
  const run = promisify(execFile)(process.execPath, command, { cwd, timeout: 60_000, env });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

async function start(cwd: string, role: string, until: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(root, "fallvakt.ts"), "start", "--role", role], { cwd, stdio: "pipe" });
  running.push(child);
  let said = "";
  child.stderr?.on("data", (chunk) => (said += chunk));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk) => {
      said += chunk;
      if (said.includes(until)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`${role} ended with ${code}: ${said}`)));
  });
  return child;
}

test("two processes, set up by the commands alone: a help call goes by mutual TLS and pages", {
  timeout: 180_000,
}, async () => {
  const [httpPort, intakePort, mqttPort] = [await freePort(), await freePort(), await freePort()];
  expect(await fallvakt(server, "init", "--simulated-phones", "--host", "localhost")).toMatchObject({ code: 0 });
  const file = join(server, "fallvakt.yaml");
  // The lines that init writes as a comment, made lines of the file.
  const text = readFileSync(file, "utf8").replaceAll(/^ {4}# (tls:| {2}\w)/gm, "    $1");
  const settings = parseDocument(text);
  const set = (key: string, value: unknown) => settings.setIn(key.split("."), value);
  set("alerting.http.port", httpPort);
  set("alerting.http.publicUrl", `http://127.0.0.1:${httpPort}`);
  set("alerting.intake.tls.host", "127.0.0.1");
  set("alerting.intake.tls.port", intakePort);
  set("alerting.twilio.accountSid", accountSid);
  set("alerting.twilio.authToken", authToken);
  set("alerting.twilio.baseUrl", network.url);
  writeFileSync(file, settings.toString());
  expect(await fallvakt(server, "check", "--role", "alerting")).toMatchObject({ code: 0 });

  const made = await fallvakt(server, "gateway", "certificate", "stairwell-3", "--out", "stairwell-3.pem");
  expect(made.code, made.stderr).toBe(0);
  expect(statSync(join(server, "stairwell-3.pem")).mode & 0o077).toBe(0);
  expect(await fallvakt(server, "gateway", "certificate", "Stairwell 3", "--out", "x.pem")).toMatchObject({ code: 1 });
  copyFileSync(join(server, "stairwell-3.pem"), join(stairwell, "stairwell-3.pem"));
  copyFileSync(join(server, "certificates/ca.pem"), join(stairwell, "ca.pem"));
  // What the command says to write there.
  const yaml = made.stdout.slice(made.stdout.indexOf("gateway:")).replace("HOST:8443", `localhost:${intakePort}`);
  const rest = `  mqtt: { port: ${mqttPort} }\n  detector: { backend: wasm }\n`;
  writeFileSync(join(stairwell, "fallvakt.yaml"), `${yaml.trim()}\n${rest}`);
  const before = await fallvakt(stairwell, "check", "--role", "gateway");
  expect(before.stdout).toMatch(/mend gateway\.intake: Alerting at .*ECONNREFUSED/);
  expect(before.code).toBe(1);

  const alerting = await start(server, "alerting", "Console:");
  const added = await fallvakt(server, "device", "add", "button-1", "--placement", "wrist", "--key", "38", "--json");
  const { secret } = JSON.parse(added.stdout) as { secret: string };
  expect(await fallvakt(stairwell, "check", "--role", "gateway")).toMatchObject({ code: 0 });
  const gateway = await start(stairwell, "gateway", "Devices connect to");

  const url = `mqtt://127.0.0.1:${mqttPort}`;
  const button = createDevice({ url, deviceId: "button-1", secret, clock, rangeG: 8 });
  await button.connect();
  await button.help();
  await expect.poll(() => isPaged(network, "38"), { timeout: 10_000 }).toBe(true);
  await button.disconnect();
  expect((await fallvakt(server, "gateway", "list")).stdout).toMatch(/^stairwell-3\s+heard/m);

  for (const child of [gateway, alerting]) {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
  }
});

test("a start with a broken certificate says so, with the mend, and the process ends", {
  timeout: 90_000,
}, async () => {
  const broken = join(folder, "broken");
  mkdirSync(broken);
  expect(await fallvakt(broken, "init", "--simulated-phones")).toMatchObject({ code: 0 });
  const file = join(broken, "fallvakt.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(/port: \d+/g, "port: 0"));
  copyFileSync(join(broken, "certificates/ca.pem"), join(broken, "certificates/broker.pem"));
  const { code, stderr } = await fallvakt(broken, "start");
  expect(stderr).toMatch(/gateway\.mqtt\.tls\.keyFile: .* is not the key of .*broker\.pem; fallvakt init/);
  expect(code).toBe(1);
});
