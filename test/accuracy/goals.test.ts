import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { reportFully } from "../../detector/evaluation/report.ts";
import type { RobustnessRow } from "../../detector/evaluation/robustness.ts";
import type { TrialResult } from "../../detector/evaluation/trials.ts";
import type { LeftOutReport } from "../../detector/training/left-out.ts";
import type { DetectorResult } from "../bench/detector-measure.ts";
import { accuracyRows, costRows, type Row, verdictOf } from "./goals.ts";
import { goalsTable } from "./goals-table.ts";

const run = promisify(execFile);

function trial(id: string, label: "fall" | "adl", alarmed: boolean, seconds = 36, ageGroup = "young"): TrialResult {
  const isFound = label === "fall" && alarmed;
  return {
    ...{
      id,
      subject: `S${id}`,
      ageGroup,
      activity: "a",
      name: null,
      label,
      seconds,
      found: isFound,
      suspected: isFound,
    },
    ...{ falseAlarms: label === "adl" && alarmed ? 1 : 0, latencyS: isFound ? 3 : null },
    ...{ suspectedAfterS: isFound ? 3 : null, strength: isFound ? "strong" : null, score: alarmed ? 0.9 : 0.1 },
  };
}

/** So many of 100 falls found and of 200 activities quiet; the first 50 are older people's. */
function part(dataset: string, name: string, found: number, quiet: number) {
  const falls = Array.from({ length: 100 }, (_, i) => trial(`f${i}`, "fall", i < found));
  const adls = Array.from({ length: 200 }, (_, i) => trial(`a${i}`, "adl", i >= quiet, 36, i < 50 ? "elder" : "young"));
  return reportFully({ dataset, part: name, placement: "wrist" }, [...falls, ...adls]);
}

const robust = (name: string, change: number | null): RobustnessRow => ({
  ...{ dataset: "weda-fall", part: "wrist", placement: "wrist", kind: "loss", value: 5, name, skipped: null },
  sameSpecificity: { threshold: 0.5, sensitivity: 0.9, specificity: 0.9, change },
});

const seated = reportFully({ dataset: "stress-predict", part: "wrist", placement: "wrist" }, [
  trial("a", "adl", true, 36_000),
  trial("b", "adl", true, 30_960),
]);
const people: LeftOutReport = {
  tells: "people left out",
  sets: [part("weda-fall", "wrist", 99, 193), seated],
  robustness: [
    robust("5 % of frames lost", -0.02),
    robust("25 Hz", 0.01),
    robust("±2 g", -0.06),
    robust("turned, 1 of 1", null),
    robust("20 Hz", -0.5),
  ],
};
const sets: LeftOutReport = { tells: "sets", sets: [part("weda-fall", "wrist", 59, 196)], robustness: [] };
const rows = accuracyRows(people, sets);
const row = (group: string, what: string): Row => {
  const found = rows.filter((one) => one.group.startsWith(group) && one.what.includes(what));
  expect(found, `${group}, ${what}`).toHaveLength(1);
  return found[0]!;
};
const verdict = (group: string, what: string) => verdictOf(row(group, what));

describe("goals", () => {
  test("each figure is held against its own goal and must", () => {
    expect(verdict("people left out", "weda-fall/wrist, sensitivity")).toBe("goal");
    expect(verdict("people left out", "weda-fall/wrist, specificity")).toBe("must");
    expect(verdict("set left out", "weda-fall/wrist, sensitivity")).toBe("missed");
    expect(verdict("set left out", "weda-fall/wrist, specificity")).toBe("goal");
    expect(verdict("older people", "weda-fall/wrist")).toBe("goal");
  });

  test("falls that were told elsewhere in their trial are shown beside those found, with nothing asked of them", () => {
    const own = part("smartfallmm", "meta_wrist", 80, 199);
    const early = own.trials.map((one) =>
      one.label === "fall" && !one.found && one.id < "f9" ? { ...one, falseAlarms: 1 } : one,
    );
    const told = accuracyRows({ ...people, sets: [{ ...own, trials: early }] }, sets);
    const [row, ...others] = told.filter(({ what }) => what.includes("anywhere"));
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      what: "smartfallmm/meta_wrist, falls with an alarm anywhere in their trial",
      value: 0.9,
    });
    expect(verdictOf(row!)).toBe("told");
    expect(rows.some(({ what }) => what.includes("anywhere"))).toBe(false);
  });

  test("seated alarms count each, and a resident-week is of daily life, scripted and seated apart", () => {
    expect(row("seated hours", "in 18.6 h")).toMatchObject({ value: 2 });
    expect(verdict("seated hours", "in 18.6 h")).toBe("missed");
    // 2 alarms in 18.6 h, and 7 in 200 times 36 s: falls' trials do not count.
    expect(row("false alarms a resident-week", "wrist, seated: 2 in 18.6 h").value).toBeCloseTo((2 / 18.6) * 112, 6);
    expect(row("false alarms a resident-week", "wrist, scripted: 7 in 2.0 h").value).toBeCloseTo(7 * 56, 6);
    expect(verdict("false alarms a resident-week", "wrist, seated")).toBe("told");
  });

  test("what is lost where daily life is as quiet counts; a gain is no loss, and what was not measured is not reached", () => {
    expect(verdict("made worse", "5 % of frames lost")).toBe("must");
    expect(verdict("made worse", "25 Hz")).toBe("goal");
    expect(verdict("made worse", "±2 g")).toBe("missed");
    expect(verdict("made worse", "turned")).toBe("not measured");
    expect(rows.filter(({ what }) => what.includes("20 Hz"))).toEqual([]);
  });

  test("cost: the kernel one by one, and the devices' share at rest and at daily life's rate", () => {
    const bench = {
      ...{ quiet: { loop: 2, one: 30, all: 120 }, settings: { devices: 10_000 } },
      classifiers: [
        { name: "kernel", batch: 1, us: 61 },
        { name: "kernel", batch: 64, us: 10 },
        { name: "wasm", batch: 1, us: 240 },
      ],
      shares: [
        { asked: 0, share: 0.02 },
        { asked: 107, share: 0.9 },
        { asked: 1000, share: 0.6 },
      ],
    } as unknown as DetectorResult;
    expect(costRows(bench).map((one) => [one.value, verdictOf(one)])).toEqual([
      [120, "must"],
      [61, "must"],
      [0.02, "goal"],
      [0.9, "told"],
      [0.6, "missed"],
    ]);
  });

  test("the table tells each figure with its interval, and counts what is reached", () => {
    const table = goalsTable(rows);
    expect(table).toMatch(/weda-fall\/wrist, sensitivity +99\.0 \(94\.6–99\.8\) % +98\.5 +97\.0 +goal/);
    expect(table).toMatch(/weda-fall\/wrist, ±2 g +6\.0 points +2\.0 +5\.0 +MISSED/);
    const asked = rows.filter(({ aim }) => aim).length;
    expect(table).toContain(`${asked} figures with a goal: 4 reach it, 2 what must be, 3 miss both, 1 not measured.`);
  });
});

describe("the command", () => {
  const script = fileURLToPath(new URL("./evaluate-all.ts", import.meta.url));

  test("helps, and says what is missing", async () => {
    const { stdout } = await run(process.execPath, [script, "--help"]);
    expect(stdout).toContain("npm run -s evaluate:all");
    const { FALLVAKT_RECORDINGS: _, ...env } = process.env;
    await expect(run(process.execPath, [script], { env })).rejects.toThrow("FALLVAKT_RECORDINGS is not set");
  });
});
