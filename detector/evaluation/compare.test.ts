import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { impact, lying, standing } from "../synthetic-wearer.ts";
import { compare, comparisonText, readEarlier } from "./compare.ts";
import { type EvaluationReport, evaluate } from "./evaluate.ts";
import { judge, writeSet } from "./made-up-set.ts";
import { toJson } from "./report-json.ts";

let folder: string;
let all: EvaluationReport;
let none: EvaluationReport;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
  const set = await writeSet(folder, [
    { motion: impact(10.3, 4, standing, lying), label: "fall" },
    { motion: impact(10.3, 3, standing, standing), label: "adl" },
    { motion: standing, label: "adl" },
  ]);
  all = await evaluate([set], { classifier: judge(0.95) });
  none = await evaluate([set], { classifier: { ...judge(0.1), modelVersion: "other" } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function kept(report: unknown): Promise<string> {
  const path = join(await mkdtemp(join(folder, "report-")), "report.json");
  await writeFile(path, toJson(report));
  return path;
}

describe("JSON of a report", () => {
  test("holds all of it, a trial a line", () => {
    const json = toJson(all);
    const rounded = JSON.parse(JSON.stringify(all), (_, value) =>
      typeof value === "number" ? Number(value.toFixed(6)) : value,
    );
    expect(JSON.parse(json)).toEqual(rounded);
    expect(json.split("\n").filter((line) => /"id": "T\d"/.test(line))).toHaveLength(3);
    expect(toJson({ a: [], b: {}, c: undefined, d: [[1.00000049, null], "x"] })).toBe(
      '{\n  "a": [],\n  "b": {},\n  "d": [\n    [1, null],\n    "x"\n  ]\n}',
    );
  });
});

describe("compared with an earlier report", () => {
  test("falls and false alarms are told by trial, in both directions", async () => {
    const worse = compare(await readEarlier(await kept(all)), none);
    expect(worse).toMatchObject({ modelThen: "test", modelNow: "other", onlyNow: [], onlyThen: [] });
    expect(worse.sets[0]).toMatchObject({ sensitivityChange: -1, specificityChange: 0.5, note: null });
    expect(worse.sets[0]?.trials).toMatchObject({
      fallsLost: ["T0"],
      fallsGained: [],
      falseAlarmsGained: [],
      falseAlarmsLost: ["T1"],
    });
    const better = compare(await readEarlier(await kept(none)), all);
    expect(better.sets[0]?.trials).toMatchObject({ fallsGained: ["T0"], falseAlarmsGained: ["T1"] });
    expect(comparisonText(better)).toContain("made-up/belt: falls gained: T0");
    expect(comparisonText(better)).toContain("+100.0");
    const same = compare(await readEarlier(await kept(all)), all);
    expect(same.sets[0]).toMatchObject({ sensitivityChange: 0, specificityChange: 0 });
    expect(Object.values(same.sets[0]!.trials!).flat().filter(Boolean)).toEqual([]);
  });

  test("one of before trials were kept: its figures alone, and it is said", async () => {
    const old = { ...all, sets: all.sets.map(({ trials: _, byAgeGroup: __, suspected: ___, ...set }) => set) };
    const told = compare(await readEarlier(await kept(old)), none);
    expect(told.sets[0]).toMatchObject({ sensitivityChange: -1, trials: null });
    expect(comparisonText(told)).toContain("the earlier report has no trials");
  });

  test("other trials, and sets of one report only, are said", async () => {
    const fewer = { ...all, sets: [{ ...all.sets[0]!, falls: 0, trials: all.sets[0]!.trials.slice(1) }] };
    const told = compare(await readEarlier(await kept(fewer)), all);
    expect(told.sets[0]?.note).toContain("other trials: 0 falls and 2 of daily life then, 1 and 2 now");
    expect(told.sets[0]?.trials).toMatchObject({ onlyNow: 1, onlyThen: 0 });
    const renamed = { ...all, sets: [{ ...all.sets[0]!, part: "other" }] };
    expect(compare(await readEarlier(await kept(renamed)), all)).toMatchObject({
      sets: [],
      onlyThen: ["made-up/other"],
      onlyNow: ["made-up/belt"],
    });
  });

  test("a file that is no report is a clear error", async () => {
    await expect(readEarlier(await kept({ sets: [] }))).rejects.toThrow(
      /report\.json: model: .*fallvakt evaluate wrote/,
    );
    await expect(readEarlier(join(folder, "missing.json"))).rejects.toThrow("ENOENT");
    await writeFile(join(folder, "text.json"), "model 1");
    await expect(readEarlier(join(folder, "text.json"))).rejects.toThrow("--compare takes a report");
  });
});
