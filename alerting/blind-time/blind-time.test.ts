import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BlindSpan, blindSpans, clipped, sumsByReason } from "./blind-time.ts";
import type { BlindReason, DwellingCauses, SharedCauses, Span, Wearable } from "./causes.ts";

const end = 40;
const anyTime = fc.integer({ min: 0, max: end });
const anySpan = fc.record({ from: anyTime, until: fc.option(anyTime) });
const anyGateway = fc.constantFrom("g1", "g2");
const anyWearable: fc.Arbitrary<Wearable> = fc.record({
  registered: anySpan,
  firstHeardAt: fc.option(anyTime),
  heardThrough: fc
    .array(fc.record({ gatewayId: anyGateway, at: anyTime }), { maxLength: 3 })
    .map((all) => all.toSorted((a, b) => a.at - b.at)),
  outages: fc.array(
    fc.record({
      from: anyTime,
      until: fc.option(anyTime),
      reason: fc.constantFrom("overdue" as const, "not-worn" as const),
    }),
    { maxLength: 4 },
  ),
});
const anyDwelling: fc.Arbitrary<DwellingCauses> = fc.record({
  since: fc.integer({ min: 0, max: 10 }),
  consents: fc
    .array(fc.record({ at: anyTime, isGiven: fc.boolean() }), { maxLength: 4 })
    .map((all) => all.toSorted((a, b) => a.at - b.at)),
  pauses: fc.array(anySpan, { maxLength: 3 }),
  wearables: fc.array(anyWearable, { maxLength: 3 }),
});
const anyShared: fc.Arbitrary<SharedCauses> = fc.record({
  serviceDown: fc.array(anySpan, { maxLength: 3 }),
  gatewaysDown: fc
    .record({ g1: fc.array(anySpan, { maxLength: 2 }), g2: fc.array(anySpan, { maxLength: 2 }) })
    .map((byId) => new Map(Object.entries(byId))),
});

const holds = ({ from, until }: Span, t: number) => from <= t && (until === null || t < until);

/** The same, told moment by moment and without a sweep. */
function reasonAt(causes: DwellingCauses, shared: SharedCauses, t: number): BlindReason | null {
  if (!causes.consents.findLast(({ at }) => at <= t)?.isGiven) return "no-consent";
  if (causes.pauses.some((pause) => holds(pause, t))) return "paused";
  const worn = causes.wearables.filter(({ registered }) => holds(registered, t));
  if (worn.length === 0) return "no-device";
  if (shared.serviceDown.some((gap) => holds(gap, t))) return "service-down";
  const reasons = worn.map(({ heardThrough, firstHeardAt, outages }) => {
    const through = heardThrough.findLast(({ at }) => at <= t) ?? heardThrough[0];
    if (through && shared.gatewaysDown.get(through.gatewayId)?.some((down) => holds(down, t))) return "gateway-down";
    if (firstHeardAt === null || t < firstHeardAt) return "overdue";
    const now = outages.filter((outage) => holds(outage, t)).map(({ reason }) => reason);
    return now.includes("overdue") ? "overdue" : (now[0] ?? null);
  });
  for (const reason of [null, "not-worn", "overdue", "gateway-down"] as const)
    if (reasons.includes(reason)) return reason;
  return null;
}

const at = (spans: readonly BlindSpan[], t: number) =>
  spans.find(({ from, until }) => from <= t && t < until)?.reason ?? null;

describe("blind time", () => {
  test("property: at every moment it says what a look at all causes says", () => {
    fc.assert(
      fc.property(anyDwelling, anyShared, anyTime, anyTime, (causes, shared, from, until) => {
        const spans = blindSpans(causes, shared, from, until);
        for (let t = 0; t <= end; t++) {
          const isAsked = t >= from && t >= causes.since && t < until;
          expect(at(spans, t)).toBe(isAsked ? reasonAt(causes, shared, t) : null);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("property: spans are in order, none is empty, and two that touch have different reasons", () => {
    fc.assert(
      fc.property(anyDwelling, anyShared, (causes, shared) => {
        const spans = blindSpans(causes, shared, 0, end);
        for (const [i, { from, until, reason }] of spans.entries()) {
          expect(from).toBeLessThan(until);
          const next = spans[i + 1];
          if (next) expect(next.from > until || (next.from === until && next.reason !== reason)).toBe(true);
        }
        const sums = Object.values(sumsByReason(spans)).reduce((sum, ms) => sum + ms, 0);
        expect(sums).toBe(spans.reduce((sum, span) => sum + span.until - span.from, 0));
      }),
    );
  });

  test("property: asked for in parts it is the same as asked for whole", () => {
    fc.assert(
      fc.property(anyDwelling, anyShared, anyTime, (causes, shared, cut) => {
        const whole = blindSpans(causes, shared, 0, end);
        expect(blindSpans(causes, shared, 0, cut)).toEqual(clipped(whole, 0, cut));
        expect(blindSpans(causes, shared, cut, end)).toEqual(clipped(whole, cut, end));
      }),
    );
  });

  test("property: a cause more never makes anybody see more", () => {
    fc.assert(
      fc.property(anyDwelling, anyShared, anySpan, (causes, shared, more) => {
        const before = blindSpans(causes, shared, 0, end);
        const after = blindSpans(causes, { ...shared, serviceDown: [...shared.serviceDown, more] }, 0, end);
        for (let t = 0; t < end; t++) if (at(before, t) !== null) expect(at(after, t)).not.toBeNull();
      }),
    );
  });

  test("a clock that was set back: what was written down last counts", () => {
    const wearables = [{ registered: { from: 0, until: null }, firstHeardAt: 0, heardThrough: [], outages: [] }];
    const consents = [
      { at: 0, isGiven: true },
      { at: 30, isGiven: false },
      { at: 20, isGiven: true },
    ];
    const shared = { serviceDown: [], gatewaysDown: new Map() };
    expect(blindSpans({ since: 0, consents, pauses: [], wearables }, shared, 0, end)).toEqual([]);
  });
});
