import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import type { ControlDevice, SupervisionEvent } from "../../firmware-contracts/intake.ts";
import { type Bench, devicesNamed, openBench, publish, report, restFrame, until } from "../test-bench.ts";

// Over the real broker and the real store, with a clock that runs 120 times as fast: five minutes are 2.5 s.

let classifier: Classifier;
let devices: ControlDevice[];
let bench: Bench;
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  devices = (await devicesNamed("watch-1", "watch-2")).map((device) => ({ ...device, dwelling: device.deviceId }));
});
beforeEach(async () => {
  const config = { supervision: { wearableMinutes: 2, notWornMinutes: 1 }, control: { refreshSeconds: 10 } };
  bench = await openBench({ devices, classifier, clock: systemClock(120), config });
});
afterEach(() => bench?.close());

const told = (): SupervisionEvent[] =>
  bench.intake.items.flatMap((item) => (item.type === "supervision-event" ? [item.event] : []));
const words = () => told().map(({ deviceId, trouble, event }) => `${deviceId} ${trouble} ${event}`);
const status = (more: object) => JSON.stringify({ v: 1, kind: "heartbeat", ...more });
let sequence = 0;
const frame = () => encodeFrame(restFrame({ sequence: sequence++, clockUnset: true }));

test("a wearable that sends no more frames is told once, with what it is and since when; a restart tells nothing twice; a frame ends it", async () => {
  const client = await bench.connect("watch-1");
  await publish(client, "watch-1", "accel", frame());
  await until("it is overdue", () => words().includes("watch-1 overdue began"));
  const [began] = told();
  expect(began).toMatchObject({ deviceClass: "wearable", gatewayId: "gateway-1", since: expect.any(Number) });
  expect((began?.at ?? 0) - (began?.since ?? 0)).toBeGreaterThan(2 * 60_000);
  expect(began?.id).toBe(`watch-1.overdue.${began?.since}.began`);
  await bench.restart();
  const again = await bench.connect("watch-1");
  await bench.settled();
  expect(words()).toEqual(["watch-1 overdue began"]);
  await publish(again, "watch-1", "accel", frame());
  await until("it is heard again", () => told().length > 1);
  expect(told()[1]).toMatchObject({ event: "ended", trouble: "overdue", since: began?.since });
});

test("what a report says: tamper, off the body; revoked, all of it ends; what alerting does not take waits, in order", async () => {
  const client = await bench.connect("watch-2");
  await publish(client, "watch-2", "status", status({ worn: true, battery: 80 }));
  bench.intake.failing = true;
  await publish(client, "watch-2", "status", status({ tamper: true }));
  await publish(client, "watch-2", "status", status({ tamper: false, worn: false }));
  await publish(client, "watch-2", "help", report(1, 1)).catch(() => {});
  await new Promise<void>((resolve) => setTimeout(resolve, 800));
  bench.intake.failing = false;
  await until("not worn", () => words().length >= 3);
  expect(words().slice(0, 3)).toEqual(["watch-2 tamper began", "watch-2 tamper ended", "watch-2 not-worn began"]);
  bench.intake.set(devices.map((device) => ({ ...device, revoked: device.deviceId === "watch-2" })));
  await until("revoked", () => words().includes("watch-2 not-worn ended"));
  expect(bench.gateway.counters()).toMatchObject({ "supervision.began": 2, "supervision.ended": 2 });
});

test("in a pause nobody is overdue", async () => {
  const client = await bench.connect("watch-1");
  await publish(client, "watch-1", "accel", frame());
  const from = Date.now();
  bench.intake.set(
    devices.map((device) => ({ ...device, pause: { from, until: from + 86_400_000 * 2, reason: "visit" as const } })),
  );
  await until("the pause", () => bench.gateway.controlVersion === 2);
  await new Promise<void>((resolve) => setTimeout(resolve, 1900));
  expect(words()).toEqual([]);
});
