import type { ShiftPhone } from "../../../shift/phones.ts";
import type { Words } from "../language.ts";

type Held = ShiftPhone["holds"][number];

/** How far it is: taken, on the way, there. */
export function heldWords(words: Words, { takenAt, onTheWayAt, arrivedAt }: Held, now: number): string {
  const said = (what: "taken" | "on-the-way" | "arrived", at: number) =>
    words.say(`shift.held.${what}`, { time: words.time(at, now) });
  if (arrivedAt !== null) return said("arrived", arrivedAt);
  if (onTheWayAt !== null) return said("on-the-way", onTheWayAt);
  return takenAt === null ? "" : said("taken", takenAt);
}

/** How the last test alarm fared, where the phone's state does not say it. */
export function testWords(words: Words, { test, state, since, lostSince }: ShiftPhone, now: number): string {
  if (!test || lostSince !== null) return "";
  const time = words.time(test.at, now);
  const sms = words.sayKnown("page", test.sms ?? "waiting", "");
  if (state === "asked") return "";
  if (test.answeredAt !== null) {
    // The answer by which it signed on is told by that.
    if (since !== null && test.answeredAt <= since) return "";
    return words.say("shift.test.answered", { time, answered: words.time(test.answeredAt, now) });
  }
  // The one by which its state came about is told by that.
  if (test.at <= (since ?? 0)) return "";
  return words.say(now < test.answerBy ? "shift.test.waiting" : "shift.test.missed", { time, sms });
}
