import type { MqttClient } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { OutDeviceState } from "../../gateway/out/messages.ts";
import { type Bench, devicesNamed, openBench, publish, report, until } from "../../gateway/test-bench.ts";
import { type HomeBroker, openHomeAedes, openHomeMosquitto } from "../services/home-broker.ts";
import { lacks } from "../services/needs.ts";

// What others are told, as a plain MQTT client at their broker sees it.

const classifier: Classifier = await loadClassifier({ backend: "auto" });
const devices = (await devicesNamed("watch-38", "radar-38", "watch-54")).map((one) => ({ ...one, dwelling: "d-1" }));

let home: HomeBroker;
let bench: Bench;
let listener: MqttClient;
/** What stands at the broker, retained, by topic; and each message as it came. */
let standing: Map<string, string>;
let came: { topic: string; payload: string; retained: boolean }[];
afterEach(async () => {
  await bench?.close();
  await home?.close();
});

async function open(broker: () => Promise<HomeBroker>): Promise<void> {
  home = await broker();
  const { version: _version, ...access } = home.access;
  const adapters = [
    { ...home.access, kind: "zigbee2mqtt", devices: [{ name: "radar", device: "radar-38", room: "badrum" }] },
  ];
  bench = await openBench({ devices, classifier, config: { adapters, out: access } });
  await listen();
  await until("the gateway is announced", () => standing.get(availability) === "online");
}
async function listen(): Promise<void> {
  standing = new Map();
  came = [];
  listener = await home.client({ clientId: `home-assistant-${came.length}-${Math.random()}` });
  listener.on("message", (topic, payload, { retain }) => {
    came.push({ topic, payload: payload.toString(), retained: retain });
    if (payload.length === 0) standing.delete(topic);
    else standing.set(topic, payload.toString());
  });
  await listener.subscribeAsync(["homeassistant/#", "fallvakt-out/#"], { qos: 1 });
}
const availability = "fallvakt-out/v1/gateway-1/availability";
const discovery = (device: string) => `homeassistant/device/fallvakt_gateway-1_${device}/config`;
const config = (device: string) => JSON.parse(standing.get(discovery(device)) ?? "null");
const state = (device: string) => {
  const text = standing.get(`fallvakt-out/v1/gateway-1/device/${device}/state`);
  return text === undefined ? null : OutDeviceState.parse(JSON.parse(text));
};
const say = (payload: unknown) => listener.publishAsync("zigbee2mqtt/radar", JSON.stringify(payload), { qos: 1 });

describe.each([
  ["Mosquitto (needs mosquitto)", openHomeMosquitto, lacks("mosquitto")],
  ["aedes", openHomeAedes, false],
] as const)("with %s", (_name, broker, skipped) => {
  test.skipIf(skipped)(
    "each device that is heard is announced, with its state; none that never was, and no room or name of anybody",
    async () => {
      await open(broker);
      const watch = await bench.connect("watch-38");
      await publish(watch, "watch-38", "status", JSON.stringify({ v: 1, kind: "heartbeat", battery: 81 }));
      await say({ fall_status: "fall_alarm", occupancy: true });
      await until("told", () => state("watch-38")?.battery === 81 && state("radar-38")?.presence === "ON");
      await until("announced", () => config("watch-38") !== null && config("radar-38")?.cmps.presence !== undefined);
      expect(standing.has(discovery("watch-54"))).toBe(false);
      expect(state("watch-38")).toEqual({ v: 1, fall: "OFF", help: "OFF", battery: 81, sensor: null, presence: null });
      expect(state("radar-38")).toMatchObject({ fall: "ON", help: "OFF", sensor: "radar" });
      await until(
        "the dwelling",
        () => JSON.parse(standing.get("fallvakt-out/v1/gateway-1/dwelling/d-1/state") ?? "{}").fall === "ON",
      );
      await publish(watch, "watch-38", "help", report(1, 1));
      await until("help", () => state("watch-38")?.help === "ON");
      expect(JSON.stringify([...standing])).not.toContain("badrum");
    },
  );

  test.skipIf(skipped)("what is announced is what Home Assistant's documentation asks for", async () => {
    await open(broker);
    await say({ occupancy: true, battery: 64 });
    await until("announced", () => config("radar-38")?.cmps.presence !== undefined);
    const device = config("radar-38");
    // https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
    expect(discovery("radar-38")).toMatch(/^homeassistant\/device\/[a-zA-Z0-9_-]+\/config$/);
    expect(device.dev.ids.length).toBeGreaterThan(0);
    expect(device.o.name).toBe("Fallvakt");
    const entities = Object.values(device.cmps) as Record<string, unknown>[];
    expect(new Set(entities.map((one) => one.unique_id)).size).toBe(entities.length);
    for (const one of entities) {
      expect(["binary_sensor", "sensor"]).toContain(one.p);
      expect(one.unique_id).toMatch(/^fallvakt_gateway-1_radar-38_/);
    }
    // Every topic that it points at is there, retained, with a value that its templates find.
    const topics = [device.state_topic, ...device.availability.map(({ topic }: { topic: string }) => topic)];
    await until("all topics stand", () => topics.every((topic) => standing.has(topic)));
    for (const one of entities) {
      const field = /^\{\{ value_json\.(\w+) \}\}$/.exec(String(one.value_template ?? ""))?.[1];
      if (field) expect(Object.keys(state("radar-38") ?? {})).toContain(field);
      else expect(["online", "offline"]).toContain(standing.get(String(one.state_topic)));
    }
    // Whoever comes later finds the same.
    const before = new Map(standing);
    await listen();
    await until("all stands", () => standing.size === before.size);
    expect(came.every(({ retained }) => retained)).toBe(true);
    expect(standing).toEqual(before);
  });

  test.skipIf(skipped)("it is announced again when Home Assistant starts, and not before", async () => {
    await open(broker);
    await say({ occupancy: true });
    await until(
      "announced",
      () => config("radar-38")?.cmps.presence !== undefined && state("radar-38")?.presence === "ON",
    );
    const before = came.length;
    await listener.publishAsync("homeassistant/status", "offline");
    await listener.publishAsync("homeassistant/status", "online");
    const again = () => came.slice(before).map(({ topic }) => topic);
    await until(
      "again",
      () =>
        again().includes(discovery("radar-38")) && again().includes("fallvakt-out/v1/gateway-1/device/radar-38/state"),
    );
    await until("all is said once", () => again().length >= 2 + standing.size - 1);
    expect(again().filter((topic) => topic === discovery("radar-38"))).toHaveLength(1);
  });

  test.skipIf(skipped)(
    "whoever leaves the register is taken away, also while the gateway was away; the rest stays, unavailable until it is heard",
    async () => {
      await open(broker);
      await say({ occupancy: true });
      const watch = await bench.connect("watch-38");
      await bench.connect("watch-54");
      await until("announced", () =>
        ["radar-38", "watch-38", "watch-54"].every((one) => config(one) !== null && state(one) !== null),
      );
      watch.end(true);
      bench.intake.set(devices.filter(({ deviceId }) => deviceId !== "watch-38"));
      await until("gone", () => ![...standing.keys()].some((topic) => topic.includes("watch-38")));
      await bench.gateway.stop();
      await until("the gateway says so", () => standing.get(availability) === "offline");
      expect(config("watch-54")).not.toBeNull();
      bench.intake.set(devices.filter(({ deviceId }) => deviceId === "radar-38"));
      await bench.restart();
      await until("gone", () => ![...standing.keys()].some((topic) => topic.includes("watch-54")));
      await until("back", () => standing.get(availability) === "online");
      await until(
        "not heard yet",
        () => standing.get("fallvakt-out/v1/gateway-1/device/radar-38/availability") === "offline",
      );
      expect(config("radar-38").cmps.presence).toBeDefined();
    },
  );

  test.skipIf(skipped)(
    "a gateway whose connection breaks off is offline by its will; back, all stands again, and alarms did not wait",
    async () => {
      await open(broker);
      await say({ occupancy: true });
      await until("announced", () => state("radar-38")?.presence === "ON");
      // Another with its client id: the broker cuts the gateway's connection off.
      const other = await home.client({ clientId: "gateway-1-out", reconnectPeriod: 0 });
      await until("offline", () => standing.get(availability) === "offline");
      const watch = await bench.connect("watch-38");
      await publish(watch, "watch-38", "help", report(1, 1));
      await bench.settled();
      expect(bench.intake.detections()).toHaveLength(1);
      other.end(true);
      await until("back", () => standing.get(availability) === "online" && state("watch-38")?.help === "ON");
    },
  );
});
