import type { ConsoleAction } from "./console/api.ts";
import type { ConsoleUser } from "./console/roles.ts";
import type { Actor, EpisodeInput, EpisodeState, Refusal } from "./episode-state.ts";
import { type Move, page, tell } from "./escalation.ts";
import { arrive, close, ladderOf, ladderText, putBack, release, take } from "./ladder.ts";
import { askForBackup, undoMs } from "./reply-effects.ts";

type ConsoleInput = Extract<EpisodeInput, { type: "console" }>;

/** What a press on the console does: the same as the letter of a reply. Returns why it does nothing, or null. */
export function applyConsole(move: Move, input: ConsoleInput): Refusal | null {
  const { action, user } = input;
  if (action.action === "undo") return undo(move, input);
  const before = ladderOf(move.state);
  const textBefore = ladderText(move.state);
  const refused = act(move, action, user);
  if (refused === null && input.canUndo && ladderText(move.state) !== textBefore) {
    move.state.undo = { by: { name: user.name, role: user.role }, letter: null, at: move.now, before };
  }
  return refused;
}

type Act = Exclude<ConsoleAction, { action: "undo" }>;

function act(move: Move, action: Act, user: ConsoleUser): Refusal | null {
  const { state, now } = move;
  const actor: Actor = { kind: "user", name: user.name, role: user.role };
  const isOwn = state.takenBy?.kind === "user" && state.takenBy.name === user.name;
  const { kind } = state.facts;
  if (state.status === "closed") return "already-closed";
  // Nobody travels to a technical alarm, or to a phone.
  const isLower = kind === "technical" || kind === "sign-on" || kind === "test";
  // What puts a device into operation is the key number, read back by phone.
  if (state.facts.testAlarm?.purpose === "device" && action.action === "take") return "not-taken";
  if (isLower && travels.has(action.action)) return "not-taken";
  switch (action.action) {
    case "take":
      if (kind === "sign-on" || kind === "test") close(move, actor, { outcome: "test" });
      else if (state.status === "open") take(move, actor);
      else if (!isOwn) return "already-taken";
      return null;
    case "cannot":
      if (state.status !== "taken" || !(isOwn || user.role === "operator")) return "not-taken";
      giveBack(move, actor, isOwn ? null : state.takenBy);
      return null;
    case "on-the-way":
      if (state.status === "open") return "not-taken";
      if (state.status === "taken" && state.onTheWayAt === null) {
        state.onTheWayAt = now;
        delete state.due["set-off"];
        tell(move, { type: "on-the-way", by: user.role });
      }
      return null;
    case "arrived":
      if (state.status === "open") return "not-taken";
      if (state.status === "taken") reportedThere(move, state.takenBy ?? actor);
      return null;
    case "cannot-get-in":
    case "two-needed":
      // From a desk it must not be taken from those who are being asked.
      if (state.status === "open") return "not-taken";
      reportedNeed(move, user, action.action === "cannot-get-in" ? "K" : "D");
      return null;
    case "called-112":
      // Stays open: it is written down, and shown.
      return null;
    case "close": {
      const reason = action.reason?.trim() || null;
      if (state.arrivedAt === null) {
        // Nothing is closed from afar, but by an operator who says why.
        if (user.role !== "operator") return "not-taken";
        if (reason === null) return "reason-needed";
      }
      if (action.floorMinutes !== undefined) state.floorMinutes = action.floorMinutes;
      close(move, actor, { outcome: action.outcome, done: action.done, reason });
      return null;
    }
  }
}

/** What is done on the way to somebody, and with them. */
const travels: ReadonlySet<Act["action"]> = new Set([
  "on-the-way",
  "arrived",
  "cannot-get-in",
  "two-needed",
  "called-112",
]);

/** @param other who had it, where an operator gives it back for them: they are told. */
function giveBack(move: Move, actor: Actor, other: Actor | null): void {
  release(move, actor);
  if (other?.kind === "responder") page(move, other.id, "answer", { kind: "declined" });
}

/** Told by phone, as a rule: whoever took it is there, and may now report from the place. */
function reportedThere(move: Move, there: Actor): void {
  arrive(move, there);
  if (there.kind !== "responder") return;
  if (!move.state.present.includes(there.id)) move.state.present.push(there.id);
  page(move, there.id, "answer", { kind: "arrived", at: move.now });
}

/** Whoever has it by phone is meant, and is told as if they had written it; else whoever pressed. */
function reportedNeed(move: Move, { name, role }: ConsoleUser, letter: "K" | "D"): void {
  const holder = move.state.arrivedBy ?? move.state.takenBy;
  const isByPhone = holder?.kind === "responder";
  const need = askForBackup(move, isByPhone ? holder.id : { name, role }, letter);
  if (isByPhone) page(move, holder.id, "answer", { kind: "backup-noted", need });
}

/** Takes back the user's own last act, where nothing has happened since. */
function undo(move: Move, { user, mayReopen = false }: ConsoleInput): Refusal | null {
  const { state, now } = move;
  const { undo: last } = state;
  if (!last || typeof last.by === "string" || last.by.name !== user.name) return "nothing-to-undo";
  if (now - last.at > undoMs || (state.status === "closed" && !mayReopen)) return "nothing-to-undo";
  putBack(move, last.before, { kind: "user", name: user.name, role: user.role });
  state.undo = null;
  return null;
}

/** What is kept of a press: whether it may open what was closed, as far as other episodes go. */
export function consoleInput(
  states: readonly EpisodeState[],
  episodeId: string,
  action: ConsoleAction,
  { name, role }: ConsoleUser,
): ConsoleInput {
  const input: ConsoleInput = { type: "console", action, user: { name, role }, canUndo: true };
  return action.action === "undo" ? { ...input, mayReopen: mayReopen(states, episodeId) } : input;
}

/** An episode that was closed by mistake may be opened again, unless its dwelling or its code has another one by now. */
export function mayReopen(states: readonly EpisodeState[], episodeId: string): boolean {
  const own = states.find(({ facts }) => facts.id === episodeId)?.facts;
  return !states.some(
    ({ facts, status }) =>
      status !== "closed" &&
      facts.id !== episodeId &&
      ((facts.dwelling === own?.dwelling && facts.test === own.test) || facts.code === own?.code),
  );
}
