import { describe, expect, test } from "vitest";
import type { Trial } from "../../firmware-contracts/recordings/format.ts";
import { standing } from "../synthetic-wearer.ts";
import { bootstrapOverPeople } from "./bootstrap.ts";
import { figuresOf } from "./figures.ts";
import { recorded } from "./made-up-set.ts";
import type { Alarm, Played } from "./play.ts";
import { resultOf } from "./report.ts";
import { endInSpan, judgeTrial, merged } from "./trials.ts";

/** An alarm 3 s after its impact. */
function alarm(impactS: number, detectedS = impactS + 3): Alarm {
  return { impactS, detectedS, conclusion: { strength: "strong", reason: "at-once" } as Alarm["conclusion"] };
}

function played(label: Trial["label"], alarms: Alarm[], more: Partial<Trial> = {}, judged: Played["judged"] = []) {
  return { recording: recorded(standing, label, more), rangeG: 8, alarms, judged };
}

describe("a fall is found", () => {
  const found = (at: number, more: Partial<Trial> = {}) => judgeTrial(played("fall", [alarm(at)], more)).found;

  test("where the impact lies within −2 s to +5 s of the labelled peak", () => {
    expect([8.29, 8.3, 15.3, 15.31].map((at) => found(at))).toEqual([false, true, true, false]);
  });

  test("where onset and end are labelled, within those margins of them, whatever the peak", () => {
    const more = { onsetS: 4, endS: 6, peakS: 20 };
    expect([1.9, 2, 11, 11.1].map((at) => found(at, more))).toEqual([false, true, true, false]);
  });

  test("further alarms, and those elsewhere, are false", () => {
    const result = judgeTrial(played("fall", [alarm(10), alarm(75), alarm(200)]));
    expect(result).toMatchObject({ found: true, falseAlarms: 2, latencyS: 3, strength: "strong" });
  });

  test("but not by an alarm that an earlier false one takes in", () => {
    expect(judgeTrial(played("fall", [alarm(1), alarm(10)]))).toMatchObject({ found: false, falseAlarms: 1 });
  });

  test("after a false alarm of long before", () => {
    const more = { peakS: 100, samples: 6000 };
    expect(judgeTrial(played("fall", [alarm(10), alarm(100)], more))).toMatchObject({ found: true, falseAlarms: 1 });
  });
});

test("alarms within 60 s of a first one count once; a row of them does not become one", () => {
  expect(merged([alarm(100), alarm(0), alarm(59), alarm(61)]).map(({ impactS }) => impactS)).toEqual([0, 61]);
  expect(judgeTrial(played("adl", [alarm(0), alarm(59), alarm(61)]))).toMatchObject({ found: false, falseAlarms: 2 });
});

test("suspected and confirmed are told apart", () => {
  const walked = { impactS: 10.3, score: 0.7, suspectedS: 13, outcome: "upright" as const };
  const low = { impactS: 12, score: 0.1, suspectedS: null, outcome: "below-threshold" as const };
  const elsewhere = { impactS: 25, score: 0.8, suspectedS: 28, outcome: "upright" as const };
  const dismissed = played("fall", [], {}, [low, walked, elsewhere]);
  expect(judgeTrial(dismissed)).toMatchObject({ found: false, suspected: true, latencyS: null, score: 0.8 });
  expect(judgeTrial(dismissed).suspectedAfterS).toBeCloseTo(2.7);
  expect(endInSpan(dismissed)).toBe("upright");
  expect(endInSpan(played("fall", [], {}, [elsewhere]))).toBe("no-gate");
  expect(judgeTrial(played("fall", [], {}, [elsewhere])).suspected).toBe(false);

  const told = { ...walked, outcome: "told" as const };
  const figures = figuresOf([dismissed, played("fall", [alarm(10.3, 32.3)], { id: "T1" }, [told])].map(resultOf));
  expect(figures.suspected.sensitivity.value).toBe(1);
  expect(figures.sensitivity.value).toBe(0.5);
  // Both are of one person: that two trials differ tells nothing of people.
  expect(figures.sensitivity.overPeople).toBeNull();
  expect(figures.suspected.latencySeconds.p99).toBeCloseTo(2.7);
  for (const seconds of Object.values(figures.latencySeconds)) expect(seconds).toBeCloseTo(22);
});

describe("bootstrap over people", () => {
  test("is wider than the trials alone would be where people differ, and the same each time", () => {
    const people = Array.from({ length: 10 }, (_, i) => ({ hits: i < 5 ? 20 : 10, of: 20 }));
    const range = bootstrapOverPeople(people)!;
    // Of 10 people, 5 at 1 and 5 at ½, the mean has a standard deviation of 0.25 / √10 = 0.079.
    expect(range.low).toBeGreaterThan(0.75 - 2.4 * 0.079);
    expect(range.low).toBeLessThan(0.75 - 1.5 * 0.079);
    expect(range.high).toBeGreaterThan(0.75 + 1.5 * 0.079);
    expect(range.high).toBeLessThan(0.75 + 2.4 * 0.079);
    expect(bootstrapOverPeople(people)).toEqual(range);
  });

  test("needs two people", () => {
    expect(bootstrapOverPeople([{ hits: 3, of: 4 }])).toBeNull();
    expect(
      bootstrapOverPeople([
        { hits: 3, of: 4 },
        { hits: 0, of: 0 },
      ]),
    ).toBeNull();
  });
});
