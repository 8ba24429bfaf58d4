import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { uplinks, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { type Bench, devicesNamed, openBench, publish, report, until } from "../../gateway/test-bench.ts";
import { createMosquitto, gatewayUser, type OwnMosquitto } from "../services/mosquitto.ts";
import { lacks } from "../services/needs.ts";

// The files in gateway/deploy/mosquitto as they are, but for paths, ports and the user: TLS, passwords and the ACL on a real Mosquitto.
const skipped = lacks("mosquitto") || lacks("openssl");
let folder = "";
let mosquitto: OwnMosquitto;
let bench: Bench;
let ca: Buffer;

beforeAll(async () => {
  if (skipped) return;
  folder = mkdtempSync(join(tmpdir(), "fallvakt-example-"));
  mosquitto = await createMosquitto(folder, { tls: true });
  for (const id of ["watch-1", "thief-1"]) await mosquitto.addUser(id, `secret-of-${id}`);
  await mosquitto.start();
  ca = readFileSync(mosquitto.caFile);
  bench = await openBench({
    devices: await devicesNamed("watch-1", "thief-1"),
    classifier: await loadClassifier({ backend: "auto" }),
    config: { outside: { url: mosquitto.gatewaysUrl, caFile: mosquitto.caFile, ...gatewayUser } },
  });
  await until("subscribed", () => bench.gateway.counters()["connections.open"] === 2);
});
afterAll(async () => {
  if (skipped) return;
  await bench.close();
  await mosquitto.kill();
  rmSync(folder, { recursive: true, force: true });
});

const calls = (deviceId: string) => bench.intake.detections().filter((one) => one.deviceId === deviceId).length;

function connect(deviceId: string, more: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  return mqtt.connectAsync(mosquitto.devicesUrl, {
    ca,
    clientId: deviceId,
    username: deviceId,
    password: `secret-of-${deviceId}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...more,
  });
}

test.skipIf(skipped)(
  "a device's help call goes over TLS, through Mosquitto, to the intake (needs mosquitto)",
  async () => {
    const watch = await connect("watch-1");
    await publish(watch, "watch-1", "help", report(1, 1));
    await until("the call", () => calls("watch-1") === 1);
    await watch.endAsync();
  },
);

test.skipIf(skipped)(
  "nobody comes in without a name, with a wrong secret, or past the certificate (needs mosquitto)",
  async () => {
    await expect(connect("watch-1", { password: "wrong" })).rejects.toThrow(/not authori[sz]ed/i);
    await expect(connect("", { username: "", password: "" })).rejects.toThrow(/not authori[sz]ed/i);
    await expect(connect("watch-1", { ca: [] })).rejects.toThrow(/certificate|self.signed/i);
  },
);

test.skipIf(skipped)(
  "0 of 200 forged messages gets through: other devices' topics, wills, retained, downlinks (needs mosquitto)",
  async () => {
    const before = calls("watch-1");
    const watch = await connect("watch-1");
    const heard: string[] = [];
    watch.on("message", (topic) => heard.push(topic));
    await watch.subscribeAsync("fallvakt/v1/watch-1/down/#", { qos: 1 });

    const stolen: string[] = [];
    async function comeIn(): Promise<mqtt.MqttClient> {
      const client = await connect("thief-1");
      client.on("message", (topic) => stolen.push(topic));
      await client.subscribeAsync(["#", "fallvakt/v1/+/help", "fallvakt/v1/watch-1/#", "$share/x/fallvakt/v1/+/accel"]);
      return client;
    }
    let thief = await comeIn();
    const targets = [...Object.keys(uplinks), "down/time", "down/x"];
    for (let i = 0; i < 100; i++) {
      const target = targets[i % targets.length] ?? "help";
      for (const retain of [false, true]) {
        if (!thief.connected) thief = await comeIn();
        // Mosquitto acknowledges and drops what is refused; for a retained one it closes the connection.
        const closed = new Promise((resolve) => thief.once("close", () => resolve("closed")));
        const sent = thief.publishAsync(`fallvakt/v1/watch-1/${target}`, report(9, i), { qos: 1, retain });
        sent.catch(() => {});
        await Promise.race([sent, closed]);
      }
    }
    thief.end(true);
    const will = { topic: uplinkTopic("watch-1", "help"), payload: Buffer.from(report(9, 999)), qos: 1 as const };
    // A refused will costs the connection, or the will: either is well.
    const withWill = await connect("thief-1", { will: { ...will, retain: true } }).catch(() => null);
    withWill?.stream.destroy();

    // What the device itself says comes after all of that, and is all that comes.
    await publish(watch, "watch-1", "help", report(1, 2));
    await until("its own call", () => calls("watch-1") === before + 1);
    expect(bench.intake.detections().filter((one) => one.id.startsWith("watch-1.9."))).toEqual([]);
    expect(stolen).toEqual([]);
    expect(heard).toEqual([]);
    await watch.endAsync();
  },
);

test.skipIf(skipped)(
  "a device cannot push a gateway or another device off by its client id (needs mosquitto)",
  async () => {
    const watch = await connect("watch-1");
    for (const clientId of ["gateway-1", "gateway-1-help", "watch-1"]) {
      const thief = await connect("thief-1", { clientId, clean: true });
      await thief.endAsync();
    }
    await publish(watch, "watch-1", "help", report(1, 3));
    await until("heard", () => bench.intake.detections().some((one) => one.id === "watch-1.1.3.help"));
    expect(bench.gateway.ready()).toBe(true);
    expect(bench.gateway.counters()["outside.ended.lost"] ?? 0).toBe(0);
    await watch.endAsync();
  },
);
