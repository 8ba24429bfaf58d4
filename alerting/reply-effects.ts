import type { Actor } from "./episode-state.ts";
import { advance, isResponder, type Move, named, page, pageOperators, tell } from "./escalation.ts";
import { arrive, close, release, take } from "./ladder.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";

/** What goes back to whoever replied; null where the act itself has told them. */
type Answer = Message | null;

/** What a responder's letter does. Every reply is answered: with what was done, or with what it lacked. */
export function applyReply(move: Move, responderId: string, letter: Letter | null): void {
  tell(move, { type: "reply", responderId, letter });
  const answer = effectOf(move, responderId, letter);
  if (answer) page(move, responderId, "answer", answer);
}

function effectOf(move: Move, responderId: string, letter: Letter | null): Answer {
  const { state, now } = move;
  if (state.status === "closed") return { kind: "already-closed", at: state.closedAt ?? now };
  const actor: Actor = { kind: "responder", id: responderId };
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
      close(move, actor, letter === "S" ? "injury" : "unhurt", null);
      return null;
    case "R":
    case "X":
      if (!state.present.includes(responderId)) return { kind: "ask-arrived" };
      close(move, actor, letter === "R" ? "already-up" : "no-fall", null);
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
  const { backupAskedBy } = move.state;
  if (backupAskedBy === null || backupAskedBy === responderId) return null;
  tell(move, { type: "backup-joined", by: responderId });
  page(move, backupAskedBy, "to-others", { kind: "backup-coming", by: named(actor) });
  return { kind: "backup-joined", by: { responder: backupAskedBy } };
}

function declines(move: Move, actor: Actor, responderId: string): Answer {
  const { state } = move;
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
  // Nobody stays the only one who knows: it is theirs from here on, and the operators are called.
  if (move.state.status === "open") take(move, actor);
  move.state.backupAskedBy = responderId;
  const need = letter === "K" ? "cannot-get-in" : "two-needed";
  tell(move, { type: "backup-asked", by: responderId, letter });
  pageOperators(move, "backup", { kind: "backup", need, by: named(actor) });
  return { kind: "backup-noted", need };
}

function whoHasIt({ state, now }: Move): Answer {
  const who = state.arrivedBy ?? state.takenBy;
  if (!who) return { kind: "letters" };
  const by = named(who);
  return state.arrivedAt !== null
    ? { kind: "arrived-other", at: state.arrivedAt, by }
    : { kind: "to-others", takenAt: state.takenAt ?? now, by };
}
