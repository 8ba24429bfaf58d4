import type { Plan, Stint } from "./shifts.ts";

// A shift's phone signs on by answering a test alarm: one that nobody answers may be in nobody's pocket.

/** Whose time it is about: a stint, by when it began (`Stint.startsAt`). */
export interface StintKey {
  rotaId: string;
  responderId: string;
  startsAt: number;
}

/** How a phone signed on, or who noted something. */
export type SignOnVia = "sms" | "console" | "command";

/** One line of what happened with a stint's phone. */
export interface SignOnRow extends StintKey {
  /** A test alarm was sent; it was answered; it was not; who is on the patrol was noted. */
  kind: "asked" | "signed-on" | "missed" | "crew";
  at: number;
  via: SignOnVia | null;
  /** Who is on the patrol, in initials. For the console and `fallvakt rota` alone: never in a text, an event or a log. */
  crew: string | null;
  by: string | null;
}

/** What is known of one stint's phone. */
export interface SignOn {
  askedAt: number | null;
  signedOnAt: number | null;
  via: SignOnVia | null;
  missedAt: number | null;
  crew: string | null;
}

/** All sign-ons, by stint. */
export type SignOns = ReadonlyMap<string, SignOn>;

const keyOf = ({ rotaId, responderId, startsAt }: StintKey) => `${rotaId} ${responderId} ${startsAt}`;
const nothing: SignOn = { askedAt: null, signedOnAt: null, via: null, missedAt: null, crew: null };

/** Rows in the order in which they were written. The first answer counts, the last crew. */
export function signOnsOf(rows: readonly SignOnRow[]): SignOns {
  const signOns = new Map<string, SignOn>();
  for (const row of rows) {
    const one = signOns.get(keyOf(row)) ?? { ...nothing };
    if (row.kind === "asked") one.askedAt ??= row.at;
    if (row.kind === "missed") one.missedAt ??= row.at;
    if (row.kind === "signed-on" && one.signedOnAt === null) {
      one.signedOnAt = row.at;
      one.via = row.via;
    }
    if (row.crew !== null) one.crew = row.crew;
    signOns.set(keyOf(row), one);
  }
  return signOns;
}

export const signOnOf = (signOns: SignOns, stint: StintKey): SignOn => signOns.get(keyOf(stint)) ?? nothing;

/**
 * The responders of stints that run at one time, in the order in which they are paged: who has signed on, then who was not asked or has time left to
 * answer, last those who did not answer. Nobody is left out. One who signed on after all is among the first again.
 */
export function pagingOrder(stints: readonly Stint[], signOns: SignOns): string[] {
  const ranks = new Map<string, number>();
  for (const stint of stints) {
    const { signedOnAt, missedAt } = signOnOf(signOns, stint);
    const rank = signedOnAt !== null ? 0 : missedAt === null ? 1 : 2;
    const known = ranks.get(stint.responderId);
    // In two shifts at once: an answer for one of them is an answer, and so is none.
    if (known === undefined || rank === 0 || (rank === 2 && known === 1)) ranks.set(stint.responderId, rank);
  }
  return [...ranks].sort(([, a], [, b]) => a - b).map(([responderId]) => responderId);
}

/** A phone to which a test alarm is to be sent, once for all rotas in which it begins at that time. */
export interface SignOnDue {
  responderId: string;
  startsAt: number;
  /** The latest end. */
  endsAt: number;
  rotaIds: string[];
}

/**
 * Which phones are to be asked now: whose stint began after `since` and runs at `now`, and of which nothing is known yet. A phone that goes on in the
 * next shift is asked again. Once it was asked (or has signed on) it is due no more, so the same question may be put at any time, after a restart too.
 */
export function signOnsDue(plans: readonly Plan[], signOns: SignOns, since: number, now: number): SignOnDue[] {
  const due = new Map<string, SignOnDue>();
  for (const stint of plans.flatMap((plan) => plan.stintsAt(now))) {
    const { askedAt, signedOnAt, missedAt } = signOnOf(signOns, stint);
    if (stint.startsAt <= since || askedAt !== null || signedOnAt !== null || missedAt !== null) continue;
    const key = `${stint.responderId} ${stint.startsAt}`;
    const one = due.get(key) ?? { responderId: stint.responderId, startsAt: stint.startsAt, endsAt: 0, rotaIds: [] };
    one.endsAt = Math.max(one.endsAt, stint.endsAt);
    if (!one.rotaIds.includes(stint.rotaId)) one.rotaIds.push(stint.rotaId);
    due.set(key, one);
  }
  return [...due.values()].sort((a, b) => a.startsAt - b.startsAt);
}
