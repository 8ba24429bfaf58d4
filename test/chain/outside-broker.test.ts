import { mkdtempSync, rmSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import type { ControlDevice } from "../../firmware-contracts/intake.ts";
import { uplinkTopic } from "../../firmware-contracts/topics.ts";
import {
  type Bench,
  devicesNamed,
  fallFrames,
  openBench,
  publish,
  publishFrames,
  report,
  restFrame,
  until,
} from "../../gateway/test-bench.ts";
import { createMosquitto, gatewayUser, type OwnMosquitto } from "../services/mosquitto.ts";
import { lacks } from "../services/needs.ts";

const skipped = lacks("mosquitto");
let classifier: Classifier;
let devices: ControlDevice[];
let folder: string;
let mosquitto: OwnMosquitto;
let bench: Bench | null = null;
let clients: mqtt.MqttClient[] = [];

beforeAll(async () => {
  if (skipped) return;
  classifier = await loadClassifier({ backend: "auto" });
  devices = await devicesNamed("watch-1", "watch-2");
});
afterEach(async () => {
  for (const client of clients) client.end(true);
  clients = [];
  await bench?.close();
  bench = null;
  await mosquitto?.kill();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function broker(options: Parameters<typeof createMosquitto>[1] = {}): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-outside-"));
  mosquitto = await createMosquitto(folder, options);
  for (const { deviceId } of devices) await mosquitto.addUser(deviceId, `secret-of-${deviceId}`);
  await mosquitto.start();
}

async function gateway(more: Record<string, unknown> = {}, known = devices): Promise<Bench> {
  const outside = { url: mosquitto.gatewaysUrl, ...gatewayUser, ...more };
  bench = await openBench({ devices: known, classifier, config: { outside } });
  await until("subscribed", () => count("connections.open") === known.filter((one) => !one.revoked).length);
  return bench;
}

async function connect(deviceId: string, more: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(mosquitto.devicesUrl, {
    clientId: deviceId,
    username: deviceId,
    password: `secret-of-${deviceId}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...more,
  });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

const count = (name: string) => bench?.gateway.counters()[name] ?? 0;
const falls = () => bench?.intake.detections().filter((one) => one.kind === "fall") ?? [];
const calls = () => bench?.intake.detections().filter((one) => one.kind === "help") ?? [];
const logged = (pattern: RegExp) => bench?.logged.filter((line) => pattern.test(String(line.msg))).length ?? 0;

describe.each(["5", "3.1.1"])("the core of the promises on Mosquitto, MQTT %s", (version) => {
  test.skipIf(skipped)(
    "a fall behind bad payloads, a help call, a will: each is told once (needs mosquitto)",
    async () => {
      await broker();
      const { gateway: own, intake } = await gateway({ version });
      expect(own.ready()).toBe(true);
      const will = { topic: uplinkTopic("watch-1", "status"), payload: Buffer.from('{"v":1,"kind":"will","boot":4}') };
      const client = await connect("watch-1", { will: { ...will, qos: 1, retain: false } });
      for (const bad of [new Uint8Array(), new Uint8Array([9, 9, 9])]) await publish(client, "watch-1", "accel", bad);
      await publish(client, "watch-1", "help", "{");
      await publishFrames(client, "watch-1", fallFrames({ bootId: 4 }));
      await publish(client, "watch-1", "help", report(4, 1));
      await until("the fall and the call", () => falls().length === 1 && calls().length === 1);
      expect(count("publish.refused.too-short")).toBe(2);
      expect(count("publish.refused.bad-json")).toBe(1);
      await until("all frames", () => count("frames.live") === 43);
      client.stream.destroy();
      await until("offline by its will", () => intake.events("offline").some((event) => event.detail === "will"));
      expect(falls()).toHaveLength(1);
    },
  );

  test.skipIf(skipped)(
    "what Mosquitto acknowledged while the gateway was away is told when it is back (needs mosquitto)",
    async () => {
      await broker();
      const { gateway: own } = await gateway({ version });
      const client = await connect("watch-1");
      await own.stop();
      // As a device sends them that knows of no delay: each frame when it is full.
      const frames = fallFrames({ bootId: 4 }).map((frame) => ({ ...frame, ageMs: 0, stored: false }));
      const hourAgo = systemClock().wallNow() - 3_600_000;
      for (const frame of frames) frame.deviceTimeMs -= 3_600_000;
      await publishFrames(client, "watch-1", frames);
      await publish(client, "watch-1", "help", JSON.stringify({ v: 1, boot: 4, seq: 1, t: hourAgo }));
      await bench?.restart();
      await until("the fall and the call", () => falls().length === 1 && calls().length === 1);
      // It was an hour ago, and is told so.
      for (const told of [...falls(), ...calls()]) {
        expect(told.late).toBe(true);
        expect(Math.abs(told.impactAt - hourAgo)).toBeLessThan(45_000);
      }
    },
  );
});

describe("an acknowledgement to the broker", () => {
  test.skipIf(skipped)(
    "is not sent where the commit fails; help calls get through; it heals within 10 s, and the fall is told once (needs mosquitto)",
    async () => {
      await broker();
      const { dataDir, gateway: own } = await gateway();
      const journal = join(dataDir, "journal");
      await rename(journal, `${journal}-aside`);
      await writeFile(journal, "");
      const client = await connect("watch-1");
      await publishFrames(client, "watch-1", fallFrames({ bootId: 4 }));
      await until("given back to the broker", () => count("outside.ended.uncommitted") >= 2);
      expect(own.problems()).toContain("the journal cannot be written");
      await publish(client, "watch-1", "help", report(4, 1));
      await until("the help call", () => calls().length === 1);
      await rm(journal);
      await rename(`${journal}-aside`, journal);
      await until("healed", () => own.ready() && falls().length === 1);
      expect(falls()).toHaveLength(1);
    },
  );

  test.skipIf(skipped)(
    "is for messages of its own devices as for others: theirs are dropped and counted (needs mosquitto)",
    async () => {
      await broker();
      const { intake, gateway: own } = await gateway();
      const one = await connect("watch-1");
      const two = await connect("watch-2");
      // The broker's session still has what a device said that is revoked by the time the gateway hears it.
      await own.stop();
      await publish(two, "watch-2", "help", report(1, 1));
      intake.set(devices.map((device) => ({ ...device, revoked: device.deviceId === "watch-2" })));
      await bench?.restart();
      await until("dropped", () => count("outside.not-ours") === 1);
      await until("unsubscribed", () => count("connections.open") === 1);
      await publish(one, "watch-1", "help", report(1, 1));
      await until("the other's call", () => calls().length === 1);
      expect(calls()[0]?.deviceId).toBe("watch-1");

      // It is followed again once it is wanted again, and then not.
      intake.set(devices);
      await until("followed", () => count("connections.open") === 2);
      await publish(two, "watch-2", "help", report(1, 2));
      await until("its call", () => calls().length === 2);
      intake.set(devices.filter(({ deviceId }) => deviceId !== "watch-2"));
      await until("no longer", () => count("connections.open") === 1);
      await publish(two, "watch-2", "help", report(1, 3));
      await publish(one, "watch-1", "help", report(1, 2));
      await until("the other's second call", () => calls().length === 3);
      expect(count("outside.not-ours")).toBe(1);
    },
  );
});

test.skipIf(skipped)("nothing is concluded from a retained message (needs mosquitto)", async () => {
  await broker();
  const client = await connect("watch-1");
  const retained = { qos: 1, retain: true } as const;
  await client.publishAsync(uplinkTopic("watch-1", "help"), report(1, 1), retained);
  await client.publishAsync(uplinkTopic("watch-1", "accel"), Buffer.from(encodeFrame(restFrame())), retained);
  // MQTT 3.1.1 cannot ask a broker to keep them.
  await gateway({ version: "3.1.1" });
  await until("both dropped", () => count("outside.retained") === 2);
  expect(count("publish.received")).toBe(0);
  expect(calls()).toEqual([]);
});

test.skipIf(skipped)(
  "a broker that is gone makes the gateway not ready, is logged and told once, and all goes on when it is back (needs mosquitto)",
  async () => {
    await broker();
    const { gateway: own, intake } = await gateway();
    await mosquitto.stop();
    await until("not ready", () => !own.ready());
    expect(own.problems()).toEqual(["no connection to the broker"]);
    const told = () => intake.items.flatMap((item) => (item.type === "gateway-event" ? [item.event.event] : []));
    await until("told", () => told().length > 0);
    expect(told()).toEqual(["broker-lost"]);
    await mosquitto.start();
    await until("ready", () => own.ready() && told().length === 2);
    expect(told()).toEqual(["broker-lost", "broker-back"]);
    expect(logged(/no connection to the broker/)).toBe(1);
    const client = await connect("watch-1");
    await until("subscribed", () => count("connections.open") === 2);
    await publish(client, "watch-1", "help", report(4, 1));
    await until("the help call", () => calls().length === 1);
  },
);

test.skipIf(skipped)("a gateway comes up before its broker does (needs mosquitto)", async () => {
  await broker();
  await mosquitto.stop();
  const outside = { url: mosquitto.gatewaysUrl, ...gatewayUser };
  bench = await openBench({ devices, classifier, config: { outside } });
  expect(bench.gateway.problems()).toEqual(["no connection to the broker"]);
  await mosquitto.start();
  await until("ready", () => bench?.gateway.ready() === true);
});
