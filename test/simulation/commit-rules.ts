import { isDeepStrictEqual } from "node:util";
import type { Actor, EpisodeInput, EpisodeState } from "../../alerting/episode-state.ts";
import { ladderText } from "../../alerting/ladder.ts";
import type { EpisodeChange } from "../../alerting/store/store.ts";
import type { Watched } from "./facts.ts";
import type { Act, Oracle } from "./oracle.ts";
import { minute } from "./plan.ts";

/** What must hold of each step that was committed, whoever made it. Each rule fails by name. */
export function checkCommit(oracle: Oracle, change: EpisodeChange, before: Watched | null): void {
  const { input, state } = change;
  detectionOnce(oracle, change, before);
  if (input.type === "opened") codeIsApart(oracle, state);
  if (before) {
    statusMovesByPersons(oracle, before, input, state);
    if (input.type === "page-result") retryIsKept(oracle, change, input);
    if (input.type === "due") notEarly(oracle, before, input.purpose, state);
  }
  if (before && input.type === "long-lie") longLieIsHeeded(oracle, change, input.detectionId, before);
  busyIsPassedOver(oracle, change);
  if (input.type === "reply") replyIsRight(oracle, change, before);
  if (input.type === "console") consoleIsRight(oracle, change, before);
}

/** Promise 3: each detection is taken in once, joins the open episode of its dwelling, or opens one where none is open. */
function detectionOnce(oracle: Oracle, change: EpisodeChange, before: Watched | null): void {
  const { input, state } = change;
  if (input.type !== "opened" && input.type !== "repeat") return;
  const id = input.type === "opened" ? input.facts.detection?.id : input.detection.id;
  if (id === undefined) return;
  if (oracle.taken.has(id)) oracle.fail("detection-once", `${id} was taken in twice`);
  oracle.taken.set(id, state.facts.id);
  const wanted = oracle.detections.get(id);
  if (!wanted) {
    oracle.fail("detection-once", `${id} was never handed in`);
    return;
  }
  if (state.facts.dwelling !== wanted.dwelling) {
    oracle.fail("detection-once", `${id} of ${wanted.dwelling} is in an episode of ${state.facts.dwelling}`);
  }
  if (input.type === "repeat" && (!before || before.status === "closed")) {
    oracle.fail("detection-once", `${id} joined an episode that was closed`);
  }
}

/** Rule 4 of practice: codes that can be taken for each other are never open together, and a closed one rests. */
function codeIsApart(oracle: Oracle, { facts }: EpisodeState): void {
  const { code, id } = facts;
  for (const other of oracle.watched.values()) {
    if (other.id === id) continue;
    if (other.status === "closed") {
      if (other.code === code && other.statusSince > oracle.codesRestSince()) {
        oracle.fail("code-rests", `${code} was closed lately, and is given again`);
      }
      continue;
    }
    if (other.code.replace("T", "") === code.replace("T", "")) {
      oracle.fail("codes-apart", `${code} is open beside its twin ${other.code}`);
    }
    const differing =
      other.code.length === code.length ? [...code].filter((digit, i) => digit !== other.code[i]).length : 9;
    if (differing < 2) oracle.fail("codes-apart", `${code} is open beside ${other.code}`);
  }
}

const tag = (actor: Actor | null) =>
  actor === null ? null : actor.kind === "responder" ? actor.id : actor.kind === "user" ? actor.name : actor.kind;
/** How long after an alarm its wearer may cancel it, ms, with what the way takes. */
const cancelMs = 62_000;

/** Promises 4–6: only persons take, arrive and close. Time and the provider may only call out again. */
function statusMovesByPersons(oracle: Oracle, before: Watched, input: EpisodeInput, state: EpisodeState): void {
  const said = (what: string) => oracle.fail("only-persons", `${state.facts.code}: ${what} by ${input.type}`);
  if (input.type === "reply" || input.type === "console") {
    const actor = input.type === "reply" ? input.responderId : input.user.name;
    if (state.closedBy && before.status !== "closed" && tag(state.closedBy) !== actor)
      said(`closed as ${tag(state.closedBy)}`);
    return;
  }
  const { kind } = state.facts;
  if (input.type === "ended" && state.status === "closed" && (kind === "technical" || kind === "sign-on")) return;
  // Movement again ends a welfare alarm that nobody has taken, and no other.
  if (input.type === "movement" && kind === "welfare" && before.status === "open" && state.status === "closed") return;
  if (input.type === "cancel" && before.status === "open" && state.status === "closed") {
    const { detection } = state.facts;
    const may = input.upright && detection?.strength === "medium" && detection.kind === "fall";
    if (!may || oracle.now - before.openedAt > cancelMs || state.closedBy?.kind !== "resident") said("cancelled");
    return;
  }
  if (before.status === state.status) {
    if (!isDeepStrictEqual(before.state.takenBy, state.takenBy)) said("another has it");
    return;
  }
  const calledOutAgain = state.status === "open" && before.status !== "closed";
  const mayReopen = input.type === "due" || input.type === "repeat";
  if (!calledOutAgain || !mayReopen) said(`${before.status} became ${state.status}`);
}

/** Nobody was seen to get up: that calls out more people, or is told to whoever has it; where somebody is there it pages nobody. It never moves a status. */
function longLieIsHeeded(oracle: Oracle, { state, pages }: EpisodeChange, detectionId: string, before: Watched): void {
  const { code, id } = state.facts;
  const fail = (what: string) =>
    oracle.fail("long-lie", `${detectionId} of ${code}, which was ${before.status}: ${what}`);
  if (oracle.longLies.has(detectionId)) fail("told twice");
  oracle.longLies.add(detectionId);
  if (oracle.taken.get(detectionId) !== id) fail("is of another episode");
  if (state.status !== before.status) fail(`became ${state.status}`);
  const takenBy = state.takenBy?.kind === "responder" ? state.takenBy.id : null;
  const callsOut = pages.some(({ purpose }) => purpose === "alarm" || purpose === "not-taken");
  const isToTaker = pages.some(({ responderId }) => takenBy === null || responderId === takenBy);
  if (before.status === "open" && !callsOut) fail("nobody is called");
  if (before.status === "taken" && (callsOut || !isToTaker)) fail("whoever has it is not told");
  if ((before.status === "arrived" || before.status === "closed") && pages.length > 0) fail("somebody is paged");
}

/** Whoever has an alarm to see to is not asked first about another. */
function busyIsPassedOver(oracle: Oracle, { state, pages }: EpisodeChange): void {
  const { facts, round, operatorsFirst } = state;
  const isAlarm = facts.kind === "fall" || facts.kind === "help";
  if (!isAlarm || round > 1 || operatorsFirst) return;
  for (const other of oracle.watched.values()) {
    const { takenBy } = other.state;
    const isBusy = other.status === "taken" && (other.kind === "fall" || other.kind === "help") && !other.test;
    if (other.id === facts.id || !isBusy || takenBy?.kind !== "responder") continue;
    if (pages.some(({ purpose, responderId }) => purpose === "alarm" && responderId === takenBy.id)) {
      oracle.fail("busy-passed-over", `${takenBy.id} has ${other.code}, and is paged first about ${facts.code}`);
    }
  }
}

/** A text that did not go out is tried again, and one of which nobody knows is sent a second time. */
function retryIsKept(
  oracle: Oracle,
  change: EpisodeChange,
  input: Extract<EpisodeInput, { type: "page-result" }>,
): void {
  const { state } = change;
  const { outcome } = input.result;
  const again = outcome === "retryable" ? input.tries <= 3 : outcome === "unknown" && input.tries <= 1;
  const calls = input.purpose === "alarm" || input.purpose === "welfare" || input.purpose === "not-taken";
  const matters = state.status !== "closed" && (!calls || state.status === "open");
  if (!again || !matters) return;
  const status = oracle.store.page(input.pageId)?.status;
  if (status !== "pending" && status !== "delivered") {
    oracle.fail("tried-again", `${input.pageId} was ${outcome}, and is ${status}`);
  }
}

/** Promise 10: whatever the wall clock says, a deadline does not fall before its time. */
function notEarly(oracle: Oracle, before: Watched, purpose: string, state: EpisodeState): void {
  const deadline = before.due.get(purpose);
  const stands = state.due[purpose as keyof typeof state.due];
  if (!deadline || stands === before.state.due[purpose as keyof typeof state.due]) return;
  // Set forward, what calls the next may come early: the machine may have slept.
  const maySleep = (purpose === "next-page" || purpose === "receipt") && oracle.forwardAt >= deadline.setAt;
  if (!maySleep && oracle.now < deadline.falls - 2_000 && deadline.setAt > oracle.blindSince) {
    oracle.fail(
      "not-early",
      `${purpose} of ${before.code} fell ${Math.round((deadline.falls - oracle.now) / 1000)} s early`,
    );
  }
}

/** Promises 5 and 15: a reply counts for the episode whose code its sender was given, says what they meant, and is answered. */
function replyIsRight(oracle: Oracle, change: EpisodeChange, before: Watched | null): void {
  const { input, state, reply } = change;
  if (input.type !== "reply" || !before) return;
  const { code, id } = state.facts;
  const fail = (what: string) => oracle.fail("reply-right", `${input.responderId} to ${code}: ${what}`);
  const said = reply ? oracle.replies.get(reply.providerId) : undefined;
  if (!said) {
    fail("nobody said that");
    return;
  }
  if (oracle.responderOf(said.from) !== input.responderId) fail(`came from ${said.from}`);
  if (said.code !== null && code !== said.code && code !== `T${said.code}`) fail(`the text named ${said.code}`);
  if (!oracle.store.wasPaged(id, input.responderId)) fail("was never paged about it");
  if (said.code === null && said.letter !== null && oracle.couldBeMeant(input.responderId, id))
    fail("a text without code could have meant another");
  if (input.letter !== said.letter) fail(`meant ${said.letter}, understood was ${input.letter}`);
  if (!change.pages.some(({ responderId }) => responderId === input.responderId)) fail("gets no answer");
  const { letter } = said;
  const isNews = before.status !== state.status;
  if (before.status === "closed" && isNews && (letter !== "Z" || tag(before.state.closedBy) !== input.responderId)) {
    fail(`opened again by ${letter}`);
  }
  const hasMoved = ladderText(before.state) !== ladderText(state);
  if (letter === "Z" && hasMoved && before.movedBy !== input.responderId)
    fail(`Z takes back what ${before.movedBy} did`);
  if (state.facts.kind === "sign-on" && letter === "T") {
    if (state.status !== "closed") fail("the phone is not signed on");
    return;
  }
  if (letter === "T" && before.status === "open" && tag(state.takenBy) !== input.responderId)
    fail("T, and does not have it");
  if (letter === null && isNews) fail("nothing was said, and it changed");
  if (state.status !== "closed" || !isNews) return;
  const isThere = letter === "S" || letter === "U" || before.present.has(input.responderId);
  if (!isThere) fail("closed from afar");
  if (!["S", "U", "R", "X"].includes(letter ?? "")) fail(`closed by ${letter}`);
}

function consoleIsRight(oracle: Oracle, { input, state, pages }: EpisodeChange, before: Watched | null): void {
  if (input.type !== "console" || !before) return;
  const { action } = input.action;
  const isHis = ({ episodeId, user, action }: Act) =>
    episodeId === state.facts.id && user === input.user.name && action === input.action.action;
  if (![...oracle.acting].some(isHis)) {
    oracle.fail("only-persons", `${state.facts.code}: nobody did ${input.action.action} at the console`);
  }
  const fail = (what: string) =>
    oracle.fail("console-right", `${input.user.name}'s ${action} on ${state.facts.code}: ${what}`);
  const hasMoved = ladderText(before.state) !== ladderText(state);
  if (action === "undo" && before.movedBy !== input.user.name) fail(`takes back what ${before.movedBy} did`);
  if (action === "undo" && !hasMoved) fail("takes nothing back");
  if (before.status === "closed" && action !== "undo") fail("changes what is closed");
  if (action === "called-112" && hasMoved) fail("moves it");
  if (action === "cannot-get-in" || action === "two-needed") {
    if (state.status !== before.status || state.status === "open") fail(`${before.status} became ${state.status}`);
    const others = oracle.operators.filter((id) => !isDeepStrictEqual(state.backupAskedBy, id));
    const called = pages.filter(({ purpose }) => purpose === "backup").map(({ responderId }) => responderId);
    if (others.some((id) => !called.includes(id))) fail("whoever leads is not called");
  }
  if (action === "cannot" && (state.status !== "open" || state.takenBy !== null)) fail("they still have it");
  // Who takes a test alarm of a shift's phone at the console says that it is in somebody's hand.
  const signsOn = state.facts.kind === "sign-on" && input.action.action === "take";
  if (state.status === "closed" && input.action.action !== "close" && !signsOn) {
    oracle.fail("only-persons", `${state.facts.code} closed by ${input.action.action}`);
  }
}

/** How long a phone's other episodes count against a text without code, ms; a little is left for the way. */
export const recentMs = 30 * minute - 15_000;
