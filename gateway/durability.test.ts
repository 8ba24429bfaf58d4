import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { encodeFrame } from "../firmware-contracts/frame.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import { onEachBroker, openBenchOn } from "../test/services/each-broker.ts";
import {
  type Bench,
  devicesNamed,
  fallFrames,
  openBench,
  publish,
  publishFrames,
  report,
  restFrame,
  until,
} from "./test-bench.ts";

let classifier: Classifier;
let devices: ControlDevice[];
let bench: Bench;
/** Undone at the end of a test, whether it passed or not. */
let undo: (() => Promise<void>) | null = null;

beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  devices = await devicesNamed("watch-1");
});
afterEach(async () => {
  await undo?.();
  undo = null;
  await bench?.close();
});
const count = (name: string) => bench.gateway.counters()[name] ?? 0;

/** Whether the publish is acknowledged, or its connection closed without. */
async function isAcknowledged(sending: Promise<unknown>, client: { connected: boolean }): Promise<boolean> {
  let acknowledged = false;
  void sending.then(
    () => {
      acknowledged = true;
    },
    () => {},
  );
  await until("acknowledged or closed", () => acknowledged || !client.connected);
  return acknowledged;
}

/** Puts a plain file where the journal's folder was, so that nothing can be written there. */
async function breakJournal(): Promise<void> {
  const folder = join(bench.dataDir, "journal");
  await rename(folder, `${folder}-aside`);
  await writeFile(folder, "");
  undo = async () => {
    await rm(folder);
    await rename(`${folder}-aside`, folder);
    undo = null;
  };
}

/** Another program holds the store's write lock. */
function lockOutbox(): void {
  const other = new DatabaseSync(join(bench.dataDir, "gateway.sqlite"));
  other.exec("BEGIN EXCLUSIVE");
  undo = async () => {
    other.exec("ROLLBACK");
    other.close();
    undo = null;
  };
}

describe("where the commit fails, nothing is acknowledged", () => {
  test("the journal: no PUBACK, not ready within 5 s; it heals within 10 s, and the fall is told once", async () => {
    bench = await openBench({ devices, classifier });
    await breakJournal();
    const frames = fallFrames({ bootId: 4 });
    const quiet = frames.slice(0, 11);
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", quiet);
    expect(bench.gateway.ready()).toBe(true);
    const trigger = frames.findIndex((_, i) => i === 12);
    // The free fall begins in frame 12; whether the gate opens in it or in the next, one of the two finds the disk broken.
    let acknowledged = true;
    for (const frame of frames.slice(11, trigger + 2)) {
      if (acknowledged) {
        const sending = publish(client, "watch-1", "accel", encodeFrame(frame));
        acknowledged = await isAcknowledged(sending, client);
      }
    }
    expect(acknowledged).toBe(false);
    expect(bench.gateway.ready()).toBe(false);
    expect(bench.gateway.problems()).toContain("the journal cannot be written");
    // What was not acknowledged comes again: a duplicate by its number, and yet not acknowledged.
    const again = await bench.connect("watch-1");
    expect(await isAcknowledged(publish(again, "watch-1", "accel", encodeFrame(frames[12]!)), again)).toBe(false);
    expect(count("frames.duplicate")).toBeGreaterThan(0);
    await undo?.();
    await until("ready again", () => bench.gateway.ready(), 10_000);
    const last = await bench.connect("watch-1");
    await publishFrames(last, "watch-1", frames.slice(11));
    await bench.gateway.settled();
    expect(bench.intake.detections().map(({ id }) => id)).toEqual(["watch-1.4.12.fall"]);
  });
});

onEachBroker("where the outbox fails and alerting is away too", (broker) => {
  test("a help call is not acknowledged; when the outbox can be written it is, and told once", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    lockOutbox();
    bench.intake.failing = true;
    const client = await bench.connect("watch-1");
    const sending = publish(client, "watch-1", "help", report(1, 1));
    if (broker === "embedded") expect(await isAcknowledged(sending, client)).toBe(false);
    else await until("given back to the broker", () => count("outside.ended.uncommitted") > 0);
    expect(bench.gateway.problems()).toContain("the outbox cannot be written");
    bench.intake.failing = false;
    await undo?.();
    await until("ready again", () => bench.gateway.ready(), 10_000);
    if (broker === "embedded") await publish(await bench.connect("watch-1"), "watch-1", "help", report(1, 1));
    await until("told", () => bench.intake.detections().length > 0);
    await bench.settled();
    expect(bench.intake.detections().map(({ id }) => id)).toEqual(["watch-1.1.1.help"]);
  });
});

onEachBroker("the help button pages always", (broker) => {
  test("with the journal broken and the classifier failing", async () => {
    const broken: Classifier = {
      ...classifier,
      score: () => {
        throw new Error("no classifier");
      },
    };
    bench = await openBenchOn(broker, { devices, classifier: broken });
    await breakJournal();
    const client = await bench.connect("watch-1");
    await publish(client, "watch-1", "help", report(1, 2));
    await until("told", () => bench.intake.detections().length === 1);
    expect(bench.intake.detections()[0]).toMatchObject({
      kind: "help",
      reason: "help-button",
      strength: "strong",
      evidence: null,
    });
  });

  test("with the outbox locked: alerting has it before the device is told so", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    lockOutbox();
    const client = await bench.connect("watch-1");
    await publish(client, "watch-1", "help", report(1, 3));
    // An outside broker has told the device so before.
    if (broker === "outside") await until("told", () => bench.intake.detections().length > 0);
    expect(bench.intake.detections()).toHaveLength(1);
  });

  test("pressed long ago: late; pressed twice: two; sent twice: one", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    const client = await bench.connect("watch-1");
    await publish(client, "watch-1", "help", report(1, 1, 300_000));
    await publish(client, "watch-1", "help", report(1, 1, 301_000));
    await publish(client, "watch-1", "help", report(1, 2));
    await bench.settled();
    expect(bench.intake.detections().map(({ id, late }) => ({ id, late }))).toEqual([
      { id: "watch-1.1.1.help", late: true },
      { id: "watch-1.1.2.help", late: false },
    ]);
  });
});

onEachBroker("what waits", (broker) => {
  test("a classifier that fails delays a fall until it answers, and readiness says so", async () => {
    let fails = true;
    const flaky: Classifier = {
      ...classifier,
      score: (placement, inputs) => {
        if (fails) throw new Error("no classifier");
        return classifier.score(placement, inputs);
      },
    };
    bench = await openBenchOn(broker, { devices, classifier: flaky });
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1 }));
    await until("said", () => bench.gateway.problems().includes("the classifier fails"));
    fails = false;
    await bench.settled();
    expect(bench.intake.detections()).toHaveLength(1);
    expect(bench.gateway.ready()).toBe(true);
  });

  test("a classifier that never answers hides no fall: what follows the impact decides", async () => {
    const broken: Classifier = {
      ...classifier,
      score: () => {
        throw new Error("no classifier");
      },
    };
    bench = await openBenchOn(broker, { devices, classifier: broken, clock: systemClock(8) });
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1 }));
    await bench.settled();
    expect(bench.intake.detections().map(({ id, strength }) => ({ id, strength }))).toEqual([
      { id: "watch-1.1.12.fall", strength: "medium" },
    ]);
    expect(count("classifier.unanswered")).toBeGreaterThan(0);
    expect(bench.intake.detections()[0]?.evidence?.scores).toBeUndefined();
    expect(count("classifier.no-picture")).toBe(1);
    expect(bench.gateway.ready()).toBe(false);
  });

  test("Detections wait for an alerting that is away, over a restart, and come once", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    bench.intake.failing = true;
    const client = await bench.connect("watch-1");
    await publishFrames(client, "watch-1", fallFrames({ bootId: 1 }));
    // The classifier answers a little after the last acknowledgement.
    await until("the fall is found", () => count("detections.fall") === 1);
    await publish(client, "watch-1", "help", report(1, 1));
    await until("both found", () => count("detections.fall") === 1 && count("detections.help") === 1);
    await bench.restart();
    await bench.restart();
    bench.intake.failing = false;
    await bench.settled();
    const told = bench.intake.detections().map(({ id }) => id);
    // Help calls have a session of their own at an outside broker, and overtake frames there.
    if (broker === "outside") told.sort((a) => (a.endsWith("fall") ? -1 : 1));
    expect(told).toEqual(["watch-1.1.12.fall", "watch-1.1.1.help"]);
    expect(bench.intake.events("online")).toHaveLength(broker === "embedded" ? 1 : 0);
  });

  test("a stop in the middle of a fall loses nothing", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    const client = await bench.connect("watch-1");
    const frames = fallFrames({ bootId: 1 });
    await publishFrames(client, "watch-1", frames.slice(0, 14));
    await until("heard", () => count("frames.live") === 14);
    await bench.restart();
    expect(count("journal.devices-taken-up")).toBe(1);
    const again = await bench.connect("watch-1");
    await publishFrames(again, "watch-1", frames.slice(14));
    await bench.settled();
    expect(bench.intake.detections().map(({ id }) => id)).toEqual(["watch-1.1.12.fall"]);
  });

  test("a quiet stream is not journaled, and leaves no file", async () => {
    bench = await openBenchOn(broker, { devices, classifier });
    const client = await bench.connect("watch-1");
    const quiet = Array.from({ length: 60 }, (_, i) => restFrame({ sequence: i, ageMs: (60 - i) * 1000 }));
    await publishFrames(client, "watch-1", quiet);
    await bench.settled();
    expect(count("frames.live")).toBe(60);
    expect(count("frames.journaled")).toBe(0);
    expect(await readdir(join(bench.dataDir, "journal"))).toEqual([]);
  });
});
