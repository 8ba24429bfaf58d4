import fc from "fast-check";
import { expect, test } from "vitest";
import { suggestThreshold } from "./suggest.ts";

const limits = { most: 0.9 };

test("just above the false alarms, and no higher", () => {
  expect(suggestThreshold({ falls: [0.88], noFalls: [0.52, 0.61] }, limits, 0.5)).toEqual({
    threshold: 0.6101,
    drops: 2,
    remain: 0,
  });
});

test("one that scored as a fall did stays; so does one above the bounds", () => {
  expect(suggestThreshold({ falls: [0.6], noFalls: [0.52, 0.61] }, limits, 0.5)).toEqual({
    threshold: 0.5201,
    drops: 1,
    remain: 1,
  });
  expect(suggestThreshold({ falls: [], noFalls: [0.95] }, limits, 0.5)).toEqual({
    threshold: null,
    drops: 0,
    remain: 1,
  });
});

test("what the threshold now drops already, and falls alone, suggest nothing", () => {
  expect(suggestThreshold({ falls: [0.5], noFalls: [0.4] }, limits, 0.5)).toEqual({
    threshold: null,
    drops: 0,
    remain: 0,
  });
});

test("whatever was confirmed: within bounds, above now, no fall lost, and what it says is dropped is", () => {
  const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(scores, scores, fc.double({ min: 0.02, max: 0.9, noNaN: true }), (falls, noFalls, now) => {
      const { threshold, drops, remain } = suggestThreshold({ falls, noFalls }, limits, now);
      expect(drops + remain).toBe(noFalls.filter((score) => score >= now).length);
      if (threshold === null) {
        expect(drops).toBe(0);
        return;
      }
      expect(threshold).toBeLessThanOrEqual(limits.most);
      expect(threshold).toBeGreaterThan(now);
      expect(falls.every((score) => score >= threshold)).toBe(true);
      expect(noFalls.filter((score) => score >= now && score < threshold)).toHaveLength(drops);
    }),
  );
});
