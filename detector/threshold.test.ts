import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { impact, lying, stage, standing } from "./synthetic-wearer.ts";

const fall = impact(10.3, 4, standing, lying);

/** What becomes of a fall with this score; the model's own points are 0.5 and 0.9. */
function outcome(score: number, threshold?: number) {
  const story = stage({ score: () => score, ...(threshold === undefined ? {} : { threshold }) });
  story.send(fall, 60);
  const [told] = story.of("detect");
  return { told: told?.conclusion ?? null, dismissed: story.of("dismissed")[0]?.why ?? null };
}

describe("a device's own threshold", () => {
  test("a lower one hears what the model's would let pass, as medium evidence", () => {
    expect(outcome(0.3)).toMatchObject({ told: null, dismissed: "below-threshold" });
    expect(outcome(0.3, 0.2).told).toMatchObject({ strength: "medium", reason: "still" });
  });

  test("a higher one lets pass what the model's would tell", () => {
    expect(outcome(0.6).told).toMatchObject({ strength: "medium" });
    expect(outcome(0.6, 0.7)).toMatchObject({ told: null, dismissed: "below-threshold" });
  });

  test("a lower one tells nothing more at once; one above the model's strong makes that its own", () => {
    expect(outcome(0.89, 0.05).told).toMatchObject({ strength: "medium" });
    expect(outcome(0.92, 0.05).told).toMatchObject({ strength: "strong" });
    expect(outcome(0.92, 0.95)).toMatchObject({ told: null, dismissed: "below-threshold" });
    expect(outcome(0.96, 0.95).told).toMatchObject({ strength: "strong" });
  });

  test("for each score and threshold: told from the threshold on, at once from the larger of both on", () => {
    const part = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    fc.assert(
      fc.property(part, part, (score, threshold) => {
        const { told } = outcome(score, threshold);
        const expected = score < threshold ? null : score >= Math.max(0.9, threshold) ? "strong" : "medium";
        expect(told?.strength ?? null).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("what is measured is the same whatever the threshold", () => {
    expect(outcome(0.6, 0.55).told?.evidence).toEqual(outcome(0.6).told?.evidence);
  });

  test("a classifier that fails tells nothing at once, though the threshold is above the model's strong", () => {
    expect(outcome(Number.NaN, 0.95).told).toMatchObject({ strength: "medium", reason: "still" });
  });
});
