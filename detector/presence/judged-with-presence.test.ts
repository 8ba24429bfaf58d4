import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { impact, lying, type Stage, stage, standing, storyStart, walking } from "../synthetic-wearer.ts";
import { type FusionState, openFusion, takePresence } from "./fusion.ts";
import type { PresenceSeen } from "./roster.ts";

// What the detector makes of presence: the model's points are 0.5 and 0.9 here, so that 0.4 may be lifted and 0.6 may be doubted.

const second = 1000;
const impactS = 10.3;
const fall = impact(impactS, 4, standing, lying);
const at = (s: number) => storyStart + Math.round(s * second);

type Said = Pick<PresenceSeen, "deviceId" | "sensor" | "state" | "at"> & Partial<PresenceSeen>;
const rooms: Record<string, string> = { hall: "hall", kitchen: "kitchen", bed: "bedroom", radar: "bathroom" };
const motion = (deviceId: "hall" | "kitchen", s: number, state: "on" | "off" = "on"): Said => ({
  ...{ deviceId, sensor: "motion", state, at: at(s) },
});
const radar = (s: number, atFloor: boolean): Said => ({
  ...{ deviceId: "radar", sensor: "radar", state: "on", at: at(s), atFloor },
});
const bed = (s: number): Said => ({ deviceId: "bed", sensor: "bed", state: "on", at: at(s) });

/** A dwelling whose sensors have all spoken twice before the story, and what they tell in it: as of any time, as a gateway would have it then. */
function dwelling(told: readonly Said[], livesAlone = true): NonNullable<Stage["presence"]> {
  const kinds = { hall: "motion", kitchen: "motion", bed: "bed", radar: "radar" } as const;
  const before = [-4000, -2000].flatMap((s) =>
    Object.entries(kinds).map(([deviceId, sensor]) => ({
      ...{ deviceId, sensor, state: sensor === "radar" ? ("on" as const) : ("off" as const), at: at(s) },
    })),
  );
  const reports = [...before, ...told].map((one, seq) => ({ boot: 1, seq, room: rooms[one.deviceId], ...one }));
  let state: FusionState = openFusion({ livesAlone });
  let heard = 0;
  return (now) => {
    for (; heard < reports.length && reports[heard]!.at <= now; heard++) {
      state = takePresence(state, reports[heard]!, now);
    }
    return state;
  };
}

/** What becomes of a fall with this score. */
function outcome(score: number, presence?: Stage["presence"], more: Partial<Stage> = {}) {
  const story = stage({ score: () => score, ...(presence ? { presence } : {}), ...more });
  story.send(fall, 60);
  return { told: story.of("detect")[0], dismissed: story.of("dismissed")[0], story };
}

const lifting = () => dwelling([radar(impactS + 4, true)]);
const doubting = () => dwelling([motion("hall", 14), motion("kitchen", 20)]);

describe("a score that asks for nothing by itself", () => {
  test("is told as medium where somebody lies still at floor height, with what was seen; without presence it is let pass at once", () => {
    const { told } = outcome(0.4, lifting());
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "still", isLifted: true });
    expect(told?.at).toBeGreaterThan(impactS + 21);
    const { presence, score } = told!.conclusion.evidence;
    expect(score).toBe(0.4);
    expect(presence?.items).toMatchObject([{ what: "still-at-floor", since: at(impactS + 4), rooms: ["bathroom"] }]);
    const without = outcome(0.4);
    expect(without.told).toBeUndefined();
    expect(without.dismissed).toMatchObject({ why: "below-threshold" });
    expect(without.dismissed?.at).toBeLessThan(impactS + 10);
  });

  test("is awaited only as far as presence may weigh, and let pass where nothing lifts it", () => {
    const low = outcome(0.3, lifting());
    expect(low.told).toBeUndefined();
    expect(low.dismissed?.at).toBeLessThan(impactS + 10);
    const nothing = outcome(0.4, dwelling([]));
    expect(nothing.told).toBeUndefined();
    expect(nothing.dismissed).toMatchObject({ why: "below-threshold" });
    expect(nothing.story.undecided()).toBe(false);
  });

  test("is let pass where its wearer walks, whatever a radar says of the floor", () => {
    const story = stage({ score: () => 0.4, presence: lifting() });
    story.send(impact(impactS, 4, standing, walking), 60);
    expect(story.of("detect")).toEqual([]);
    expect(story.of("dismissed")[0]?.why).toBe("upright");
  });

  test("is lifted after a silence too, and let pass in one where nothing speaks for it", () => {
    const silent = (presence: Stage["presence"]) => {
      const story = stage({ score: () => 0.4, ...(presence ? { presence } : {}) });
      story.send(fall, 12);
      story.wait(120);
      expect(story.undecided()).toBe(false);
      return story.of("detect").map(({ conclusion }) => conclusion.reason);
    };
    expect(silent(lifting())).toEqual(["silent"]);
    expect(silent(dwelling([]))).toEqual([]);
    expect(silent(undefined)).toEqual([]);
  });

  test("presence that is gone when it is decided lifts nothing", () => {
    const until = lifting();
    const { told, dismissed, story } = outcome(0.4, (now) => (now < at(impactS + 12) ? until(now) : null));
    expect(told).toBeUndefined();
    expect(dismissed).toMatchObject({ why: "below-threshold" });
    expect(story.undecided()).toBe(false);
  });
});

describe("a score that asks to await the aftermath", () => {
  test("is let pass where two rooms in turn have seen somebody since; without presence it is told", () => {
    expect(outcome(0.6).told?.conclusion).toMatchObject({ strength: "medium", isLifted: false });
    expect(outcome(0.6).told?.conclusion.evidence.presence).toBeUndefined();
    const { told, dismissed } = outcome(0.6, doubting());
    expect(told).toBeUndefined();
    expect(dismissed).toMatchObject({ why: "presence" });
  });

  test("is told with what spoke against it where that is not enough, or where others live there", () => {
    const { told } = outcome(0.65, dwelling([bed(15)]));
    expect(told?.conclusion.evidence.presence?.items).toMatchObject([{ what: "bed-occupied" }]);
    expect(outcome(0.6, dwelling([motion("hall", 14), motion("kitchen", 20)], false)).told).toBeDefined();
  });

  test("a classifier that failed is not outvoted", () => {
    const { told } = outcome(Number.NaN, doubting());
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "still" });
  });

  test("of two within a minute the likeliest that presence bears out is told", () => {
    // Down on the floor between the two: for the first alone.
    const scores = [0.42, 0.45];
    const story = stage({ score: () => scores.shift() ?? 0.6, presence: dwelling([radar(impactS + 2, true)], false) });
    story.send(impact(impactS + 8, 4, fall, lying), 60);
    expect(story.of("detect").map(({ conclusion }) => conclusion.evidence.score)).toEqual([0.42]);
  });

  test("of two within a minute one that presence doubts is let pass, and the other is told", () => {
    // In bed between the two: against the first alone.
    const scores = [0.55, 0.6];
    const story = stage({ score: () => scores.shift() ?? 0.6, presence: dwelling([bed(impactS + 4)]) });
    story.send(impact(impactS + 8, 4, fall, lying), 60);
    expect(story.of("dismissed").map(({ why }) => why)).toEqual(["presence"]);
    expect(story.of("detect").map(({ conclusion }) => conclusion.evidence.score)).toEqual([0.6]);
  });
});

test("strong evidence is told at once whatever presence says, and none is made strong", () => {
  const walksOff = dwelling([motion("hall", 10.5), motion("kitchen", 15)]);
  const { told } = outcome(0.91, walksOff);
  expect(told?.conclusion).toMatchObject({ strength: "strong", reason: "at-once" });
  expect(told?.at).toBeLessThan(impactS + 10);
  expect(outcome(0.89, lifting()).told?.conclusion.strength).toBe("medium");
});

test("a dwelling whose sensors say nothing decides as if there were none, whatever the score", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (score) => {
      const [bare, quiet] = [outcome(score), outcome(score, dwelling([]))];
      const shown = ({ told, dismissed }: typeof bare) => ({
        told: told && { ...told, conclusion: { ...told.conclusion, evidence: told.conclusion.evidence.peakG } },
        why: dismissed?.why,
      });
      expect(shown(quiet)).toEqual(shown(bare));
    }),
    { numRuns: 40 },
  );
});
