import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Classifier, loadClassifier } from "../classifier/classifier.ts";
import { impact, lying, type Motion, points, standing, switching, walking } from "../synthetic-wearer.ts";
import { evaluateCommand } from "./command.ts";
import { evaluate } from "./evaluate.ts";
import { quantile, rate, share } from "./intervals.ts";

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rateHz = 50;
const seconds = 30;

/** Writes a made-up set of one part "belt": trials of 30 s at 50 Hz. */
async function writeSet(
  trials: { motion: Motion; label: string; more?: object }[],
  bad: unknown[] = [],
): Promise<string> {
  const values = new Int16Array(trials.length * seconds * rateHz * 3);
  const listed = trials.map(({ motion, label, more }, n) => {
    const offset = n * seconds * rateHz;
    for (let i = 0; i < seconds * rateHz; i++) {
      motion(i / rateHz).forEach((g, axis) => {
        values[(offset + i) * 3 + axis] = Math.round(g * 1000);
      });
    }
    const samples = seconds * rateHz;
    return {
      part: "belt",
      offset,
      samples,
      rateHz,
      id: `T${n}`,
      subject: `S${n % 2}`,
      activity: label,
      label,
      peakS: 10.3,
      ...more,
    };
  });
  const set = await mkdtemp(join(folder, "set-"));
  await writeFile(join(set, "belt.bin.gz"), gzipSync(new Uint8Array(values.buffer)));
  const manifest = {
    dataset: "made-up",
    unit: "mg",
    files: { belt: { file: "belt.bin.gz" } },
    trials: [...listed, ...bad],
  };
  await writeFile(join(set, "manifest.json"), JSON.stringify(manifest));
  return set;
}

const fall = impact(10.3, 4, standing, lying);
const judge = (score: number) => ({
  modelVersion: "test",
  operatingPoints: points(0.5, 0.9),
  score: (_: string, inputs: readonly Float32Array[]) => inputs.map(() => score),
});

describe("evaluate", () => {
  test("counts falls found, quiet trials, false alarms and latency", async () => {
    const set = await writeSet([
      { motion: fall, label: "fall" },
      // An impact 8 s after the labelled one is not the fall.
      { motion: impact(18.3, 4, standing, lying), label: "fall" },
      { motion: standing, label: "adl" },
      { motion: impact(10.3, 3, standing, standing), label: "adl" },
    ]);
    const report = await evaluate([set], { classifier: judge(0.95) });
    expect(report.problems).toEqual([]);
    const [part, ...others] = report.sets;
    expect(others).toEqual([]);
    expect(part).toMatchObject({ dataset: "made-up", part: "belt", placement: "waist", falls: 2, adls: 2, people: 2 });
    expect(part?.sensitivity.value).toBe(0.5);
    expect(part?.specificity.value).toBe(0.5);
    expect(part?.hours).toBeCloseTo((4 * 30) / 3600);
    expect(part?.falseAlarmsPerHour.value).toBeCloseTo(2 / ((4 * 30) / 3600));
    expect(part?.falseAlarmsPerResidentWeek.value).toBeCloseTo((2 * 112) / ((4 * 30) / 3600));
    expect(part?.latencySeconds.median).toBeGreaterThan(2.4);
    expect(part?.latencySeconds.median).toBeLessThan(5);
    expect(part?.byActivity).toEqual([
      { activity: "adl", name: null, label: "adl", trials: 2, alarmed: 1 },
      { activity: "fall", name: null, label: "fall", trials: 2, alarmed: 1 },
    ]);
  });

  test("after a recording's end its device is silent: medium evidence near the end is told", async () => {
    const set = await writeSet([{ motion: impact(27.3, 4, standing, lying), label: "fall", more: { peakS: 27.3 } }]);
    const report = await evaluate([set], { classifier: judge(0.6) });
    expect(report.sets[0]?.sensitivity.value).toBe(1);
    expect(report.sets[0]?.latencySeconds.median).toBeGreaterThan(20);
  });

  test("medium evidence before walking is not told", async () => {
    const set = await writeSet([{ motion: switching(12, fall, walking), label: "adl" }]);
    expect((await evaluate([set], { classifier: judge(0.6) })).sets[0]?.specificity.value).toBe(1);
  });

  test("only the subjects and the number of trials asked for", async () => {
    const set = await writeSet([fall, fall, fall, fall].map((motion) => ({ motion, label: "fall" })));
    const options = { classifier: judge(0.95) };
    expect((await evaluate([set], { ...options, subjects: ["S1"] })).sets[0]?.falls).toBe(2);
    expect((await evaluate([set], { ...options, limit: 3 })).sets[0]?.falls).toBe(3);
    expect((await evaluate([set], { ...options, placement: "wrist" })).sets[0]?.placement).toBe("wrist");
  });

  test("a broken trial is told of, and the rest goes on", async () => {
    const trial = { part: "belt", offset: 0, samples: 10, rateHz, subject: 1, activity: 2 };
    const set = await writeSet(
      [{ motion: fall, label: "fall" }],
      [
        { ...trial, id: "too-long", offset: 5000, label: "adl" },
        { ...trial, id: "odd-label", label: "dance" },
        { ...trial, id: "no-peak", label: "fall" },
        null,
      ],
    );
    const report = await evaluate([set], { classifier: judge(0.95) });
    expect(report.sets[0]).toMatchObject({ falls: 1, adls: 0 });
    const told = report.problems.map(({ where, why }) => `${where}: ${why}`).join("\n");
    for (const id of ["too-long", "odd-label", "no-peak", "number 5"]) expect(told).toContain(`trial ${id}`);
  });

  test("a folder that is no set is a clear error", async () => {
    await expect(evaluate([folder], { classifier: judge(1) })).rejects.toThrow("A recording set has a manifest.json");
  });
});

describe("the command", () => {
  test("prints JSON on stdout and nothing else there", async () => {
    const set = await writeSet([{ motion: fall, label: "fall" }]);
    const file = new URL("./command.ts", import.meta.url).href;
    const script = `const { evaluateCommand } = await import(${JSON.stringify(file)}); await evaluateCommand().parseAsync(process.argv.slice(1), { from: "user" });`;
    const args = ["--input-type=module", "-e", script, "--", set, "--backend", "wasm", "--json", "-"];
    const { stdout } = await run(process.execPath, args);
    const report = JSON.parse(stdout) as { model: { version: string }; sets: unknown[] };
    expect(report.model.version).toMatch(/\d/);
    expect(report.sets).toHaveLength(1);
  }, 30_000);

  test("helps with examples", () => {
    let help = "";
    const command = evaluateCommand().configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help).toContain("Examples:");
    expect(help).toContain("--subjects");
  });
});

describe("intervals", () => {
  test("agree with published ones", () => {
    // Wilson for 81 of 263 (Newcombe 1998) and Garwood for 5 events.
    expect(share(81, 263).low).toBeCloseTo(0.2553, 3);
    expect(share(81, 263).high).toBeCloseTo(0.3662, 3);
    expect(rate(5, 1).low).toBeCloseTo(1.6235, 3);
    expect(rate(5, 1).high).toBeCloseTo(11.6683, 3);
    expect(rate(0, 2)).toMatchObject({ value: 0, low: 0 });
    expect(rate(0, 2).high).toBeCloseTo(3.6889 / 2, 3);
    expect(share(0, 0).value).toBeNull();
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([], 0.5)).toBeNull();
  });
});

const recordings = process.env.FALLVAKT_RECORDINGS;

describe("people and devices the model never saw (FALLVAKT_RECORDINGS/umafall-sample)", () => {
  let classifier: Classifier;
  test.skipIf(!recordings && !process.env.CI)(
    "at least 29 of 35 falls at 20 Hz, at most 4 false alarms",
    async () => {
      if (!recordings) throw new Error("FALLVAKT_RECORDINGS is not set; in CI it must be");
      classifier = await loadClassifier({ backend: "wasm" });
      const { sets, problems } = await evaluate([join(recordings, "umafall-sample")], { classifier });
      classifier.dispose();
      expect(problems).toEqual([]);
      const falls = sets.flatMap(({ byActivity }) => byActivity).filter(({ label }) => label === "fall");
      expect(falls.reduce((sum, { trials }) => sum + trials, 0)).toBe(35);
      expect(falls.reduce((sum, { alarmed }) => sum + alarmed, 0)).toBeGreaterThanOrEqual(29);
      const wrong = sets.reduce((sum, { falseAlarmsPerHour, hours }) => sum + falseAlarmsPerHour.value! * hours, 0);
      expect(Math.round(wrong)).toBeLessThanOrEqual(4);
    },
    30_000,
  );
});
