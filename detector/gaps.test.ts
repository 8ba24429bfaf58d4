import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { impact, lying, type Motion, stage, standing, switching, walking } from "./synthetic-wearer.ts";

/** When the wearer falls, and how long after it that is decided, s. */
const impactAt = 10.3;
const decidedAfter = 22;
/** Frames of one second after the impact's own, up to the decision. */
const following = Array.from({ length: decidedAfter }, (_, i) => 11 + i);
/** A signal that ends is noticed after this, s. */
const silence = 3;

/** Lies without moving after a fall that the classifier is not sure of; the frames of these seconds never arrive. */
function fallWithout(lost: ReadonlySet<number>) {
  const story = stage();
  story.send(impact(impactAt, 4, standing, lying), 40, (frame) => {
    if (!lost.has(frame.sequence)) return frame;
    story.wait(frame.sequence + 1);
    return null;
  });
  story.wait(100);
  return story.of("detect").map(({ conclusion }) => conclusion);
}

test("property: whatever is lost after a fall is unknown and never still, and the fall is told all the same", () => {
  const anywhere = fc.subarray(following);
  const inOneGo = fc
    .tuple(fc.constantFrom(...following), fc.integer({ min: 1, max: 40 }))
    .map(([from, length]) => following.filter((second) => second >= from && second < from + length));
  fc.assert(
    fc.property(fc.oneof(anywhere, inOneGo), (seconds) => {
      const lost = new Set(seconds);
      const [told, ...others] = fallWithout(lost);
      expect(others).toEqual([]);
      const { reason } = told!;
      const { stillSeconds, unknownSeconds } = told!.evidence;
      // The second of the decision itself may be cut by it.
      const sure = seconds.filter((second) => second + 1 <= impactAt + decidedAfter).length;
      expect(unknownSeconds).toBeGreaterThanOrEqual(sure - 0.1);
      // No second is both. The frame that has it decided may reach beyond.
      expect((stillSeconds ?? 0) + unknownSeconds).toBeLessThan(decidedAfter + 2);
      if (sure > 0) expect(reason).not.toBe("still");
      // Nothing at all was heard in the last seconds: that, and nothing else, is what is said.
      const last = following.slice(-1 - silence);
      if (last.every((second) => lost.has(second))) expect(reason).toBe("silent");
      if (seconds.length === 0) expect(reason).toBe("still");
    }),
    { numRuns: 300 },
  );
});

test("property: a device that is never heard of again after the impact leaves nothing that was seen to be still", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: decidedAfter - silence - 1 }), (heard) => {
      const [told] = fallWithout(new Set(Array.from({ length: 60 }, (_, i) => 11 + heard + i)));
      expect(told?.reason).toBe("silent");
      expect(told?.evidence.stillSeconds ?? 0).toBeLessThanOrEqual(heard + 1);
    }),
  );
});

test("a gap that may hide an impact and an impact right behind it are two candidates by name", () => {
  const story = stage({ rateHz: 20, score: () => 0.2 });
  story.send(standing, 1);
  story.clock.second += 1;
  story.clock.sequence += 1;
  story.send(impact(2.5, 4, standing, lying), 4);
  story.wait(60);
  const opened = story.of("gate-opened").map(({ candidateId }) => candidateId);
  expect(opened).toHaveLength(2);
  expect(new Set(opened).size).toBe(2);
});

describe("a lost frame that may have held the impact", () => {
  /** Frames of `motion` for 60 s without those of `lost`; the classifier answers `score` to each window. */
  function without(lost: readonly number[], motion: Motion, score: number) {
    const story = stage({ score: () => score });
    story.send(motion, 60, (frame) => (lost.includes(frame.sequence) ? null : frame));
    story.wait(100);
    return story;
  }
  const fall = impact(impactAt, 4, standing, lying);

  test("is looked at where posture changed across it, and told as lying since: nobody saw a hard fall", () => {
    const story = without([10], fall, 0.98);
    expect(story.of("classify")).toHaveLength(1);
    const [told, ...others] = story.of("detect");
    expect(others).toEqual([]);
    // Not at once: the posture must have lasted.
    expect(told?.at).toBeGreaterThan(impactAt + 20);
    expect(told?.at).toBeLessThan(impactAt + 25);
    expect(told?.conclusion).toMatchObject({ strength: "medium", reason: "soft", sequence: 11 });
    expect(told?.conclusion.evidence.peakG).toBeLessThan(1.2);
    expect(told?.conclusion.evidence.tiltDeg).toBeGreaterThan(80);
  });

  test("needs a score well above what is strong elsewhere", () => {
    const story = without([10], fall, 0.93);
    expect(story.of("suspected")).toEqual([]);
    expect(story.of("dismissed").map(({ why }) => why)).toEqual(["below-threshold"]);
  });

  test("is none where posture is as before, where all is silent for longer, or where a sample or two are missing", () => {
    expect(without([10], standing, 0.98).of("gate-opened")).toEqual([]);
    expect(without([10, 11, 12], fall, 0.98).of("gate-opened")).toEqual([]);
    const story = stage({ score: () => 0.95 });
    story.send(switching(10.95, standing, lying), 40, (frame) =>
      frame.sequence === 10 ? { ...frame, samples: frame.samples.subarray(0, 47 * 3) } : frame,
    );
    expect(story.of("classify")).toEqual([]);
  });

  test("is dismissed where the wearer is up again", () => {
    const up = switching(13, impact(impactAt, 4, standing, lying), walking);
    expect(without([10], up, 0.98).of("detect")).toEqual([]);
  });

  test("two lost frames a moment apart are one gap", () => {
    expect(without([9, 10], fall, 0.98).of("detect")).toHaveLength(1);
  });
});
