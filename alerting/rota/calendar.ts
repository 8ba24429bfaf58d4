import ical, { ICalCalendarMethod } from "ical-generator";
import type { RotaConfig } from "./rota-config.ts";
import type { Plan } from "./shifts.ts";
import { stintsOf } from "./shifts.ts";
import type { RotaWords } from "./words.ts";

export interface CalendarInputs {
  rotas: readonly { rota: RotaConfig; plan: Plan }[];
  /** Wall time, ms. */
  from: number;
  until: number;
  /** When it is written: a calendar takes the newer of two events of one id. */
  now: number;
  /** Only this responder's times. */
  person?: string | undefined;
  nameOf(responderId: string): string;
  words: RotaWords;
}

/** The name of a shift as it is shown. */
export function shiftName(rota: RotaConfig, shiftId: string, words: RotaWords): string {
  const shift = rota.shifts.find(({ id }) => id === shiftId);
  return shift ? (shift.name ?? shift.id) : words.override;
}

/**
 * The shifts as iCalendar (RFC 5545), one event for each time with the same people. Times are UTC, which every calendar shows in its own zone. An event
 * keeps its id as long as its shift begins at that time, so a file that is read again replaces what was there. It holds names and no phones.
 */
export function rotaCalendar({ rotas, from, until, now, person, nameOf, words }: CalendarInputs): string {
  const name = [...rotas.map(({ rota }) => rota.name), ...(person === undefined ? [] : [nameOf(person)])].join(", ");
  const calendar = ical({
    name,
    prodId: { company: "Fallvakt", product: "rota", language: "EN" },
    method: ICalCalendarMethod.PUBLISH,
  });
  for (const { rota, plan } of rotas) {
    for (const shift of plan.shiftsBetween(from, until)) {
      const times =
        person === undefined
          ? shift.stretches.map((stretch) => ({ ...stretch, says: stretch.responders.map(nameOf).join(", ") }))
          : stintsOf(shift)
              .filter(({ responderId }) => responderId === person)
              .map(({ startsAt, endsAt }) => ({ from: startsAt, until: endsAt, says: rota.name }));
      for (const time of times) {
        if (time.from >= until || time.until <= from) continue;
        const id = [rota.id, shift.shiftId, ...(person === undefined ? [] : [person]), time.from].join(".");
        calendar.createEvent({
          id: `${id}@fallvakt`,
          start: new Date(time.from),
          end: new Date(time.until),
          stamp: new Date(now),
          summary: `${shiftName(rota, shift.shiftId, words)}: ${time.says}`,
        });
      }
    }
  }
  return calendar.toString();
}
