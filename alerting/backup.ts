import type { Actor, Asker, EpisodeState } from "./episode-state.ts";
import { isResponder, type Move, named, page } from "./escalation.ts";
import type { Message } from "./messages/message.ts";

/** Nobody has answered a call for more people after this long: they are called again, ms. */
export const backupWithinMs = 5 * 60_000;

export function actorOf(asker: Asker): Actor {
  return typeof asker === "string" ? { kind: "responder", id: asker } : { kind: "user", ...asker };
}

export function isSameActor(one: Actor | null, asker: Asker | null): boolean {
  if (asker === null) return false;
  if (typeof asker === "string") return isResponder(one, asker);
  return one?.kind === "user" && one.name === asker.name;
}

/**
 * Somebody at the door or with the person needs another: key holders, whoever leads, and a second person are called, until one of them answers.
 * @param last asked only where there is nobody else: has just said that they are not coming.
 */
export function callBackup(move: Move, last: string | null = null): void {
  const { state, now, duty } = move;
  const { backupAskedBy, backupNeed, backupJoined } = state;
  if (backupAskedBy === null || backupNeed === null) return;
  const others = duty.steps.flat().filter((id) => id !== backupAskedBy);
  const second = others.find((id) => !duty.busy.includes(id) && !duty.unreachable.includes(id)) ?? others[0];
  const called = new Set([...(backupNeed === "cannot-get-in" ? duty.keyHolders : []), ...duty.operators]);
  if (second !== undefined) called.add(second);
  if (typeof backupAskedBy === "string") called.delete(backupAskedBy);
  if (last !== null && called.size > 1) called.delete(last);
  const by = named(actorOf(backupAskedBy));
  for (const id of called) page(move, id, "backup", { kind: "backup", need: backupNeed, by });
  state.backupCalled = [...new Set([...(state.backupCalled ?? []), ...called])];
  if (backupJoined.length === 0) state.due.backup = now + backupWithinMs;
}

/** Whoever was coming is not: who waits is told, and where nobody else comes the call goes out again. Who asked at the console sees it there. */
export function backupLost(move: Move, askedBy: Asker, lost: string): void {
  if (typeof askedBy === "string")
    page(move, askedBy, "to-others", { kind: "backup-not-coming", by: { responder: lost } });
  if (move.state.backupJoined.length === 0) callBackup(move, lost);
}

/** Two are needed, and who comes is who said so: they are one still. */
export function isAloneStill({ backupNeed, backupAskedBy }: EpisodeState, actor: Actor): boolean {
  return backupNeed === "two-needed" && isSameActor(actor, backupAskedBy);
}

/**
 * Whoever was called to help and is not needed any more is told, or they go for nothing. Not those who are there, and `by` knows.
 * @param told who knows it already
 */
export function callOffBackup(move: Move, by: Actor, message: Message, told: readonly string[] = []): void {
  const { state } = move;
  const called = state.backupCalled ?? [];
  delete state.backupCalled;
  for (const id of called) {
    if (!isResponder(by, id) && !told.includes(id) && !state.present.includes(id)) page(move, id, "to-others", message);
  }
}
