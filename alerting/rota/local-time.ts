// Wall clocks of a time zone. A local day is a number (days since 1970-01-01 as the calendar there has it), a local time minutes after its midnight.

export const dayMs = 86_400_000;
export const minuteMs = 60_000;

/** One time zone. All of it is computed from the IANA list that Node has, and kept. */
export interface Zone {
  readonly name: string;
  /** The local day of a moment. */
  dayOf(at: number): number;
  /** Minutes since the local clock showed midnight, as the clock on the wall has it: 0 to 1439. */
  minuteOf(at: number): number;
  /**
   * When the local clock shows `minute` of `day`; more than 1440 is the day after. A time that is skipped in spring is the moment at which the clock
   * is put forward, one that comes twice in autumn the first of the two: so a later local time is never an earlier moment, and where one shift ends
   * the next begins.
   */
  at(day: number, minute: number): number;
  /** Which of the two a time is that comes twice that night; null on all others. */
  doubled(at: number): "first" | "second" | null;
}

const zones = new Map<string, Zone>();

/** @throws RangeError where there is no such zone. */
export function zoneOf(name: string): Zone {
  const zone = zones.get(name) ?? makeZone(name);
  zones.set(name, zone);
  return zone;
}

function makeZone(name: string): Zone {
  const readOffset = offsetReader(name);
  const atMidnight = new Map<number, number>();
  const switches = new Map<number, number>();

  /** The offset at 00:00 UTC of a day. */
  function edge(day: number): number {
    let offset = atMidnight.get(day);
    if (offset === undefined) {
      if (atMidnight.size > 5_000) atMidnight.clear();
      offset = readOffset(day * dayMs);
      atMidnight.set(day, offset);
    }
    return offset;
  }

  /** The moment in a UTC day at which the offset becomes another. */
  function switchIn(day: number): number {
    const known = switches.get(day);
    if (known !== undefined) return known;
    const before = edge(day);
    let low = day * dayMs;
    let high = low + dayMs;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (readOffset(middle) === before) low = middle;
      else high = middle;
    }
    switches.set(day, high);
    return high;
  }

  function offsetAt(at: number): number {
    const day = Math.floor(at / dayMs);
    const before = edge(day);
    const after = edge(day + 1);
    return before === after || at < switchIn(day) ? before : after;
  }

  return {
    name,
    dayOf: (at) => Math.floor((at + offsetAt(at)) / dayMs),
    minuteOf(at) {
      const local = at + offsetAt(at);
      return Math.floor((local - Math.floor(local / dayMs) * dayMs) / minuteMs);
    },
    at(day, minute) {
      const shown = day * dayMs + minute * minuteMs;
      const asBefore = shown - offsetAt(shown - dayMs);
      if (asBefore + offsetAt(asBefore) === shown) return asBefore;
      const asAfter = shown - offsetAt(shown + dayMs);
      if (asAfter + offsetAt(asAfter) === shown) return asAfter;
      const first = Math.floor(asAfter / dayMs);
      return edge(first) === edge(first + 1) ? switchIn(first + 1) : switchIn(first);
    },
    doubled(at) {
      const shown = at + offsetAt(at);
      const before = offsetAt(shown - dayMs);
      const after = offsetAt(shown + dayMs);
      if (before <= after) return null;
      const isBoth = offsetAt(shown - before) === before && offsetAt(shown - after) === after;
      if (!isBoth) return null;
      return at === shown - before ? "first" : "second";
    },
  };
}

function offsetReader(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    // hour12: false would print midnight as 24:00.
    hourCycle: "h23",
  });
  return (at) => {
    const read: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) read[type] = Number(value);
    const { year = 0, month = 1, day, hour, minute, second } = read;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
}

/** The local day of a date as `2026-12-24`. */
export const dayOfDate = (date: string): number => Math.floor(Date.parse(`${date}T00:00:00Z`) / dayMs);

/** A local day as `2026-12-24`. */
export const dateOfDay = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);

/** 0 is Monday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

/** Minutes after midnight of a time as `21:30`. */
export function minutesOfTime(time: string): number {
  const [hours, minutes] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** The ISO week a local day is in, as `2026-W48`. */
export function weekOfDay(day: number): string {
  // A week is of the year that its Thursday is in.
  const thursday = day - weekdayOf(day) + 3;
  const year = new Date(thursday * dayMs).getUTCFullYear();
  const number = Math.floor((thursday - dayOfDate(`${year}-01-01`)) / 7) + 1;
  return `${year}-W${String(number).padStart(2, "0")}`;
}

/** The Monday of an ISO week as `2026-W48`, or null where there is no such week. */
export function mondayOfWeek(week: string): number | null {
  const [, year, number] = /^(\d{4})-W(\d{2})$/i.exec(week) ?? [];
  if (!year || !number) return null;
  const fourth = dayOfDate(`${year}-01-04`);
  const monday = fourth - weekdayOf(fourth) + (Number(number) - 1) * 7;
  return weekOfDay(monday) === week.toUpperCase() ? monday : null;
}
