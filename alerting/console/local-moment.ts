import { z } from "zod";
import { dateOfDay, type Zone } from "../rota/local-time.ts";
import { momentOf } from "../rota/typed-times.ts";

/** A moment with what the calendar and the clock on the wall show where the service is, so that no browser works it out by a zone of its own. */
export const LocalMoment = z
  .object({
    at: z.number().int().meta({ description: "Wall time, ms since 1970 UTC" }),
    date: z.string().meta({ description: "As 2026-11-27" }),
    time: z.string().meta({ description: "As 21:30" }),
    twice: z
      .enum(["first", "second"])
      .nullable()
      .meta({ description: "Which of the two it is, of an hour that comes twice when the clock is put back" }),
  })
  .meta({ id: "LocalMoment" });
export type LocalMoment = z.infer<typeof LocalMoment>;

export function localMoment(at: number, zone: Zone): LocalMoment {
  const minute = zone.minuteOf(at);
  const time = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return { at, date: dateOfDay(zone.dayOf(at)), time, twice: zone.doubled(at) };
}

/** A time as a program knows it, or as a person fills it in. */
export const GivenTime = z
  .union([z.number().int(), z.string().trim().min(1).max(40)])
  .meta({ id: "GivenTime", description: "Wall time, ms since 1970 UTC; or local time, as 2026-11-27T21:30" });
export type GivenTime = z.infer<typeof GivenTime>;

/** @throws with the mend where it is no time. */
export function givenTime(time: GivenTime, zone: Zone, now: number): number {
  return typeof time === "number" ? time : momentOf(time, zone, now);
}
