import type { Plan, Span } from "../rota/shifts.ts";

/** So long after one shift has begun it is still the one before that is handed over, ms. */
const stillHandingOverMs = 90 * 60_000;
/** As far back as shifts are offered, ms: two days of shifts, on the longest day of the year too. */
const offeredMs = 49 * 3_600_000;
/** Where no rota says what a shift is, the last half day is handed over, ms. */
const withoutRotaMs = 12 * 3_600_000;

/**
 * The shifts that can be handed over, the newest first: of the rotas given, those that run or have lately run, as they are worked. Two rotas whose shifts
 * are the same give one. An override within a shift is none of its own.
 */
export function shiftSpans(plans: readonly Plan[], now: number): Span[] {
  const spans = new Map<string, Span>();
  for (const plan of plans) {
    for (const { startsAt, endsAt, overrideId } of plan.shiftsBetween(now - offeredMs, now + 1)) {
      if (overrideId === null) spans.set(`${startsAt}-${endsAt}`, { from: startsAt, until: endsAt });
    }
  }
  return [...spans.values()].sort((a, b) => b.from - a.from || b.until - a.until);
}

/** Which of them is handed over now: the one that runs, or the one before where that has just ended. */
export function handedOverNow(spans: readonly Span[], now: number): Span {
  const running = spans.find(({ from, until }) => from <= now && now < until);
  const ended = spans.find(({ until }) => until <= now && now - until < stillHandingOverMs);
  if (running && now - running.from >= stillHandingOverMs) return running;
  return ended ?? running ?? { from: now - withoutRotaMs, until: now };
}
