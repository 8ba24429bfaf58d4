import { dayOfDate, minutesOfTime, weekdayOf, type Zone } from "./local-time.ts";
import { type Holiday, type RotaConfig, type ShiftPattern, weekdays } from "./rota-config.ts";

/** A shift as the pattern has it. Times are wall time, ms. */
export interface PlannedShift {
  shiftId: string;
  startsAt: number;
  endsAt: number;
  responders: readonly string[];
}

/** The weekly pattern of one rota, on any local day. */
export interface Pattern {
  /** The shifts that begin on a day, in the order in which the rota lists them. */
  beginningOn(day: number): readonly PlannedShift[];
}

const dayMinutes = 1440;
/** Days that are kept; a simulation walks through years. */
const keptDays = 2_000;

export function createPattern(rota: RotaConfig, holidays: readonly Holiday[], zone: Zone): Pattern {
  const isHoliday = new Set(holidays.map(({ date }) => dayOfDate(date)));
  const anchor = rota.anchor === undefined ? 0 : dayOfDate(rota.anchor);
  const names = (kind: ShiftPattern["days"][number]) => rota.shifts.some(({ days }) => days.includes(kind));
  const hasHolidayShifts = names("holiday");
  const hasEveShifts = names("day-before-holiday");
  const known = new Map<number, readonly PlannedShift[]>();

  /** As what a day counts for this rota. */
  function kindOf(day: number): ShiftPattern["days"][number] {
    if (isHoliday.has(day)) return hasHolidayShifts ? "holiday" : "sun";
    if (hasEveShifts && isHoliday.has(day + 1)) return "day-before-holiday";
    return weekdays[weekdayOf(day)] ?? "sun";
  }

  function compute(day: number): PlannedShift[] {
    const kind = kindOf(day);
    const weeksSince = Math.floor((day - anchor) / 7);
    const week = (((weeksSince % rota.weeks) + rota.weeks) % rota.weeks) + 1;
    return rota.shifts
      .filter(({ days, weeks }) => days.includes(kind) && (weeks === undefined || weeks.includes(week)))
      .map(({ id, from, to, responders }) => {
        const begins = minutesOfTime(from);
        const ends = minutesOfTime(to) + (minutesOfTime(to) <= begins ? dayMinutes : 0);
        return { shiftId: id, startsAt: zone.at(day, begins), endsAt: zone.at(day, ends), responders };
      })
      .filter(({ startsAt, endsAt }) => startsAt < endsAt);
  }

  return {
    beginningOn(day) {
      let shifts = known.get(day);
      if (!shifts) {
        if (known.size >= keptDays) known.clear();
        shifts = compute(day);
        known.set(day, shifts);
      }
      return shifts;
    },
  };
}
