import { existsSync } from "node:fs";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { featureCount } from "../../detector/features.ts";
import { modelInput } from "../../detector/model-input.ts";
import { windowOf } from "../../detector/window.ts";
import { detectionId } from "../../firmware-contracts/detection.ts";
import type { ControlDevice } from "../../firmware-contracts/intake.ts";
import { type Bench, devicesNamed, fallFrames, openBench, publishFrames, until } from "../test-bench.ts";
import { readCandidates } from "./read.ts";
import { candidatesFile } from "./tables.ts";

let classifier: Classifier;
let watch: ControlDevice;
let bench: Bench;
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  [watch] = (await devicesNamed("watch-1")) as [ControlDevice];
});
afterEach(() => bench?.close());

const kept = () => readCandidates(bench.dataDir, "watch-1", 0) ?? [];
const falls = () => bench.intake.detections();

test("a fall is told, and its candidate kept with what the classifier was given, under the id of its Detection", async () => {
  bench = await openBench({ devices: [watch], classifier });
  await publishFrames(await bench.connect("watch-1"), "watch-1", fallFrames({ bootId: 1 }));
  await until("told", () => falls().length === 1);
  await bench.gateway.stop();
  const [told] = falls();
  const row = kept().find(({ bootId, sequence }) => detectionId("watch-1", bootId, sequence, "fall") === told?.id);
  expect(row).toMatchObject({
    lane: "impact",
    placement: "waist",
    rangeG: 16,
    decided: told?.strength,
    score: told?.evidence?.score,
    model: told?.model,
    threshold: classifier.operatingPoints.waist.wide.medium,
  });
  expect(Math.abs((row?.impactAt ?? 0) - (told?.impactAt ?? 0))).toBeLessThan(1000);
  // The picture's scores have that score at the moment that was judged.
  const { scores, score } = told?.evidence ?? {};
  const judged = ((scores?.judgedMs ?? 0) - (scores?.startMs ?? 0)) / (scores?.stepMs ?? 1);
  expect(scores?.values[judged]).toBeCloseTo(score ?? -1, 3);
  expect(scores).toMatchObject(classifier.operatingPoints.waist.wide);
  // What is kept is enough to ask the classifier again.
  const input = modelInput(windowOf(row?.window ?? new Int16Array()));
  expect(row?.features).toEqual(input.slice(0, featureCount));
  expect(classifier.score("waist", [input])[0]).toBe(row?.score);
});

test("one under the threshold is followed to where its aftermath would have decided; under the floor it has neither window nor that", async () => {
  const scoring = (score: number) => ({
    ...classifier,
    score: (_: unknown, inputs: readonly Float32Array[]) => inputs.map(() => score),
  });
  bench = await openBench({ devices: [watch], classifier: scoring(0.625) });
  const client = await bench.connect("watch-1");
  await publishFrames(client, "watch-1", fallFrames({ bootId: 1 }));
  await until("written", () => kept().length > 0);
  expect(kept()[0]).toMatchObject({ score: 0.625, decided: "below-threshold", afterwards: "stayed" });
  expect(kept()[0]?.window).toHaveLength(800);
  await bench.close();

  bench = await openBench({ devices: [watch], classifier: scoring(0.125) });
  await publishFrames(await bench.connect("watch-1"), "watch-1", fallFrames({ bootId: 1 }));
  await bench.settled();
  await bench.gateway.stop();
  expect(kept()[0]).toMatchObject({ score: 0.125, afterwards: null, window: null });
  expect(falls()).toEqual([]);
});

test("consent withdrawn: what was kept is deleted, what is being followed is dropped, and nothing more is kept", async () => {
  bench = await openBench({ devices: [watch], classifier });
  const client = await bench.connect("watch-1");
  await publishFrames(client, "watch-1", fallFrames({ bootId: 1 }));
  await until("written", () => kept().length > 0);
  await publishFrames(client, "watch-1", fallFrames({ bootId: 2 }));
  bench.intake.set([{ ...watch, consent: "withdrawn" }]);
  await until("deleted", () => kept().length === 0);
  await publishFrames(client, "watch-1", fallFrames({ bootId: 3 }));
  await bench.gateway.stop();
  expect(kept()).toEqual([]);
});

test("withdrawn while the gateway was off: deleted at its start", async () => {
  bench = await openBench({ devices: [watch], classifier });
  await publishFrames(await bench.connect("watch-1"), "watch-1", fallFrames({ bootId: 1 }));
  await until("told", () => falls().length === 1);
  await bench.gateway.stop();
  expect(kept().length).toBeGreaterThan(0);
  bench.intake.set([{ ...watch, consent: "withdrawn" }]);
  await bench.restart();
  await until("deleted", () => kept().length === 0);
});

test("a gateway that is to keep none keeps none", async () => {
  bench = await openBench({ devices: [watch], classifier, config: { candidates: { days: 0 } } });
  await publishFrames(await bench.connect("watch-1"), "watch-1", fallFrames({ bootId: 1 }));
  await until("told", () => falls().length === 1);
  await bench.gateway.stop();
  expect(existsSync(candidatesFile(bench.dataDir))).toBe(false);
});
