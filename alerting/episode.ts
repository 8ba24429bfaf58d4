import { callBackup } from "./backup.ts";
import { applyConsole } from "./console-acts.ts";
import type {
  AlarmNews,
  EpisodeCommand,
  EpisodeFacts,
  EpisodeInput,
  EpisodeState,
  Purpose,
  SeenDetection,
} from "./episode-state.ts";
import {
  advance,
  askOperatorsFirst,
  beginRound,
  failPage,
  hold,
  type Move,
  makeMove,
  receiptsMissing,
  takePageResult,
  tell,
  tellOperators,
} from "./escalation.ts";
import { callOutAgain, close, handOn, ladderText, notArrived, notSetOff, outcomeMissing, raised } from "./ladder.ts";
import { lieLong } from "./long-lie.ts";
import { applyReply } from "./reply-effects.ts";
import { setClock } from "./set-clock.ts";
import { beginTest, endTest, readBack } from "./test-alarm.ts";
import { movementAgain, stillAgain } from "./welfare.ts";

/** A fall this long after somebody arrived is not taken for what they are seeing to, ms. */
const visitMs = 10 * 60_000;
/** Detections whose ids an episode keeps in memory; the store has them all. */
const keptDetections = 1000;
/** How long after it was raised a resident's cancel ends a medium alarm, ms. */
const cancelMs = 30_000;

/**
 * The episode's state machine. Pure: what is to be done comes back as commands, deadlines stand in `state.due`.
 * An open episode always has at least one deadline; a closed one none. It ends only by a person's act or a resident's cancel,
 * a technical alarm and a sign-on also when what they are about is over, a welfare alarm that nobody has taken when there is movement again.
 * @param state null before the first input, which is `opened`.
 * @param now wall time, ms.
 * @throws where the first input is not `opened`: the caller's fault.
 */
export function step(state: EpisodeState | null, input: EpisodeInput, now: number): [EpisodeState, EpisodeCommand[]] {
  if (state === null) {
    if (input.type !== "opened") throw new Error(`an episode begins with "opened", not with "${input.type}"`);
    const move = makeMove(raise(input.facts, now), input.duty, now);
    open(move);
    return [move.state, move.commands];
  }
  // What it is about never changes, and is most of a state: it is shared.
  const { facts, ...changing } = state;
  const move = makeMove({ facts, ...structuredClone(changing) }, input.duty, now);
  const before = ladderText(state);
  apply(move, input);
  // Somebody else, or time, has moved it: a reply before that cannot be taken back any more.
  const keepsUndo = input.type === "reply" || (input.type === "console" && input.canUndo);
  if (!keepsUndo && ladderText(move.state) !== before) move.state.undo = null;
  return [move.state, move.commands];
}

function raise(facts: EpisodeFacts, now: number): EpisodeState {
  const { detection } = facts;
  return {
    ...structuredClone(raised),
    facts,
    openedAt: now,
    detections: detection ? [{ id: detection.id, deviceId: detection.deviceId, impactAt: detection.impactAt }] : [],
    repeats: 0,
    news: detection && newsOf(detection),
    step: 0,
    round: 0,
    roundStartedAt: now,
    betweenRounds: false,
    current: {},
    declined: [],
    paged: [],
    toldNotTaken: [],
    nextPageNumber: 1,
    operatorsFirst: false,
    reminded: false,
    undo: null,
    floorMinutes: null,
    due: {},
  };
}

function newsOf({ kind, reason, impactAt, arrivedAt, late }: AlarmNews): AlarmNews {
  return { kind, reason, impactAt, arrivedAt, late };
}

function open(move: Move): void {
  const { facts } = move.state;
  tell(move, { type: "episode-opened", kind: facts.kind, impactAt: facts.since, trouble: facts.trouble?.kind ?? null });
  const { quietUntil = 0 } = move.duty;
  if (facts.testAlarm) beginTest(move);
  else if (quietUntil > move.now) hold(move, quietUntil);
  else if (facts.operatorsFirstMs !== null) askOperatorsFirst(move, facts.operatorsFirstMs);
  else {
    beginRound(move);
    // Somebody has pressed a button: staff go, and operators look whose it is.
    if (facts.notInOperation) tellOperators(move);
  }
}

function apply(move: Move, input: EpisodeInput): void {
  const { state } = move;
  switch (input.type) {
    case "opened":
      // Told twice: it is open already.
      break;
    case "repeat":
      repeat(move, input.detection);
      break;
    case "read-back":
      readBack(move, input);
      break;
    case "long-lie":
      lieLong(move, input);
      break;
    case "page-result":
      takePageResult(move, input.pageId, input.purpose, input.tries, input.result);
      break;
    case "receipt":
      receive(move, input);
      break;
    case "reply":
      applyReply(move, input);
      break;
    case "console": {
      const problem = applyConsole(move, input);
      if (problem) move.commands.push({ do: "refuse", problem });
      break;
    }
    case "handed-on": {
      const { responderId, to, user } = input;
      if (state.status === "closed") move.commands.push({ do: "refuse", problem: "already-closed" });
      else if (!handOn(move, responderId, to, user.role)) move.commands.push({ do: "refuse", problem: "not-taken" });
      break;
    }
    case "due":
      expire(move, input.purpose);
      break;
    case "cancel":
      cancel(move, input.at, input.upright);
      break;
    case "contact-lost":
      if (state.status !== "open") break;
      for (const current of Object.values(state.current)) {
        // What comes after the first failure belongs to another step.
        if (current.responderId === input.responderId && Object.values(state.current).includes(current)) {
          failPage(move, current);
        }
      }
      break;
    case "movement":
      movementAgain(move, input.at);
      break;
    case "inactive":
      stillAgain(move, input.since);
      break;
    case "ended":
      if (state.status !== "closed" && state.facts.testAlarm) endTest(move);
      else if (state.status !== "closed" && (state.facts.trouble || state.facts.signOn)) {
        const reason = input.joined ? "joined" : "ended";
        close(move, { kind: "system" }, { outcome: state.facts.signOn ? "test" : "unknown", reason });
      }
      break;
    case "clock":
      setClock(state, input.jumpMs, move.now);
      break;
  }
}

/**
 * A further detection joins, and is shown. It pages nobody again: the deadlines of the episode go on.
 * But where somebody was there and has long left without a word, it may be a new fall: then everybody is called out again.
 * And one that by itself goes to staff at once, such as the button, ends the time in which operators are asked first.
 */
function repeat(move: Move, detection: Extract<EpisodeInput, { type: "repeat" }>["detection"]): void {
  const { state } = move;
  const { id, deviceId, impactAt } = detection satisfies SeenDetection;
  state.repeats++;
  if (state.detections.length < keptDetections) state.detections.push({ id, deviceId, impactAt });
  if (state.facts.testAlarm) return;
  const { operatorsFirst = detection.kind === "fall" && detection.strength !== "strong" } = detection;
  if (state.operatorsFirst && state.status === "open" && !operatorsFirst) {
    state.news = newsOf(detection);
    beginRound(move);
    return;
  }
  if (state.arrivedAt === null || state.status === "closed" || impactAt < state.arrivedAt + visitMs) return;
  state.news = newsOf(detection);
  callOutAgain(move);
}

/** The provider's word on delivery. It is never an acknowledgement. */
function receive(move: Move, receipt: Extract<EpisodeInput, { type: "receipt" }>): void {
  const { pageId, responderId, status, errorCode } = receipt;
  tell(move, { type: "receipt", pageId, responderId, status, errorCode });
  const current = move.state.current[pageId];
  if (!current || move.state.status !== "open") return;
  if (status === "delivered") {
    current.fate = "delivered";
    delete move.state.due.receipt;
  } else if ((status === "undelivered" || status === "failed") && current.fate !== "delivered") {
    failPage(move, current);
  }
}

/** What each deadline's passing does. */
const passed: Record<Purpose, (move: Move) => void> = {
  "next-page": advance,
  receipt: receiptsMissing,
  "set-off": notSetOff,
  arrive: notArrived,
  outcome: outcomeMissing,
  backup: callBackup,
};

/** A deadline has passed. One that was moved or called off meanwhile does nothing. */
function expire(move: Move, purpose: Purpose): void {
  const at = move.state.due[purpose];
  if (at === undefined || at > move.now) return;
  delete move.state.due[purpose];
  if (move.state.facts.testAlarm) endTest(move);
  else passed[purpose](move);
}

/** A resident's cancel ends a medium alarm, at once and upright; it never ends a strong one, and never one that somebody has taken. */
function cancel(move: Move, at: number, upright: boolean): void {
  const { state } = move;
  tell(move, { type: "cancel", upright });
  const isMedium = state.facts.detection?.kind === "fall" && state.facts.detection.strength === "medium";
  if (state.status !== "open" || !isMedium || state.repeats > 0 || !upright) return;
  const raisedAt = state.raisedAt ?? state.openedAt;
  if (at - raisedAt > cancelMs || move.now - raisedAt > 2 * cancelMs) return;
  close(move, { kind: "resident" }, { outcome: "unknown", reason: "cancelled by the resident" });
}
