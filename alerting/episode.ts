import type { ConsoleAction } from "./console/api.ts";
import type { Actor, EpisodeCommand, EpisodeFacts, EpisodeInput, EpisodeState, Purpose } from "./episode-state.ts";
import { advance, beginRound, failPage, type Move, page, takePageResult, tell } from "./escalation.ts";
import { arrive, close, notArrived, outcomeMissing, take } from "./ladder.ts";
import { applyReply } from "./reply-effects.ts";

/** Detections whose ids an episode keeps in memory; the store has them all. */
const keptDetections = 1000;

/**
 * The episode's state machine. Pure: what is to be done comes back as commands, deadlines stand in `state.due`.
 * An open episode always has at least one deadline; a closed one none, and it ends only by a person's act.
 * @param state null before the first input, which is `opened`.
 * @param now wall time, ms.
 * @throws where the first input is not `opened`: the caller's fault.
 */
export function step(state: EpisodeState | null, input: EpisodeInput, now: number): [EpisodeState, EpisodeCommand[]] {
  if (state === null) {
    if (input.type !== "opened") throw new Error(`an episode begins with "opened", not with "${input.type}"`);
    return open(input.facts, now);
  }
  const move: Move = { state: structuredClone(state), commands: [], now };
  apply(move, input);
  return [move.state, move.commands];
}

function open(facts: EpisodeFacts, now: number): [EpisodeState, EpisodeCommand[]] {
  const { id, deviceId, impactAt } = facts.detection;
  const state: EpisodeState = {
    facts,
    openedAt: now,
    status: "open",
    detections: [{ id, deviceId, impactAt }],
    repeats: 0,
    step: 0,
    round: 0,
    roundStartedAt: now,
    betweenRounds: false,
    current: {},
    declined: [],
    paged: [],
    toldNotTaken: [],
    nextPageNumber: 1,
    takenBy: null,
    takenAt: null,
    onTheWayAt: null,
    arrivedBy: null,
    arrivedAt: null,
    present: [],
    closedBy: null,
    closedAt: null,
    outcome: null,
    closeReason: null,
    due: {},
  };
  const move: Move = { state, commands: [], now };
  tell(move, { type: "episode-opened", kind: facts.detection.kind, impactAt });
  beginRound(move);
  return [state, move.commands];
}

function apply(move: Move, input: EpisodeInput): void {
  const { state } = move;
  switch (input.type) {
    case "opened":
      return;
    case "repeat": {
      state.repeats++;
      const { id, deviceId, impactAt } = input.detection;
      if (state.detections.length < keptDetections) state.detections.push({ id, deviceId, impactAt });
      return;
    }
    case "page-result":
      return takePageResult(move, input.pageId, input.purpose, input.tries, input.result);
    case "receipt": {
      const { pageId, responderId, status, errorCode } = input;
      tell(move, { type: "receipt", pageId, responderId, status, errorCode });
      const current = state.current[pageId];
      if (!current || state.status !== "open") return;
      if (status === "delivered") current.fate = "reached";
      else if (status === "undelivered" || status === "failed") failPage(move, current);
      return;
    }
    case "reply":
      return applyReply(move, input.responderId, input.letter);
    case "console":
      return act(move, input.action, input.user);
    case "due":
      return expire(move, input.purpose);
  }
}

/** A deadline has passed. One that was moved or called off meanwhile does nothing. */
function expire(move: Move, purpose: Purpose): void {
  const at = move.state.due[purpose];
  if (at === undefined || at > move.now) return;
  delete move.state.due[purpose];
  if (purpose === "next-page") return advance(move);
  if (purpose === "arrive") return notArrived(move);
  return outcomeMissing(move);
}

function act(move: Move, action: ConsoleAction, user: { name: string; role: "operator" | "responder" }): void {
  const { state, now } = move;
  const actor: Actor = { kind: "user", ...user };
  const refuse = (problem: Extract<EpisodeCommand, { do: "refuse" }>["problem"]) =>
    void move.commands.push({ do: "refuse", problem });
  if (state.status === "closed") return refuse("already-closed");
  if (action.action === "take") {
    if (state.status === "open") return take(move, actor);
    const own = state.takenBy?.kind === "user" && state.takenBy.name === user.name;
    return own ? undefined : refuse("already-taken");
  }
  if (action.action === "arrived") {
    if (state.status === "open") return refuse("not-taken");
    // Told by phone, as a rule: whoever took it is there, and may now report from the place.
    const there = state.takenBy ?? actor;
    if (state.status === "arrived") return;
    arrive(move, there);
    if (there.kind !== "responder") return;
    state.present.push(there.id);
    page(move, there.id, "answer", { kind: "arrived", at: now });
    return;
  }
  const reason = action.reason?.trim() || null;
  if (state.arrivedAt === null) {
    // Nothing is closed from afar, but by an operator who says why.
    if (user.role !== "operator") return refuse("not-taken");
    if (reason === null) return refuse("reason-needed");
  }
  return close(move, actor, action.outcome, reason);
}
