import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import type { Clock } from "../firmware-contracts/clock.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import { decodeRecords, type JournalRecord } from "./stream/journal-format.ts";
import {
  type Bench,
  devicesNamed,
  fallFrames,
  openBench,
  publish,
  publishFrames,
  report,
  until,
} from "./test-bench.ts";

let classifier: Classifier;
let watch: ControlDevice;
let bench: Bench;
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  [watch] = (await devicesNamed("watch-1")) as [ControlDevice];
});
afterEach(() => bench?.close());

const count = (name: string) => bench.gateway.counters()[name] ?? 0;
const falls = () => bench.intake.detections().filter(({ kind }) => kind === "fall");

async function follow(change: Partial<ControlDevice>): Promise<void> {
  const { controlVersion } = bench.gateway;
  bench.intake.set([{ ...watch, ...change }]);
  await until("the gateway follows", () => bench.gateway.controlVersion > controlVersion);
}

/** What the journal holds of the device since its last "decided". */
async function undecidedRecords(): Promise<JournalRecord[]> {
  const folder = join(bench.dataDir, "journal");
  const records: JournalRecord[] = [];
  for (const name of (await readdir(folder)).sort()) {
    records.push(...decodeRecords(await readFile(join(folder, name))).records);
  }
  const own = records.filter(({ deviceId }) => deviceId === "watch-1");
  return own.slice(own.findLastIndex(({ kind }) => kind === "decided") + 1);
}

/** A fall up to a second after its impact: the gate is open and nothing decided. */
const unfinished = (bootId: number) => fallFrames({ bootId, before: 4, after: 0 });
const pauseFor = (ms: number) => {
  const now = systemClock().wallNow();
  return { from: now, until: now + ms, reason: "visit" as const };
};

describe("consent", () => {
  test("without it frames and presence are acknowledged and dropped, unstored, untold and unjudged; help button and status are told", async () => {
    bench = await openBench({ devices: [{ ...watch, consent: "missing" }], classifier });
    const client = await bench.connect("watch-1");
    const frames = fallFrames({ bootId: 1, before: 4, after: 4 });
    await publishFrames(client, "watch-1", frames);
    await publish(client, "watch-1", "help", report(1, 1));
    await publish(client, "watch-1", "status", JSON.stringify({ v: 1, kind: "heartbeat", battery: 50 }));
    await publish(
      client,
      "watch-1",
      "presence",
      JSON.stringify({ ...JSON.parse(report(1, 1)), sensor: "bed", state: "on" }),
    );
    await until("told", () => bench.intake.events("heartbeat").length === 1);
    expect(bench.intake.events("presence")).toEqual([]);
    expect(count("presence.dropped.no-consent")).toBe(1);
    expect(count("frames.dropped.no-consent")).toBe(frames.length);
    expect(count("frames.live") + count("frames.journaled") + count("candidates.opened")).toBe(0);
    expect(await undecidedRecords()).toEqual([]);
    await until("help told", () => bench.intake.detections().some(({ kind }) => kind === "help"));

    await follow({ consent: "given" });
    await publishFrames(client, "watch-1", fallFrames({ bootId: 2 }));
    await until("the fall told", () => falls().length === 1);
    expect(falls()[0]?.id).toMatch(/^watch-1\.2\./);
  });

  test("withdrawn in the middle of a fall: nothing is judged any more, and the journal lets go of what it had", async () => {
    bench = await openBench({ devices: [watch], classifier });
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", unfinished(1));
    expect((await undecidedRecords()).length).toBeGreaterThan(0);
    await follow({ consent: "withdrawn" });
    await expect.poll(undecidedRecords).toEqual([]);
    await bench.gateway.settled();
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1, from: 5, before: 0, after: 3 }));
    await bench.restart();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(falls()).toEqual([]);
    expect(await undecidedRecords()).toEqual([]);
  });

  test("withdrawn before its Detection is safe: it is told, and only then the journal lets go", async () => {
    bench = await openBench({ devices: [watch], classifier });
    const client = await bench.connect("watch-1");
    const other = new DatabaseSync(join(bench.dataDir, "gateway.sqlite"));
    other.exec("BEGIN EXCLUSIVE");
    bench.intake.failing = true;
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1, before: 4, after: 8 }));
    await until("concluded", () => count("detections.fall") === 1);
    // The store is locked: it is in force and cannot be kept.
    await follow({ consent: "withdrawn" });
    expect((await undecidedRecords()).length).toBeGreaterThan(0);
    expect(falls()).toEqual([]);
    other.exec("ROLLBACK");
    other.close();
    bench.intake.failing = false;
    await until("told", () => falls().length === 1);
    await expect.poll(undecidedRecords).toEqual([]);
  });

  test("withdrawn while the gateway was off: what it had not decided is not judged at its start", async () => {
    bench = await openBench({ devices: [watch], classifier });
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", unfinished(1));
    bench.intake.set([{ ...watch, consent: "withdrawn" }]);
    await bench.gateway.stop();
    expect((await undecidedRecords()).length).toBeGreaterThan(0);
    await bench.restart();
    await expect.poll(undecidedRecords).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(falls()).toEqual([]);
  });
});

describe("a pause", () => {
  test("a fall in it is not told, the help button is; it ends by itself without contact, and the next fall is told", async () => {
    bench = await openBench({ devices: [watch], classifier });
    const client = await bench.connect("watch-1");
    await follow({ pause: pauseFor(4000) });
    bench.intake.unreachable = true;
    const frames = fallFrames({ bootId: 1, before: 4, after: 4 });
    await publishFrames(client, "watch-1", frames);
    expect(count("frames.dropped.paused")).toBe(frames.length);
    await publish(client, "watch-1", "help", report(1, 1));
    await until("help told", () => bench.intake.detections().length === 1);
    const bed = (seq: number) =>
      publish(
        client,
        "watch-1",
        "presence",
        JSON.stringify({ ...JSON.parse(report(1, seq)), sensor: "bed", state: "on" }),
      );
    await bed(2);
    expect(count("presence.dropped.paused")).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await bed(3);
    await until("presence told again", () => bench.intake.events("presence").length === 1);
    await publishFrames(client, "watch-1", fallFrames({ bootId: 2 }));
    await until("the fall told", () => falls().length === 1);
    expect(falls()[0]?.id).toMatch(/^watch-1\.2\./);
  });

  test("a fall that is undecided when it begins is judged with what there is: told, silent", async () => {
    // A score that asks to await the aftermath.
    const medium: Classifier = { ...classifier, score: (_, inputs) => inputs.map(() => 0.6) };
    const points = { wrist: both(0.5), waist: both(0.5) };
    bench = await openBench({ devices: [watch], classifier: { ...medium, operatingPoints: points }, clock: fast() });
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", unfinished(1));
    expect(count("candidates.opened")).toBe(1);
    await follow({ pause: pauseFor(3_600_000) });
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1, from: 5, before: 3, after: 3 }));
    await until("told", () => falls().length === 1);
    expect(falls()[0]).toMatchObject({ reason: "silent", strength: "medium" });
    expect(count("frames.dropped.paused")).toBeGreaterThan(0);
  });
});

test("a threshold that is changed in the middle of a fall does not lose it: it is judged by the old one", async () => {
  const scores: Classifier = { ...classifier, score: (_, inputs) => inputs.map(() => 0.6) };
  const points = { wrist: both(0.5), waist: both(0.5) };
  bench = await openBench({ devices: [watch], classifier: { ...scores, operatingPoints: points }, clock: fast() });
  const client = await bench.connect("watch-1");
  const frames = fallFrames({ bootId: 1, before: 4, after: 26 });
  await publishFrames(client, "watch-1", frames.slice(0, 6));
  expect(count("candidates.opened")).toBe(1);
  await follow({ threshold: 0.9, placement: "hip" });
  await publishFrames(client, "watch-1", frames.slice(6));
  await until("told", () => falls().length === 1);
  expect(falls()[0]).toMatchObject({ strength: "medium" });
});

test("a threshold of the device's own is followed by the stream that is live, while nothing is undecided", async () => {
  const scores: Classifier = { ...classifier, score: (_, inputs) => inputs.map(() => 0.3) };
  const points = { wrist: both(0.5), waist: both(0.5) };
  bench = await openBench({ devices: [watch], classifier: { ...scores, operatingPoints: points }, clock: fast() });
  const client = await bench.connect("watch-1");
  // Of now, so that they go on in the one stream that is live.
  const fallen = (bootId: number) =>
    fallFrames({ bootId, before: 4, after: 4 }).map((frame) => ({ ...frame, ageMs: 0, stored: false }));
  await publishFrames(client, "watch-1", fallen(1));
  await until("dismissed", () => count("candidates.dismissed.below-threshold") === 1);
  await follow({ threshold: 0.2 });
  await publishFrames(client, "watch-1", fallen(2));
  await until("told", () => falls().length === 1);
  await follow({});
  await publishFrames(client, "watch-1", fallen(3));
  await until("dismissed again", () => count("candidates.dismissed.below-threshold") === 2);
  expect(falls()).toHaveLength(1);
  expect(count("frames.earlier")).toBe(0);
});

/** Operating points with this `medium` for both range classes. */
function both(medium: number) {
  const point = { medium, strong: 0.9 };
  return { "2g": point, wide: point };
}

/** Eight times as fast, so that an aftermath of 22 s is soon over. */
function fast(): Clock {
  return systemClock(8);
}
