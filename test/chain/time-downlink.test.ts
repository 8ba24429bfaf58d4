import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeTimeSync } from "../../firmware-contracts/time-sync.ts";
import { downlinkTopic, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { Town } from "../promises/town.ts";

let town: Town;
let device: mqtt.MqttClient;
const heard: { payload: Buffer; retain: boolean }[] = [];
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
  const { secret } = await town.alerting.registry.addDevice({
    deviceId: "belt-1",
    placement: "waist",
    key: "38",
    consentBy: "eva",
  });
  device = await mqtt.connectAsync(town.gateway.mqttUrl, { clientId: "belt-1", username: "belt-1", password: secret });
  device.on("message", (_topic, payload, { retain }) => heard.push({ payload, retain }));
  await device.subscribeAsync(downlinkTopic("belt-1", "time"), { qos: 0 });
});
afterAll(async () => {
  await device?.endAsync();
  await town?.close();
});

const say = (status: object) =>
  device.publishAsync(uplinkTopic("belt-1", "status"), JSON.stringify(status), { qos: 1 });

test("a birth and a heartbeat that name their boot are answered with the gateway's time, not retained", async () => {
  await say({ v: 1, kind: "birth", boot: 77 });
  await town.until("an answer", () => heard.length === 1);
  await say({ v: 1, kind: "heartbeat", boot: 78, battery: 50 });
  await town.until("another answer", () => heard.length === 2);
  for (const [index, { payload, retain }] of heard.entries()) {
    const decoded = decodeTimeSync(payload);
    expect(decoded.ok && decoded.value.bootId).toBe(77 + index);
    expect(decoded.ok && Math.abs(decoded.value.wallMs - town.clock.wallNow())).toBeLessThan(60_000);
    expect(retain).toBe(false);
  }
});

test("a heartbeat without a boot, and a will, are not answered", async () => {
  const before = heard.length;
  await say({ v: 1, kind: "heartbeat" });
  await say({ v: 1, kind: "will", boot: 77 });
  await town.pass(2_000);
  expect(heard.length).toBe(before);
});
