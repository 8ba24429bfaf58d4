import type { BlindReason } from "../blind-time/causes.ts";
import type { Language } from "../config.ts";
import type { OutcomeDone, OutcomeWhat } from "../console/api.ts";
import type { TroubleKind } from "../episode-state.ts";
import { dateOfDay, type Zone } from "../rota/local-time.ts";
import { rotaWords } from "../rota/words.ts";
import { en } from "./words-en.ts";
import { sv } from "./words-sv.ts";

/** Kinds of alarm that a hand-over speaks of. */
export type ToldKind = "fall" | "help" | "welfare" | "technical";

/** When something is to be done about a watch: at whichever visit comes first, before the day is over, or in the next days. */
export type ChargeBy = "next-visit" | "today" | "this-week";

/** What stands in the hand-over list and in the fall report, in one language; the page, the copied text and `fallvakt shift` say the same. */
export interface ShiftTexts {
  /** `Nyckel 38`; of what is in no dwelling its own id. */
  key(alias: string): string;
  kind: Record<ToldKind, string>;
  outcome: Record<OutcomeWhat, string>;
  /** Of a welfare alarm, where it is another: nothing of a fall was asked. */
  welfareOutcome: Partial<Record<OutcomeWhat, string>>;
  done: Record<OutcomeDone, string>;
  trouble: Record<TroubleKind, string>;
  blind: Record<BlindReason, (since: string) => string>;
  pauseReason: Record<"visit" | "bath" | "staff-in-dwelling" | "hospital" | "other", string>;
  chargeBy: Record<ChargeBy, string>;
  /** Who did it on the console, where no patrol's phone did. */
  role: Record<"responder" | "operator" | "installer" | "manager" | "auditor", string>;
  code(code: string): string;
  opened(time: string): string;
  taken(time: string, by: string): string;
  notTaken: string;
  onTheWay(time: string): string;
  there(time: string): string;
  notThere: string;
  closed(time: string, outcome: string): string;
  stillOpen: string;
  did(done: string): string;
  followUp: Record<"not-closed" | "not-home" | "injury" | "unknown", string>;
  notNoted: string;
  chargeLow(percent: string, days: string | null): string;
  /** Of a sensor that nobody wears. */
  replace: string;
  charging(since: string): string;
  paused(from: string, until: string, endsToday: boolean): string;
  awaiting(since: string): string;
  followedUp(time: string, by: string): string;
  days(count: number): string;
  minutes(count: number): string;

  list: {
    title(unit: string | null): string;
    span(from: string, until: string): string;
    written(time: string): string;
    none: string;
    sections: Record<"alarms" | "followUps" | "nurse" | "charge" | "pauses" | "blind" | "awaitingTest", string>;
    allUnits: string;
  };
  report: ReportTexts;
}

export interface ReportTexts {
  title: string;
  check: string;
  fields: Record<
    | "who"
    | "unit"
    | "place"
    | "fell"
    | "noticed"
    | "found"
    | "what"
    | "floor"
    | "done"
    | "course"
    | "answer"
    | "reference"
    | "written",
    string
  >;
  fillInName(key: string): string;
  fillInWhat(outcome: string): string;
  fillIn: string;
  /** What the device measured, claiming no more. */
  reason: Record<
    "at-once" | "still" | "silent" | "soft" | "help-button" | "sensor-reported" | "sensor-suspects",
    string
  >;
  notSeenUp: string;
  notSeenUpUnheard: string;
  late(time: string): string;
  clockUnsure: string;
  beforeButton(time: string): string;
  foundBy(time: string, by: string): string;
  notFound: string;
  closedFromAfar(why: string): string;
  notClosed: string;
  floorSaid(minutes: string): string;
  floorLeast(minutes: string): string;
  floorNone: string;
  floorUnknown: string;
  event: {
    raised(time: string): string;
    again(time: string): string;
    paged(time: string, who: string): string;
    notTaken(time: string): string;
    taken(time: string, who: string): string;
    released(time: string, who: string): string;
    onTheWay(time: string, who: string): string;
    there(time: string, who: string): string;
    cannotGetIn(time: string, who: string): string;
    twoNeeded(time: string, who: string): string;
    notArrived(time: string): string;
    undone(time: string, who: string): string;
    closed(time: string, who: string): string;
  };
  raisedToTaken(minutes: string): string;
  raisedToThere(minutes: string): string;
  madeFrom(code: string, id: string): string;
}

/** The texts with their clock: local times of one zone. */
export interface ShiftWords extends ShiftTexts {
  language: Language;
  /** `03.12`, `03:12`; in the night whose hour comes twice marked A and B. */
  time(at: number): string;
  /** `tor 26/11 03.12`. */
  moment(at: number): string;
  /** The time alone where it is less than 20 h from `now`, else with its day. */
  near(at: number, now: number): string;
  /** `2026-11-27 03.12`, as a form wants it. */
  dateAndTime(at: number): string;
  isSameDay(one: number, other: number): boolean;
}

/** Beyond this a time alone could be of another night, ms. */
const nearMs = 20 * 3_600_000;

export function shiftWords(language: Language, zone: Zone): ShiftWords {
  const { time, moment } = rotaWords(language, zone);
  return {
    ...(language === "sv" ? sv : en),
    language,
    time,
    moment,
    near: (at, now) => (Math.abs(now - at) < nearMs ? time(at) : moment(at)),
    dateAndTime: (at) => `${dateOfDay(zone.dayOf(at))} ${time(at)}`,
    isSameDay: (one, other) => zone.dayOf(one) === zone.dayOf(other),
  };
}
