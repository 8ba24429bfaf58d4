import type { ConsoleAction, ConsoleUser } from "./console/api.ts";
import type {
  Actor,
  AlarmNews,
  EpisodeCommand,
  EpisodeFacts,
  EpisodeInput,
  EpisodeState,
  Purpose,
  Refusal,
  SeenDetection,
} from "./episode-state.ts";
import { advance, beginRound, failPage, type Move, page, takePageResult, tell } from "./escalation.ts";
import { arrive, callOutAgain, close, notArrived, outcomeMissing, take } from "./ladder.ts";
import { applyReply } from "./reply-effects.ts";

/** A fall this long after somebody arrived is not taken for what they are seeing to, ms. */
const visitMs = 10 * 60_000;
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
  const { id, deviceId, impactAt, kind, reason, arrivedAt, late } = facts.detection;
  const state: EpisodeState = {
    facts,
    openedAt: now,
    status: "open",
    detections: [{ id, deviceId, impactAt }],
    repeats: 0,
    news: { kind, reason, impactAt, arrivedAt, late },
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
    backupAskedBy: null,
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
  switch (input.type) {
    case "opened":
      // Told twice: it is open already.
      break;
    case "repeat":
      repeat(move, input.detection);
      break;
    case "page-result":
      takePageResult(move, input.pageId, input.purpose, input.tries, input.result);
      break;
    case "receipt":
      receive(move, input);
      break;
    case "reply":
      applyReply(move, input.responderId, input.letter);
      break;
    case "console": {
      const problem = act(move, input.action, input.user);
      if (problem) move.commands.push({ do: "refuse", problem });
      break;
    }
    case "due":
      expire(move, input.purpose);
      break;
    case "clock-set":
      followClock(move.state, input.byMs);
      break;
  }
}

/** Everything that is measured from or waited for by our own clock keeps its distance from now. */
function followClock(state: EpisodeState, byMs: number): void {
  state.openedAt += byMs;
  state.roundStartedAt += byMs;
  for (const time of ["takenAt", "onTheWayAt", "arrivedAt"] as const) {
    const at = state[time];
    if (at !== null) state[time] = at + byMs;
  }
  for (const [purpose, at] of Object.entries(state.due)) state.due[purpose as Purpose] = at + byMs;
}

/**
 * A further detection joins, and is shown. It pages nobody again: the deadlines of the episode go on.
 * But where somebody was there and has long left without a word, it may be a new fall: then everybody is called out again.
 */
function repeat(move: Move, detection: SeenDetection & AlarmNews): void {
  const { state } = move;
  const { id, deviceId, impactAt, kind, reason, arrivedAt, late } = detection;
  state.repeats++;
  if (state.detections.length < keptDetections) state.detections.push({ id, deviceId, impactAt });
  if (state.arrivedAt === null || state.status === "closed" || impactAt < state.arrivedAt + visitMs) return;
  state.news = { kind, reason, impactAt, arrivedAt, late };
  callOutAgain(move);
}

/** The provider's word on delivery. It is never an acknowledgement. */
function receive(move: Move, receipt: Extract<EpisodeInput, { type: "receipt" }>): void {
  const { pageId, responderId, status, errorCode } = receipt;
  tell(move, { type: "receipt", pageId, responderId, status, errorCode });
  const current = move.state.current[pageId];
  if (!current || move.state.status !== "open") return;
  if (status === "delivered") current.fate = "reached";
  else if (status === "undelivered" || status === "failed") failPage(move, current);
}

/** A deadline has passed. One that was moved or called off meanwhile does nothing. */
function expire(move: Move, purpose: Purpose): void {
  const at = move.state.due[purpose];
  if (at === undefined || at > move.now) return;
  delete move.state.due[purpose];
  if (purpose === "next-page") advance(move);
  else if (purpose === "arrive") notArrived(move);
  else outcomeMissing(move);
}

function act(move: Move, action: ConsoleAction, user: ConsoleUser): Refusal | null {
  const { state } = move;
  const actor: Actor = { kind: "user", name: user.name, role: user.role };
  if (state.status === "closed") return "already-closed";
  if (action.action === "take") {
    if (state.status === "open") {
      take(move, actor);
      return null;
    }
    const own = state.takenBy?.kind === "user" && state.takenBy.name === user.name;
    return own ? null : "already-taken";
  }
  if (action.action === "arrived") {
    if (state.status === "open") return "not-taken";
    if (state.status === "taken") reportedThere(move, state.takenBy ?? actor);
    return null;
  }
  const reason = action.reason?.trim() || null;
  if (state.arrivedAt === null) {
    // Nothing is closed from afar, but by an operator who says why.
    if (user.role !== "operator") return "not-taken";
    if (reason === null) return "reason-needed";
  }
  close(move, actor, action.outcome, reason);
  return null;
}

/** Told by phone, as a rule: whoever took it is there, and may now report from the place. */
function reportedThere(move: Move, there: Actor): void {
  arrive(move, there);
  if (there.kind !== "responder") return;
  move.state.present.push(there.id);
  page(move, there.id, "answer", { kind: "arrived", at: move.now });
}
