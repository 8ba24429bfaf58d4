import type { Actor } from "./episode-state.ts";
import { advance, isResponder, type Move, named, page, pageOperators, tell } from "./escalation.ts";
import { arrive, close, release, take } from "./ladder.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";

/** What a responder's letter does. Every reply is answered: with what was done, or with what it lacked. */
export function applyReply(move: Move, responderId: string, letter: Letter | null): void {
  const { state, now } = move;
  tell(move, { type: "reply", responderId, letter });
  const answer = (message: Message) => page(move, responderId, "answer", message);
  if (state.status === "closed") return void answer({ kind: "already-closed", at: state.closedAt ?? now });
  const actor: Actor = { kind: "responder", id: responderId };
  switch (letter) {
    case "T":
      return takes(move, actor, responderId, answer);
    case "N":
      return declines(move, actor, responderId, answer);
    case "V":
      return setsOff(move, actor, responderId, answer);
    case "F":
      comes(move, actor, responderId);
      return void answer({ kind: "arrived", at: state.arrivedAt ?? now });
    case "S":
    case "U":
      // Hurt or helped up is seen only on the spot: it counts as there.
      comes(move, actor, responderId);
      return close(move, actor, letter === "S" ? "injury" : "unhurt", null);
    case "R":
    case "X":
      if (!state.present.includes(responderId)) return void answer({ kind: "ask-arrived" });
      return close(move, actor, letter === "R" ? "already-up" : "no-fall", null);
    case "E":
      return void answer(state.present.includes(responderId) ? { kind: "noted", letter } : { kind: "ask-arrived" });
    case "A":
      return void answer({ kind: "noted", letter });
    case "K":
    case "D":
      return asksForBackup(move, actor, responderId, letter, answer);
    case "P":
      return void answer({ kind: "v-or-f" });
    default:
      return void answer({ kind: "letters" });
  }
}

type Answer = (message: Message) => string;

function takes(move: Move, actor: Actor, responderId: string, answer: Answer): void {
  const { state, now } = move;
  if (state.status === "open") return take(move, actor);
  if (state.status === "arrived" && state.present.includes(responderId)) {
    return void answer({ kind: "arrived", at: state.arrivedAt ?? now });
  }
  if (isResponder(state.takenBy, responderId)) return void answer({ kind: "taken", takenAt: state.takenAt ?? now });
  return tellWhoHasIt(move, answer);
}

function declines(move: Move, actor: Actor, responderId: string, answer: Answer): void {
  const { state } = move;
  if (state.status === "arrived") return void answer({ kind: "letters" });
  if (state.status === "taken") {
    if (!isResponder(state.takenBy, responderId)) return tellWhoHasIt(move, answer);
    answer({ kind: "declined" });
    return release(move, actor);
  }
  answer({ kind: "declined" });
  const waitedFor = Object.values(state.current).some((current) => current.responderId === responderId);
  if (!waitedFor || state.declined.includes(responderId)) return;
  state.declined.push(responderId);
  advance(move);
}

function setsOff(move: Move, actor: Actor, responderId: string, answer: Answer): void {
  const { state, now } = move;
  if (state.status === "open") take(move, actor);
  if (!isResponder(state.takenBy, responderId)) return tellWhoHasIt(move, answer);
  if (state.status === "arrived") return void answer({ kind: "arrived", at: state.arrivedAt ?? now });
  if (state.onTheWayAt === null) {
    state.onTheWayAt = now;
    tell(move, { type: "on-the-way", by: responderId });
  }
  answer({ kind: "on-the-way", at: state.onTheWayAt });
}

/** Whoever stands there counts as there, also where another had taken it. */
function comes(move: Move, actor: Actor, responderId: string): void {
  if (!move.state.present.includes(responderId)) move.state.present.push(responderId);
  arrive(move, actor);
}

function asksForBackup(move: Move, actor: Actor, responderId: string, letter: "K" | "D", answer: Answer): void {
  const { state } = move;
  // Nobody stays the only one who knows: it is theirs from here on, and the operators are called.
  if (state.status === "open") take(move, actor);
  const need = letter === "K" ? "cannot-get-in" : "two-needed";
  tell(move, { type: "backup-asked", by: responderId, letter });
  answer({ kind: "backup-noted", need });
  pageOperators(move, "backup", { kind: "backup", need, by: named(actor) });
}

function tellWhoHasIt({ state, now }: Move, answer: Answer): void {
  const who = state.arrivedBy ?? state.takenBy;
  if (!who) return void answer({ kind: "letters" });
  const by = named(who);
  answer(
    state.arrivedAt !== null
      ? { kind: "arrived-other", at: state.arrivedAt, by }
      : { kind: "to-others", takenAt: state.takenAt ?? now, by },
  );
}
