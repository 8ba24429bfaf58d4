import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DetectorCommand, type DetectorFrame, type DetectorInput, openDetector, step } from "./detector.ts";
import { longLieMs } from "./long-lie.ts";
import {
  impact,
  lying,
  type Motion,
  points,
  stage,
  standing,
  storyStart,
  switching,
  walking,
} from "./synthetic-wearer.ts";

const fallAt = 10.3;
const fall = impact(fallAt, 4, standing, lying);
const limit = fallAt + longLieMs / 1000;
/** Sits up after a while, and turns to and fro: upright at the waist, and on the floor. */
const sitting: Motion = (t) => [0.1 * Math.sin(t * 0.9), 1, 0.15 * Math.sin(t * 0.37)];
const told = () => stage({ score: () => 0.95 });

describe("five minutes after the impact of a fall that was told", () => {
  test.each([
    { what: "strong", score: 0.95 },
    { what: "medium", score: 0.6 },
  ])("lying since: told once, by stream time ($what)", ({ score }) => {
    const story = stage({ score: () => score });
    story.send(fall, 309);
    expect(story.of("detect")).toHaveLength(1);
    expect(story.of("long-lie")).toEqual([]);
    story.send(fall, 700);
    const [first, ...others] = story.of("long-lie");
    expect(others).toEqual([]);
    expect(first?.fall).toEqual({ bootId: 1, sequence: 10 });
    expect(first!.at).toBeGreaterThanOrEqual(limit);
    expect(first!.at).toBeLessThan(limit + 2);
    expect(first!.lyingSeconds).toBeCloseTo(first!.at - fallAt, 0);
    expect(first!.unknownSeconds).toBeLessThan(1);
    expect(story.of("got-up")).toEqual([]);
    expect(story.undecided()).toBe(false);
  });

  test.each([8, 60, 250, 290])("walking seen %s s after it: nothing", (after) => {
    const story = told();
    story.send(switching(fallAt + after, fall, switching(fallAt + after + 9, walking, standing)), 400);
    expect(story.of("long-lie")).toEqual([]);
    expect(story.of("got-up").map(({ fall: of, why }) => ({ of, why }))).toEqual([
      { of: { bootId: 1, sequence: 10 }, why: "walking" },
    ]);
    expect(story.of("got-up")[0]!.at - fallAt - after).toBeLessThan(9);
  });

  test("walking that came while the classifier was asked is seen, though no frame follows", () => {
    const frames: DetectorFrame[] = [];
    const sent = stage();
    sent.send(switching(fallAt + 8, fall, walking), 30, (frame) => {
      frames.push(frame);
      return null;
    });
    let state = openDetector({ placement: "waist", operatingPoints: points(0.5, 0.9) });
    const commands: DetectorCommand[] = [];
    const feed = (input: DetectorInput, now: number) => {
      const [next, said] = step(state, input, now);
      state = next;
      commands.push(...said);
    };
    for (const frame of frames) feed({ kind: "frame", frame }, storyStart);
    const asked = commands.find(({ kind }) => kind === "classify") as Extract<DetectorCommand, { kind: "classify" }>;
    feed({ kind: "scored", candidateId: asked.candidateId, score: 0.95 }, storyStart + 30_000);
    const after = commands.map(({ kind }) => kind).filter((kind) => kind === "detect" || kind === "got-up");
    expect(after).toEqual(["detect", "got-up"]);
  });

  test("two seconds of steps are no walking; sitting up is no getting up; an arm that waves is not upright", () => {
    const waving: Motion = (t) => {
      const [x, y, z] = walking(t);
      return [y, x, z];
    };
    for (const [then, seconds] of [
      [walking, 2],
      [sitting, 60],
      [waving, 30],
    ] as const) {
      const story = told();
      story.send(switching(100, fall, switching(100 + seconds, then, lying)), 330);
      expect(story.of("got-up")).toEqual([]);
      expect(story.of("long-lie")).toHaveLength(1);
    }
  });

  test("of two falls each has its own; who gets up after the first and falls again has one", () => {
    const both = told();
    both.send(impact(120.3, 4, fall, lying), 500);
    expect(both.of("long-lie").map(({ fall: of }) => of.sequence)).toEqual([10, 120]);
    const again = told();
    again.send(impact(120.3, 4, switching(60, fall, switching(70, walking, standing)), lying), 500);
    expect(again.of("long-lie").map(({ fall: of }) => of.sequence)).toEqual([120]);
  });

  test("a fall that was dismissed is followed by nobody", () => {
    const story = stage({ score: () => 0.1 });
    story.send(fall, 400);
    expect(story.of("dismissed")).toHaveLength(1);
    expect(story.of("long-lie")).toEqual([]);
  });
});

describe("silence is unknown, and never getting up", () => {
  test.each([12, 60, 200])("a device that is silent from second %s on is told, with what is unknown", (heard) => {
    const story = told();
    story.send(fall, heard);
    story.wait(1000);
    const [first, ...others] = story.of("long-lie");
    expect(others).toEqual([]);
    expect(first!.at).toBeCloseTo(limit, 0);
    expect(first!.unknownSeconds).toBeGreaterThan(limit - heard - 1);
    expect(first!.unknownSeconds).toBeLessThan(limit - heard + 2);
  });

  test("who was walking while nobody heard, and is heard walking after, is up", () => {
    const story = told();
    const walkingSince100 = switching(100, fall, walking);
    story.send(walkingSince100, 20);
    story.send(walkingSince100, 250, () => null);
    story.send(walkingSince100, 400);
    expect(story.of("got-up")).toHaveLength(1);
    expect(story.of("long-lie")).toEqual([]);
  });

  test("what a device stored is waited for, and shows that somebody has got up", () => {
    const story = told();
    const upAt400 = switching(400, fall, walking);
    const handedIn = storyStart + 500_000;
    // Out of reach from before the fall on; then all of it at once, oldest first.
    story.send(upAt400, 500, (frame) => ({
      ...frame,
      ageMs: handedIn - frame.arrivedAt,
      arrivedAt: handedIn,
    }));
    expect(story.of("detect")).toHaveLength(1);
    expect(story.of("got-up")).toHaveLength(1);
    story.wait(1000);
    expect(story.of("long-lie")).toEqual([]);
  });

  test("a device that is 40 s behind is waited for", () => {
    const story = told();
    const upAt320 = switching(320, fall, walking);
    story.send(upAt320, 360, (frame) => ({ ...frame, ageMs: 40_000, arrivedAt: frame.arrivedAt + 40_000 }));
    expect(story.of("long-lie")).toEqual([]);
    expect(story.of("got-up")).toHaveLength(1);
  });

  test("a device that says of every frame that it is old keeps nothing back", () => {
    const story = told();
    story.send(fall, 600, (frame) => ({ ...frame, ageMs: 1_000_000 }));
    const [first, ...others] = story.of("long-lie");
    expect(others).toEqual([]);
    expect(first!.at).toBeLessThan(limit + 125);
  });

  test("property: whatever is lost, it is told once within six seconds of its time, and known and unknown seconds make the whole", () => {
    const gap = fc.record({ from: fc.integer({ min: 12, max: 330 }), length: fc.integer({ min: 1, max: 200 }) });
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 4 }), (gaps) => {
        const isLost = (n: number) => gaps.some(({ from, length }) => n >= from && n < from + length);
        const story = told();
        story.send(fall, 340, (frame) => {
          if (!isLost(frame.sequence)) return frame;
          story.wait(frame.sequence + 1);
          return null;
        });
        story.wait(700);
        const [first, ...others] = story.of("long-lie");
        expect(others).toEqual([]);
        expect(first!.at).toBeGreaterThanOrEqual(limit - 0.1);
        expect(first!.at).toBeLessThan(limit + 6);
        const lost = Array.from({ length: Math.floor(first!.at) - 11 }, (_, i) => 11 + i).filter(isLost).length;
        expect(first!.unknownSeconds).toBeGreaterThanOrEqual(lost - 1.5);
        expect(first!.unknownSeconds).toBeLessThan(lost + 6);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a reboot does not lose it", () => {
  function rebooted(after: Motion) {
    const story = told();
    story.send(fall, 60);
    story.clock.boot = 2;
    story.clock.sequence = 0;
    story.send(after, 400);
    return story;
  }

  test("still lying: told, of the fall of before", () => {
    const [first, ...others] = rebooted(lying).of("long-lie");
    expect(others).toEqual([]);
    expect(first?.fall).toEqual({ bootId: 1, sequence: 10 });
    expect(first!.unknownSeconds).toBeLessThan(3);
  });

  test("walking in the posture of before: up; steps in another posture: not", () => {
    expect(rebooted(switching(75, walking, standing)).of("got-up")).toHaveLength(1);
    const turned: Motion = (t) => {
      const [x, y, z] = walking(t);
      return [y, x, z];
    };
    expect(rebooted(turned).of("long-lie")).toHaveLength(1);
  });
});

describe("the wearer's own cancel", () => {
  test("by somebody who is upright it ends the watch, also just before they are seen so", () => {
    for (const before of [0, 5]) {
      const story = told();
      const up = switching(100, fall, standing);
      story.send(up, 103 - before);
      story.feed({ kind: "cancel", at: story.now() });
      story.send(up, 400);
      expect(story.of("got-up")[0]?.why).toBe("cancelled");
      expect(story.of("long-lie")).toEqual([]);
    }
  });

  test("from the floor it ends nothing; nor does one of long ago, or of a device that is not heard", () => {
    const lies = told();
    lies.send(fall, 100);
    lies.feed({ kind: "cancel", at: lies.now() });
    lies.send(switching(140, fall, standing), 400);
    expect(lies.of("long-lie")).toHaveLength(1);
    const earlier = told();
    earlier.feed({ kind: "cancel", at: storyStart + 2_000 });
    earlier.send(impact(fallAt, 4, standing, standing), 400);
    expect(earlier.of("long-lie")).toHaveLength(1);
    const unheard = told();
    unheard.send(switching(30, fall, standing), 60);
    unheard.wait(120);
    unheard.feed({ kind: "cancel", at: unheard.now() });
    unheard.wait(400);
    expect(unheard.of("long-lie")).toHaveLength(1);
  });
});

describe("a fall that an earlier detector told", () => {
  const { watched } = (() => {
    const story = told();
    story.send(fall, 20);
    return { watched: story.of("detect")[0]!.watched! };
  })();

  /** A gateway that was down until `s` seconds into the story. */
  function takenUp(s: number, motion: Motion, fallOf = watched) {
    const story = told();
    story.clock.second = s;
    story.clock.sequence = s;
    story.feed({ kind: "watch", fall: fallOf }, storyStart + s * 1000);
    story.feed({ kind: "watch", fall: fallOf });
    return { story, go: (until: number) => story.send(motion, until) };
  }

  test("goes on being watched, and what was between is unknown", () => {
    const { story, go } = takenUp(200, lying);
    go(400);
    const [first, ...others] = story.of("long-lie");
    expect(others).toEqual([]);
    expect(first?.fall).toEqual({ bootId: 1, sequence: 10 });
    expect(first!.unknownSeconds).toBeGreaterThan(188);
    expect(first!.unknownSeconds).toBeLessThan(192);
  });

  test("walking ends it; unwatched it is told by nobody", () => {
    const { story, go } = takenUp(200, walking);
    go(400);
    expect(story.of("got-up")).toHaveLength(1);
    const other = takenUp(200, lying);
    other.story.feed({ kind: "unwatch", fall: { bootId: 1, sequence: 10 } });
    other.go(400);
    expect(other.story.of("long-lie")).toEqual([]);
  });

  test("taken up after its time it has a minute to be seen walking, and is told where nobody is heard", () => {
    const { story } = takenUp(900, lying);
    story.wait(955);
    expect(story.of("long-lie")).toEqual([]);
    story.wait(965);
    expect(story.of("long-lie")[0]).toMatchObject({ lyingSeconds: expect.closeTo(949.7, 0) });
    const up = takenUp(900, walking);
    up.go(1000);
    expect(up.story.of("long-lie")).toEqual([]);
  });

  test("a clock that lost its time puts it off by five minutes at most", () => {
    const { story, go } = takenUp(200, lying, { ...watched, impactAt: storyStart + 50 * 365 * 86_400_000 });
    go(520);
    expect(story.of("long-lie")).toHaveLength(1);
  });
});
