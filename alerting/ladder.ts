import type { OutcomeWhat } from "./console/api.ts";
import type { Actor } from "./episode-state.ts";
import { actorTag, advance, beginRound, type Move, named, page, pageOperators, tell } from "./escalation.ts";

/** Taken: nobody else is paged; the others are told. */
export function take(move: Move, actor: Actor): void {
  const { state, now } = move;
  const { policy } = state.facts;
  state.status = "taken";
  state.takenBy = actor;
  state.takenAt = now;
  state.onTheWayAt = null;
  state.current = {};
  state.betweenRounds = false;
  state.due = { arrive: now + policy.arriveWithinMs };
  move.commands.push({ do: "withdraw" });
  tell(move, { type: "taken", by: actorTag(actor), ...since(move) });
  const others = state.paged.filter((id) => actor.kind !== "responder" || id !== actor.id);
  if (actor.kind === "responder") page(move, actor.id, "taken", { kind: "taken", takenAt: now });
  for (const id of others) page(move, id, "to-others", { kind: "to-others", takenAt: now, by: named(actor) });
}

/** Given back by whoever had it: the next is paged at once. */
export function release(move: Move, actor: Actor): void {
  tell(move, { type: "released", by: actorTag(actor) });
  reopen(move);
  advance(move);
}

/** Taken, and nobody there in time: everybody is asked again, whoever took it last. */
export function notArrived(move: Move): void {
  const { state } = move;
  const { takenBy, takenAt } = state;
  if (!takenBy || takenAt === null) return;
  tell(move, { type: "not-arrived", by: actorTag(takenBy) });
  reopen(move);
  if (takenBy.kind === "responder") page(move, takenBy.id, "reminder", { kind: "not-arrived-reminder", takenAt });
  pageOperators(move, "not-arrived", { kind: "not-arrived", takenAt, by: named(takenBy) });
  beginRound(move, takenBy.kind === "responder" ? takenBy.id : null);
}

/** A new fall where the last one was never reported on: it begins from the first step. */
export function callOutAgain(move: Move): void {
  const { state } = move;
  reopen(move);
  state.arrivedBy = null;
  state.arrivedAt = null;
  state.present = [];
  tell(move, { type: "called-out-again" });
  beginRound(move);
}

function reopen({ state }: Move): void {
  state.status = "open";
  state.takenBy = null;
  state.takenAt = null;
  state.onTheWayAt = null;
  state.backupAskedBy = null;
  state.due = {};
}

/** Somebody is there. From now on it ends with an outcome. */
export function arrive(move: Move, actor: Actor): void {
  const { state, now } = move;
  if (state.status === "arrived") return;
  const taker = state.takenBy;
  if (!taker) {
    state.takenBy = actor;
    state.takenAt = now;
    move.commands.push({ do: "withdraw" });
    tell(move, { type: "taken", by: actorTag(actor), ...since(move) });
  }
  state.status = "arrived";
  state.arrivedBy = actor;
  state.arrivedAt = now;
  state.current = {};
  state.betweenRounds = false;
  state.due = { outcome: now + state.facts.policy.outcomeWithinMs };
  tell(move, { type: "arrived", by: actorTag(actor), ...since(move) });
  const told = taker ? (taker.kind === "responder" ? [taker.id] : []) : state.paged;
  for (const id of told) {
    if (actor.kind === "responder" && actor.id === id) continue;
    page(move, id, "to-others", { kind: "arrived-other", at: now, by: named(actor) });
  }
}

/** Nothing was reported from the place: asked again, the operators too. */
export function outcomeMissing(move: Move): void {
  const { state, now } = move;
  if (state.arrivedAt === null) return;
  tell(move, { type: "outcome-missing" });
  const { arrivedBy, takenBy, facts } = state;
  const message = { kind: "outcome-reminder", arrivedAt: state.arrivedAt } as const;
  const asked = new Set(state.present);
  for (const actor of [arrivedBy, takenBy]) if (actor?.kind === "responder") asked.add(actor.id);
  if (asked.size === 0) for (const operator of facts.policy.operators) asked.add(operator);
  for (const id of asked) page(move, id, "reminder", message);
  state.due.outcome = now + facts.policy.outcomeWithinMs;
}

/** The end. Only a person's act comes here. */
export function close(move: Move, actor: Actor, outcome: OutcomeWhat, reason: string | null): void {
  const { state, now } = move;
  const arrived = state.arrivedAt !== null;
  state.status = "closed";
  state.closedBy = actor;
  state.closedAt = now;
  state.outcome = outcome;
  state.closeReason = reason;
  state.current = {};
  state.betweenRounds = false;
  state.due = {};
  move.commands.push({ do: "withdraw" });
  tell(move, { type: "closed", by: actorTag(actor), outcome, arrived, sinceImpactMs: since(move).sinceImpactMs });
  const told = new Set([...state.toldNotTaken, ...state.present]);
  if (state.takenBy?.kind === "responder") told.add(state.takenBy.id);
  // Nobody had taken it: whoever was called out may be on the way.
  if (!state.takenBy) for (const id of state.paged) told.add(id);
  if (actor.kind === "responder") told.add(actor.id);
  for (const id of told) page(move, id, "closed", { kind: "closed", at: now, outcome });
}

function since({ state, now }: Move): { sinceImpactMs: number; sinceOpenedMs: number } {
  return {
    sinceImpactMs: Math.max(0, Math.round(now - state.facts.detection.impactAt)),
    sinceOpenedMs: Math.max(0, Math.round(now - state.openedAt)),
  };
}
