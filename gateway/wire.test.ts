import { connect as connectSocket } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Classifier } from "../detector/classifier/classifier.ts";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { encodeFrame } from "../firmware-contracts/frame.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import { downlinkFilter, uplinkTopic } from "../firmware-contracts/topics.ts";
import { type BrokerKind, onEachBroker, openBenchOn } from "../test/services/each-broker.ts";
import {
  type Bench,
  devicesNamed,
  fallFrames,
  publish,
  publishFrames,
  report,
  restFrame,
  until,
} from "./test-bench.ts";

let classifier: Classifier;
let devices: ControlDevice[];
let bench: Bench;

beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  devices = await devicesNamed("watch-1", "watch-2");
});
afterEach(() => bench?.close());
const open = async (config?: Record<string, unknown>, broker: BrokerKind = "embedded") => {
  bench = await openBenchOn(broker, { devices, classifier, config });
};
const count = (name: string) => bench.gateway.counters()[name] ?? 0;
/** The CONNACK's return code that a client got. */
const refusal = (connecting: Promise<unknown>) =>
  connecting.then(
    () => null,
    (error: { code?: number }) => error.code,
  );

/** Sends raw bytes on a fresh connection and waits until the broker closes it. */
function sendRaw(...chunks: Buffer[]): Promise<void> {
  const port = Number(new URL(bench.gateway.mqttUrl).port);
  return new Promise((resolve) => {
    const socket = connectSocket(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    for (const chunk of chunks) socket.write(chunk);
  });
}

describe("who comes in", () => {
  test("only a known device, under its own id, with its own secret", async () => {
    await open();
    expect(await refusal(bench.connect("watch-1", { password: "secret-of-watch-2" }))).toBe(4);
    expect(await refusal(bench.connect("stranger"))).toBe(4);
    expect(await refusal(bench.connect("watch-1", { clientId: "watch-2" }))).toBe(2);
    expect(await refusal(bench.connect("watch-1", { clientId: "" }))).toBe(2);
    expect(await refusal(bench.connect("watch-1", { username: undefined, password: undefined }))).toBe(4);
    expect(count("connect.refused.secret")).toBe(2);
    expect(count("connect.refused.client-id")).toBe(2);
    expect(count("connect.refused.no-credentials")).toBe(1);
    expect((await bench.connect("watch-1")).connected).toBe(true);
  });

  test("of two clients with one id the newer stays, and it is counted", async () => {
    await open();
    const older = await bench.connect("watch-1");
    const newer = await bench.connect("watch-1");
    await until("the older one is closed", () => !older.connected);
    expect(count("connections.taken-over")).toBe(1);
    await publish(newer, "watch-1", "accel", encodeFrame(restFrame()));
    expect(count("frames.live")).toBe(1);
    await until("told", () => bench.intake.events("offline").some((event) => event.detail === "taken-over"));
  });

  test("a revoked device that is connected is shut out within 10 s, and stays out", async () => {
    await open();
    const client = await bench.connect("watch-1");
    bench.intake.set(devices.map((device) => ({ ...device, revoked: device.deviceId === "watch-1" })));
    await until("shut out", () => !client.connected, 10_000);
    expect(count("connections.cut.revoked")).toBe(1);
    expect(await refusal(bench.connect("watch-1"))).toBe(4);
    expect((await bench.connect("watch-2")).connected).toBe(true);
  });

  test("a device added a moment ago comes in at its first try", async () => {
    await open({ control: { refreshSeconds: 10 } });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    bench.intake.set([...devices, ...(await devicesNamed("watch-3"))]);
    expect((await bench.connect("watch-3")).connected).toBe(true);
  });
});

onEachBroker("without contact", (broker) => {
  test("the last registry stays in force, over a restart too", async () => {
    await open({}, broker);
    bench.intake.control = () => Promise.reject(new Error("away"));
    await bench.restart();
    expect(bench.gateway.controlVersion).toBe(1);
    const client = await bench.connect("watch-1");
    await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
    await bench.settled();
    expect(count("frames.live")).toBe(1);
  });
});

describe("what a device may say and hear", () => {
  test("another's topic: acknowledged, counted, dropped, heard by nobody and not retained", async () => {
    await open();
    const thief = await bench.connect("watch-1");
    const other = await bench.connect("watch-2");
    const heard: string[] = [];
    other.on("message", (topic) => heard.push(topic));
    await other.subscribeAsync(downlinkFilter("watch-2"), { qos: 1 });
    const aim = "fallvakt/v1/watch-2/down/time";
    for (const qos of [0, 1, 2] as const) await thief.publishAsync(aim, "x", { qos, retain: true });
    await thief.publishAsync(uplinkTopic("watch-2", "help"), report(1, 1), { qos: 1, retain: true });
    await thief.publishAsync("$SYS/anything", "x", { qos: 1 });
    expect(count("publish.refused.foreign-topic")).toBe(1);
    expect(count("publish.refused.unknown-topic")).toBe(4);
    await other.unsubscribeAsync(downlinkFilter("watch-2"));
    await other.subscribeAsync(downlinkFilter("watch-2"), { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([]);
    expect(bench.intake.detections()).toEqual([]);
    expect(thief.connected).toBe(true);
  });

  test("subscriptions: below its own down/ only, in a kept session too", async () => {
    await open();
    const client = await bench.connect("watch-1", { clean: false });
    const granted = await client
      .subscribeAsync([downlinkFilter("watch-1"), downlinkFilter("watch-2"), "#", "fallvakt/v1/+/down/#", "$SYS/#"], {
        qos: 1,
      })
      .catch((error: Error) => error.message);
    expect(granted).toMatch(/Unspecified error|128/);
    expect(count("subscribe.refused")).toBe(4);
    await client.subscribeAsync(downlinkFilter("watch-1"), { qos: 1 });
  });

  test("a will on another's topic keeps the device out; its own is told when the connection breaks", async () => {
    await open();
    const will = (deviceId: string) => ({
      topic: uplinkTopic(deviceId, "status"),
      payload: Buffer.from(JSON.stringify({ v: 1, kind: "will" })),
      qos: 1 as const,
      retain: true,
    });
    expect(await refusal(bench.connect("watch-1", { will: will("watch-2") }))).toBe(5);
    expect(count("connect.refused.foreign-will")).toBe(1);
    const client = await bench.connect("watch-1", { will: will("watch-1") });
    client.stream.destroy();
    await until("offline is told", () => bench.intake.events("offline").length > 0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(bench.intake.events("offline").map(({ deviceId, detail }) => ({ deviceId, detail }))).toEqual([
      { deviceId: "watch-1", detail: "will" },
    ]);
  });
});

onEachBroker("what a device says of itself", (broker) => {
  test("status and presence become device events", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const status = { v: 1, kind: "heartbeat", battery: 61, worn: true, charging: false, firmware: "2.1" };
    await publish(client, "watch-1", "status", JSON.stringify(status));
    const presence = { v: 1, boot: 1, seq: 0, t: 0, sensor: "bed", state: "on", room: "sovrum" };
    await publish(client, "watch-1", "presence", JSON.stringify(presence));
    await client.endAsync();
    await until("told", () => bench.intake.events("presence").length > 0);
    expect(bench.intake.events("heartbeat")[0]).toMatchObject({
      deviceId: "watch-1",
      battery: 61,
      worn: true,
      firmware: "2.1",
    });
    expect(bench.intake.events("presence")[0]?.detail).toBe("bed:on");
    // Who is connected, an outside broker knows for itself.
    if (broker === "outside") return;
    await until("told", () => bench.intake.events("offline").length > 0);
    expect(bench.intake.events("online")).toHaveLength(1);
    expect(bench.intake.events("offline")[0]?.detail).toBe("disconnected");
  });
});

onEachBroker("bad input is counted by reason and harms nothing", (broker) => {
  test("what cannot be decoded is acknowledged, logged without content, and the next frame gets through", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const good = encodeFrame(restFrame());
    const version = Uint8Array.from(good);
    version[0] = 9;
    const rate = Uint8Array.from(good);
    new DataView(rate.buffer).setUint16(24, 30_000, true);
    const json = (text: string) => publish(client, "watch-1", "accel-json", text);
    await publish(client, "watch-1", "accel", version);
    await publish(client, "watch-1", "accel", good.subarray(0, 20));
    await publish(client, "watch-1", "accel", good.subarray(0, good.length - 1));
    await json('{"v":1,"boot":1,"seq":1,"t":0,"rate":50,"range":8,"samples":[[NaN,0,0]]}');
    await json('{"v":1,"boot":1,"seq":1,"t":0,"rate":50,"range":8,"samples":[[null,0,0]]}');
    await json('{"v":1,"boot":1,"seq":1,"t":0,"rate":300,"range":8,"samples":[[0,0,0]]}');
    await json('{"v":7,"Astrid Svensson":1}');
    await publish(client, "watch-1", "help", "Astrid Svensson");
    await publish(client, "watch-1", "accel", rate);
    // Of topics that are none the gateway hears only with its own broker.
    if (broker === "embedded") {
      await client.publishAsync("fallvakt/v1/watch-1/nonsense", "x", { qos: 1 });
      await client.publishAsync("fallvakt/v2/watch-1/accel", "x", { qos: 1 });
    }
    await publish(client, "watch-1", "accel", good);
    await until("all is heard", () => count("frames.live") === 1 && count("publish.refused.bad-json") === 2);
    expect(client.connected).toBe(true);
    const refused = Object.entries(bench.gateway.counters()).filter(([name]) => name.startsWith("publish.refused."));
    expect(Object.fromEntries(refused)).toEqual({
      "publish.refused.bad-json": 2,
      "publish.refused.bad-rate": 2,
      "publish.refused.bad-sample": 1,
      "publish.refused.too-short": 1,
      ...(broker === "embedded" ? { "publish.refused.unknown-topic": 1 } : {}),
      "publish.refused.unknown-version": broker === "embedded" ? 3 : 2,
      "publish.refused.wrong-length": 1,
    });
    expect(count("frames.live")).toBe(1);
    const warnings = bench.logged.filter((line) => line.msg === "payload refused");
    expect(warnings.length).toBe(broker === "embedded" ? 7 : 6);
    expect(warnings.every((line) => line.deviceId === "watch-1" && typeof line.reason === "string")).toBe(true);
    expect(JSON.stringify(bench.logged)).not.toContain("Astrid");
  });

  test("bad, then good at QoS 1 from a client that reconnects: both are acknowledged", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1", { reconnectPeriod: 50, clean: false });
    const sent = [
      publish(client, "watch-1", "accel", "no frame at all"),
      publish(client, "watch-1", "accel", encodeFrame(restFrame())),
    ];
    client.stream.destroy();
    await Promise.all(sent);
    await until("the last is heard", () => count("frames.live") === 1);
    expect(count("publish.refused.too-short")).toBeGreaterThan(0);
    expect(count("frames.live")).toBe(1);
  });
});

describe("what would harm the broker itself", () => {
  test("a frame of 10 MB closes its connection at its first bytes, and memory does not grow", async () => {
    await open();
    const healthy = await bench.connect("watch-2");
    const before = process.memoryUsage().arrayBuffers;
    const client = await bench.connect("watch-1");
    client.publish(uplinkTopic("watch-1", "accel"), Buffer.alloc(10 * 2 ** 20), { qos: 0 });
    await until("closed", () => !client.connected);
    expect(count("connections.cut.packet-too-big")).toBe(1);
    // The sender's own buffers are in this process too.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 * 2 ** 20);
    await publish(healthy, "watch-2", "accel", encodeFrame(restFrame()));
  });

  test("who is not let in yet has 2 KiB; declared lengths count", async () => {
    await open();
    await sendRaw(Buffer.from("10ffffff7f", "hex"), Buffer.alloc(1000));
    await sendRaw(Buffer.concat([Buffer.from("10f90f", "hex"), Buffer.alloc(2100)]));
    expect(count("connections.cut.packet-too-big") + count("connections.cut.too-much-before-connack")).toBe(2);
  });

  test("bytes and topics that once crashed a broker", async () => {
    await open({ limits: { connectSeconds: 1 } });
    await sendRaw(Buffer.from("101000044d5154540502003c0321001400006202d301e0020020", "hex"));
    await sendRaw(Buffer.from("300b0003612f62", "hex"));
    for (const levels of [101, 1000]) {
      const client = await bench.connect("watch-1");
      client.publish("a/".repeat(levels), "x", { qos: 1 });
      await until("closed", () => !client.connected);
      const subscriber = await bench.connect("watch-1");
      subscriber.subscribe(`${"b/".repeat(levels)}#`, { qos: 1 });
      await until("closed", () => !subscriber.connected);
    }
    const deepWill = { topic: "c/".repeat(200), payload: Buffer.from("x"), qos: 1 as const, retain: false };
    expect(await refusal(bench.connect("watch-1", { will: deepWill }))).toBe(5);
    const client = await bench.connect("watch-1");
    await publish(client, "watch-1", "accel", encodeFrame(restFrame()));
    expect(count("broker.error")).toBe(0);
  });
});

onEachBroker("falls over the wire", (broker) => {
  test("a fall is told once, however often its frames come, and its impact has the right time", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const decisions: string[] = [];
    bench.gateway.onDecision(({ decision }) => decisions.push(decision));
    const frames = fallFrames({ bootId: 5 });
    await publishFrames(
      client,
      "watch-1",
      frames.flatMap((frame) => [frame, frame]),
    );
    await publishFrames(client, "watch-1", frames);
    await bench.settled();
    const [detection] = bench.intake.detections();
    expect(bench.intake.detections()).toHaveLength(1);
    expect(detection).toMatchObject({ id: "watch-1.5.12.fall", kind: "fall", late: false, clockSuspect: false });
    const impact = frames[12]!.deviceTimeMs + 500;
    expect(Math.abs((detection?.impactAt ?? 0) - impact)).toBeLessThan(1500);
    expect(decisions).toContain("detected");
    expect(count("frames.duplicate")).toBe(frames.length * 2);
  });

  test("a device that thinks it is 1970 is heard like others, and it is said", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const frames = fallFrames({ bootId: 5 });
    const shift = frames[0]!.deviceTimeMs - 86_400_000;
    await publishFrames(
      client,
      "watch-1",
      frames.map((frame) => ({ ...frame, deviceTimeMs: frame.deviceTimeMs - shift })),
    );
    await bench.settled();
    const [detection] = bench.intake.detections();
    expect(detection?.clockSuspect).toBe(true);
    expect(Math.abs((detection?.impactAt ?? 0) - (frames[12]!.deviceTimeMs + 500))).toBeLessThan(2500);
    expect(bench.intake.events("clock-suspect")).toHaveLength(1);
  });

  test("after a reboot the same sequence numbers hide no fall", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const before = fallFrames({ bootId: 5 }).map((frame) => ({ ...frame, ageMs: frame.ageMs + 60_000 }));
    await publishFrames(client, "watch-1", before);
    await publishFrames(client, "watch-1", fallFrames({ bootId: 6 }));
    await bench.settled();
    expect(bench.intake.detections().map(({ id }) => id)).toEqual(["watch-1.5.12.fall", "watch-1.6.12.fall"]);
    expect(count("frames.reboots")).toBe(1);
  });

  test("stored frames that come behind live ones are searched too, and a fall of long ago is late", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const stored = fallFrames({ bootId: 5 }).map((frame) => ({
      ...frame,
      deviceTimeMs: frame.deviceTimeMs - 600_000,
      ageMs: frame.ageMs + 600_000,
    }));
    await publishFrames(client, "watch-1", [
      restFrame({ bootId: 5, sequence: 900 }),
      restFrame({ bootId: 5, sequence: 901 }),
    ]);
    await publishFrames(client, "watch-1", stored);
    await bench.settled();
    const [detection] = bench.intake.detections();
    expect(detection).toMatchObject({ id: "watch-1.5.12.fall", late: true });
    expect(Math.abs((detection?.impactAt ?? 0) - (stored[12]!.deviceTimeMs + 500))).toBeLessThan(1500);
    expect(count("frames.earlier")).toBe(stored.length);
  });

  test("neighbouring frames that changed places are put in order", async () => {
    await open({}, broker);
    const client = await bench.connect("watch-1");
    const frames = fallFrames({ bootId: 5 });
    const swapped = frames.map((_, i) => frames[i % 2 === 0 ? i + 1 : i - 1] ?? frames[i]!);
    swapped.unshift(restFrame({ bootId: 5, sequence: 999_999 }));
    await publishFrames(client, "watch-1", swapped.slice(1));
    await bench.settled();
    expect(bench.intake.detections()).toHaveLength(1);
    expect(count("frames.held")).toBeGreaterThan(10);
  });

  test("both of two devices that fall at once are told", async () => {
    await open({}, broker);
    await Promise.all(
      ["watch-1", "watch-2"].map(async (deviceId) =>
        publishFrames(await bench.connect(deviceId), deviceId, fallFrames({ bootId: 1 })),
      ),
    );
    await bench.settled();
    expect(
      bench.intake
        .detections()
        .map(({ deviceId }) => deviceId)
        .sort(),
    ).toEqual(["watch-1", "watch-2"]);
  });
});
