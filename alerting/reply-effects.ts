import { actorOf, backupLost, callBackup, isSameActor } from "./backup.ts";
import type { Actor, Asker } from "./episode-state.ts";
import { actorTag, advance, isResponder, type Move, named, page, tell } from "./escalation.ts";
import { arrive, close, ladderOf, ladderText, putBack, release, take } from "./ladder.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";
import { applyTestReply } from "./test-alarm.ts";

/** How long an act can be undone, ms. */
export const undoMs = 10 * 60_000;

/** What goes back to whoever replied; null where the act itself has told them. */
type Answer = Message | null;

export interface Reply {
  responderId: string;
  letter: Letter | null;
  /** Minutes on the floor, where they were said. */
  minutes?: number | undefined;
  /** Whether a closed episode may be opened again: not where the dwelling has another one open. */
  mayReopen?: boolean | undefined;
}

/** What a responder's letter does. Every reply is answered: with what was done, or with what it lacked. */
export function applyReply(move: Move, reply: Reply): void {
  const { state, now } = move;
  const { responderId, letter } = reply;
  tell(move, { type: "reply", responderId, letter });
  const before = ladderOf(state);
  const textBefore = ladderText(state);
  const answer = effectOf(move, reply);
  if (answer) page(move, responderId, "answer", answer);
  const hasMoved = textBefore !== ladderText(state);
  if (letter === "Z") state.undo = hasMoved ? null : state.undo;
  else if (hasMoved && letter !== null) state.undo = { by: responderId, letter, at: now, before };
}

function effectOf(move: Move, reply: Reply): Answer {
  const { state, now } = move;
  const { responderId, letter, minutes } = reply;
  if (letter === null && minutes !== undefined) return notesMinutes(move, minutes);
  if (letter === "Z") return undoes(move, reply);
  if (state.status === "closed") return { kind: "already-closed", at: state.closedAt ?? now };
  const actor: Actor = { kind: "responder", id: responderId };
  if (state.facts.testAlarm) return applyTestReply(move, actor, letter);
  if (state.facts.kind === "technical" || state.facts.kind === "sign-on") return applyLower(move, actor, reply);
  if (minutes !== undefined) state.floorMinutes = minutes;
  switch (letter) {
    case "T":
      return takes(move, actor, responderId);
    case "N":
      return declines(move, actor, responderId);
    case "V":
      return setsOff(move, actor, responderId);
    case "F":
      comes(move, actor, responderId);
      return { kind: "arrived", at: state.arrivedAt ?? now };
    case "S":
    case "U":
      // Hurt or helped up is seen only on the spot: it counts as there.
      comes(move, actor, responderId);
      close(move, actor, { outcome: letter === "S" ? "injury" : "unhurt" });
      return null;
    case "R":
    case "X":
      if (!state.present.includes(responderId)) return { kind: "ask-arrived" };
      close(move, actor, { outcome: letter === "R" ? "already-up" : "no-fall" });
      return null;
    case "E":
      return state.present.includes(responderId) ? { kind: "noted", letter } : { kind: "ask-arrived" };
    case "A":
      return { kind: "noted", letter };
    case "K":
    case "D":
      return asksForBackup(move, actor, responderId, letter);
    case "P":
      return { kind: "v-or-f" };
    default:
      return { kind: "letters" };
  }
}

/** A technical alarm is taken or not; a test alarm that is taken is over: the phone is in somebody's hand. */
function applyLower(move: Move, actor: Actor, { responderId, letter }: Reply): Answer {
  const { state, now } = move;
  if (letter === "T" && state.facts.signOn) {
    close(move, actor, { outcome: "test" });
    return null;
  }
  if (letter === "T") return takes(move, actor, responderId);
  if (letter === "N" && !state.facts.signOn) return declines(move, actor, responderId);
  return state.status === "taken" && isResponder(state.takenBy, responderId)
    ? { kind: "taken", takenAt: state.takenAt ?? now }
    : { kind: "letters" };
}

function notesMinutes(move: Move, minutes: number): Answer {
  const { state } = move;
  if (state.facts.kind !== "fall") return { kind: "letters" };
  state.floorMinutes = minutes;
  return { kind: "minutes-noted", minutes };
}

/** Takes back the responder's own last act, where nothing has happened since. */
function undoes(move: Move, { responderId, mayReopen = false }: Reply): Answer {
  const { state, now } = move;
  const { undo } = state;
  if (!undo || undo.by !== responderId || undo.letter === null || now - undo.at > undoMs)
    return { kind: "nothing-to-undo" };
  if (state.status === "closed" && !mayReopen) return { kind: "nothing-to-undo" };
  putBack(move, undo.before, { kind: "responder", id: responderId });
  const { status, takenBy, arrivedBy, present } = state;
  const isThere = status === "arrived" && present.includes(responderId);
  const who = status === "arrived" ? arrivedBy : takenBy;
  const other = who && !isThere && !isResponder(who, responderId) ? named(who) : null;
  return { kind: "undone", letter: undo.letter, status, other };
}

function takes(move: Move, actor: Actor, responderId: string): Answer {
  const { state, now } = move;
  if (state.status === "open") {
    take(move, actor);
    return null;
  }
  if (state.status === "arrived" && state.present.includes(responderId)) {
    return { kind: "arrived", at: state.arrivedAt ?? now };
  }
  if (isResponder(state.takenBy, responderId)) return { kind: "taken", takenAt: state.takenAt ?? now };
  return joins(move, actor, responderId) ?? whoHasIt(move);
}

/** Somebody answers a call for more people: they are told to come, not that they need not. */
function joins(move: Move, actor: Actor, responderId: string): Answer {
  const { state } = move;
  const { backupAskedBy } = state;
  if (backupAskedBy === null || backupAskedBy === responderId) return null;
  if (!state.backupJoined.includes(responderId)) state.backupJoined.push(responderId);
  delete state.due.backup;
  tell(move, { type: "backup-joined", by: responderId });
  if (typeof backupAskedBy === "string")
    page(move, backupAskedBy, "to-others", { kind: "backup-coming", by: named(actor) });
  return { kind: "backup-joined", by: named(actorOf(backupAskedBy)) };
}

function declines(move: Move, actor: Actor, responderId: string): Answer {
  const { state } = move;
  if (state.backupAskedBy !== null && state.backupJoined.includes(responderId)) {
    state.backupJoined = state.backupJoined.filter((id) => id !== responderId);
    backupLost(move, state.backupAskedBy, responderId);
    return { kind: "declined" };
  }
  if (state.status === "arrived") return { kind: "letters" };
  if (state.status === "taken") {
    if (!isResponder(state.takenBy, responderId)) return whoHasIt(move);
    release(move, actor);
    return { kind: "declined" };
  }
  const waitedFor = Object.values(state.current).some((current) => current.responderId === responderId);
  if (waitedFor && !state.declined.includes(responderId)) {
    state.declined.push(responderId);
    advance(move);
  }
  return { kind: "declined" };
}

function setsOff(move: Move, actor: Actor, responderId: string): Answer {
  const { state, now } = move;
  if (state.status === "open") take(move, actor);
  if (!isResponder(state.takenBy, responderId)) return joins(move, actor, responderId) ?? whoHasIt(move);
  if (state.status === "arrived") return { kind: "arrived", at: state.arrivedAt ?? now };
  if (state.onTheWayAt === null) {
    state.onTheWayAt = now;
    state.reminded = false;
    delete state.due["set-off"];
    tell(move, { type: "on-the-way", by: responderId });
  }
  return { kind: "on-the-way", at: state.onTheWayAt };
}

/** Whoever stands there counts as there, also where another had taken it. */
function comes(move: Move, actor: Actor, responderId: string): void {
  if (!move.state.present.includes(responderId)) move.state.present.push(responderId);
  arrive(move, actor);
}

function asksForBackup(move: Move, actor: Actor, responderId: string, letter: "K" | "D"): Answer {
  // Nobody stays the only one who knows: it is theirs from here on, and others are called.
  if (move.state.status === "open") take(move, actor);
  return { kind: "backup-noted", need: askForBackup(move, responderId, letter) };
}

/** Somebody at the door or with the person needs others: these are called, and again until one of them answers. */
export function askForBackup(move: Move, asker: Asker, letter: "K" | "D"): "cannot-get-in" | "two-needed" {
  const { state } = move;
  const need = letter === "K" ? "cannot-get-in" : "two-needed";
  state.backupAskedBy = asker;
  state.backupNeed = need;
  state.backupJoined = [];
  // At the door, or with the person: they have set off.
  if (state.status === "taken" && isSameActor(state.takenBy, asker)) {
    state.onTheWayAt ??= move.now;
    delete state.due["set-off"];
  }
  tell(move, { type: "backup-asked", by: actorTag(actorOf(asker)), letter });
  callBackup(move);
  return need;
}

function whoHasIt({ state, now }: Move): Answer {
  const who = state.arrivedBy ?? state.takenBy;
  if (!who) return { kind: "letters" };
  const by = named(who);
  return state.arrivedAt !== null
    ? { kind: "arrived-other", at: state.arrivedAt, by }
    : { kind: "to-others", takenAt: state.takenAt ?? now, by };
}
