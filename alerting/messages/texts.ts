import type { Language } from "../config.ts";
import type { EpisodeFacts } from "../episode-state.ts";
import { en } from "./en.ts";
import type { LooseMessage, Message, TextPlace, Texts } from "./message.ts";
import { sv } from "./sv.ts";
import { makeWriter } from "./writer.ts";

const languages: Record<Language, Texts> = { sv, en };

/** Words the messages of one service: its time zone and its responders' names. */
export interface MessageWriter {
  write(message: Message, place: TextPlace, language: Language): string;
  writeLoose(message: LooseMessage, language: Language): string;
}

export function createMessageWriter(timeZone: string, nameOf: (responderId: string) => string): MessageWriter {
  const writers = { sv: makeWriter("sv", timeZone, nameOf), en: makeWriter("en", timeZone, nameOf) };
  return {
    write: (message, place, language) => languages[language].of(message, place, writers[language]),
    writeLoose: (message, language) => languages[language].loose(message),
  };
}

/** What a text may say of where an episode is. */
export function textPlace(facts: EpisodeFacts): TextPlace {
  const { place, detection, code, test, kind, notInOperation = null } = facts;
  return {
    code,
    alias: place.alias,
    deviceId: detection?.deviceId ?? "",
    kind,
    area: place.areaInTexts ? place.area : null,
    room: place.room,
    test,
    notInOperation,
  };
}
