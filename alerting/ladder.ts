import { backupLost, callBackup, callOffBackup, isAloneStill } from "./backup.ts";
import type { OutcomeDone, OutcomeWhat } from "./console/api.ts";
import type { Actor, EpisodeState, Ladder } from "./episode-state.ts";
import {
  actorTag,
  advance,
  beginRound,
  callAlso,
  isResponder,
  type Move,
  named,
  page,
  pageOperators,
  technicalText,
  tell,
} from "./escalation.ts";
import type { Message, Named } from "./messages/message.ts";
import { testClosingText } from "./test-alarm-facts.ts";

const ladderKeys = [
  "status",
  "takenBy",
  "takenAt",
  "onTheWayAt",
  "backupAskedBy",
  "backupNeed",
  "backupJoined",
  "arrivedBy",
  "arrivedAt",
  "present",
  "closedBy",
  "closedAt",
  "outcome",
  "done",
  "closeReason",
] as const satisfies readonly (keyof Ladder)[];

/** Where an episode stands, apart from everything else it is. */
export function ladderOf(state: EpisodeState): Ladder {
  return structuredClone(Object.fromEntries(ladderKeys.map((key) => [key, state[key]])) as unknown as Ladder);
}

/** The same as text, to be compared. */
export function ladderText(state: EpisodeState): string {
  return JSON.stringify(ladderKeys.map((key) => state[key]));
}

/** The foot of the ladder. */
export const raised: Ladder = {
  status: "open",
  takenBy: null,
  takenAt: null,
  onTheWayAt: null,
  backupAskedBy: null,
  backupNeed: null,
  backupJoined: [],
  arrivedBy: null,
  arrivedAt: null,
  present: [],
  closedBy: null,
  closedAt: null,
  outcome: null,
  done: null,
  closeReason: null,
};

/** Nobody waits for pages of a step any more. */
function callOffPaging({ state }: Move): void {
  state.current = {};
  state.betweenRounds = false;
  state.operatorsFirst = false;
  state.reminded = false;
}

/** Taken: nobody else is paged; the others are told. */
export function take(move: Move, actor: Actor): void {
  const { state, now } = move;
  state.status = "taken";
  state.takenBy = actor;
  state.takenAt = now;
  state.onTheWayAt = null;
  callOffPaging(move);
  armTaken(move);
  move.commands.push({ do: "withdraw" });
  tell(move, { type: "taken", by: actorTag(actor), ...since(move) });
  const others = state.paged.filter((id) => actor.kind !== "responder" || id !== actor.id);
  if (actor.kind === "responder") page(move, actor.id, "taken", { kind: "taken", takenAt: now });
  for (const id of others) page(move, id, "to-others", { kind: "to-others", takenAt: now, by: named(actor) });
}

/** The limits on what follows: setting off, and arriving. A technical alarm is only asked about. */
function armTaken({ state, now }: Move): void {
  const { policy, kind } = state.facts;
  if (kind === "technical" || kind === "sign-on") {
    state.due = { outcome: now + policy.outcomeWithinMs };
    return;
  }
  state.due = { arrive: Math.max((state.takenAt ?? now) + policy.arriveWithinMs, now + policy.graceMs) };
  if (state.onTheWayAt === null) state.due["set-off"] = now + policy.setOffWithinMs;
}

/** Given back by whoever had it: the next is paged at once. */
export function release(move: Move, actor: Actor): void {
  tell(move, { type: "released", by: actorTag(actor) });
  reopen(move);
  advance(move);
}

/**
 * Whoever has it hands their shift over: everybody on call is asked anew, `to` among them whatever the policy says. It is nobody's until one of
 * them takes it, so that the policy goes on where the new phone lies unseen.
 * @returns whether it was theirs to hand on: nobody is called away from a place where they are.
 */
export function handOn(move: Move, from: string, to: string, by: string): boolean {
  const { state } = move;
  if (state.status !== "taken" || !isResponder(state.takenBy, from)) return false;
  tell(move, { type: "released", by });
  reopen(move);
  beginRound(move, from);
  callAlso(move, to);
  return true;
}

/** Taken, and nobody has set off in time: first whoever has it is reminded, then the next are paged. */
export function notSetOff(move: Move): void {
  const { state, now } = move;
  const { takenBy, takenAt, facts } = state;
  if (!takenBy || takenAt === null) return;
  if (!state.reminded) {
    state.reminded = true;
    const nextAt = now + facts.policy.graceMs;
    state.due["set-off"] = nextAt;
    tell(move, { type: "not-set-off", by: actorTag(takenBy) });
    const message: Message = { kind: "not-set-off-reminder", takenAt, next: nextAfter(move, takenBy), nextAt };
    if (takenBy.kind === "responder") page(move, takenBy.id, "reminder", message);
    else pageOperators(move, "reminder", message);
    return;
  }
  callTheNext(move, takenBy, takenAt);
}

/** Who would be paged next, for the text; null where that is nobody in particular. */
function nextAfter({ duty }: Move, taker: Actor): Named | null {
  const next = duty.steps.flat().find((id) => !isResponder(taker, id) && !duty.busy.includes(id));
  return next === undefined ? null : { responder: next };
}

/** Taken, and nobody there in time: everybody is asked again, whoever took it last. */
export function notArrived(move: Move): void {
  const { takenBy, takenAt } = move.state;
  if (!takenBy || takenAt === null) return;
  tell(move, { type: "not-arrived", by: actorTag(takenBy) });
  if (takenBy.kind === "responder") page(move, takenBy.id, "reminder", { kind: "not-arrived-reminder", takenAt });
  callTheNext(move, takenBy, takenAt);
}

function callTheNext(move: Move, takenBy: Actor, takenAt: number): void {
  reopen(move);
  const purpose = move.state.facts.kind === "welfare" ? "welfare" : "not-arrived";
  pageOperators(move, purpose, { kind: "not-arrived", takenAt, by: named(takenBy) });
  beginRound(move, takenBy.kind === "responder" ? takenBy.id : null);
}

/** A new fall where the last one was never reported on: it begins from the first step. */
export function callOutAgain(move: Move): void {
  const { state } = move;
  reopen(move);
  delete state.longLie;
  state.arrivedBy = null;
  state.arrivedAt = null;
  state.present = [];
  tell(move, { type: "called-out-again" });
  beginRound(move);
}

function reopen(move: Move): void {
  const { state } = move;
  state.status = "open";
  state.takenBy = null;
  state.takenAt = null;
  state.onTheWayAt = null;
  state.backupAskedBy = null;
  state.backupNeed = null;
  state.backupJoined = [];
  callOffPaging(move);
  state.due = {};
}

/** Somebody is there. From now on it ends with an outcome. */
export function arrive(move: Move, actor: Actor): void {
  const { state, now } = move;
  if (state.status === "arrived") return;
  const taker = state.takenBy;
  const isStillWanted = isAloneStill(state, actor);
  if (!taker) {
    state.takenBy = actor;
    state.takenAt = now;
    move.commands.push({ do: "withdraw" });
    tell(move, { type: "taken", by: actorTag(actor), ...since(move) });
  }
  state.status = "arrived";
  state.arrivedBy = actor;
  state.arrivedAt = now;
  callOffPaging(move);
  const { backup } = state.due;
  state.due = { outcome: now + state.facts.policy.outcomeWithinMs };
  if (isStillWanted) {
    if (backup !== undefined) state.due.backup = backup;
  } else {
    // Whoever could not get in, or needed another, is not alone any more, or is in.
    state.backupAskedBy = null;
    state.backupNeed = null;
  }
  tell(move, { type: "arrived", by: actorTag(actor), ...since(move) });
  const told = taker ? (taker.kind === "responder" ? [taker.id] : []) : state.paged;
  const message: Message = { kind: "arrived-other", at: now, by: named(actor) };
  for (const id of told) if (!isResponder(actor, id)) page(move, id, "to-others", message);
  if (!isStillWanted) callOffBackup(move, actor, message, told);
}

/** Nothing was reported from the place: asked again. Of a technical alarm: it is still so. */
export function outcomeMissing(move: Move): void {
  const { state, now } = move;
  const { arrivedBy, takenBy, facts } = state;
  state.due.outcome = now + facts.policy.outcomeWithinMs;
  if (facts.trouble) {
    const message: Message = technicalText(facts.trouble);
    if (takenBy?.kind === "responder") page(move, takenBy.id, "technical", message);
    return;
  }
  if (state.arrivedAt === null) return;
  tell(move, { type: "outcome-missing" });
  const message = { kind: "outcome-reminder", arrivedAt: state.arrivedAt } as const;
  const asked = new Set(state.present);
  for (const actor of [arrivedBy, takenBy]) if (actor?.kind === "responder") asked.add(actor.id);
  if (asked.size === 0) for (const operator of move.duty.operators) asked.add(operator);
  for (const id of asked) page(move, id, "reminder", message);
}

export interface Report {
  outcome: OutcomeWhat;
  done?: OutcomeDone | undefined;
  reason?: string | null;
}

/** The end. Only a person's act comes here, or a resident's cancel; of a technical or a welfare alarm also the end of what it is about. */
export function close(move: Move, actor: Actor, { outcome, done, reason = null }: Report): void {
  const { state, now } = move;
  const arrived = state.arrivedAt !== null;
  state.status = "closed";
  state.closedBy = actor;
  state.closedAt = now;
  state.outcome = outcome;
  state.done = done ?? null;
  state.closeReason = reason;
  callOffPaging(move);
  state.due = {};
  move.commands.push({ do: "withdraw" });
  const floor = { floorMs: floorMs(state), floorIsLeast: state.floorMinutes === null };
  tell(move, {
    type: "closed",
    by: actorTag(actor),
    outcome,
    done: done ?? null,
    arrived,
    sinceImpactMs: since(move).sinceImpactMs,
    ...floor,
  });
  // Its trouble goes on under another code, which tells of it; a phone that is off duty is nobody's alarm phone.
  if (actor.kind === "system" && (reason === "joined" || state.facts.signOn)) return;
  const told = concerned(state);
  if (actor.kind === "responder") told.add(actor.id);
  for (const id of told) {
    const text = state.facts.testAlarm
      ? testClosingText(state, now)
      : closingText(move, actor, outcome, isResponder(actor, id));
    if (text) page(move, id, "closed", text);
  }
}

/** Whom its end concerns, and that it is not the end after all. */
function concerned({ toldNotTaken, present, takenBy, paged, backupCalled = [] }: EpisodeState): Set<string> {
  const told = new Set([...toldNotTaken, ...present, ...backupCalled]);
  if (takenBy?.kind === "responder") told.add(takenBy.id);
  // Nobody had taken it: whoever was called out may be on the way.
  if (!takenBy) for (const id of paged) told.add(id);
  return told;
}

function closingText({ state, now }: Move, actor: Actor, outcome: OutcomeWhat, isOwn: boolean): Message {
  if (actor.kind === "resident") return { kind: "cancelled", at: now };
  if (state.facts.trouble && actor.kind === "system")
    return { kind: "technical-over", trouble: state.facts.trouble.kind, subject: state.facts.trouble.subject, at: now };
  if (state.facts.kind === "welfare" && actor.kind === "system")
    return { kind: "welfare-over", at: state.activeAt ?? now };
  return { kind: "closed", at: now, outcome, undo: isOwn };
}

/**
 * Time on the floor, ms: as somebody has said, else from the impact to when somebody was there, which is the least it can have been.
 * Null where nobody came, or where nobody lay.
 */
export function floorMs({ facts, floorMinutes, arrivedAt, outcome }: EpisodeState): number | null {
  if (facts.kind !== "fall" || outcome === "no-fall" || outcome === "not-home" || outcome === "already-up") return null;
  if (floorMinutes !== null) return floorMinutes * 60_000;
  return arrivedAt === null ? null : Math.max(0, Math.round(arrivedAt - facts.since));
}

/** Puts an episode back to where it stood before an act that was undone, with the limits counted from now. */
export function putBack(move: Move, before: Ladder, by: Actor): void {
  const { state, now } = move;
  const { policy } = state.facts;
  const { status, backupJoined: coming, backupAskedBy: asked } = state;
  const told = status === "closed" ? concerned(state) : [];
  Object.assign(state, structuredClone(before));
  callOffPaging(move);
  tell(move, { type: "undone", by: actorTag(by) });
  for (const id of told) if (!isResponder(by, id)) page(move, id, "to-others", { kind: "reopened", by: named(by) });
  if (state.status === "open") {
    state.due = {};
    beginRound(move, by.kind === "responder" ? by.id : null);
  } else if (state.status === "taken") armTaken(move);
  else state.due = { outcome: now + policy.outcomeWithinMs };
  const { takenBy, takenAt, backupAskedBy, backupJoined } = state;
  // They were told that they need not go, or that it is theirs no more.
  const wasTheirs = status === "arrived" || status === "open";
  if (state.status === "taken" && wasTheirs && takenBy?.kind === "responder" && !isResponder(by, takenBy.id))
    page(move, takenBy.id, "taken", { kind: "taken", takenAt: takenAt ?? now });
  if (backupAskedBy === null) {
    // Where it is nobody's again, whoever is on the way is welcome.
    if (asked !== null && state.status !== "open") callOffBackup(move, by, { kind: "backup-off", by: named(by) });
    return;
  }
  // The limits above are counted anew, and the call for more people is one of them.
  const gone = by.kind === "responder" && coming.includes(by.id) && !backupJoined.includes(by.id) ? by.id : null;
  if (gone !== null) backupLost(move, backupAskedBy, gone);
  else if (backupJoined.length === 0) callBackup(move);
}

function since({ state, now }: Move): { sinceImpactMs: number; sinceOpenedMs: number } {
  return {
    sinceImpactMs: Math.max(0, Math.round(now - state.facts.since)),
    sinceOpenedMs: Math.max(0, Math.round(now - state.openedAt)),
  };
}
