import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { type AccelFrame, encodeFrame } from "../firmware-contracts/frame.ts";
import type { ControlDevice } from "../firmware-contracts/intake.ts";
import { readCandidates } from "./candidates/read.ts";
import { type Bench, devicesNamed, fallFrames, openBench, publishFrames, until, walkingAfter } from "./test-bench.ts";

/** Five minutes, the shortest that the journal may keep what is decided, are a second and a half. */
const clock = systemClock(200);
const floor = 0.3;
let classifier: Classifier;
let watch: ControlDevice;
let bench: Bench;
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  [watch] = (await devicesNamed("watch-1")) as [ControlDevice];
});
afterEach(() => bench?.close());

/** Every file of the gateway. */
function files(): { name: string; bytes: Buffer }[] {
  return readdirSync(bench.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name }) => {
      try {
        return [{ name, bytes: readFileSync(join(parentPath, name)) }];
      } catch (error) {
        // SQLite's own journal of a commit may be gone since the folder was read.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    });
}

/** In which files a frame lies as its device wrote it: the middle of its samples is enough to find it. */
function filesWith(frame: AccelFrame | undefined): string[] {
  const bytes = encodeFrame(frame as AccelFrame);
  const middle = Buffer.from(bytes.subarray(bytes.length - 120, bytes.length - 40));
  return files().flatMap(({ name, bytes: content }) => (content.includes(middle) ? [name] : []));
}

test("of a day only windows around candidates over the floor are left, none longer than 4 s; no other movement lies in any file", async () => {
  let score = floor - 0.1;
  const scoring: Classifier = { ...classifier, score: (_, inputs) => inputs.map(() => score) };
  const config = { journal: { keepMinutes: 5 }, candidates: { floor }, control: { refreshSeconds: 10 } };
  bench = await openBench({ devices: [watch], classifier: scoring, clock, config });
  const client = await bench.connect("watch-1", { keepalive: 0 });
  const inJournal = (frame: AccelFrame | undefined) => filesWith(frame).some((name) => name.endsWith(".journal"));

  // An impact under the floor, with the walk after it, and then a fall.
  const bump = fallFrames({ bootId: 1, after: 4 });
  const walk = walkingAfter(bump, 30);
  await publishFrames(client, "watch-1", [...bump, ...walk]);
  expect(inJournal(bump[12])).toBe(true);
  await bench.settled();
  score = 0.9;
  const fall = fallFrames({ bootId: 2 });
  await publishFrames(client, "watch-1", fall);
  await until("told", () => bench.intake.detections().length === 1);
  expect(inJournal(fall[12])).toBe(true);

  await until("the journal is empty", () => !files().some(({ name }) => name.endsWith(".journal")));
  for (const frame of [bump[2], bump[12], walk[10], walk[29], fall[2], fall[30]]) expect(filesWith(frame)).toEqual([]);
  await bench.gateway.stop();
  for (const frame of [bump[12], walk[10], fall[2], fall[30]]) expect(filesWith(frame)).toEqual([]);
  const kept = readCandidates(bench.dataDir, "watch-1", 0) ?? [];
  expect(kept.some((row) => row.score < floor)).toBe(true);
  expect(kept.some((row) => row.score >= floor)).toBe(true);
  for (const row of kept) {
    if (row.score < floor) expect(row.window).toBeNull();
    // 4 s at 50 Hz, with three axes and what is known of each moment.
    else expect(row.window).toHaveLength(4 * 50 * 4);
  }
});
