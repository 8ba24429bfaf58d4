import type { ShiftKey } from "./changes.ts";
import { dayOfDate, minutesOfTime, type Zone } from "./local-time.ts";
import type { Plan } from "./shifts.ts";

const clockTime = /^([01]?\d|2[0-3])[:.]([0-5]\d)$/;
const dateAndTime = /^(\d{4}-\d{2}-\d{2})[ T]([01]?\d|2[0-3])[:.]([0-5]\d)$/;

/**
 * A local time as a person types it: `2026-11-27 21:30`, or `21:30` for the next time the clock shows that, counted from `after`.
 * @throws with the mend.
 */
export function momentOf(text: string, zone: Zone, after: number): number {
  const [, date, hours, minutes] = dateAndTime.exec(text.trim()) ?? [];
  if (date !== undefined && !Number.isNaN(dayOfDate(date))) {
    return zone.at(dayOfDate(date), minutesOfTime(`${hours}:${minutes}`));
  }
  if (clockTime.test(text.trim())) {
    const minute = minutesOfTime(text.trim().replace(".", ":"));
    const today = zone.at(zone.dayOf(after), minute);
    // The minute that is running counts as now.
    return today > after - 60_000 ? today : zone.at(zone.dayOf(after) + 1, minute);
  }
  throw new Error(`"${text}" is no time; write it as 21:30 or as "2026-11-27 21:30"`);
}

/**
 * A shift as a person types it: `night@2026-11-27`, by the day on which it begins.
 * @throws with the mend.
 */
export function shiftNamed(text: string, plan: Plan, zone: Zone): ShiftKey {
  const [, shiftId, date] = /^([a-z0-9-]+)@(\d{4}-\d{2}-\d{2})$/.exec(text) ?? [];
  if (!shiftId || !date || Number.isNaN(dayOfDate(date))) {
    throw new Error(`"${text}" names no shift; write it as night@2026-11-27, with the day on which it begins`);
  }
  const day = dayOfDate(date);
  const begun = plan
    .shiftsBetween(zone.at(day, 0), zone.at(day + 1, 0))
    .filter(({ startsAt }) => zone.dayOf(startsAt) === day);
  const shift = begun.find((one) => one.shiftId === shiftId);
  if (!shift) {
    const ids = begun.map((one) => one.shiftId).join(", ") || "none";
    throw new Error(`no shift ${shiftId} begins on ${date}; on that day begin: ${ids}`);
  }
  return { shiftId, startsAt: shift.startsAt };
}
