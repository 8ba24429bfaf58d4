import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { impactSpan } from "../../firmware-contracts/recordings/format.ts";
import { readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { generateCommand } from "./command.ts";
import { type GeneratedTrial, generateSet, parts, softBelowG } from "./set.ts";
import { writeSet } from "./write.ts";

const sets = [1, 2, 3, 4, 5].map((seed) => generateSet({ seed }));
const first = sets[0]!;

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "generated-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function samplesOf(set: typeof first, trial: GeneratedTrial): Int16Array {
  const all = trial.part === "wrist" ? set.parts.wrist : set.parts.waist;
  return all.subarray(trial.offset * 3, (trial.offset + trial.samples) * 3);
}

/** Magnitudes in g. */
function magnitudes(xyz: Int16Array): number[] {
  return Array.from(
    { length: xyz.length / 3 },
    (_, i) => Math.hypot(xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!) / 1000,
  );
}

test("the same seed gives the same set, another seed another", () => {
  const again = generateSet({ seed: 1 });
  expect(again.manifest).toEqual(first.manifest);
  for (const part of parts) {
    expect(Buffer.from(again.parts[part].buffer).equals(Buffer.from(first.parts[part].buffer))).toBe(true);
    expect(Buffer.from(sets[1]!.parts[part].buffer).equals(Buffer.from(first.parts[part].buffer))).toBe(false);
  }
  expect(() => generateSet({ seed: 1.5 })).toThrow(/whole number/);
});

test("a written set is read back whole, as the same samples", () =>
  inFolder(async (folder) => {
    await writeSet(folder, first);
    const read = await readRecordingSet(folder);
    expect(read.problems).toEqual([]);
    expect(read.dataset).toBe("fallvakt-generated");
    expect(read.parts.map(({ part, placement }) => [part, placement])).toEqual([
      ["wrist", "wrist"],
      ["waist", "waist"],
    ]);
    for (const { part, recordings } of read.parts) {
      const trials = first.manifest.trials.filter((trial) => trial.part === part);
      expect(recordings.length).toBe(trials.length);
      recordings.forEach(({ samples }, i) => {
        expect(samples).toEqual(samplesOf(first, trials[i]!));
      });
    }
  }));

test("each part has 7 hard falls, 2 soft ones and 10 other activities, 20–40 s long, with distinct ids", () => {
  for (const { manifest } of sets) {
    expect(new Set(manifest.trials.map(({ id }) => id)).size).toBe(manifest.trials.length);
    for (const part of parts) {
      const own = manifest.trials.filter((trial) => trial.part === part);
      const soft = own.filter(({ activityName }) => /soft/i.test(activityName));
      expect(own.filter(({ label }) => label === "fall").length - soft.length).toBe(7);
      expect(soft.length).toBe(2);
      expect(new Set(own.filter(({ label }) => label === "adl").map(({ activity }) => activity)).size).toBe(10);
      for (const { samples, rateHz } of own) {
        expect(samples / rateHz).toBeGreaterThanOrEqual(19.9);
        expect(samples / rateHz).toBeLessThanOrEqual(40);
      }
    }
  }
});

test("what the manifest says of a trial is what its samples say", () => {
  for (const set of sets) {
    for (const trial of set.manifest.trials) {
      const found = magnitudes(samplesOf(set, trial));
      expect(found.length).toBe(trial.samples);
      expect(trial.peakG).toBeCloseTo(Math.max(...found), 3);
      expect(found[Math.round(trial.peakS * trial.rateHz)]).toBeCloseTo(trial.peakG, 3);
      expect(trial.medianG).toBeGreaterThan(0.9);
      expect(trial.medianG).toBeLessThan(1.1);
    }
  }
});

test("falls lie within their labelled times, with life before them and rest after", () => {
  for (const { manifest } of sets) {
    for (const trial of manifest.trials) {
      if (trial.label === "adl") {
        expect(impactSpan(trial)).toBeNull();
        continue;
      }
      expect(trial.onsetS).toBeGreaterThan(5);
      expect(trial.endS! - trial.onsetS!).toBeLessThan(6);
      expect(trial.peakS).toBeGreaterThanOrEqual(trial.onsetS!);
      expect(trial.peakS).toBeLessThanOrEqual(trial.endS!);
      expect(trial.samples / trial.rateHz - trial.endS!).toBeGreaterThan(8);
    }
  }
});

test("soft falls are soft and slow, hard ones are neither", () => {
  for (const { manifest } of sets) {
    for (const { label, activityName, peakG, onsetS, endS, samples, rateHz } of manifest.trials) {
      if (label === "adl") continue;
      if (/soft/i.test(activityName)) {
        expect(peakG).toBeLessThan(softBelowG);
        expect(endS! - onsetS!).toBeGreaterThan(2);
        expect(samples / rateHz - endS!).toBeGreaterThan(20);
      } else {
        expect(peakG).toBeGreaterThan(2);
      }
    }
  }
});

test("a plain threshold of 2.5 g does badly on it", () => {
  for (const { manifest } of sets) {
    const over = manifest.trials.filter(({ peakG }) => peakG > 2.5);
    const falls = manifest.trials.filter(({ label }) => label === "fall").length;
    const found = over.filter(({ label }) => label === "fall").length;
    const falseAlarms = over.length - found;
    expect(found / falls <= 0.85 || falseAlarms >= 3).toBe(true);
    // Its false alarms alone would page staff for more than a third of the lively daily life.
    expect(falseAlarms).toBeGreaterThanOrEqual(5);
  }
});

test("samples keep to the sensor's range and resolution", () => {
  expect(Math.max(...first.parts.wrist.map(Math.abs))).toBeLessThanOrEqual(4005);
  expect(Math.max(...first.parts.waist.map(Math.abs))).toBeLessThanOrEqual(16005);
  // 10.2 mg a step: few distinct values within ±4 g.
  expect(new Set(first.parts.wrist).size).toBeLessThanOrEqual(800);
});

test("the command writes a set and says what it wrote", () =>
  inFolder(async (folder) => {
    const lines: string[] = [];
    const log = console.log;
    console.log = (line: string) => lines.push(line);
    try {
      await generateCommand().parseAsync([folder, "--seed", "3", "--json"], { from: "user" });
    } finally {
      console.log = log;
    }
    expect(JSON.parse(lines.join("\n"))).toMatchObject({ seed: 3, trials: 38, falls: 18, softFalls: 4, adls: 20 });
    expect((await readRecordingSet(folder)).problems).toEqual([]);
    let help = "";
    generateCommand()
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
      })
      .outputHelp();
    expect(help).toContain("Examples:");
  }));
