import type { RotaChange, Shift, Stretch } from "./changes.ts";
import { keyOf } from "./changes.ts";
import { dateOfDay, dayMs, type Zone } from "./local-time.ts";
import type { Holiday } from "./rota-config.ts";
import type { Plan } from "./shifts.ts";

// The days of a rota as they are shown: in a terminal, and on the console. Nothing here has words.

/** The 24 hours of a shift in autumn. */
const longestDay = 25 * 3_600_000;

export interface WeekInputs {
  plan: Plan;
  holidays: readonly Holiday[];
  zone: Zone;
  /** The local day on which it begins; it has seven. */
  monday: number;
  /** Wall time, ms. */
  now: number;
}

/** Somebody's time on call, or a time in which nobody is. Wall time, ms. */
export interface DayRow {
  /** Whole, also where it is of the evening before; a gap is cut to its day. */
  from: number;
  until: number;
  /** Null: nobody is on call. */
  shift: Shift | null;
  responders: readonly string[];
  /** It was told on the day on which it began: here it is only drawn. */
  continues: boolean;
  /** It lasts for days, and is told on each. */
  isLong: boolean;
  isNow: boolean;
}

/** A local day: 23 or 25 hours where the clock is set. */
export interface RotaDay {
  day: number;
  from: number;
  until: number;
  holidays: string[];
  clock: "forward" | "back" | null;
  /** By their beginning. */
  rows: DayRow[];
}

/** The week's days, each with who is on call and where nobody is. */
export function weekOf({ plan, holidays, zone, monday, now }: WeekInputs): RotaDay[] {
  return Array.from({ length: 7 }, (_, index) => {
    const day = monday + index;
    const [from, until] = [zone.at(day, 0), zone.at(day + 1, 0)];
    const length = until - from;
    return {
      ...{ day, from, until },
      holidays: holidays.filter(({ date }) => date === dateOfDay(day)).map(({ name }) => name),
      clock: length < dayMs ? "forward" : length > dayMs ? "back" : null,
      rows: rowsOf({ plan, zone, now }, { day, from, until }, index === 0),
    };
  });
}

function rowsOf(
  { plan, zone, now }: Pick<WeekInputs, "plan" | "zone" | "now">,
  { day, from: begin, until: end }: Pick<RotaDay, "day" | "from" | "until">,
  isFirst: boolean,
): DayRow[] {
  const rows: DayRow[] = [];
  for (const shift of plan.shiftsBetween(begin, end)) {
    for (const { from, until, responders } of shift.stretches) {
      if (from >= end || until <= begin) continue;
      const isLong = until - from > longestDay;
      rows.push({
        ...{ from, until, shift, responders, isLong },
        // On the first day what is of the evening before is said again.
        continues: from < begin && !isFirst && !isLong,
        isNow: from <= now && now < until && (!isLong || zone.dayOf(now) === day),
      });
    }
  }
  for (const { from, until } of plan.gapsBetween(begin, end)) {
    const isNow = from <= now && now < until;
    rows.push({ from, until, shift: null, responders: [], continues: false, isLong: false, isNow });
  }
  return rows.sort((a, b) => Math.max(a.from, begin) - Math.max(b.from, begin));
}

/** The hours of a day, each at the moment at which the clock on the wall shows it: one is missing in spring, one comes twice in autumn. */
export function hoursOf({ from, until }: Pick<RotaDay, "from" | "until">, zone: Zone): number[] {
  const hours: number[] = [];
  // Clocks are set by whole quarters at the least, wherever that is done.
  for (let at = from; at < until; at += 15 * 60_000) if (zone.minuteOf(at) % 60 === 0) hours.push(at);
  return hours;
}

/** The changes that made this stretch what it is, in the order in which they were made. */
export function changesBehind<T extends RotaChange>(
  shift: Shift,
  { from, until }: Stretch,
  changes: readonly T[],
): T[] {
  return changes.filter((change) => {
    if (change.rotaId !== shift.rotaId) return false;
    const end = change.withdrawnAt ?? Number.POSITIVE_INFINITY;
    if (change.kind === "override") return shift.overrideId === change.id;
    if (change.kind === "swap") {
      return change.withdrawnAt === null && change.shifts.some((key) => keyOf(key) === keyOf(shift));
    }
    return keyOf(change.shift) === keyOf(shift) && from >= change.at && until <= Math.min(change.until ?? end, end);
  });
}
