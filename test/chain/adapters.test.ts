import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { MqttClient } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import type { ControlDevice } from "../../firmware-contracts/intake.ts";
import { adapterKinds } from "../../gateway/adapters/config.ts";
import { Example, payloadOf } from "../../gateway/adapters/example.ts";
import { type Bench, devicesNamed, openBench, until } from "../../gateway/test-bench.ts";
import { type HomeBroker, openHomeAedes, openHomeMosquitto } from "../services/home-broker.ts";
import { lacks } from "../services/needs.ts";

// Adapters over real MQTT: what other programs publish to a home's broker comes to a real gateway and its intake.

const classifier: Classifier = await loadClassifier({ backend: "auto" });
const devices = await devicesNamed("radar-38", "button-38", "hall-38", "door-38", "seat-38");
const dwelling = (list: ControlDevice[]) => list.map((one) => ({ ...one, dwelling: "d1" }));

let home: HomeBroker;
let bench: Bench;
let publisher: MqttClient;
afterEach(async () => {
  await bench?.close();
  await home?.close();
});

async function open(broker: () => Promise<HomeBroker>, adapter: Record<string, unknown>, more = {}): Promise<void> {
  home = await broker();
  const adapters = [{ ...home.access, ...adapter }];
  bench = await openBench({ devices: dwelling(devices), classifier, config: { adapters, ...more } });
  publisher = await home.client();
  await until("the gateway hears the home's broker", () => count("adapters.connected") > 0);
}
const count = (name: string) => bench.gateway.counters()[name] ?? 0;
const say = (topic: string, payload: unknown, retain = false) =>
  publisher.publishAsync(topic, Buffer.from(payloadOf(payload)), { qos: 1, retain });
/** Resolves when the gateway has had `messages` more from the home's broker, and settled. */
async function heard(messages: number, act: () => Promise<unknown>): Promise<void> {
  const before = count("adapters.received");
  await act();
  await until("the gateway has had it", () => count("adapters.received") >= before + messages);
  await bench.settled();
}
const detections = () =>
  bench.intake.detections().map(({ deviceId, kind, reason, strength }) => `${deviceId} ${kind} ${reason} ${strength}`);

const zigbee = {
  kind: "zigbee2mqtt",
  devices: [
    { name: "radar", device: "radar-38", room: "badrum" },
    { name: "sos", device: "button-38" },
  ],
};

describe.each([
  ["Mosquitto (needs mosquitto)", openHomeMosquitto, lacks("mosquitto")],
  ["aedes", openHomeAedes, false],
] as const)("with %s", (_name, broker, skipped) => {
  test.skipIf(skipped)(
    "a push and a reported fall are Detections at the intake, each once; presence and battery are told",
    async () => {
      await open(broker, zigbee);
      await heard(5, async () => {
        await say("zigbee2mqtt/sos", { action: "emergency", battery: 87 });
        await say("zigbee2mqtt/sos", { action: "emergency", battery: 87 });
        await say("zigbee2mqtt/radar", { fall_status: "fall_alarm", occupancy: true });
        await say("zigbee2mqtt/radar", { fall_status: "fall_alarm", occupancy: true, linkquality: 7 });
        await say("zigbee2mqtt/radar/availability", { state: "online" });
      });
      await until("told", () => bench.intake.events().length >= 4);
      expect(detections().sort()).toEqual([
        "button-38 help help-button strong",
        "radar-38 fall sensor-reported strong",
      ]);
      const fall = bench.intake.detections().find(({ kind }) => kind === "fall");
      expect(fall).toMatchObject({
        evidence: null,
        model: null,
        late: false,
        reported: { sensor: "Heiman HS2FD-EF1-3.0", state: "fall_alarm", via: "zigbee2mqtt" },
      });
      expect(count("detections.reported")).toBe(1);
      expect(bench.intake.events("presence")).toMatchObject([{ deviceId: "radar-38", detail: "radar:on" }]);
      expect(bench.intake.events("heartbeat")).toContainEqual(
        expect.objectContaining({ deviceId: "button-38", battery: 87 }),
      );
      expect(bench.intake.events("online")).toMatchObject([{ deviceId: "radar-38", detail: "zigbee2mqtt" }]);
      expect(count("presence.taken")).toBe(1);
    },
  );

  test.skipIf(skipped)(
    "what the broker retained raises nothing, at a start and after a loss of the broker",
    async () => {
      home = await broker();
      publisher = await home.client();
      await say("zigbee2mqtt/radar", { fall_status: "fall_alarm", occupancy: true }, true);
      await say("zigbee2mqtt/sos", { action: "emergency" }, true);
      await say("zigbee2mqtt/sos/availability", "online", true);
      const adapters = [{ ...home.access, ...zigbee }];
      bench = await openBench({ devices: dwelling(devices), classifier, config: { adapters } });
      await until("the availability is told", () => bench.intake.events("online").length === 1);
      await until("the rest has come", () => count("adapters.nothing.retained") === 2);
      await bench.settled();
      expect(bench.intake.detections()).toEqual([]);
      expect(bench.intake.events().map(({ event }) => event)).toEqual(["online"]);
      // The same word live is an alarm.
      await heard(1, () => say("zigbee2mqtt/radar", { fall_status: "fall_alarm", occupancy: true }));
      expect(detections()).toEqual(["radar-38 fall sensor-reported strong"]);
    },
  );

  test.skipIf(skipped)(
    "a home's broker that goes away is told, makes the gateway not ready, and its devices are heard again when it is back",
    async () => {
      await open(broker, zigbee);
      expect(bench.gateway.problems()).toEqual([]);
      await heard(1, () => say("zigbee2mqtt/sos/availability", "online"));
      await home.stop();
      await until("it is a problem", () => bench.gateway.problems().length === 1);
      expect(bench.gateway.problems()).toEqual(["no connection to the broker of gateway.adapters[0] (zigbee2mqtt)"]);
      expect(bench.intake.detections()).toEqual([]);
      await home.start();
      await until("it is none", () => bench.gateway.ready());
      await until("the publisher is back", () => publisher.connected);
      await heard(1, () => say("zigbee2mqtt/sos", { action: "emergency" }));
      expect(detections()).toEqual(["button-38 help help-button strong"]);
      expect(bench.intake.events("offline")).toContainEqual(expect.objectContaining({ deviceId: "button-38" }));
    },
  );
});

/** The examples of an adapter, each with names of its own, so that one gateway hears them all. What takes its time is played in the adapters' suite. */
function examplesOf(kind: string): Example[] {
  const folder = new URL(`../../gateway/adapters/${kind}/examples/`, import.meta.url);
  const examples = readdirSync(folder).map((file) =>
    Example.parse(JSON.parse(readFileSync(new URL(file, folder), "utf8"))),
  );
  return examples
    .filter(({ messages }) => messages.every(({ after, retained }) => after === 0 && !retained))
    .map((example, at) => {
      const own = (text: string) =>
        example.devices.reduce(
          (now, { name }) => now.replace(new RegExp(name, "i"), `${name.slice(0, -1)}${at}`.toLowerCase()),
          text,
        );
      return {
        ...example,
        devices: example.devices.map((one) => ({ ...one, name: own(one.name), device: `${one.device}-${at}` })),
        messages: example.messages.map((one) => ({ ...one, topic: own(one.topic) })),
        becomes: example.becomes.map((one) => ({ ...one, device: `${String(one.device)}-${at}` })),
      };
    });
}

test.skipIf(lacks("mosquitto")).each(adapterKinds)(
  "each example of %s, published to a broker, comes to the intake as it says (needs mosquitto)",
  async (kind) => {
    const examples = examplesOf(kind);
    expect(examples.length).toBeGreaterThan(0);
    home = await openHomeMosquitto();
    publisher = await home.client();
    const mapped = examples.flatMap((example) => example.devices);
    const registered = [...new Set(mapped.map(({ device }) => device))].map((deviceId) => ({
      ...devices[0]!,
      deviceId,
      dwelling: "d1",
    }));
    const adapters = [{ ...home.access, kind, devices: mapped }];
    bench = await openBench({ devices: registered, classifier, config: { adapters } });
    await until("the gateway hears the home's broker", () => count("adapters.connected") > 0);
    const messages = examples.flatMap((example) => example.messages);
    await heard(messages.length, () => Promise.all(messages.map(({ topic, payload }) => say(topic, payload))));
    const becomes = examples.flatMap((example) => example.becomes);
    const alarms = becomes.filter(({ kind: what }) => what === "help" || what === "fall");
    const seen = becomes.filter(({ kind: what }) => what === "presence");
    expect(
      bench.intake
        .detections()
        .map((one) => `${one.deviceId} ${one.kind}`)
        .sort(),
    ).toEqual(alarms.map((one) => `${one.device} ${one.kind}`).sort());
    await until("presence is told", () => bench.intake.events("presence").length >= seen.length);
    expect(
      bench.intake
        .events("presence")
        .map((one) => `${one.deviceId} ${one.detail}`)
        .sort(),
    ).toEqual(seen.map((one) => `${one.device} ${one.sensor}:${one.state}`).sort());
  },
);

test.skipIf(lacks("mosquitto"))(
  "a push that cannot be committed is not acknowledged: the broker sends it again, and it is one Detection (needs mosquitto)",
  async () => {
    await open(openHomeMosquitto, {
      kind: "chirpstack",
      devices: [{ name: "24e124535a000001", device: "button-38" }],
    });
    // Neither the store takes it, which another program has locked, nor alerting.
    const other = new DatabaseSync(join(bench.dataDir, "gateway.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    bench.intake.failing = true;
    await say("application/a/device/24e124535a000001/event/up", {
      deduplicationId: "0c4ad2a2-6a57-4a9c-9d3a-4a0d4b1f7a10",
      object: { button_event: { status: "short press" } },
    });
    await until("it was refused", () => count("adapters.ended.uncommitted") > 0);
    expect(bench.intake.detections()).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    bench.intake.failing = false;
    await until("it came again", () => bench.intake.detections().length > 0);
    await bench.settled();
    expect(detections()).toEqual(["button-38 help help-button strong"]);
  },
);

test.skipIf(lacks("mosquitto"))(
  "at QoS 0 nobody sends a push again: it is kept until it can be committed, and the connection stays (needs mosquitto)",
  async () => {
    await open(openHomeMosquitto, zigbee);
    const other = new DatabaseSync(join(bench.dataDir, "gateway.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    bench.intake.failing = true;
    await publisher.publishAsync("zigbee2mqtt/sos", JSON.stringify({ action: "emergency" }), { qos: 0 });
    await until("it could not be kept", () => count("outbox.commit-failed") > 0);
    other.exec("ROLLBACK");
    other.close();
    bench.intake.failing = false;
    await until("it is told", () => bench.intake.detections().length > 0);
    expect(detections()).toEqual(["button-38 help help-button strong"]);
    expect(count("adapters.ended.uncommitted")).toBe(0);
  },
);

test.skipIf(lacks("mosquitto"))(
  "a push while the gateway was away is told when it is back; presence of then, without a time, is not used (needs mosquitto)",
  async () => {
    await open(openHomeMosquitto, zigbee);
    await bench.gateway.stop();
    await say("zigbee2mqtt/radar", { occupancy: true });
    await say("zigbee2mqtt/sos", { action: "emergency" });
    await bench.restart();
    await until("told", () => bench.intake.detections().length > 0);
    await bench.settled();
    expect(detections()).toEqual(["button-38 help help-button strong"]);
    expect(count("adapters.undated")).toBe(1);
    expect(bench.intake.events("presence")).toEqual([]);
  },
);

test.skipIf(lacks("mosquitto") || lacks("openssl"))(
  "over TLS with the home's own authority; one that is not there, or a wrong password, is told by where it stands (needs mosquitto and openssl)",
  async () => {
    home = await openHomeMosquitto({ tls: true });
    const broken = [
      { ...home.access, ...zigbee, caFile: "/nowhere/ca.pem" },
      { ...home.access, ...zigbee, password: "not-the-password" },
    ];
    const adapters = [{ ...home.access, ...zigbee }, ...broken];
    bench = await openBench({ devices: dwelling(devices), classifier, config: { adapters } });
    publisher = await home.client();
    await heard(1, () => say("zigbee2mqtt/sos", { action: "emergency" }));
    expect(detections()).toEqual(["button-38 help help-button strong"]);
    expect(bench.gateway.problems()).toEqual([
      "no connection to the broker of gateway.adapters[1] (zigbee2mqtt)",
      "no connection to the broker of gateway.adapters[2] (zigbee2mqtt)",
    ]);
    const why = bench.logged.flatMap(({ why }) => (typeof why === "string" ? why : []));
    expect(why).toContainEqual(expect.stringContaining("gateway.adapters[1].caFile cannot be read"));
    expect(why).toContainEqual(expect.stringMatching(/[Nn]ot authorized/));
    expect(JSON.stringify(bench.logged)).not.toContain("not-the-password");
  },
);

test("without consent or in a pause a sensor's fall is not told, and help is; a device that is not registered says nothing", async () => {
  home = await openHomeAedes();
  const pause = { from: Date.now() - 1000, until: Date.now() + 600_000, reason: "visit" as const };
  const [radar, button] = dwelling(devices) as [ControlDevice, ControlDevice];
  const adapters = [
    { ...home.access, ...zigbee, devices: [...zigbee.devices, { name: "Evas sovrum", device: "stranger-1" }] },
  ];
  bench = await openBench({
    devices: [
      { ...radar, consent: "withdrawn" },
      { ...button, pause },
    ],
    classifier,
    config: { adapters },
  });
  publisher = await home.client();
  await until("the gateway hears the home's broker", () => count("adapters.connected") > 0);
  await heard(3, async () => {
    await say("zigbee2mqtt/radar", { fall_status: "fall_alarm", occupancy: true });
    await say("zigbee2mqtt/sos", { action: "emergency" });
    await say("zigbee2mqtt/Evas sovrum", { action: "emergency" });
  });
  expect(detections()).toEqual(["button-38 help help-button strong"]);
  expect(count("adapters.falls.dropped.no-consent")).toBe(1);
  expect(count("presence.dropped.no-consent")).toBe(1);
  expect(count("adapters.not-registered")).toBeGreaterThan(0);
  // Our own id of it is told; what it is called there can be somebody's name.
  expect(bench.logged.filter(({ deviceId }) => deviceId === "stranger-1")).toHaveLength(1);
  expect(JSON.stringify(bench.logged)).not.toContain("Evas");
});
