import type { Language } from "../config.ts";
import type { Named, Writer } from "./message.ts";

/** Kept by time zone: making one takes as long as writing a hundred texts. */
const clockFaces = new Map<string, Intl.DateTimeFormat>();

function clockFace(timeZone: string): Intl.DateTimeFormat {
  const kept =
    clockFaces.get(timeZone) ??
    new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      day: "numeric",
      month: "numeric",
      // hour12: false would print midnight as 24:00.
      hourCycle: "h23",
    });
  clockFaces.set(timeZone, kept);
  return kept;
}

/** A clock face and names for one language and time zone. Swedish writes 03.12, English 03:12; midnight is 00. */
export function makeWriter(language: Language, timeZone: string, nameOf: (responderId: string) => string): Writer {
  const parts = clockFace(timeZone);
  const read = (at: number) => Object.fromEntries(parts.formatToParts(at).map((part) => [part.type, part.value]));
  const day = (at: number) => {
    const { day: d, month } = read(at);
    return `${d}/${month}`;
  };
  return {
    time(at) {
      const { hour, minute } = read(at);
      return `${hour}${language === "sv" ? "." : ":"}${minute}`;
    },
    day,
    dayUnlessSame: (at, other) => (day(at) === day(other) ? "" : `${day(at)} `),
    name: (who: Named) =>
      who === "operator" ? (language === "sv" ? "larmoperatören" : "the operator") : nameOf(who.responder),
  };
}
