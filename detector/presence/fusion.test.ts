import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FusionState,
  mayBeLifted,
  openFusion,
  presenceEvidence,
  shiftCap,
  shiftedScore,
  strengthWith,
  takePresence,
} from "./fusion.ts";
import { dayMs, firstDay, report, type Sensor } from "./made-up-home.ts";
import { maxSensors, type PresenceSeen } from "./roster.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** When the wearable's impact was. */
const impact = firstDay + 12 * hour;
const sensors: readonly Sensor[] = ["hall", "kitchen", "bathroom", "bed"];

/** A home whose sensors have all spoken twice within the last hour, and then what is told. */
function home(reports: readonly PresenceSeen[], livesAlone = true): FusionState {
  const before = [impact - 80 * minute, impact - 40 * minute].flatMap((at) =>
    sensors.map((sensor) => report(sensor, "off", at)),
  );
  return [...before, ...reports].reduce((state, one) => takePresence(state, one, one.at), openFusion({ livesAlone }));
}
const said = (state: FusionState, now: number) => presenceEvidence(state, impact, now);
const kinds = (state: FusionState, now: number) => said(state, now).items.map(({ what }) => what);

describe("for a fall", () => {
  test("still at floor height, where a sensor tells it: by itself as much as presence may weigh", () => {
    const radar = (state: "on" | "off", at: number, more: Partial<PresenceSeen> = {}) =>
      report("bathroom", state, at, { deviceId: "radar", sensor: "radar", ...more });
    const quiet = [radar("on", impact - 70 * minute), radar("on", impact - 20 * minute)];
    const state = home([...quiet, radar("on", impact + 5 * second, { atFloor: true })]);
    const { shift, items } = said(state, impact + 22 * second);
    expect(items).toEqual([{ what: "still-at-floor", since: impact + 5 * second, weight: shift, rooms: ["bathroom"] }]);
    expect(shift).toBeGreaterThan(0.68);
    expect(shift).toBeLessThanOrEqual(shiftCap);
    // Before the impact it says nothing of it.
    expect(kinds(home([...quiet, radar("on", impact - minute, { atFloor: true })]), impact + 22 * second)).toEqual([]);
    // And up again.
    expect(
      kinds(
        home([
          ...quiet,
          radar("on", impact + 5 * second, { atFloor: true }),
          radar("on", impact + 15 * second, { atFloor: false }),
        ]),
        impact + 22 * second,
      ),
    ).toEqual([]);
  });

  test("the same room with no transit: in full after 60 s, a third of it when medium evidence is decided", () => {
    const state = home([report("kitchen", "on", impact - 30 * second)]);
    const early = said(state, impact + 22 * second);
    const full = said(state, impact + 60 * second);
    expect(full.items).toMatchObject([{ what: "same-room", since: impact - 30 * second, rooms: ["kitchen"] }]);
    expect(full.shift).toBeGreaterThan(0.26);
    expect(full.shift).toBeLessThanOrEqual(0.3);
    expect(early.shift).toBeGreaterThan(0.09);
    expect(early.shift).toBeLessThan(0.12);
  });

  test("no transit is nothing where it was not seen: last seen long ago, elsewhere since, or a room unwatched", () => {
    const at = impact + 60 * second;
    expect(kinds(home([report("kitchen", "on", impact - 35 * minute)]), at)).toEqual([]);
    expect(
      kinds(home([report("kitchen", "on", impact - minute), report("hall", "on", impact + 20 * second)]), at),
    ).toEqual([]);
    const restarted = report("hall", "off", impact - second, { boot: 2, seq: 0 });
    expect(kinds(home([report("kitchen", "on", impact - minute), restarted]), at)).toEqual([]);
    // A bed does not see who passes.
    expect(kinds(home([report("bed", "on", impact - minute)]), at)).toEqual([]);
  });
});

describe("against a fall", () => {
  test("a bed that was taken after the impact", () => {
    const { shift, items } = said(home([report("bed", "on", impact + 10 * second)]), impact + 22 * second);
    expect(items).toMatchObject([{ what: "bed-occupied", since: impact + 10 * second, rooms: ["bedroom"] }]);
    expect(shift).toBeLessThan(-0.48);
    expect(shift).toBeGreaterThanOrEqual(-0.5);
  });

  test("a bed taken since before says nothing: it may not have noticed a fall out of it; told again a minute later it does", () => {
    const before = report("bed", "on", impact - hour / 2);
    expect(kinds(home([before]), impact + 22 * second)).toEqual([]);
    expect(kinds(home([before, report("bed", "on", impact + 20 * second)]), impact + 22 * second)).toEqual([]);
    expect(kinds(home([before, report("bed", "on", impact + 70 * second)]), impact + 80 * second)).toEqual([
      "bed-occupied",
    ]);
    expect(
      kinds(
        home([report("bed", "on", impact + 5 * second), report("bed", "off", impact + 9 * second)]),
        impact + 22 * second,
      ),
    ).toEqual([]);
  });

  test("two rooms in turn after the impact", () => {
    const walk = [report("kitchen", "on", impact + 6 * second), report("hall", "on", impact + 14 * second)];
    const { shift, items } = said(home(walk), impact + 22 * second);
    expect(items).toMatchObject([{ what: "two-rooms", rooms: ["kitchen", "hall"] }]);
    expect(shift).toBeLessThan(-0.68);
    expect(shift).toBeGreaterThanOrEqual(-shiftCap);
  });

  test("no turn: the first before the impact, both at once, the same room again, or a motion sensor's end", () => {
    const at = impact + 22 * second;
    const two = (first: PresenceSeen, then: PresenceSeen) => kinds(home([first, then]), at);
    const hall = report("hall", "on", impact + 14 * second);
    expect(two(report("kitchen", "on", impact - 10 * second), hall)).toEqual([]);
    expect(two(report("kitchen", "on", impact + 13 * second), hall)).toEqual([]);
    expect(
      kinds(home([report("hall", "on", impact + 5 * second), report("hall", "off", impact + 9 * second), hall]), at),
    ).toEqual([]);
    const busy = [report("kitchen", "on", impact - 10 * second), report("hall", "on", impact - 5 * second)];
    const ends = [report("kitchen", "off", impact + 6 * second), report("hall", "off", impact + 14 * second)];
    expect(kinds(home([...busy, ...ends]), at)).not.toContain("two-rooms");
  });

  test("where more than one lives, it may be the other", () => {
    const walk = [report("kitchen", "on", impact + 6 * second), report("hall", "on", impact + 14 * second)];
    const state = home([...walk, report("bed", "on", impact + 18 * second)], false);
    expect(said(state, impact + 22 * second)).toMatchObject({ shift: 0, items: [] });
  });
});

describe("nothing", () => {
  test("of a sensor that is stale, and that is told", () => {
    const state = home([report("bed", "on", impact + 10 * second)]);
    const { shift, unheard } = said(state, impact + 80 * minute);
    expect(shift).toBe(0);
    expect(unheard).toContainEqual({ deviceId: "bed", why: "stale" });
  });

  test("of a sensor that has just restarted: the power failed, and the bed begins with `on`", () => {
    const state = home([report("bed", "on", impact + 10 * second, { boot: 2, seq: 0 })]);
    expect(said(state, impact + 22 * second)).toMatchObject({
      shift: 0,
      unheard: [{ deviceId: "bed", why: "restarted" }],
    });
    // Nor when it repeats itself: it was not seen to be taken.
    takePresence(state, report("bed", "on", impact + 15 * second, { boot: 2, seq: 1 }), impact + 15 * second);
    expect(said(state, impact + 22 * second)).toMatchObject({ shift: 0, unheard: [] });
  });

  test("of a sensor that is stuck", () => {
    const state = home([]);
    const bed = state.roster.sensors.find(({ deviceId }) => deviceId === "bed")!;
    takePresence(state, report("bed", "on", impact + 10 * second), impact + 10 * second);
    expect(kinds(state, impact + 22 * second)).toEqual(["bed-occupied"]);
    bed.changedAt = impact - 2 * dayMs;
    bed.heardAt = impact + 70 * second;
    expect(said(state, impact + 80 * second)).toMatchObject({ shift: 0, unheard: [{ deviceId: "bed", why: "stuck" }] });
  });

  test("it fades: half after ten minutes", () => {
    const state = home([report("bed", "on", impact + 10 * second)]);
    expect(said(state, impact + 10 * second + 10 * minute).shift).toBeCloseTo(-0.25, 3);
    expect(said(state, impact + 10 * second + 60 * minute).shift).toBeGreaterThan(-0.01);
  });

  test("all of one kind together weigh no more than the cap", () => {
    const walk = [report("kitchen", "on", impact + 6 * second), report("hall", "on", impact + 14 * second)];
    const state = home([...walk, report("bed", "on", impact + 19 * second)]);
    const { shift, items } = said(state, impact + 22 * second);
    expect(items.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThan(-1.1);
    expect(shift).toBe(-shiftCap);
  });

  test("somebody pacing up and down all day leaves no longer trail", () => {
    const pacing = Array.from({ length: 200 }, (_, n) => {
      const isOn = n % 4 < 2;
      return report(n % 2 ? "hall" : "kitchen", isOn ? "on" : "off", impact - hour + n * 10 * second);
    });
    expect(home(pacing).runs).toHaveLength(16);
  });

  test("for and against do away with each other", () => {
    const floor = report("bathroom", "on", impact + 5 * second, { sensor: "motion", atFloor: true });
    const state = home([floor, report("bed", "on", impact + 10 * second)]);
    expect(Math.abs(said(state, impact + 22 * second).shift)).toBeLessThan(0.25);
  });
});

describe("what presence may do to a score", () => {
  const point = { medium: 0.5, strong: 0.9 };
  const with_ = (shift: number) => ({ shift, items: [], unheard: [] });

  test("at most it doubles or halves the odds", () => {
    expect(shiftedScore(0.5, with_(5))).toBeCloseTo(0.668, 3);
    expect(shiftedScore(0.5, with_(-5))).toBeCloseTo(0.332, 3);
  });

  test("a medium candidate near the threshold goes either way", () => {
    expect(strengthWith(0.6, point, with_(0))).toBe("medium");
    expect(strengthWith(0.6, point, with_(-0.7))).toBe("below");
    expect(strengthWith(0.4, point, with_(0))).toBe("below");
    expect(strengthWith(0.4, point, with_(0.7))).toBe("medium");
    expect(mayBeLifted(0.4, point)).toBe(true);
    expect(mayBeLifted(0.3, point)).toBe(false);
    expect(mayBeLifted(0.6, point)).toBe(false);
  });

  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const anyShift = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  test("strong is never vetoed, and nothing is made strong", () => {
    fc.assert(
      fc.property(part, anyShift, part, (score, shift, medium) => {
        const points = { medium, strong: Math.max(0.9, medium) };
        const strength = strengthWith(score, points, with_(shift));
        expect(strength === "strong").toBe(score >= points.strong);
      }),
    );
  });

  test("what cannot be lifted never is; twice the odds of the threshold are never let pass; without presence nothing changes", () => {
    const inside = fc.double({ min: 0.001, max: 0.89, noNaN: true });
    fc.assert(
      fc.property(inside, anyShift, (score, shift) => {
        const strength = strengthWith(score, point, with_(shift));
        if (score < point.medium && !mayBeLifted(score, point)) expect(strength).toBe("below");
        if (score / (1 - score) >= 2.02) expect(strength).toBe("medium");
        expect(strengthWith(score, point, with_(0))).toBe(score >= point.medium ? "medium" : "below");
      }),
    );
  });

  test("a classifier that failed is not outvoted", () => {
    expect(strengthWith(Number.NaN, point, with_(-0.7))).toBe("medium");
  });
});

describe("whatever comes, in whatever order", () => {
  const anything = fc.record({
    deviceId: fc.integer({ min: 0, max: 60 }).map((n) => `sensor-${n}`),
    boot: fc.integer({ min: 0, max: 2 }),
    seq: fc.integer({ min: 0, max: 0xffff_ffff }),
    sensor: fc.constantFrom("motion", "radar", "bed", "seat", "contact", "flush"),
    state: fc.constantFrom("on", "off"),
    room: fc.option(fc.constantFrom("hall", "kitchen", "bathroom", "bedroom"), { nil: undefined }),
    atFloor: fc.option(fc.boolean(), { nil: undefined }),
    at: fc.integer({ min: impact - dayMs, max: impact + dayMs }),
  });
  const stories = fc.array(fc.tuple(anything, fc.integer({ min: impact - dayMs, max: impact + dayMs })), {
    maxLength: 120,
  });

  test("nothing throws, the shift stays within the cap, every item is dated and named, and the state stays small plain data", () => {
    fc.assert(
      fc.property(stories, fc.boolean(), (story, livesAlone) => {
        let state = openFusion({ livesAlone });
        for (const [seen, now] of story) {
          state = takePresence(state, seen as PresenceSeen, now);
          const { shift, items } = presenceEvidence(state, impact, now);
          expect(Math.abs(shift)).toBeLessThanOrEqual(shiftCap);
          for (const { since, weight, what } of items) {
            expect(Number.isFinite(since) && Number.isFinite(weight)).toBe(true);
            expect(weight > 0).toBe(what === "still-at-floor" || what === "same-room");
          }
        }
        expect(state.roster.sensors.length).toBeLessThanOrEqual(maxSensors);
        expect(state.runs.length).toBeLessThanOrEqual(16);
        const kept = JSON.parse(JSON.stringify(state)) as FusionState;
        expect(presenceEvidence(kept, impact, impact + minute)).toEqual(
          presenceEvidence(state, impact, impact + minute),
        );
      }),
      { numRuns: 300 },
    );
  });
});
