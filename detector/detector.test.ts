import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Evidence } from "../firmware-contracts/detection.ts";
import { openDetector, step } from "./detector.ts";
import { gateMg } from "./gate.ts";
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

const fall = impact(10.3, 4, standing, lying);

test("evidence tells how long there was hardly any weight before the impact, and that it is not known where it was not seen", () => {
  const dropping = (until: number): Motion => switching(until - 0.3, standing, () => [0, 0.2, 0.1]);
  const evidenceOf = (before: Motion, lost: number[] = []) => {
    const story = stage({ score: () => 0.98 });
    story.send(impact(10.5, 4, before, lying), 40, (frame) => (lost.includes(frame.sequence) ? null : frame));
    story.wait(60);
    return story.of("detect")[0]?.conclusion.evidence;
  };
  expect(evidenceOf(dropping(10.5))?.fallMs).toBeGreaterThan(180);
  expect(evidenceOf(dropping(10.5))?.fallMs).toBeLessThan(320);
  expect(evidenceOf(standing)?.fallMs).toBe(0);
  expect(evidenceOf(standing, [10])?.fallMs).toBeNull();
});

describe("strong evidence", () => {
  test("is told within 5 s of the impact, and once", () => {
    const story = stage({ score: () => 0.95 });
    story.send(fall, 60);
    const [first, ...others] = story.of("detect");
    expect(others).toEqual([]);
    expect(first?.conclusion).toMatchObject({ strength: "strong", reason: "at-once", sequence: 10, bootId: 1 });
    expect(first!.at - 10.3).toBeLessThan(5);
    expect(Math.abs(first!.conclusion.impactAt - (storyStart + 10_300))).toBeLessThanOrEqual(40);
    expect(first!.conclusion.evidence.tiltDeg).toBeGreaterThan(80);
    expect(story.undecided()).toBe(false);
  });

  test("is told by half a minute of lying as by getting up at once: stillness is no condition", () => {
    const story = stage({ score: () => 0.95 });
    story.send(switching(11.5, fall, walking), 60);
    expect(story.of("detect")).toHaveLength(1);
  });

  test("the gate opens with the frame that holds the crossing", () => {
    const story = stage();
    story.send(fall, 10);
    expect(story.undecided()).toBe(false);
    story.send(fall, 11);
    expect(story.undecided()).toBe(true);
    expect(story.of("gate-opened")).toHaveLength(1);
  });

  test("a peak in a frame's last sample, between two slots, opens the gate with that frame", () => {
    const story = stage({ rateHz: 200 });
    const blip = (t: number) => (Math.abs(t - 10.995) < 0.001 ? ([0, 3, 0] as const) : ([0, 1, 0] as const));
    story.send(blip, 11);
    expect(story.of("gate-opened")).toHaveLength(1);
    story.send(standing, 12);
    expect(story.of("gate-opened")).toHaveLength(1);
  });

  test("two falls within a minute are told as one, a later one by itself", () => {
    const story = stage({ score: () => 0.95 });
    story.send(impact(40.3, 5, fall, lying), 60);
    expect(story.of("detect")).toHaveLength(1);
    story.send(impact(85.3, 4, standing, lying), 100);
    expect(story.of("detect").map(({ conclusion }) => conclusion.sequence)).toEqual([10, 85]);
  });
});

describe("a fall of several hits", () => {
  const impactOf = (motion: Motion, score: number) => {
    const story = stage({ score: () => score });
    story.send(motion, 14);
    story.send(motion, 60);
    const [told, ...others] = story.of("detect");
    expect(others).toEqual([]);
    return { second: (told!.conclusion.impactAt - storyStart) / 1000, after: told!.at, of: told!.conclusion };
  };

  test("has its impact at the hardest, as far as that is known when it is told: strong evidence waits for none", () => {
    const alone = impactOf(fall, 0.95);
    const twice = impactOf(impact(12.7, 6, fall, lying), 0.95);
    expect(twice.second).toBeCloseTo(12.7, 1);
    expect(twice.of.evidence.peakG).toBeCloseTo(6, 0);
    expect(twice.of).toMatchObject({ sequence: alone.of.sequence, bootId: alone.of.bootId });
    expect(twice.after).toBe(alone.after);
    const later = impactOf(impact(14.7, 6, fall, lying), 0.95);
    expect(later.second).toBeCloseTo(10.3, 1);
    expect(later.of.evidence.peakG).toBeCloseTo(4, 0);
  });

  test("medium evidence looks 5 s on, and no further", () => {
    expect(impactOf(impact(14.7, 6, fall, lying), 0.7).second).toBeCloseTo(14.7, 1);
    expect(impactOf(impact(16.3, 6, fall, lying), 0.7).of.evidence.peakG).toBeLessThan(4.5);
    expect(impactOf(impact(14.7, 3, fall, lying), 0.7).second).toBeCloseTo(10.3, 1);
  });
});

describe("medium evidence is decided 22 s after the impact", () => {
  test("lying still: told, still", () => {
    const story = stage();
    story.send(fall, 40);
    const [told] = story.of("detect");
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "still" });
    expect(told!.at - 10.3).toBeGreaterThan(20);
    expect(told!.at - 10.3).toBeLessThan(25);
    expect(told!.conclusion.evidence.stillSeconds).toBeGreaterThan(17);
    expect(story.of("suspected")).toHaveLength(1);
  });

  test("moving on the floor, but not walking: told", () => {
    const story = stage();
    let seed = 1;
    const restless = (t: number) => {
      seed = (seed * 16807) % 2147483647;
      return [1 + 0.15 * (seed / 2147483647 - 0.5), 0.2 * Math.sin(t * t * 0.05), 0] as const;
    };
    story.send(impact(10.3, 4, standing, restless), 40);
    expect(story.of("detect")[0]?.conclusion).toMatchObject({ strength: "medium", reason: "at-once" });
  });

  test("walking afterwards: dismissed", () => {
    const story = stage();
    story.send(switching(15, fall, walking), 40);
    expect(story.of("detect")).toEqual([]);
    expect(story.of("dismissed")[0]?.why).toBe("upright");
    expect(story.undecided()).toBe(false);
  });

  test("rocking on the floor in the rhythm of steps is not walking: told", () => {
    const story = stage();
    const rocking = (t: number) => {
      const [x, y, z] = walking(t);
      return [y, x, z] as const;
    };
    story.send(impact(10.3, 4, standing, rocking), 40);
    expect(story.of("detect")).toHaveLength(1);
  });

  test.each([0.4, 1.5, 4, 12])("silence %s s after the impact: told, silent", (seconds) => {
    const story = stage();
    const sent = Math.ceil(10.3 + seconds);
    story.send(fall, sent);
    story.wait(60);
    const [told] = story.of("detect");
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "silent" });
    expect(told!.at - 10.3).toBeLessThan(26);
    expect(told!.conclusion.evidence.unknownSeconds).toBeGreaterThan(5);
    expect(told!.conclusion.evidence.stillSeconds ?? 0).toBeLessThan(sent - 10);
    expect(story.undecided()).toBe(false);
  });

  test("lost frames are unknown, never still", () => {
    const story = stage();
    story.send(fall, 40, (frame) => (frame.sequence > 14 && frame.sequence < 25 ? null : frame));
    expect(story.of("detect")[0]?.conclusion.reason).toBe("at-once");
    expect(story.of("detect")[0]!.conclusion.evidence.unknownSeconds).toBeGreaterThan(9);
  });

  test("the wearer's cancel ends it only when upright and within 30 s", () => {
    const upright = stage();
    upright.send(impact(10.3, 4, standing, standing), 20);
    upright.feed({ kind: "cancel", at: upright.now() });
    expect(upright.of("dismissed")[0]?.why).toBe("cancelled");
    const down = stage();
    down.send(fall, 20);
    down.feed({ kind: "cancel", at: down.now() });
    down.send(fall, 40);
    expect(down.of("detect")).toHaveLength(1);
    const late = stage();
    late.send(impact(10.3, 4, standing, standing), 20);
    late.feed({ kind: "cancel", at: storyStart + 5_000 });
    late.send(standing, 40);
    expect(late.of("detect")).toHaveLength(1);
  });

  test("a cancel does not end strong evidence", () => {
    const story = stage({ score: () => 0.95 });
    story.send(fall, 12);
    story.feed({ kind: "cancel", at: story.now() });
    story.send(fall, 20);
    expect(story.of("detect")).toHaveLength(1);
  });
});

describe("silence and reboots", () => {
  test("a window that a stall of the network cut short is judged again when the rest comes", () => {
    // The classifier sees a fall only where the end of the window is known.
    const story = stage({ score: (input) => (input[41] === 1 ? 0.95 : 0.1) });
    story.send(fall, 12);
    story.wait(60);
    expect(story.of("detect")).toEqual([]);
    expect(story.undecided()).toBe(false);
    story.send(fall, 30, (frame) => ({ ...frame, arrivedAt: storyStart + 60_000, ageMs: 60_000 - frame.deviceTimeMs }));
    expect(story.of("detect")).toHaveLength(1);
    expect(story.of("gate-opened")).toHaveLength(2);
  });

  test("a reboot right after the impact hides no fall", () => {
    const story = stage();
    story.send(fall, 11);
    story.clock.boot = 2;
    story.clock.sequence = 0;
    story.send(lying, 45);
    story.wait(60);
    expect(story.of("detect")).toHaveLength(1);
    expect(story.of("detect")[0]?.conclusion).toMatchObject({ bootId: 1, sequence: 10, reason: "silent" });
  });

  test("three boots in a row leave nothing undecided", () => {
    const story = stage();
    story.send(fall, 11);
    for (const boot of [2, 3, 4]) {
      story.clock.boot = boot;
      story.clock.sequence = 0;
      story.send(lying, story.clock.second + 1);
    }
    story.wait(100);
    expect(story.of("detect")).toHaveLength(1);
    expect(story.undecided()).toBe(false);
  });

  test("what was given up in silence with a score of no fall is not told because the device starts anew again and again", () => {
    const story = stage({ score: () => 0.1 });
    story.send(fall, 12);
    story.wait(60);
    for (const boot of [2, 3, 4]) {
      story.clock.boot = boot;
      story.clock.sequence = 0;
      story.send(lying, story.clock.second + 1);
    }
    story.wait(200);
    expect(story.of("detect")).toEqual([]);
    expect(story.undecided()).toBe(false);
  });

  test("a stored fall that arrives in one burst is found, and told when it happened", () => {
    const story = stage();
    const arrivedAt = storyStart + 3_600_000;
    story.send(fall, 40, (frame) => ({ ...frame, arrivedAt, ageMs: 3_600_000 - frame.deviceTimeMs - 980 }));
    const [told] = story.of("detect");
    expect(told?.conclusion.reason).toBe("still");
    expect(Math.abs(told!.conclusion.impactAt - (storyStart + 10_300))).toBeLessThanOrEqual(40);
    expect(told!.conclusion.arrivedAt).toBe(arrivedAt);
  });
});

describe("a soft fall", () => {
  /** Sinks from standing to lying within 1.5 s, and never over the gate. */
  const sinking = (t: number) => {
    const share = Math.max(0, Math.min(1, (t - 10) / 1.5));
    const bump = 1 + 0.3 * Math.exp(-(((t - 11.4) / 0.1) ** 2));
    return [Math.sin((share * Math.PI) / 2) * bump, Math.cos((share * Math.PI) / 2) * bump, 0] as const;
  };

  test("that stays down is told, as soft", () => {
    const story = stage();
    story.send(sinking, 40);
    const [told] = story.of("detect");
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "soft" });
    expect(told!.conclusion.evidence.peakG * 1000).toBeLessThan(gateMg);
  });

  test("that is back up is not", () => {
    const story = stage();
    story.send(switching(20, sinking, standing), 40);
    expect(story.of("detect")).toEqual([]);
    expect(story.of("dismissed")[0]?.why).toBe("not-lying");
  });
});

test("a device that pauses for a while, and loses no frame, hides no fall in the minute after", () => {
  const told = (pauseS: number) => {
    const story = stage({ score: () => 0.95 });
    story.send(impact(10.5, 4, standing, lying), 20);
    story.wait(20 + pauseS);
    story.clock.second += pauseS;
    story.send(impact(25.5 + pauseS, 4, standing, lying), 60 + pauseS);
    return story.of("detect").map(({ at }) => Math.round(at));
  };
  expect(told(3600)).toEqual([13, 3628]);
  // Within the minute they are one.
  expect(told(20)).toEqual([13]);
});

test("the same frames give the same conclusions, and frames that come twice change nothing", () => {
  const once = stage();
  once.send(fall, 40);
  const twice = stage();
  twice.send(fall, 40, (frame) => {
    twice.feed({ kind: "frame", frame }, frame.arrivedAt);
    return frame;
  });
  expect(twice.told).toEqual(once.told);
  expect(once.of("detect")).toHaveLength(1);
});

test("one impact is found the same at any rate and in frames of any length", () => {
  for (const rateHz of [20, 25, 32, 50, 100, 200]) {
    const story = stage({ rateHz, score: () => 0.95 });
    story.send(fall, 30);
    const [told] = story.of("detect");
    expect(Math.abs((told?.conclusion.impactAt ?? 0) - (storyStart + 10_300)), `${rateHz} Hz`).toBeLessThanOrEqual(60);
  }
});

test("a classifier that fails hides no fall", () => {
  const story = stage({ score: () => Number.NaN });
  story.send(fall, 40);
  expect(story.of("detect")[0]?.conclusion).toMatchObject({ strength: "medium", reason: "still" });
  expect(story.of("detect")[0]?.conclusion.evidence.score).toBe(0.5);
});

test("whatever comes, every opened gate is closed once, each fall told once and followed to its end", () => {
  const action = fc.oneof(
    fc.record({
      do: fc.constant("send" as const),
      seconds: fc.integer({ min: 1, max: 12 }),
      kind: fc.integer({ min: 0, max: 5 }),
    }),
    fc.record({ do: fc.constant("lose" as const), seconds: fc.integer({ min: 1, max: 70 }) }),
    fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant("reboot" as const) }),
    fc.record({ do: fc.constant("cancel" as const) }),
  );
  const scores = fc.infiniteStream(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(Number.NaN)));
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 25 }),
      scores,
      fc.constantFrom(20, 50, 100),
      (actions, answers, rateHz) => {
        const story = stage({ rateHz, score: () => answers.next().value });
        for (const one of actions) {
          const from = story.clock.second;
          if (one.do === "send") {
            const motions = [
              standing,
              lying,
              walking,
              impact(from + 0.5, 4, standing, lying),
              impact(from, 2, lying, walking),
            ];
            story.send(motions[one.kind] ?? switching(from + 1, standing, lying), from + one.seconds);
          } else if (one.do === "lose") {
            story.clock.second += one.seconds;
            story.clock.sequence += one.seconds;
          } else if (one.do === "wait") story.wait((story.now() - storyStart) / 1000 + one.seconds);
          else if (one.do === "cancel") story.feed({ kind: "cancel", at: story.now() });
          else {
            story.clock.boot++;
            story.clock.sequence = 0;
          }
        }
        story.wait((story.now() - storyStart) / 1000 + 100);
        expect(story.undecided()).toBe(false);
        const open = new Set<string>();
        for (const { command } of story.told) {
          if (command.kind === "gate-opened") {
            expect(open.has(command.candidateId)).toBe(false);
            open.add(command.candidateId);
          }
          if (command.kind === "detect" || command.kind === "dismissed")
            expect(open.delete(command.candidateId)).toBe(true);
        }
        expect(open).toEqual(new Set());
        const told = story.of("detect").map(({ conclusion }) => conclusion);
        for (const { evidence } of told) Evidence.parse(evidence);
        for (const a of told) {
          for (const b of told) {
            if (a !== b && a.bootId === b.bootId) expect(a.sequence).not.toBe(b.sequence);
          }
        }
        // What became of somebody after each is told once.
        story.wait((story.now() - storyStart) / 1000 + 500);
        const fates = [...story.of("long-lie"), ...story.of("got-up")].map(
          ({ fall: of }) => `${of.bootId}.${of.sequence}`,
        );
        expect(fates.sort()).toEqual(told.map(({ bootId, sequence }) => `${bootId}.${sequence}`).sort());
      },
    ),
    { numRuns: 300 },
  );
});

test("a quiet stream costs at most 20 times what a bare loop over its magnitudes costs", () => {
  const seconds = 2000;
  const rateHz = 50;
  const samples = new Int16Array(rateHz * 3);
  for (let i = 0; i < samples.length; i += 3) samples.set([20, 1000 - (i % 7), 60], i);

  function detect(): void {
    let state = openDetector({ placement: "waist", operatingPoints: points(0.5, 0.9) });
    for (let sequence = 0; sequence < seconds; sequence++) {
      const deviceTimeMs = sequence * 1000;
      const arrivedAt = storyStart + deviceTimeMs;
      const frame = { bootId: 1, sequence, deviceTimeMs, ageMs: 0, rateHz, rangeG: 8, samples, arrivedAt };
      [state] = step(state, { kind: "frame", frame }, arrivedAt);
    }
  }
  let largest = 0;
  function look(): void {
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < samples.length; i += 3) {
        const [x, y, z] = [samples[i]!, samples[i + 1]!, samples[i + 2]!];
        largest = Math.max(largest, Math.sqrt(x * x + y * y + z * z));
      }
    }
  }
  function timed(run: () => void): number {
    const started = performance.now();
    run();
    return performance.now() - started;
  }
  // The least of several, side by side: whatever else the machine does only adds.
  const rounds = Array.from({ length: 9 }, () => ({ ours: timed(detect), bare: timed(look) }));
  const least = (of: "ours" | "bare") => Math.min(...rounds.map((round) => round[of]));
  expect(largest).toBeGreaterThan(1000);
  expect(least("ours") / least("bare")).toBeLessThan(20);
});
