import { z } from "zod";
import { Id, shownName } from "../config-fields.ts";
import { longest } from "../messages/limits.ts";
import { dayOfDate, weekdayOf } from "./local-time.ts";

/** Days that a shift can begin on, Monday first. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const ShiftDay = z.enum([...weekdays, "holiday", "day-before-holiday"]);
export type ShiftDay = z.infer<typeof ShiftDay>;

export const LocalTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time as "21:30", from 00:00 to 23:59; midnight at the end is "00:00"');
const LocalDate = z.iso.date("write a date as 2026-12-24");

const ShiftPattern = z.strictObject({
  id: Id.meta({ description: "Short id of the shift, such as night" }),
  name: shownName(longest.name).optional().meta({ description: "Name as it is shown; else its id" }),
  days: z.array(ShiftDay).min(1, "name the days on which it begins, such as [mon, tue, wed, thu, fri]").meta({
    description:
      "Days on which it begins: mon to sun, holiday, day-before-holiday. Where no shift of the rota names holiday, a holiday is as a Sunday",
  }),
  weeks: z
    .array(z.number().int().min(1).max(8))
    .min(1, "name at least one week, or leave the key out")
    .optional()
    .meta({ description: "In which weeks of the rotation, from 1; left out: in all" }),
  from: LocalTime.meta({ description: 'When it begins, local time, such as "21:30"' }),
  to: LocalTime.meta({
    description: "When it ends; not later than its beginning is the day after, the same is 24 hours",
  }),
  responders: z
    .array(Id)
    .min(1, "name at least one responder: an empty shift pages nobody")
    .meta({ description: "Ids of its phones, in the order in which they are paged" }),
});
export type ShiftPattern = z.infer<typeof ShiftPattern>;

/** Who is on call when: a weekly pattern in local time. */
export const RotaConfig = z.strictObject({
  id: Id.meta({ description: "Short id of the rota, used in policies and commands" }),
  name: shownName(40).meta({ description: "Name as it is shown" }),
  unit: z.string().trim().min(1).max(60).optional().meta({ description: "The home-care unit it is for" }),
  weeks: z.number().int().min(1).max(8).default(1).meta({ description: "Weeks until the pattern begins again" }),
  anchor: LocalDate.optional().meta({ description: "A Monday on which week 1 begins; needed for more than one week" }),
  shifts: z
    .array(ShiftPattern)
    .min(1, "a rota needs at least one shift")
    .max(60, "use at most 60 shifts")
    .meta({ description: "The pattern" }),
});
export type RotaConfig = z.infer<typeof RotaConfig>;

export const Holiday = z.strictObject({
  date: LocalDate.meta({ description: "The date, such as 2026-12-24" }),
  name: shownName(longest.name).meta({ description: "Its name, as it is shown" }),
});
export type Holiday = z.infer<typeof Holiday>;

interface RotaSettings {
  rotas: readonly RotaConfig[];
  holidays: readonly Holiday[];
}

/** What the schema of one rota cannot see. Each problem is told at its key, with its mend. */
export function checkRotas(
  { rotas, holidays }: RotaSettings,
  responderIds: ReadonlySet<string>,
  problem: (path: PropertyKey[], message: string) => void,
): void {
  const dates = new Set<string>();
  for (const [i, { date }] of holidays.entries()) {
    if (dates.has(date)) problem(["holidays", i, "date"], `${date} stands twice; keep one of them`);
    dates.add(date);
  }
  const rotaIds = new Set<string>();
  for (const [i, rota] of rotas.entries()) {
    const at = (...path: PropertyKey[]) => ["rotas", i, ...path];
    if (rotaIds.has(rota.id)) problem(at("id"), `${rota.id} stands twice; give each rota its own id`);
    rotaIds.add(rota.id);
    if (rota.anchor !== undefined && weekdayOf(dayOfDate(rota.anchor)) !== 0) {
      problem(at("anchor"), `${rota.anchor} is no Monday; name the Monday on which week 1 begins`);
    } else if (rota.weeks > 1 && rota.anchor === undefined) {
      problem(at("weeks"), "say on which Monday week 1 begins: anchor, such as 2026-01-05");
    }
    const shiftIds = new Set<string>();
    for (const [s, shift] of rota.shifts.entries()) {
      if (shiftIds.has(shift.id))
        problem(at("shifts", s, "id"), `${shift.id} stands twice; give each shift its own id`);
      shiftIds.add(shift.id);
      const never = neverApplies(rota, shift, holidays);
      if (never) problem(at("shifts", s, never.key), never.says);
      const seen = new Set<string>();
      for (const [r, id] of shift.responders.entries()) {
        if (!responderIds.has(id)) {
          problem(
            at("shifts", s, "responders", r),
            `no responder has the id ${id}; known are ${[...responderIds].join(", ")}`,
          );
        } else if (seen.has(id))
          problem(at("shifts", s, "responders", r), `${id} stands twice in this shift; keep one`);
        seen.add(id);
      }
    }
  }
}

function neverApplies(
  rota: RotaConfig,
  shift: ShiftPattern,
  holidays: readonly Holiday[],
): { key: "weeks" | "days"; says: string } | null {
  const beyond = shift.weeks?.find((week) => week > rota.weeks);
  if (beyond !== undefined) {
    const says = `week ${beyond} never comes: the rota begins again after ${rota.weeks}; raise the rota's weeks, or mend the number`;
    return { key: "weeks", says };
  }
  const onHolidaysOnly = shift.days.every((day) => day === "holiday" || day === "day-before-holiday");
  if (onHolidaysOnly && holidays.length === 0) {
    const says = "never applies: there are no holidays; list them under alerting.holidays, or name a weekday";
    return { key: "days", says };
  }
  return null;
}
