import type { Language } from "../config.ts";
import { dateOfDay, weekdayOf, type Zone } from "./local-time.ts";

/** What staff read of a rota, in one language and time zone. */
export interface RotaWords {
  /** `mån 23/11`, `Mon 23/11`. */
  day(day: number): string;
  /** `21.30`, `21:30`. In the night whose hour comes twice, `02.30A` is in summer time and `02.30B` in winter time. */
  time(at: number): string;
  /** `mån 23/11 21.30`. */
  moment(at: number): string;
  /** `vecka 48 2026`, of `2026-W48`. */
  week(week: string): string;
  hours(ms: number): string;
  /** The shift that an override makes. */
  override: string;
  allDay: string;
  nobody: string;
  nobodyNow: string;
  noGaps(days: number): string;
  onCallNow(until: string): string;
  next(at: string): string;
  signedOn(time: string): string;
  asked(time: string): string;
  missed: string;
  notAsked: string;
  unreachable: string;
  summerTime: string;
  winterTime: string;
}

const weekdays: Record<Language, readonly string[]> = {
  sv: ["mån", "tis", "ons", "tor", "fre", "lör", "sön"],
  en: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
};

export function rotaWords(language: Language, zone: Zone): RotaWords {
  const day = (number: number) => {
    const [, month, date] = dateOfDay(number).split("-");
    return `${weekdays[language][weekdayOf(number)]} ${Number(date)}/${Number(month)}`;
  };
  const time = (at: number) => {
    const minute = zone.minuteOf(at);
    const [hours, minutes] = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0"));
    const doubled = { first: "A", second: "B", none: "" }[zone.doubled(at) ?? "none"];
    return `${hours}${language === "sv" ? "." : ":"}${minutes}${doubled}`;
  };
  const shared = { day, time, moment: (at: number) => `${day(zone.dayOf(at))} ${time(at)}` };
  return language === "sv" ? { ...shared, ...sv } : { ...shared, ...en };
}

type OfLanguage = Omit<RotaWords, "day" | "time" | "moment">;
const weekAndYear = (week: string) => week.split("-W").map(Number).reverse().join(" ");
const decimal = (ms: number) => String(Math.round(ms / 360_000) / 10);

const sv: OfLanguage = {
  week: (week) => `vecka ${weekAndYear(week)}`,
  hours: (ms) => `${decimal(ms).replace(".", ",")} h`,
  override: "ändring",
  allDay: "hela dygnet",
  nobody: "ingen har jour",
  nobodyNow: "Ingen har jour nu",
  noGaps: (days) => `Någon har jour hela tiden de närmaste ${days} dygnen.`,
  onCallNow: (until) => `Har jour nu, till ${until}:`,
  next: (at) => `sedan, från ${at}:`,
  signedOn: (at) => `påloggad ${at}`,
  asked: (at) => `provlarm ${at}, inget svar än`,
  missed: "SVARADE INTE på provlarm",
  notAsked: "inte påloggad",
  unreachable: "GÅR INTE ATT NÅ",
  summerTime: "klockan ställs fram från 02 till 03",
  winterTime: "timmen 02–03 kommer två gånger, först A och sedan B",
};

const en: OfLanguage = {
  week: (week) => `week ${weekAndYear(week)}`,
  hours: (ms) => `${decimal(ms)} h`,
  override: "override",
  allDay: "all day",
  nobody: "nobody is on call",
  nobodyNow: "Nobody is on call now",
  noGaps: (days) => `Somebody is on call at every moment of the next ${days} days.`,
  onCallNow: (until) => `On call now, until ${until}:`,
  next: (at) => `then, from ${at}:`,
  signedOn: (at) => `signed on ${at}`,
  asked: (at) => `test alarm ${at}, no answer yet`,
  missed: "DID NOT ANSWER the test alarm",
  notAsked: "not signed on",
  unreachable: "CANNOT BE REACHED",
  summerTime: "the clock goes from 02 to 03",
  winterTime: "the hour 02–03 comes twice, first A and then B",
};
