import type { WallMs } from "../../firmware-contracts/clock.ts";

/** Where a pause without movement began: `up` is everywhere but in a bed or on a seat that tells. */
export type Whereabouts = "up" | "seat" | "bed";
const order: readonly Whereabouts[] = ["up", "seat", "bed"];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A pause is learnt for this many hours at most; nobody's usual one is longer. */
const longestHours = 48;
const none = -1;

/** How a limit is made of what was learnt. */
export interface HabitRule {
  /** Days kept; older ones are forgotten. */
  keptDays: number;
  /** Days that must have been learnt before anything is called unusual. */
  leastDays: number;
  /** The limit is the longest pause of this time of day, this many times, and `marginMs` more; but at most `mostMarginMs` longer than that pause, and never less than `leastMs`. */
  factor: number;
  marginMs: number;
  mostMarginMs: number;
  leastMs: number;
  /** So many neighbouring hours on either side count as this time of day. */
  reachHours: number;
}

/** Chosen on ordonez-a and kasteren-a: see README. */
export const habitRule: HabitRule = {
  keptDays: 28,
  leastDays: 7,
  factor: 1.5,
  marginMs: 30 * 60_000,
  mostMarginMs: 3 * hourMs,
  leastMs: 2 * hourMs,
  reachHours: 2,
};

/** One day, by UTC. `longest`: for each whereabouts and hour the longest pause there was in it, minutes; −1 where none was learnt. */
interface Day {
  day: number;
  longest: number[];
}

/**
 * How long this person usually goes without a movement that is seen, by whereabouts and time of day. Hours are UTC's: summer time moves them by one,
 * which the smoothing over neighbouring hours covers until it is learnt.
 */
export interface Habits {
  /** Oldest first. */
  days: Day[];
}

export function noHabits(): Habits {
  return { days: [] };
}

/** Learns a pause that ended by itself. Owns and changes the habits given. */
export function learn(habits: Habits, rule: HabitRule, where: Whereabouts, from: WallMs, to: WallMs): void {
  const start = Math.max(from, to - longestHours * hourMs);
  for (let hour = Math.floor(start / hourMs); hour * hourMs < to; hour++) {
    const lasted = Math.min(to, (hour + 1) * hourMs) - from;
    const day = dayOf(habits, rule, Math.floor((hour * hourMs) / dayMs));
    if (!day) continue;
    const cell = cellOf(where, hour % 24);
    day.longest[cell] = Math.max(day.longest[cell]!, Math.ceil(lasted / 60_000));
  }
}

/** Days of which at least a third was learnt. */
export function learntDays({ days }: Habits): number {
  let count = 0;
  for (const { longest } of days) {
    let hours = 0;
    for (let hour = 0; hour < 24; hour++) {
      if (order.some((where) => longest[cellOf(where, hour)] !== none)) hours++;
    }
    if (hours >= 8) count++;
  }
  return count;
}

/**
 * How long a pause may last at `now` before it is unusual, ms; null where too little is known. `where`: null where it is not known; the longest of
 * all whereabouts' limits then holds.
 */
export function limitAt(habits: Habits, rule: HabitRule, where: Whereabouts | null, now: WallMs): number | null {
  const today = Math.floor(now / dayMs);
  const days = habits.days.filter(({ day }) => day > today - rule.keptDays);
  if (learntDays({ days }) < rule.leastDays) return null;
  const hour = Math.floor(now / hourMs) % 24;
  const ofPlace = where === null ? null : longestAt(days, [where], hour, rule);
  const minutes = ofPlace ?? longestAt(days, order, hour, rule);
  if (minutes === null) return null;
  const longestMs = minutes * 60_000;
  const marginMs = Math.min(rule.mostMarginMs, longestMs * (rule.factor - 1) + rule.marginMs);
  return Math.max(rule.leastMs, longestMs + marginMs);
}

/** The longest pause at this time of day, minutes. More hours are looked at where these were met on fewer than three days; null where that does not help. */
function longestAt(days: readonly Day[], places: readonly Whereabouts[], hour: number, rule: HabitRule): number | null {
  for (const reach of [rule.reachHours, 4, 12]) {
    let longest = none;
    let met = 0;
    for (const day of days) {
      let most = none;
      for (let off = -reach; off <= reach; off++) {
        for (const where of places) most = Math.max(most, day.longest[cellOf(where, (hour + off + 24) % 24)]!);
      }
      if (most !== none) met++;
      longest = Math.max(longest, most);
    }
    if (met >= 3) return longest;
  }
  return null;
}

function dayOf(habits: Habits, rule: HabitRule, day: number): Day | null {
  const { days } = habits;
  const known = days.find((one) => one.day === day);
  if (known) return known;
  const newest = days.at(-1)?.day ?? day;
  if (day <= newest - rule.keptDays) return null;
  const made: Day = { day, longest: new Array<number>(order.length * 24).fill(none) };
  days.push(made);
  days.sort((a, b) => a.day - b.day);
  const oldest = Math.max(newest, day) - rule.keptDays;
  habits.days = days.filter((one) => one.day > oldest);
  return made;
}

const cellOf = (where: Whereabouts, hour: number) => order.indexOf(where) * 24 + hour;
