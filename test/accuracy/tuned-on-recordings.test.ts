import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../../detector/classifier/classifier.ts";
import { evaluate } from "../../detector/evaluation/evaluate.ts";
import { writeSet as writeMadeUp } from "../../detector/evaluation/made-up-set.ts";
import type { OperatingPoints } from "../../detector/operating-points.ts";
import { walking } from "../../detector/synthetic-wearer.ts";
import { type RecordedChange, tuneOnRecordings } from "../../detector/tuning/recordings.ts";
import { generateSet } from "../../simulators/generator/set.ts";
import { writeSet } from "../../simulators/generator/write.ts";

let classifier: Classifier;
let folder: string;
let sets: string[];
beforeAll(async () => {
  classifier = await loadClassifier({ backend: "auto" });
  folder = await mkdtemp(join(tmpdir(), "fallvakt-tune-"));
  sets = [1, 7].map((seed) => join(folder, `seed-${seed}`));
  for (const [i, seed] of [1, 7].entries()) await writeSet(sets[i]!, generateSet({ seed }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Points as a device with this threshold has them. */
function pointsAt(threshold: number | null): OperatingPoints {
  const { operatingPoints } = classifier;
  if (threshold === null) return operatingPoints;
  const moved = ({ strong }: { strong: number }) => ({ medium: threshold, strong: Math.max(strong, threshold) });
  const both = (one: OperatingPoints["wrist"]) => ({ "2g": moved(one["2g"]), wide: moved(one.wide) });
  return { wrist: both(operatingPoints.wrist), waist: both(operatingPoints.waist) };
}

const options = () => ({ operatingPoints: classifier.operatingPoints, score: classifier.score });

describe("what differs is what two evaluations differ by", () => {
  test.each([
    ["wrist", null, 0.3],
    ["wrist", 0.3, 0.98],
    ["waist", null, 0.999],
    ["waist", 0.2, 0.5],
  ] as const)("at the %s, from %s to %s", async (placement, now, proposed) => {
    const tuned = await tuneOnRecordings(sets, { ...options(), placement, now, proposed });
    const trialsAt = async (threshold: number | null) => {
      const own = { ...classifier, operatingPoints: pointsAt(threshold) };
      const report = await evaluate(sets, { classifier: own, part: placement });
      return report.sets.flatMap((part) => part.trials);
    };
    const [before, after] = [await trialsAt(now), await trialsAt(proposed)];
    // Trials of two seeds have the same names: they are told apart by their place in the list.
    const differ = before.flatMap((a, i) => {
      const b = after[i]!;
      const falls = Number(b.found) - Number(a.found);
      const falseAlarms = b.falseAlarms - a.falseAlarms;
      return falls === 0 && falseAlarms === 0 ? [] : [{ trial: a.id, falls, falseAlarms }];
    });
    const count = (list: RecordedChange[], what: RecordedChange["what"], trial?: string) =>
      list.filter((one) => one.what === what && (trial === undefined || one.trial === trial)).length;
    const listed = [...tuned.lost, ...tuned.gained].map(({ trial }) => trial);
    expect(differ.length).toBeGreaterThan(0);
    expect(new Set(listed)).toEqual(new Set(differ.map(({ trial }) => trial)));
    for (const id of new Set(listed)) {
      const own = differ.filter(({ trial }) => trial === id);
      const sum = (key: "falls" | "falseAlarms") => own.reduce((total, one) => total + one[key], 0);
      expect(count(tuned.gained, "fall", id) - count(tuned.lost, "fall", id)).toBe(sum("falls"));
      expect(count(tuned.gained, "no-fall", id) - count(tuned.lost, "no-fall", id)).toBe(sum("falseAlarms"));
    }
    const found = (trials: typeof before) => trials.filter((one) => one.found).length;
    expect([tuned.now.found, tuned.proposed.found]).toEqual([found(before), found(after)]);
    expect(tuned).toMatchObject({ trials: before.length, rangeClasses: ["wide"], problems: [] });
  });

  test("at the same threshold nothing differs", async () => {
    const tuned = await tuneOnRecordings(sets, { ...options(), placement: "wrist", now: 0.4, proposed: 0.4 });
    expect([tuned.lost, tuned.gained]).toEqual([[], []]);
    expect(tuned.scores.length).toBeGreaterThan(tuned.trials);
  });
});

test("what was lost says what became of it instead", async () => {
  const { lost } = await tuneOnRecordings(sets, { ...options(), placement: "waist", now: null, proposed: 0.9999 });
  const [one] = lost.filter(({ what }) => what === "fall");
  expect(one?.instead).toBe("below-threshold");
  expect(one?.score).toBeLessThan(0.9999);
});

test("sets that were worn elsewhere are refused with where", async () => {
  const set = await writeMadeUp(folder, [{ motion: walking, label: "adl" }]);
  await expect(tuneOnRecordings([set], { ...options(), placement: "wrist", now: null, proposed: 0.5 })).rejects.toThrow(
    /worn at the wrist.*waist/,
  );
});
