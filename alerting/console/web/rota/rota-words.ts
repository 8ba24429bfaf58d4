import type { LocalMoment } from "../../local-moment.ts";
import type { RotaChangeView, RotaPerson, RotaRow } from "../../rota/api.ts";
import type { Words } from "../language.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/** `fre 27 nov.` of `2026-11-27`. The server says which day it is: no zone is looked at here. */
export function dayText(words: Words, date: string, weekday: "short" | "long" = "short"): string {
  const key = `${words.language} ${weekday}`;
  let format = formats.get(key);
  if (!format) {
    const locale = words.language === "sv" ? "sv-SE" : "en-GB";
    format = new Intl.DateTimeFormat(locale, { weekday, day: "numeric", month: "short", timeZone: "UTC" });
    formats.set(key, format);
  }
  return format.format(Date.parse(`${date}T00:00:00Z`));
}

/** `21:30`; of an hour that comes twice `02:30A` and `02:30B`. */
export const timeText = ({ time, twice }: LocalMoment) =>
  `${time}${twice === "first" ? "A" : twice === "second" ? "B" : ""}`;

/** `21:30`, with the day where that is another than `today`. */
export const momentText = (words: Words, moment: LocalMoment, today?: string) =>
  moment.date === today ? timeText(moment) : `${dayText(words, moment.date)} ${timeText(moment)}`;

/** `fre 27 nov. 21:30 – lör 28 nov. 07:00`, with each day once; without the first day where that is `today`. */
export function spanText(
  words: Words,
  { from, until }: { from: LocalMoment; until: LocalMoment },
  today?: string,
): string {
  const begins = momentText(words, from, today);
  return from.date === until.date
    ? `${begins}–${timeText(until)}`
    : `${begins} – ${momentText(words, until, today === undefined ? undefined : from.date)}`;
}

/** `Patrull 2, Patrull 3`; where that is nobody, it says so. */
export function peopleText(words: Words, ids: readonly string[], people: readonly RotaPerson[]): string {
  const names = ids.map((id) => nameOf(id, people));
  return names.length === 0 ? words.say("rota.nobody") : names.join(", ");
}

export const nameOf = (id: string, people: readonly RotaPerson[]) => people.find((one) => one.id === id)?.name ?? id;

export const shiftText = (words: Words, { shift }: RotaRow) =>
  shift === null ? words.say("rota.gap-row") : (shift.name ?? words.say("rota.override"));

/** What a change does, without when. */
export function changeText(words: Words, { what }: RotaChangeView, people: readonly RotaPerson[]): string {
  if (what.kind === "override") {
    return words.say(`rota.override-${what.mode}`, { people: peopleText(words, what.responders, people) });
  }
  if (what.kind === "hand-over") {
    return words.say("rota.hand-over", {
      ...{ shift: what.shift, out: nameOf(what.out, people), in: nameOf(what.in, people) },
    });
  }
  const shifts = what.shifts.map(({ name, startsAt }) => `${name} ${dayText(words, startsAt.date)}`).join(" ⇄ ");
  return words.say("rota.swap", { shifts });
}
