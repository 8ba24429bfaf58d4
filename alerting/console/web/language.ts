import { IntlMessageFormat } from "intl-messageformat";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en } from "./messages/en/index.ts";
import { sv } from "./messages/sv/index.ts";

export type Language = "sv" | "en";
export type MessageKey = keyof typeof sv;
export type Values = Record<string, string | number>;

const messages: Record<Language, Record<MessageKey, string>> = { sv, en };
const locales: Record<Language, string> = { sv: "sv-SE", en: "en-GB" };
const storageKey = "fallvakt.language";

/** Everything on the page that depends on the language. */
export interface Words {
  language: Language;
  /** The message of `key`, in ICU's syntax, with its values. */
  say(key: MessageKey, values?: Values): string;
  /** The message of `prefix.word` where there is one, else `fallback`: for words that a newer server may add to. */
  sayKnown(prefix: string, word: string, fallback: string, values?: Values): string;
  number(value: number, decimals?: number): string;
  /** Hour and minute by this machine's zone; with the date where it is over 20 h from `now`. */
  time(at: number, now?: number): string;
  /** A day with its year. */
  date(at: number): string;
  /** The same at length, with the day of the week. */
  longDate(at: number): string;
  /** A month with its year. */
  month(at: number): string;
  /** A day of the week and of the month. */
  day(at: number): string;
  /** With the date, whenever it is. */
  dateAndTime(at: number): string;
  /** With seconds, for a line of time. */
  timeWithSeconds(at: number): string;
}

export function createWords(language: Language): Words {
  const text = messages[language];
  const locale = locales[language];
  const hourMinute = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const time = new Intl.DateTimeFormat(locale, hourMinute);
  const timeWithSeconds = new Intl.DateTimeFormat(locale, { ...hourMinute, second: "2-digit" });
  const dateAndTime = new Intl.DateTimeFormat(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...hourMinute,
  });

  const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
  const longDate = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const month = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" });
  const day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" });

  const parsed = new Map<MessageKey, IntlMessageFormat>();

  function say(key: MessageKey, values: Values = {}): string {
    let message = parsed.get(key);
    if (!message) {
      message = new IntlMessageFormat(text[key], locale, undefined, { ignoreTag: true });
      parsed.set(key, message);
    }
    return String(message.format(values));
  }

  return {
    language,
    say,
    sayKnown: (prefix, word, fallback, values) => {
      const key = `${prefix}.${word}`;
      return Object.hasOwn(text, key) ? say(key as MessageKey, values) : fallback;
    },
    number: (value, decimals = 0) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value),
    time: (at, now = at) => (Math.abs(now - at) > 20 * 3600_000 ? dateAndTime : time).format(at),
    date: (at) => date.format(at),
    longDate: (at) => longDate.format(at),
    month: (at) => month.format(at),
    day: (at) => day.format(at),
    dateAndTime: (at) => dateAndTime.format(at),
    timeWithSeconds: (at) => timeWithSeconds.format(at),
  };
}

/** The language that a person chose on this device, or null. */
export function chosenLanguage(): Language | null {
  const chosen = localStorage.getItem(storageKey);
  return chosen === "sv" || chosen === "en" ? chosen : null;
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(storageKey, language);
}

export const WordsContext = createContext<Words>(createWords("sv"));

export function useWords(): Words {
  return useContext(WordsContext);
}
