import type { DwellingDetail } from "../../residents/api.ts";
import { aliasOf } from "../episode-words.ts";
import type { Words } from "../language.ts";

/** What staff call the dwelling. */
export const keyWords = (words: Words, key: string) => aliasOf(words, { alias: key });

/** Whether a fall would raise an alarm there now, and if not, why: the first reason that counts. */
export function watchOf(words: Words, detail: DwellingDetail, now: number): { text: string; isWatched: boolean } {
  const { consent, pause, state } = detail;
  const say = (key: Parameters<Words["say"]>[0], values = {}) => words.say(key, values);
  if (consent.state !== "given") return { text: say("residents.watch.consent"), isWatched: false };
  if (pause && pause.until > now) {
    return { text: say("residents.watch.paused", { time: words.time(pause.until, now) }), isWatched: false };
  }
  if (state === "fine") return { text: say("residents.watch.yes"), isWatched: true };
  return { text: say(`residents.watch.${state}`), isWatched: state === "trouble" };
}

/** `4 tim 10 min` */
export function lengthOfMinutes(words: Words, minutes: number): string {
  if (minutes < 60) return words.say("time.minutes", { minutes });
  return words.say("time.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
