import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import { IntakeItem } from "../../firmware-contracts/intake.ts";
import { type Bench, devicesNamed, fallFrames, openBench, publish, report, until } from "../../gateway/test-bench.ts";
import { createMosquitto, gatewayUser, type OwnMosquitto } from "../services/mosquitto.ts";
import { lacks } from "../services/needs.ts";

const skipped = lacks("mosquitto");
const token = "a-token-of-some-length";
const device = "watch-1";
let server: Server;
let intakeUrl: string;
let taken: string[] = [];
let folder: string;
let mosquitto: OwnMosquitto;
let victim: ChildProcess | null = null;
let bench: Bench | null = null;
let client: mqtt.MqttClient | null = null;

beforeAll(async () => {
  if (skipped) return;
  const control = JSON.stringify({ v: 1, version: 1, devices: await devicesNamed(device) });
  server = createServer((request, response) => {
    if (request.method === "GET") {
      const isNewest = request.url?.endsWith("have=1");
      return void response.writeHead(isNewest ? 204 : 200).end(isNewest ? undefined : control);
    }
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const item = IntakeItem.parse(JSON.parse(body));
      if (item.type === "detection") taken.push(item.detection.id);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  intakeUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.close();
  server?.closeAllConnections();
});
beforeEach(async () => {
  if (skipped) return;
  taken = [];
  folder = mkdtempSync(join(tmpdir(), "fallvakt-outside-crash-"));
  mosquitto = await createMosquitto(folder);
  await mosquitto.addUser(device, `secret-of-${device}`);
  await mosquitto.start();
});
afterEach(async () => {
  if (skipped) return;
  client?.end(true);
  await killGateway();
  await bench?.close();
  bench = null;
  await mosquitto.kill();
  rmSync(folder, { recursive: true, force: true });
});

const outside = () => ({ url: mosquitto.gatewaysUrl, ...gatewayUser });

async function startGateway(): Promise<void> {
  const program = fileURLToPath(new URL("../../gateway/crash-victim.ts", import.meta.url));
  const more = JSON.stringify({ outside: outside() });
  const child = spawn(process.execPath, [program, join(folder, "gateway"), intakeUrl, token, more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  victim = child;
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", () => resolve());
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
}

async function killGateway(): Promise<void> {
  const child = victim;
  victim = null;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function connect(): Promise<mqtt.MqttClient> {
  client = await mqtt.connectAsync(mosquitto.devicesUrl, {
    clientId: device,
    username: device,
    password: `secret-of-${device}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  client.on("error", () => {});
  return client;
}

test.skipIf(skipped)(
  "a gateway killed with -9 in the midst of falls tells each of them after its restart (needs mosquitto)",
  { timeout: 90_000 },
  async () => {
    await startGateway();
    const watch = await connect();
    // The subscription follows the registry within a moment of the start.
    await until("subscribed", () => {
      watch.publish(`fallvakt/v1/${device}/help`, report(1, 1), { qos: 1 });
      return taken.includes(`${device}.1.1.help`);
    });
    const expected: string[] = [];
    for (let kill = 0; kill < 6; kill++) {
      const bootId = 10 + kill;
      const frames = fallFrames({ bootId, after: 12 });
      expected.push(`${device}.${bootId}.12.fall`);
      const all = frames.map((frame) => publish(watch, device, "accel", encodeFrame(frame)));
      // From before the first frame is heard to after the last is decided.
      await new Promise((resolve) => setTimeout(resolve, kill * 8));
      await killGateway();
      await Promise.all(all);
      await publish(watch, device, "help", report(bootId, 2));
      expected.push(`${device}.${bootId}.2.help`);
      await startGateway();
      await until(`all told after kill ${kill}`, () => expected.every((id) => taken.includes(id)), 15_000);
    }
    expect([...new Set(taken)].sort()).toEqual([...expected, `${device}.1.1.help`].sort());
  },
);

test.skipIf(skipped)(
  "Mosquitto killed with -9: what the gateway had taken is told, and all goes on with the next start (needs mosquitto)",
  async () => {
    const classifier = await loadClassifier({ backend: "auto" });
    bench = await openBench({ devices: await devicesNamed(device), classifier, config: { outside: outside() } });
    const { gateway, intake } = bench;
    const followed = () => gateway.counters()["connections.open"] === 1;
    await until("subscribed", followed);
    const watch = await connect();
    await publish(watch, device, "help", report(1, 1));
    await until("the call", () => intake.detections().length === 1);
    await mosquitto.kill();
    await until("red", () => !gateway.ready());
    await mosquitto.start();
    await until("green", () => gateway.ready() && followed());
    const again = await connect();
    for (const frame of fallFrames({ bootId: 2 })) await publish(again, device, "accel", encodeFrame(frame));
    await until("the fall", () => intake.detections().length === 2);
  },
);

test.skipIf(skipped)(
  "Mosquitto killed with -9 while the gateway is away keeps what had waited for 3 s (needs mosquitto)",
  async () => {
    const classifier = await loadClassifier({ backend: "auto" });
    bench = await openBench({ devices: await devicesNamed(device), classifier, config: { outside: outside() } });
    await until("subscribed", () => bench?.gateway.counters()["connections.open"] === 1);
    await bench.gateway.stop();
    const watch = await connect();
    for (const frame of fallFrames({ bootId: 2 })) await publish(watch, device, "accel", encodeFrame(frame));
    await publish(watch, device, "help", report(1, 1));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await mosquitto.kill();
    await mosquitto.start();
    await bench.restart();
    await until("the fall and the call", () => bench?.intake.detections().length === 2);
  },
);
