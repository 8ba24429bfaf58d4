import { dayMs, dayOfDate, type Zone } from "./local-time.ts";
import type { Holiday, RotaConfig } from "./rota-config.ts";
import { createPlan, type Plan, type Span } from "./shifts.ts";
import type { SignOn, StintKey } from "./sign-ons.ts";

// What is wrong with a rota, before anybody is paged in vain. Nothing here does I/O or reads a clock.

/** How far ahead a gap is a fault, days. */
export const gapDays = 7;
/** Holidays are to be filled in this long before the last one, days. */
const holidaysAheadDays = 45;

export interface GapInputs {
  rota: RotaConfig;
  /** With all changes. */
  plan: Plan;
  timeZone: string;
  /** Wall time, ms. */
  now: number;
}

/** Gaps of the next week with all changes, and those that the weekly pattern leaves by itself. */
export function gapsAhead({ rota, plan, timeZone, now }: GapInputs): { gaps: Span[]; ofPattern: Span[] } {
  const pattern = createPlan({ rota, holidays: [], changes: [], timeZone });
  return {
    gaps: plan.gapsBetween(now, now + gapDays * dayMs),
    ofPattern: pattern.gapsBetween(now, now + rota.weeks * 7 * dayMs),
  };
}

/** The last holiday of the list, where it is near and none comes after it; null where it is well. */
export function lastHoliday(holidays: readonly Holiday[], zone: Zone, now: number): string | null {
  const last = holidays
    .map(({ date }) => date)
    .sort()
    .at(-1);
  return last !== undefined && dayOfDate(last) < zone.dayOf(now) + holidaysAheadDays ? last : null;
}

/** A phone of the rota that is not there for it: it gets no texts, or nobody answered its test alarm. */
export interface PhoneFault {
  kind: "no-texts" | "not-answered";
  responderId: string;
  /** Since when that is known, wall ms. */
  since: number;
  /** Its time on call that is next, or runs. */
  from: number;
  until: number;
}

/**
 * Phones that are on call within a week and cannot be reached, and those on call now whose test alarm was not answered.
 * @param lost since when each phone that gets no texts is known to get none, wall ms.
 */
export function phoneFaults(
  plan: Plan,
  lost: ReadonlyMap<string, number>,
  signOn: (stint: StintKey) => SignOn,
  now: number,
): PhoneFault[] {
  const faults: PhoneFault[] = [];
  for (const { responderId, startsAt, endsAt, rotaId } of plan.stintsBetween(now, now + gapDays * dayMs)) {
    const told = (kind: PhoneFault["kind"]) =>
      faults.some((fault) => fault.kind === kind && fault.responderId === responderId);
    const times = { responderId, from: startsAt, until: endsAt };
    const since = lost.get(responderId);
    if (since !== undefined && !told("no-texts")) faults.push({ kind: "no-texts", ...times, since });
    if (startsAt > now || told("not-answered")) continue;
    const { missedAt, signedOnAt } = signOn({ rotaId, responderId, startsAt });
    if (missedAt !== null && signedOnAt === null) faults.push({ kind: "not-answered", ...times, since: missedAt });
  }
  return faults;
}
