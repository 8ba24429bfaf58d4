import type { Actor, CurrentPage, EpisodeCommand, EpisodeState, PagePurpose, SendResult } from "./episode-state.ts";
import type { EpisodeEvent } from "./events.ts";
import type { Message, Named } from "./messages/message.ts";

/** A round of the policy lasts at least this long (or its own waits, where shorter): failing pages must not go round in a circle. */
const shortestRoundMs = 60_000;
/** Waits before a page is tried again after the 1st, 2nd … retryable answer, ms. The limit on tries is their number. */
const retryWaitsMs = [1_000, 2_000, 4_000, 8_000, 16_000];
/** Nobody can say whether it was sent: it is sent once more, for a second text is better than none. */
const unknownAgainMs = 5_000;
/** Answers in a row that make a retryable page count as failed for the step, so that the next is paged beside the tries. */
const triesBeforeNext = 2;

/** A step in the making: the state it may change, and what is to be done. */
export interface Move {
  state: EpisodeState;
  commands: EpisodeCommand[];
  now: number;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Tells an event about this episode. */
export function tell(
  move: Move,
  event: DistributiveOmit<EpisodeEvent, "at" | "episodeId" | "code" | "alias" | "test">,
): void {
  const { id, code, place, detection } = move.state.facts;
  const whole = { ...event, at: move.now, episodeId: id, code, alias: place.alias, test: detection.test };
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
  for (const operator of new Set(move.state.facts.policy.operators)) page(move, operator, purpose, message);
}

/** Begins the policy, the first time or again. `except` took it and did not come: others are asked before. */
export function beginRound(move: Move, except: string | null = null): void {
  const { state } = move;
  state.round++;
  state.roundStartedAt = move.now;
  state.betweenRounds = false;
  const others = state.facts.policy.steps.findIndex((step) => step.responders.some((id) => id !== except));
  state.step = except !== null && others >= 0 ? others : 0;
  pageStep(move, others >= 0 ? except : null);
}

function pageStep(move: Move, except: string | null = null): void {
  const { state } = move;
  const step = state.facts.policy.steps[state.step];
  state.current = {};
  state.declined = [];
  for (const responderId of new Set(step?.responders ?? [])) {
    if (responderId === except) continue;
    const { reason, impactAt, arrivedAt, late } = state.news;
    const pageId = page(move, responderId, "alarm", { kind: "alarm", reason, impactAt, arrivedAt, late });
    state.current[pageId] = { responderId, fate: "waiting" };
  }
  state.due["next-page"] = move.now + (step?.waitMs ?? shortestRoundMs);
}

/** Pages the next step; past the last the operators are told and the policy begins again from the first. */
export function advance(move: Move): void {
  const { state } = move;
  if (state.betweenRounds) {
    beginRound(move);
  } else if (state.step + 1 < state.facts.policy.steps.length) {
    state.step++;
    pageStep(move);
  } else {
    endRound(move);
  }
}

function endRound(move: Move): void {
  const { state, now } = move;
  const { policy } = state.facts;
  const minutes = Math.floor(Math.max(0, now - state.openedAt) / 60_000);
  tell(move, { type: "not-taken", round: state.round });
  const { kind: alarm, impactAt } = state.news;
  pageOperators(move, "not-taken", { kind: "not-taken", alarm, impactAt, minutes });
  state.toldNotTaken = [...new Set([...state.toldNotTaken, ...policy.operators])];
  const waits = policy.steps.reduce((sum, step) => sum + step.waitMs, 0);
  const earliest = state.roundStartedAt + Math.min(shortestRoundMs, waits);
  if (now >= earliest) {
    beginRound(move);
    return;
  }
  state.betweenRounds = true;
  state.current = {};
  state.due["next-page"] = earliest;
}

/** When a page is tried again, wall ms, or null. `tries` counts the attempt that gave this result. */
export function retryAt(result: SendResult, tries: number, now: number): number | null {
  if (result.outcome === "retryable") {
    const wait = retryWaitsMs[tries - 1];
    return wait === undefined ? null : now + wait;
  }
  return result.outcome === "unknown" && tries < 2 ? now + unknownAgainMs : null;
}

/** What an answer of the provider does to the step now waited for. */
export function takePageResult(
  move: Move,
  pageId: string,
  purpose: PagePurpose,
  tries: number,
  result: SendResult,
): void {
  const { state } = move;
  const pointless = (purpose === "alarm" || purpose === "not-taken") && state.status !== "open";
  const again = pointless || state.status === "closed" ? null : retryAt(result, tries, move.now);
  if (again !== null) move.commands.push({ do: "retry", pageId, at: again });
  const current = state.current[pageId];
  if (!current || state.status !== "open") return;
  if (result.outcome === "accepted") current.fate = "reached";
  else if (result.outcome !== "retryable" || tries >= triesBeforeNext) failPage(move, current);
}

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
  return actor.kind === "responder" ? actor.id : actor.role;
}

export function isResponder(actor: Actor | null, responderId: string): boolean {
  return actor?.kind === "responder" && actor.id === responderId;
}
