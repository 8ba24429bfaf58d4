import { dutyOf } from "./duty.ts";
import type {
  Actor,
  CurrentPage,
  Duty,
  EpisodeCommand,
  EpisodeState,
  PagePurpose,
  SendResult,
  Trouble,
} from "./episode-state.ts";
import type { EpisodeEvent } from "./events.ts";
import type { Message, Named } from "./messages/message.ts";

/** Waits before a page is tried again after the 1st, 2nd … retryable answer, ms. The limit on tries is their number. */
const retryWaitsMs = [1_000, 2_000, 4_000, 8_000, 16_000];
/** A provider that asks for more patience than this is not waited for, ms: others are paged meanwhile. */
const longestRetryMs = 60_000;
/** Nobody can say whether it was sent: it is sent once more, for a second text is better than none. */
const unknownAgainMs = 5_000;
/** Answers in a row that make a retryable page count as failed for the step, so that the next is paged beside the tries. */
const triesBeforeNext = 2;

/** A step in the making: the state it may change, and what is to be done. */
export interface Move {
  state: EpisodeState;
  commands: EpisodeCommand[];
  now: number;
  duty: Duty;
}

export function makeMove(state: EpisodeState, duty: Duty | undefined, now: number): Move {
  return { state, commands: [], now, duty: duty ?? dutyOf(state.facts.policy) };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Tells an event about this episode. */
export function tell(
  move: Move,
  event: DistributiveOmit<EpisodeEvent, "at" | "episodeId" | "code" | "alias" | "test">,
): void {
  const { id, code, place, test } = move.state.facts;
  const whole = { ...event, at: move.now, episodeId: id, code, alias: place.alias, test };
  move.commands.push({ do: "tell", event: whole as EpisodeEvent });
}

/** Pages one responder. Returns the page's id. */
export function page(move: Move, responderId: string, purpose: PagePurpose, message: Message): string {
  const { state } = move;
  const pageId = `${state.facts.id}.${state.nextPageNumber++}`;
  if (!state.paged.includes(responderId)) state.paged.push(responderId);
  move.commands.push({ do: "page", pageId, responderId, purpose, step: state.step, message });
  tell(move, { type: "page-queued", pageId, responderId, purpose, step: state.step });
  return pageId;
}

export function pageOperators(move: Move, purpose: PagePurpose, message: Message): void {
  for (const operator of new Set(move.duty.operators)) page(move, operator, purpose, message);
}

/** Begins the policy, the first time or again. `except` took it and did not come: others are asked before. */
export function beginRound(move: Move, except: string | null = null): void {
  const { state } = move;
  state.round++;
  state.roundStartedAt = move.now;
  state.betweenRounds = false;
  state.operatorsFirst = false;
  const others = move.duty.steps.some((_, i) => calledAt(move, i, except).length > 0);
  state.step = -1;
  pageNextStep(move, others ? except : null);
}

/** Whom a step pages now. In the first round those who are busy or cannot be reached are passed over; after that everybody is tried. */
function calledAt({ state, duty }: Move, step: number, except: string | null): string[] {
  const passedOver = state.round > 1 ? [] : [...duty.busy, ...duty.unreachable];
  return [...new Set(duty.steps[step] ?? [])].filter((id) => id !== except && !passedOver.includes(id));
}

/** Pages the next step that has anybody in it; where none has, the operators are told at once. */
function pageNextStep(move: Move, except: string | null = null): void {
  const { state, duty } = move;
  for (let step = state.step + 1; step < state.facts.policy.steps.length; step++) {
    const called = calledAt(move, step, except);
    if (called.length === 0) continue;
    state.step = step;
    pageAll(move, called);
    state.due["next-page"] = move.now + (state.facts.policy.steps[step]?.waitMs ?? state.facts.policy.shortestRoundMs);
    return;
  }
  const nobodyPaged = state.step < 0;
  state.step = Math.max(0, state.step);
  const staff = duty.steps.flat();
  endRound(move, !nobodyPaged ? null : staff.some((id) => duty.busy.includes(id)) ? "busy" : "nobody");
}

/** Pages these together, as the step now waited for. */
function pageAll(move: Move, called: readonly string[]): void {
  const { state } = move;
  const { policy } = state.facts;
  state.current = {};
  state.declined = [];
  const [purpose, message] = callOf(state);
  for (const responderId of called) {
    state.current[page(move, responderId, purpose, message)] = { responderId, fate: "waiting" };
  }
  delete state.due.receipt;
  // From the second round on everybody has been paged: there is nobody whom a missing receipt would bring in sooner.
  if (policy.receiptWithinMs !== null && state.round <= 1) state.due.receipt = move.now + policy.receiptWithinMs;
}

/** Pages one more beside the step now waited for, who is waited for like the others. */
export function callAlso(move: Move, responderId: string): void {
  const { state } = move;
  if (Object.values(state.current).some((current) => current.responderId === responderId)) return;
  const [purpose, message] = callOf(state);
  state.current[page(move, responderId, purpose, message)] = { responderId, fate: "waiting" };
}

/** The text that asks somebody to take it. */
function callOf({ facts, news, longLie }: EpisodeState): [PagePurpose, Message] {
  if (facts.signOn) return ["sign-on", { kind: "sign-on", from: facts.signOn.startsAt }];
  if (facts.trouble) return ["technical", technicalText(facts.trouble)];
  if (facts.kind === "welfare") return ["welfare", { kind: "welfare", since: facts.since }];
  if (!news) throw new Error(`episode ${facts.id} is about nothing`);
  if (longLie) return ["alarm", { kind: "long-lie", ...longLie }];
  const { reason, impactAt, arrivedAt, late } = news;
  return ["alarm", { kind: "alarm", reason, impactAt, arrivedAt, late }];
}

/** What a technical alarm says, also when it says it again. */
export function technicalText({ kind, subject, since }: Trouble): Message {
  return { kind: "technical", trouble: kind, subject, since };
}

/** Tells the operators of an alarm beside those who are called out. Nobody waits for their answer. */
export function tellOperators(move: Move): void {
  const { state, duty } = move;
  const [, message] = callOf(state);
  const called = Object.values(state.current).map(({ responderId }) => responderId);
  const beside = [...new Set(duty.operators)].filter((id) => !called.includes(id));
  for (const id of beside) page(move, id, "not-taken", message);
  state.toldNotTaken = [...new Set([...state.toldNotTaken, ...beside])];
}

/** Asks the operators first, as a new resident's silent period says, or of a sensor that is not in operation. */
export function askOperatorsFirst(move: Move, forMs: number): void {
  const { state } = move;
  state.operatorsFirst = true;
  state.step = 0;
  pageAll(move, [...new Set(move.duty.operators)]);
  state.due["next-page"] = move.now + forMs;
  tell(move, { type: "operators-first" });
}

/** Holds a technical alarm until `until`. Its first round begins then. */
export function hold(move: Move, until: number): void {
  move.state.betweenRounds = true;
  move.state.current = {};
  move.state.due = { "next-page": until };
}

/** Pages the next step; past the last the operators are told and the policy begins again from the first. */
export function advance(move: Move): void {
  const { state } = move;
  if (state.betweenRounds || state.operatorsFirst) beginRound(move);
  else pageNextStep(move);
}

/** @param nobody why nobody at all could be paged in this round; null where somebody was. */
function endRound(move: Move, nobody: "busy" | "nobody" | null): void {
  const { state, now, duty } = move;
  const { policy } = state.facts;
  tellNotTaken(move, nobody);
  const waits = policy.steps.reduce((sum, step) => sum + step.waitMs, 0);
  const pause = nobody === null ? Math.min(policy.shortestRoundMs, waits) : policy.shortestRoundMs;
  const earliest = Math.max(state.roundStartedAt + pause, duty.quietUntil ?? 0);
  delete state.due.receipt;
  if (now >= earliest && nobody === null) {
    beginRound(move);
    return;
  }
  state.betweenRounds = true;
  state.current = {};
  state.due["next-page"] = Math.max(earliest, now);
}

function tellNotTaken(move: Move, nobody: "busy" | "nobody" | null): void {
  const { state, now, duty } = move;
  const { facts, news } = state;
  const minutes = Math.floor(Math.max(0, now - state.openedAt) / 60_000);
  tell(move, { type: "not-taken", round: state.round });
  if (facts.signOn) {
    const by = { responder: facts.signOn.responderId };
    pageOperators(move, "not-taken", { kind: "sign-on-missing", by, from: facts.signOn.startsAt });
  } else if (facts.trouble) {
    pageOperators(move, "technical", technicalText(facts.trouble));
  } else if (facts.kind === "welfare") {
    pageOperators(move, "welfare", { kind: "welfare-not-taken", since: facts.since, minutes });
  } else if (news) {
    const { kind: alarm, impactAt } = news;
    pageOperators(
      move,
      "not-taken",
      nobody === null
        ? { kind: "not-taken", alarm, impactAt, minutes }
        : { kind: "nobody-free", alarm, impactAt, why: nobody },
    );
  }
  state.toldNotTaken = [...new Set([...state.toldNotTaken, ...duty.operators])];
}

/** No phone has it by the deadline: the next are paged, while those of this step may still answer. */
export function receiptsMissing(move: Move): void {
  const { state } = move;
  if (state.status !== "open" || Object.values(state.current).some(({ fate }) => fate === "delivered")) return;
  tell(move, { type: "receipt-missing", step: state.step });
  advance(move);
}

/** When a page is tried again, wall ms, or null. `tries` counts the attempt that gave this result. */
export function retryAt(result: SendResult, tries: number, now: number): number | null {
  if (result.outcome === "retryable") {
    const wait = retryWaitsMs[tries - 1];
    return wait === undefined ? null : now + Math.max(wait, Math.min(result.retryAfterMs ?? 0, longestRetryMs));
  }
  return result.outcome === "unknown" && tries < 2 ? now + unknownAgainMs : null;
}

/** Pages that are of no use any more once somebody has the alarm. */
const pointlessOnceTaken: ReadonlySet<PagePurpose> = new Set(["alarm", "welfare", "not-taken"]);

/** What an answer of the provider does to the step now waited for. */
export function takePageResult(
  move: Move,
  pageId: string,
  purpose: PagePurpose,
  tries: number,
  result: SendResult,
): void {
  const { state } = move;
  const pointless = pointlessOnceTaken.has(purpose) && state.status !== "open";
  const again = pointless || state.status === "closed" ? null : retryAt(result, tries, move.now);
  if (again !== null) move.commands.push({ do: "retry", pageId, at: again });
  const current = state.current[pageId];
  if (!current || state.status !== "open") return;
  if (result.outcome === "accepted") {
    // A receipt can be faster than the answer.
    if (current.fate !== "delivered") current.fate = "sent";
  } else if (result.outcome !== "retryable" || tries >= triesBeforeNext || !isSoon(result)) failPage(move, current);
}

const isSoon = (result: SendResult) => result.outcome !== "retryable" || (result.retryAfterMs ?? 0) <= 2_000;

/** A page that will not arrive: where nobody else of the step can be reached, the next is paged at once. */
export function failPage(move: Move, current: CurrentPage): void {
  if (current.fate === "failed") return;
  current.fate = "failed";
  if (Object.values(move.state.current).every((other) => other.fate === "failed")) advance(move);
}

export function named(actor: Actor): Named {
  return actor.kind === "responder" ? { responder: actor.id } : "operator";
}

/** How an actor stands in events: never a person's name. */
export function actorTag(actor: Actor): string {
  if (actor.kind === "responder") return actor.id;
  return actor.kind === "user" ? actor.role : actor.kind;
}

export function isResponder(actor: Actor | null, responderId: string): boolean {
  return actor?.kind === "responder" && actor.id === responderId;
}
