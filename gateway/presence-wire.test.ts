import type { MqttClient } from "mqtt";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import type { PresenceReport } from "../firmware-contracts/reports.ts";
import { type Bench, devicesNamed, fallFrames, openBench, publish, publishFrames, until } from "./test-bench.ts";

// Two dwellings, each with a wearable, and two motion sensors in the first, over the real broker. The classifier says what the test wants.

const point = { medium: 0.5, strong: 0.9 };
const both = { "2g": point, wide: point };
/** Seconds since the impact when the last frame comes: what follows it has been judged by then. */
const sinceImpact = 26.5;

let classifier: Classifier;
let devices: ControlDevice[];
let bench: Bench;
let clients: Map<string, MqttClient>;
let score: number;
let bootId: number;
const said = new Map<string, number>();

beforeAll(async () => {
  const real = await loadClassifier({ backend: "auto" });
  const operatingPoints = { wrist: both, waist: both };
  classifier = { ...real, operatingPoints, score: (_, inputs) => inputs.map(() => score) };
  const [first, hall, kitchen, second] = (await devicesNamed("watch-1", "hall-1", "kitchen-1", "watch-2")) as [
    ControlDevice,
    ControlDevice,
    ControlDevice,
    ControlDevice,
  ];
  const one = { dwelling: "d1", livesAlone: true };
  devices = [
    { ...first, ...one },
    { ...hall, ...one },
    { ...kitchen, ...one },
    { ...second, ...one, dwelling: "d2" },
  ];
});
beforeEach(async () => {
  bench = await openBench({ devices, classifier });
  bootId = 0;
  said.clear();
  await connect();
});
afterEach(() => bench?.close());

async function connect(): Promise<void> {
  clients = new Map();
  for (const { deviceId } of devices) clients.set(deviceId, await bench.connect(deviceId));
}
const client = (deviceId: string) => clients.get(deviceId) as MqttClient;
const count = (name: string) => bench.gateway.counters()[name] ?? 0;

/** A sensor tells what it came to say so many seconds ago. */
async function say(deviceId: "hall-1" | "kitchen-1", state: PresenceReport["state"], secondsAgo: number, boot = 1) {
  const seq = (said.get(deviceId) ?? 0) + 1;
  said.set(deviceId, seq);
  const report = {
    v: 1,
    boot,
    seq,
    t: 0,
    age: secondsAgo * 1000,
    sensor: "motion",
    state,
    room: deviceId.slice(0, -2),
  };
  await publish(client(deviceId), deviceId, "presence", JSON.stringify(report));
}

/** Both have spoken twice. */
async function spoken(): Promise<void> {
  for (const secondsAgo of [1200, 600]) {
    await say("hall-1", "off", secondsAgo);
    await say("kitchen-1", "off", secondsAgo);
  }
}
/** The wearer was in the hall when it happened, and nobody was seen since: a little for a fall. */
const inTheHall = () => say("hall-1", "on", sinceImpact + 15);
/** Somebody has walked from the hall to the kitchen since: as much against a fall as presence may weigh. */
async function walksAbout(): Promise<void> {
  await say("hall-1", "on", sinceImpact - 8);
  await say("kitchen-1", "on", sinceImpact - 16);
}

/** What becomes of a fall of this wearable with this score. */
async function outcome(deviceId: string, with_: number) {
  score = with_;
  bootId++;
  const detections = bench.intake.detections().length;
  await publishFrames(client(deviceId), deviceId, fallFrames({ bootId, before: 6, after: 26 }));
  await bench.settled();
  return bench.intake.detections().slice(detections);
}

test("a score just below the threshold is told where nobody was seen elsewhere since, with the evidence; without sensors it is not", async () => {
  expect(await outcome("watch-1", 0.48)).toEqual([]);
  await spoken();
  await inTheHall();
  const [told, ...others] = await outcome("watch-1", 0.48);
  expect(others).toEqual([]);
  expect(told).toMatchObject({ deviceId: "watch-1", strength: "medium", reason: "still", evidence: { score: 0.48 } });
  const { presence } = told?.evidence ?? {};
  expect(presence).toMatchObject({ items: [{ what: "same-room", rooms: ["hall"] }], unheard: [] });
  expect(Math.abs((presence?.items[0]?.since ?? 0) - ((told?.impactAt ?? 0) - 15_000))).toBeLessThan(3000);
  expect(count("candidates.lifted")).toBe(1);
  // In the other dwelling the same sensors count for nobody.
  expect(await outcome("watch-2", 0.48)).toEqual([]);
});

test("a score in doubt is let pass where somebody has walked about since, in this dwelling; a strong one is told whatever presence says", async () => {
  await spoken();
  await walksAbout();
  expect(await outcome("watch-1", 0.6)).toEqual([]);
  expect(count("candidates.dismissed.presence")).toBe(1);
  expect(await outcome("watch-2", 0.6)).toMatchObject([{ deviceId: "watch-2", strength: "medium" }]);
  await walksAbout();
  const [strong] = await outcome("watch-1", 0.95);
  expect(strong).toMatchObject({ deviceId: "watch-1", strength: "strong", reason: "at-once" });
});

test("a sensor that has just begun anew, and a gateway that has, keep no fall from being told", async () => {
  await spoken();
  await walksAbout();
  // What the kitchen's says now may be what it begins with.
  await say("kitchen-1", "on", sinceImpact - 18, 2);
  const [told] = await outcome("watch-1", 0.6);
  expect(told?.evidence?.presence).toMatchObject({ items: [], unheard: [{ deviceId: "kitchen-1", why: "restarted" }] });
  await bench.restart();
  await connect();
  await walksAbout();
  expect(await outcome("watch-1", 0.6)).toMatchObject([{ strength: "medium" }]);
});

test("without consent nothing is used: withdrawn it is forgotten, and given again the sensors speak twice before they count", async () => {
  await spoken();
  const follow = async (next: ControlDevice[]) => {
    const { controlVersion } = bench.gateway;
    bench.intake.set(next);
    await until("the gateway follows", () => bench.gateway.controlVersion > controlVersion);
  };
  await follow(devices.map((one) => ({ ...one, consent: "withdrawn" as const })));
  await bench.settled();
  const events = bench.intake.events("presence").length;
  await walksAbout();
  expect(count("presence.dropped.no-consent")).toBe(2);
  await follow(devices);
  await walksAbout();
  expect(await outcome("watch-1", 0.6)).toMatchObject([{ strength: "medium" }]);
  expect(bench.intake.events("presence").length - events).toBe(2);
});
