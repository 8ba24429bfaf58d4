import type { TroubleKind } from "./episode-state.ts";
import type { TechnicalConfig } from "./policy-config.ts";
import { minutesOfTime, zoneOf } from "./rota/local-time.ts";

/** Of these nothing waits for the morning: falls raise no alarm, or nobody is reached, while they last. */
const cannotWait: ReadonlySet<TroubleKind> = new Set([
  "gateway-lost",
  "broker-lost",
  "area-silent",
  "contact-unreachable",
  "device-overdue",
  "button-overdue",
  "not-worn",
  "self-test-failed",
]);

/** When the quiet hours that run at `now` end, wall ms; null where none run, or where this kind of trouble cannot wait. */
export function quietUntil(
  kind: TroubleKind,
  quietHours: TechnicalConfig["quietHours"],
  timeZone: string,
  now: number,
): number | null {
  if (!quietHours || cannotWait.has(kind)) return null;
  const { from, to } = quietHours;
  if (from === to) return null;
  const zone = zoneOf(timeZone);
  // Quiet hours that began yesterday may still run.
  for (const day of [zone.dayOf(now) - 1, zone.dayOf(now)]) {
    const begins = zone.at(day, minutesOfTime(from));
    const ends = zone.at(to > from ? day : day + 1, minutesOfTime(to));
    if (now >= begins && now < ends) return ends;
  }
  return null;
}

/**
 * When a technical alarm's text may go, wall ms: it waits for others to the same phone, and there is one such text in a while.
 * @param last when the last one went to this phone, or null.
 */
export function technicalNotBefore(
  kind: TroubleKind,
  { gatherSeconds, digestMinutes }: TechnicalConfig,
  last: number | null,
  now: number,
): number {
  if (kind === "contact-unreachable") return now;
  const spaced = last === null || last > now ? 0 : last + digestMinutes * 60_000;
  return Math.max(now + gatherSeconds * 1000, spaced);
}
