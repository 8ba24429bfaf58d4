import type { WallMs } from "../firmware-contracts/clock.ts";
import { gravityBefore, isBackInPosture, walkStride, walksAt, walkWindow, walkWindows } from "./aftermath.ts";
import { historyLength, placeOf, rateHz } from "./history.ts";
import type { DetectorCommand, DetectorFrame, DetectorState, WatchedFall } from "./inputs.ts";
import { modelFor } from "./operating-points.ts";
import type { Candidate, Stream } from "./stream.ts";

/** So long after the impact without a sign of getting up is a long lie, ms. Later than that fewer get up by themselves, and harm by the hour begins. */
export const longLieMs = 300_000;
/** Never sooner than this after the fall was told, or a watch taken up again, ms: a late one's frames may be on their way, and somebody was called a moment ago. */
const leastMs = 60_000;
/** Frames older than this show how it was, and not how it is, ms: what a device has stored is waited for. */
const presentMs = 30_000;
/** But not longer than this, ms: a device that is wrong about its frames' age keeps nothing back. */
const patienceMs = 120_000;
/** Whoever cancels must be seen upright within this, ms. */
const cancelMs = 30_000;

/**
 * A fall that was told, until somebody has got up or five minutes are over. It keeps running values, as the history holds 41 s: where it has looked to, and
 * how much was known. It belongs to the device and not to one boot of it: a reboot goes on with the next stream.
 */
export interface Watch extends WatchedFall {
  /** When it is a long lie, and when that is told whatever still comes. */
  dueAt: WallMs;
  latest: WallMs;
  /** Since the impact, or since the last of it was known. */
  knownSlots: number;
  /** Where it has looked to: slots of this stream. Null: no stream yet. */
  stream: Stream | null;
  counted: number;
  nextWindow: number;
  /** Walking windows in a row. */
  run: number;
}

/** Begins to follow somebody whose fall is told now. Null where the settings say not to. */
export function watchFall(
  state: DetectorState,
  stream: Stream,
  candidate: Candidate,
  fall: Omit<WatchedFall, "before">,
  now: WallMs,
): WatchedFall | null {
  if (state.settings.watchFalls === false) return null;
  const watched: WatchedFall = { ...fall, before: gravityBefore(stream.history, candidate.impact) };
  state.watches.push({
    ...watched,
    ...limits(fall.impactAt, now),
    ...{ knownSlots: 0, stream, counted: candidate.impact, nextWindow: candidate.impact + 2 * rateHz, run: 0 },
  });
  return watched;
}

/** Goes on with a fall that was told before this detector was opened: all between is unknown. One that is watched already changes nothing. */
export function watchAgain(state: DetectorState, fall: WatchedFall, now: WallMs): void {
  if (state.watches.some((watch) => isOf(watch, fall))) return;
  const stream = state.streams.at(-1) ?? null;
  const from = stream?.history.next ?? 0;
  // A clock that lost its time must not put it off for years.
  const impactAt = Math.min(fall.impactAt, now);
  state.watches.push({
    ...{ ...fall, impactAt },
    ...limits(impactAt, now),
    ...{ knownSlots: 0, stream, counted: from, nextWindow: from, run: 0 },
  });
}

export function unwatch(state: DetectorState, fall: Pick<WatchedFall, "bootId" | "sequence">): void {
  state.watches = state.watches.filter((watch) => !isOf(watch, fall));
}

function limits(impactAt: WallMs, now: WallMs): Pick<Watch, "dueAt" | "latest"> {
  const dueAt = Math.max(impactAt + longLieMs, now + leastMs);
  return { dueAt, latest: dueAt + patienceMs };
}

const isOf = (watch: WatchedFall, fall: Pick<WatchedFall, "bootId" | "sequence">) =>
  watch.bootId === fall.bootId && watch.sequence === fall.sequence;

/** Looks at what the newest frame of the newest stream has brought. */
export function lookOn(
  state: DetectorState,
  stream: Stream,
  { arrivedAt, ageMs }: Pick<DetectorFrame, "arrivedAt" | "ageMs">,
  now: WallMs,
  commands: DetectorCommand[],
): void {
  for (const watch of state.watches) {
    if (walkedIn(watch, stream, state)) end(state, watch, "walking", commands);
    else if (cancelledUpright(state, watch, stream, now)) end(state, watch, "cancelled", commands);
    else if ((arrivedAt - ageMs >= watch.dueAt && ageMs < presentMs) || now >= watch.latest) {
      tellLongLie(state, watch, now, commands);
    }
  }
}

/** Time has passed. Silence is unknown, and never getting up. `silentAt`: when the newest stream counts as silent. */
export function silenceInWatches(
  state: DetectorState,
  silentAt: WallMs,
  now: WallMs,
  commands: DetectorCommand[],
): void {
  for (const watch of state.watches) if (now >= wakeOf(watch, silentAt)) tellLongLie(state, watch, now, commands);
}

export function cancelInWatches(state: DetectorState, now: WallMs, commands: DetectorCommand[]): void {
  const stream = state.streams.at(-1);
  if (!stream) return;
  for (const watch of state.watches) {
    if (cancelledUpright(state, watch, stream, now)) end(state, watch, "cancelled", commands);
  }
}

/** When a watch wants to be woken if no frame comes. */
export const wakeOf = ({ dueAt, latest }: Watch, silentAt: WallMs) => Math.min(Math.max(dueAt, silentAt), latest);

/** Whether five seconds of walking have been seen by now; counts what is known. */
function walkedIn(watch: Watch, stream: Stream, { settings }: DetectorState): boolean {
  const { history } = stream;
  if (watch.stream !== stream) Object.assign(watch, { stream, counted: 0, nextWindow: 0, run: 0 });
  const kept = history.next - historyLength;
  for (let slot = Math.max(watch.counted, kept); slot < history.next; slot++) {
    if (placeOf(history, slot) >= 0) watch.knownSlots++;
  }
  watch.counted = history.next;
  if (watch.nextWindow < kept) Object.assign(watch, { nextWindow: kept, run: 0 });
  const worn = modelFor(settings.placement);
  for (; watch.nextWindow + walkWindow <= history.next; watch.nextWindow += walkStride) {
    watch.run = walksAt(history, watch.nextWindow, watch.before, worn) ? watch.run + 1 : 0;
    if (watch.run >= walkWindows) return true;
  }
  return false;
}

/** The wearer cancelled lately, and is seen in the posture of before. */
function cancelledUpright({ cancelledAt }: DetectorState, watch: Watch, stream: Stream, now: WallMs): boolean {
  if (cancelledAt === null || cancelledAt < watch.impactAt || now - cancelledAt > cancelMs) return false;
  if (now >= stream.lastArrival + stream.silenceMs) return false;
  return isBackInPosture(stream.history, watch.before);
}

function end(state: DetectorState, watch: Watch, why: "walking" | "cancelled", commands: DetectorCommand[]): void {
  const { bootId, sequence } = watch;
  unwatch(state, watch);
  commands.push({ kind: "got-up", fall: { bootId, sequence }, why });
}

function tellLongLie(state: DetectorState, watch: Watch, now: WallMs, commands: DetectorCommand[]): void {
  const { bootId, sequence, impactAt, knownSlots } = watch;
  unwatch(state, watch);
  const lyingSeconds = Math.max(0, now - impactAt) / 1000;
  const unknownSeconds = Math.max(0, lyingSeconds - knownSlots / rateHz);
  commands.push({ kind: "long-lie", fall: { bootId, sequence }, lyingSeconds, unknownSeconds });
}
