import fc from "fast-check";
import type mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { downlinkFilter, type Uplink, uplinks, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { type Bench, devicesNamed, openBench, report } from "../test-bench.ts";

// A stolen device, with its own secret, tries to pass for another or to overhear it: 2,000 times, in every way that MQTT has.

const attempts = 2000;
const thief = "watch-1";
const victims = ["watch-2", "watch-10", "watch-1a"];
let bench: Bench;

beforeAll(async () => {
  const devices = await devicesNamed(thief, ...victims);
  const limits = { publishesPerSecond: 10_000 };
  bench = await openBench({ devices, classifier: await loadClassifier({ backend: "auto" }), config: { limits } });
});
afterAll(() => bench?.close());

const topic = fc.oneof(
  fc
    .tuple(fc.constantFrom(...victims), fc.constantFrom(...(Object.keys(uplinks) as Uplink[])))
    .map(([id, uplink]) => uplinkTopic(id, uplink)),
  fc.constantFrom(...victims).map((id) => `fallvakt/v1/${id}/down/time`),
  // What a careless check of beginnings, case, empty levels or separators would take for the thief's own or for nobody's.
  fc.constantFrom(
    "fallvakt/v1/watch-1/../watch-2/help",
    "fallvakt/v1/watch-1/down/time",
    "fallvakt/v1//watch-2/help",
    "/fallvakt/v1/watch-2/help",
    "fallvakt/v1/WATCH-2/help",
    "fallvakt/v1/watch-2/help/",
    "fallvakt/v1/watch-1\u2044watch-2/help",
    "fallvakt/v2/watch-2/help",
    "$share/g/fallvakt/v1/watch-2/help",
    "$SYS/taken",
    "$SYS/broker/new/clients",
  ),
);
const filter = fc.oneof(
  fc.constantFrom(...victims).map(downlinkFilter),
  fc.constantFrom(
    "#",
    "+/+/+/+/#",
    "fallvakt/#",
    "fallvakt/v1/#",
    "fallvakt/v1/+/down/#",
    "fallvakt/+/watch-2/down/#",
    "fallvakt/v1/watch-1+/down/#",
    "$SYS/#",
    "$share/g/fallvakt/v1/watch-2/down/#",
    "fallvakt/v1/watch-1/#",
    "fallvakt/v1/watch-1/+/#",
  ),
);
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const attempt = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("publish" as const), topic, qos, retain: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("subscribe" as const), filter, qos }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("will" as const), topic, qos, retain: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("login" as const), as: fc.constantFrom(...victims) }) },
);

test("property: of 2,000 forged publishes, retained messages, subscriptions, wills and log-ins none gets through", async () => {
  const heard: string[] = [];
  const listening: mqtt.MqttClient[] = [];
  for (const victim of victims) {
    const client = await bench.connect(victim);
    client.on("message", (name) => heard.push(name));
    await client.subscribeAsync(downlinkFilter(victim), { qos: 2 });
    listening.push(client);
  }
  let client = await bench.connect(thief, { clean: false });
  const overheard: string[] = [];
  const listen = () => client.on("message", (name) => overheard.push(name));
  listen();
  const secret = `secret-of-${thief}`;
  let granted = 0;
  let letIn = 0;
  for (const [i, one] of fc.sample(attempt, { numRuns: attempts, seed: 14 }).entries()) {
    // A connection may make 100 requests at once, and the thief is patient: it comes again.
    if (i % 80 === 79) {
      await client.endAsync();
      client = await bench.connect(thief, { clean: false });
      listen();
    }
    if (one.kind === "publish") {
      await client.publishAsync(one.topic, report(1, i), { qos: one.qos, retain: one.retain });
    } else if (one.kind === "subscribe") {
      const result = await new Promise<readonly number[]>((resolve) =>
        client.subscribe(one.filter, { qos: one.qos }, (_error, _granted, packet) =>
          resolve((packet?.granted ?? []) as number[]),
        ),
      );
      if (result.some((code) => Number(code) < 128)) granted++;
    } else {
      const will =
        one.kind === "will" ? { topic: one.topic, payload: "x", qos: one.qos, retain: one.retain } : undefined;
      const isOwn = one.kind === "will" && one.topic.startsWith(`fallvakt/v1/${thief}/`);
      const as = one.kind === "login" ? one.as : thief;
      // With its own secret under another's id, and under its own user name with another's client id.
      const names =
        one.kind === "login" && i % 2 === 0 ? { clientId: as, username: thief } : { clientId: as, username: as };
      const came = await bench.connect(as, { ...names, password: secret, ...(will ? { will } : {}) }).catch(() => null);
      if (came && !isOwn) letIn++;
      if (!came) continue;
      // It came in under the thief's own id, with a will below its own topics, and took the place of its connection; the will is told now.
      came.stream.destroy();
      client.end(true);
      client = await bench.connect(thief, { clean: false });
      listen();
    }
  }
  expect(granted).toBe(0);
  expect(letIn).toBe(0);
  // What was sent to a victim now reaches it, and nothing that was kept before: its filter is asked for again.
  for (const [i, victim] of victims.entries()) await listening[i]!.subscribeAsync(downlinkFilter(victim), { qos: 2 });
  await new Promise<void>((resolve) => setTimeout(resolve, 300));
  expect(heard).toEqual([]);
  expect(overheard).toEqual([]);
  expect(bench.intake.detections()).toEqual([]);
  expect(listening.every((one) => one.connected)).toBe(true);
  const ofVictims = bench.intake.events().filter((event) => victims.includes(event.deviceId));
  expect(ofVictims.every((event) => event.event === "online")).toBe(true);
}, 60_000);
