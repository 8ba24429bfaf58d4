import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { payloadOf } from "../../gateway/adapters/example.ts";
import { type HomeBroker, openHomeAedes } from "../services/home-broker.ts";
import { codeIn, Town } from "./town.ts";

// A home with an SOS button and a radar on Zigbee2MQTT, and a presence sensor on ESPHome, at a broker of its own.

let home: HomeBroker;
let programs: MqttClient;
let town: Town;
beforeAll(async () => {
  home = await openHomeAedes();
  programs = await home.client();
  const zigbee = [
    { name: "sos", device: "button-38" },
    { name: "bathroom radar", device: "radar-54" },
  ];
  const esphome = [{ name: "hall", entity: "binary_sensor/presence", device: "hall-38", as: "radar", room: "hall" }];
  town = await Town.open({
    waitSeconds: 3600,
    broker: "embedded",
    adapters: [
      { ...home.access, kind: "zigbee2mqtt", devices: zigbee },
      { ...home.access, kind: "esphome", devices: esphome },
    ],
  });
  await town.register("button-38", "38");
  await town.register("hall-38", "38");
  await town.register("radar-54", "54");
  await town.until(
    "the gateway knows them",
    () => town.gateway.controlVersion > 0 && count("adapters.connected") === 2,
  );
  // The gateway follows the register within seconds.
  await town.until("all are known", () => say("hall/status", "online") && isRegistered());
});
afterAll(async () => {
  await town?.close();
  await home?.close();
});

const count = (name: string) => town.gateway.counters()[name] ?? 0;
const say = (topic: string, payload: unknown, retain = false) =>
  programs.publish(topic, Buffer.from(payloadOf(payload)), { qos: 1, retain });
let before = -1;
/** Nothing more is said of a device that is not registered. */
function isRegistered(): boolean {
  const now = count("adapters.not-registered");
  const isStill = now === before && count("adapters.received") > now;
  before = now;
  return isStill;
}

test("the button is pushed: the patrol is paged, with what was measured", async () => {
  say("zigbee2mqtt/sos", { action: "emergency", battery: 80 });
  say("zigbee2mqtt/sos", { action: "emergency", battery: 80 });
  const page = await town.text("patrol-1", /^LARM HJÄLP .*Nyckel 38/);
  expect(page).toMatch(/Tryckte på larmknappen \d\d\.\d\d/);
  expect(town.alerting.episodes()).toMatchObject([{ kind: "help" }]);
});

test("the radar reports a fall: the page claims what the sensor said, and no more; the console shows its word", async () => {
  say("zigbee2mqtt/bathroom radar", { fall_status: "fall_alarm", occupancy: true });
  const page = await town
    .text("patrol-1", /^LARM FALL .*Nyckel 54/)
    .catch(() => town.text("patrol-2", /^LARM FALL .*Nyckel 54/));
  expect(page).toMatch(/Sensor larmar fall \d\d\.\d\d\./);
  expect(page).not.toMatch(/[Hh]årt|stilla/);
  const episode = town.alerting.episodes().find(({ kind }) => kind === "fall");
  expect(episode?.code).toBe(codeIn(page));
  expect(town.alerting.backend.episode(episode?.id ?? "")).toMatchObject({
    reason: "sensor-reported",
    strength: "strong",
    evidence: null,
    reported: { sensor: "Heiman HS2FD-EF1-3.0", state: "fall_alarm", via: "zigbee2mqtt" },
  });
  // The sensor says it again with each message.
  say("zigbee2mqtt/bathroom radar", { fall_status: "fall_alarm", occupancy: true, linkquality: 3 });
  await town.pass(5000);
  expect(town.alerting.episodes().filter(({ kind }) => kind === "fall")).toHaveLength(1);
});

test("after a restart nothing that the broker kept is evidence, or a fall", async () => {
  say("hall/binary_sensor/presence/state", "ON", true);
  await town.until("heard live", () => count("presence.taken") > 0);
  say("zigbee2mqtt/bathroom radar", { fall_status: "fall_alarm", occupancy: true }, true);
  const episodes = town.alerting.episodes().length;
  await town.restart();
  await town.until("the broker has handed it on", () => count("adapters.nothing.retained") >= 2);
  expect(count("presence.taken")).toBe(0);
  expect(count("detections.reported")).toBe(0);
  expect(town.alerting.episodes()).toHaveLength(episodes);
  // What it says from now on counts, once what the broker may have kept is over.
  await town.pass(2000);
  say("hall/binary_sensor/presence/state", "OFF", true);
  await town.until("heard live", () => count("presence.taken") === 1);
});
