import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import type { ControlDevice, FallUpdate } from "../firmware-contracts/intake.ts";
import { type Bench, devicesNamed, fallFrames, openBench, publishFrames, until, walkingAfter } from "./test-bench.ts";

let classifier: Classifier;
let watch: ControlDevice;
let bench: Bench;
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  [watch] = (await devicesNamed("watch-1")) as [ControlDevice];
});
afterEach(() => bench?.close());

/** On a clock that hurries: what is waited for takes five minutes. */
async function open(speed: number): Promise<void> {
  bench = await openBench({ devices: [watch], classifier, clock: systemClock(speed) });
}

const count = (name: string) => bench.gateway.counters()[name] ?? 0;
const updates = (): FallUpdate[] =>
  bench.intake.items.flatMap((item) => (item.type === "fall-update" ? [item.update] : []));
const kinds = () =>
  bench.intake.items.flatMap(({ type }) => (type === "detection" || type === "fall-update" ? [type] : []));
/** A fall with ten seconds before it; its impact is in frame 10. */
const fall = (bootId: number, after: number) => fallFrames({ bootId, before: 10, after });
const id = (bootId: number) => `watch-1.${bootId}.10.fall`;

describe("after a fall that was told", () => {
  test("nobody is seen to get up for five minutes: that follows its Detection, once", { timeout: 60_000 }, async () => {
    await open(50);
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fall(1, 330));
    await until("told", () => updates().length === 1, 30_000);
    const [update] = updates();
    expect(update).toMatchObject({ v: 1, id: `${id(1)}.long-lie`, detectionId: id(1), deviceId: "watch-1" });
    expect(update!.lyingSeconds).toBeGreaterThan(330);
    // All but what came after the last frame, and what it took to come.
    expect(update!.lyingSeconds - update!.unknownSeconds).toBeGreaterThan(325);
    expect(update!.lyingSeconds - update!.unknownSeconds).toBeLessThan(332);
    expect(kinds()).toEqual(["detection", "fall-update"]);
    await bench.restart();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(updates()).toHaveLength(1);
  });

  test("a device that goes silent is told of, as unknown", { timeout: 60_000 }, async () => {
    await open(50);
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fall(1, 8));
    await until("told", () => updates().length === 1, 30_000);
    const [{ lyingSeconds, unknownSeconds }] = updates() as [FallUpdate];
    expect(lyingSeconds).toBeGreaterThanOrEqual(300);
    expect(unknownSeconds).toBeGreaterThan(285);
    expect(bench.gateway.ready()).toBe(true);
  });

  test("walking is getting up", { timeout: 60_000 }, async () => {
    await open(50);
    const client = await bench.connect("watch-1");
    const frames = fall(1, 8);
    await publishFrames(client, "watch-1", [...frames, ...walkingAfter(frames, 9)]);
    await until("up", () => count("watches.got-up.walking") === 1);
    await new Promise((resolve) => setTimeout(resolve, 7000));
    expect(kinds()).toEqual(["detection"]);
  });

  test("a restart in between: told by the next run, and the time between is unknown", { timeout: 60_000 }, async () => {
    await open(20);
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fall(1, 30));
    await until("the fall is told", () => kinds().length === 1);
    await bench.restart();
    expect(count("watches.taken-up")).toBe(1);
    await until("told", () => updates().length === 1, 30_000);
    expect(updates()[0]!.lyingSeconds).toBeGreaterThanOrEqual(300);
    expect(updates()[0]!.unknownSeconds).toBeGreaterThan(260);
    expect(kinds()).toEqual(["detection", "fall-update"]);
  });

  test("walking after a restart is getting up", { timeout: 60_000 }, async () => {
    await open(20);
    const client = await bench.connect("watch-1");
    const frames = fall(1, 30);
    await publishFrames(client, "watch-1", frames);
    await until("the fall is told", () => kinds().length === 1);
    await bench.restart();
    const again = await bench.connect("watch-1");
    await publishFrames(again, "watch-1", walkingAfter(frames, 10));
    await until("up", () => count("watches.got-up.walking") === 1);
    await new Promise((resolve) => setTimeout(resolve, 16_000));
    expect(updates()).toEqual([]);
  });

  test("consent withdrawn: nobody is looked for any more, nor after a restart", { timeout: 60_000 }, async () => {
    await open(20);
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fall(1, 30));
    await until("the fall is told", () => kinds().length === 1);
    const { controlVersion } = bench.gateway;
    bench.intake.set([{ ...watch, consent: "withdrawn" }]);
    await until("the gateway follows", () => bench.gateway.controlVersion > controlVersion);
    await bench.restart();
    expect(count("watches.taken-up")).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 16_000));
    expect(updates()).toEqual([]);
  });

  test("alerting away: it waits, and comes behind its Detection", { timeout: 60_000 }, async () => {
    await open(50);
    bench.intake.failing = true;
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fall(1, 30));
    await until("concluded", () => count("watches.long-lie") === 1, 30_000);
    await bench.restart();
    expect(kinds()).toEqual([]);
    bench.intake.failing = false;
    await until("told", () => updates().length === 1, 30_000);
    expect(kinds()).toEqual(["detection", "fall-update"]);
  });
});
