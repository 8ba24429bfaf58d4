import fc from "fast-check";
import { expect, test } from "vitest";
import { impact, lying, stage, standing } from "./synthetic-wearer.ts";

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
