import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DetectorCommand, type DetectorInput, openDetector, step } from "../detector.ts";
import { decisionMs, type LookBack, lookBack } from "../look-back.ts";
import { modelInput } from "../model-input.ts";
import { rangeClassOf } from "../operating-points.ts";
import { impact, lying, type Motion, points, standing, switching, walking } from "../synthetic-wearer.ts";
import { windowOf } from "../window.ts";
import { joinMs, type Redecided, redecide, type Scored, without } from "./redecide.ts";

const own = points(0.5, 0.9);
const start = 1_700_000_000_000;

interface Lived {
  rows: Scored[];
  told: { at: number; strength: string }[];
}

/** Lives `seconds` of a motion through the detector at a threshold, and keeps its candidates as a gateway does. */
function live(motion: Motion, seconds: number, scoreOf: (impactS: number) => number, threshold?: number): Lived {
  let state = openDetector({ placement: "waist", operatingPoints: own, threshold });
  let now = start;
  let wakeAt = Number.POSITIVE_INFINITY;
  const rows: Scored[] = [];
  const told: Lived["told"] = [];
  const open: { row: Scored; look: LookBack }[] = [];

  function feed(input: DetectorInput): void {
    const [next, commands] = step(state, input, now);
    state = next;
    for (const command of commands) carryOut(command);
  }
  function carryOut(command: DetectorCommand): void {
    if (command.kind === "wake") wakeAt = command.at;
    if (command.kind === "detect") {
      // By its candidate: what it tells as the impact may be a harder hit that came after.
      const { at } = rows.find(({ id }) => id === command.candidateId)!;
      told.push({ at, strength: command.conclusion.strength });
    }
    if (command.kind !== "classify") return;
    const { candidateId: id, impactAt: at, input } = command;
    const score = scoreOf((at - start) / 1000);
    const look = lookBack(state, id)!;
    expect(look).toMatchObject({ impactAt: at, rangeG: 8, medium: threshold ?? 0.5 });
    expect(modelInput(windowOf(look.window()))).toEqual(input);
    const rangeClass = rangeClassOf(look.rangeG);
    const row: Scored = { id, at, lane: look.lane, score, rangeClass, afterwards: null, cancelled: false };
    rows.push(row);
    open.push({ row, look });
    feed({ kind: "scored", candidateId: id, score });
  }

  for (let second = 0; second < seconds; second++) {
    const samples = new Int16Array(150);
    for (let i = 0; i < 50; i++) {
      motion(second + i / 50).forEach((g, axis) => {
        samples[i * 3 + axis] = Math.round(Math.max(-8, Math.min(8, g)) * 1000);
      });
    }
    now = start + second * 1000 + 980;
    const frame = {
      bootId: 1,
      sequence: second,
      deviceTimeMs: second * 1000,
      ageMs: 0,
      rateHz: 50,
      rangeG: 8,
      samples,
    };
    feed({ kind: "frame", frame: { ...frame, arrivedAt: now } });
    for (const { row, look } of open) {
      if (row.afterwards === null && now > row.at + decisionMs + 7000) row.afterwards = look.afterwards(state, false);
    }
  }
  for (let i = 0; i < 100 && Number.isFinite(wakeAt); i++) {
    now = Math.max(now, wakeAt);
    wakeAt = Number.POSITIVE_INFINITY;
    feed({ kind: "tick" });
  }
  now += 60_000;
  for (const { row, look } of open) row.afterwards ??= look.afterwards(state, true);
  return { rows, told };
}

interface Act {
  after: number;
  score: number;
  next: "still" | "walks" | "lies";
}

const motions = { still: standing, walks: walking, lies: lying };
const act: fc.Arbitrary<Act> = fc.record({
  after: fc.integer({ min: 3, max: 90 }),
  score: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  next: fc.constantFrom("still", "walks", "lies"),
});

/** Impacts one after another, each with a score of its own and something the wearer does after it. */
function story(acts: readonly Act[]) {
  let motion: Motion = standing;
  let t = 10.3;
  const scores: { at: number; score: number }[] = [];
  for (const { after, score, next } of acts) {
    motion = impact(t, 4, motion, switching(t, motion, motions[next]));
    scores.push({ at: t, score });
    t += after;
  }
  const scoreOf = (impactS: number) => {
    const nearest = scores.toSorted((a, b) => Math.abs(a.at - impactS) - Math.abs(b.at - impactS))[0]!;
    // Changes of posture are candidates too, of a score of their own.
    return Math.abs(nearest.at - impactS) < 0.1 ? nearest.score : nearest.score / 3;
  };
  return { motion, seconds: Math.ceil(t + 30), scoreOf };
}

const times = (list: readonly Redecided<Scored>[]) => list.map(({ candidate }) => candidate.at);

describe("candidates that were kept are decided as the detector decides them", () => {
  test("at the threshold that was in force: the same alarms, strengths and all", () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 6 }), (acts) => {
        const { motion, seconds, scoreOf } = story(acts);
        const lived = live(motion, seconds, scoreOf);
        const again = redecide(lived.rows, own.waist, null);
        expect(again.map(({ candidate: { at }, strength }) => ({ at, strength }))).toEqual(lived.told);
        expect(again.every(({ sure }) => sure)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("at a lower one: what it would have told of them is there, and what is told for certain it would have", () => {
    const lower = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 6 }), lower, lower, (acts, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const { motion, seconds, scoreOf } = story(acts);
        const lived = live(motion, seconds, scoreOf, high);
        const truth = live(motion, seconds, scoreOf, low);
        const again = redecide(lived.rows, own.waist, low);
        const isNear = (at: number, list: number[]) => list.some((other) => Math.abs(other - at) < joinMs);
        const toldThen = truth.told.map(({ at }) => at);
        // One of the minute of an alarm that was told was never scored.
        const scored = new Set(lived.rows.map(({ at }) => at));
        for (const at of toldThen) if (scored.has(at)) expect(isNear(at, times(again))).toBe(true);
        for (const { candidate, sure } of again) if (sure) expect(isNear(candidate.at, toldThen)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  test("at a higher one: an alarm that stays was one, and those that score less are gone", () => {
    const part = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 6 }), part, part, (acts, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const { motion, seconds, scoreOf } = story(acts);
        const { rows } = live(motion, seconds, scoreOf, low);
        const truth = live(motion, seconds, scoreOf, high);
        const scored = new Set(rows.map(({ at }) => at));
        const again = redecide(rows, own.waist, high);
        expect(again.every(({ candidate }) => candidate.score >= high)).toBe(true);
        for (const { at } of truth.told) {
          if (scored.has(at)) expect(times(again).some((other) => Math.abs(other - at) < joinMs)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

const at = (seconds: number, score: number, more: Partial<Scored> = {}): Scored => ({
  id: `${seconds}`,
  at: seconds * 1000,
  lane: "impact",
  score,
  rangeClass: "wide",
  afterwards: "stayed",
  cancelled: false,
  ...more,
});

test("what nobody saw the aftermath of is at most an alarm; another of its minute may make it one for certain", () => {
  const unseen = at(0, 0.6, { afterwards: null });
  expect(redecide([unseen], own.waist, null)).toEqual([{ candidate: unseen, strength: "medium", sure: false }]);
  expect(redecide([unseen, at(30, 0.55)], own.waist, null)).toEqual([
    { candidate: unseen, strength: "medium", sure: true },
  ]);
});

test("a cancelled one stays cancelled unless it would be told at once; a soft fall is never told at once", () => {
  expect(redecide([at(0, 0.6, { cancelled: true })], own.waist, null)).toEqual([]);
  expect(redecide([at(0, 0.95, { cancelled: true })], own.waist, null)).toHaveLength(1);
  const [soft] = redecide([at(0, 0.95, { lane: "soft" })], own.waist, null);
  expect(soft?.strength).toBe("medium");
  expect(redecide([at(0, 0.95, { lane: "soft", afterwards: "not-lying" })], own.waist, null)).toEqual([]);
});

test("a fall that a lost frame may hide is told by a score well above strong, and never at once", () => {
  const hidden = (score: number) => redecide([at(0, score, { lane: "hidden" })], own.waist, 0.3);
  expect(hidden(0.93)).toEqual([]);
  expect(hidden(0.97)).toMatchObject([{ strength: "medium" }]);
});

test("an alarm that only moves within its minute is neither lost nor gained", () => {
  const now = redecide([at(0, 0.55), at(40, 0.7)], own.waist, null);
  const proposed = redecide([at(0, 0.55), at(40, 0.7)], own.waist, 0.6);
  expect([times(now), times(proposed)]).toEqual([[0], [40_000]]);
  expect([without(now, proposed), without(proposed, now)]).toEqual([[], []]);
  const far = redecide([at(0, 0.55), at(70, 0.7)], own.waist, null);
  expect(times(without(far, redecide([at(0, 0.55), at(70, 0.7)], own.waist, 0.6)))).toEqual([0]);
});
