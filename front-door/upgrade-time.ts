import type { WallMs } from "../firmware-contracts/clock.ts";

/** Local hours in which an upgrade may begin: staff are there to see what becomes of it. */
export const upgradeFromHour = 7;
export const upgradeUntilHour = 16;

const weekend = ["Sat", "Sun"];

/**
 * Why no upgrade may begin now; null where one may.
 * @param holidays days as `2026-12-24`, in local time.
 */
export function whyNotNow(now: WallMs, timeZone: string, holidays: readonly string[]): string | null {
  const format = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit" },
  });
  const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const [hour, day] = [Number(part.hour), `${part.year}-${part.month}-${part.day}`];
  const clock = `${part.weekday} ${part.hour}:${part.minute} in ${timeZone}`;
  if (weekend.includes(part.weekday ?? "")) return `it is a weekend (${clock})`;
  if (holidays.includes(day)) return `${day} is a holiday`;
  if (hour < upgradeFromHour || hour >= upgradeUntilHour) return `it is between 16 and 07 (${clock})`;
  return null;
}
