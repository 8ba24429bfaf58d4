import type { WallMs } from "../firmware-contracts/clock.ts";
import { uprightNow } from "./aftermath.ts";
import {
  conclude,
  decide,
  decisionSlots,
  dismiss,
  impactAt,
  isLiftable,
  msPerSlot,
  pointOf,
  weigh,
} from "./conclude.ts";
import { gateMg, joinSlots, openCandidate, overGate, peakReach } from "./gate.ts";
import { largestBetween, magnitudeAt, placeOf, rateHz, remember, skipUnknown } from "./history.ts";
import type { DetectorCommand, DetectorFrame, DetectorState } from "./inputs.ts";
import { cancelInWatches, lookOn, silenceInWatches, wakeOf } from "./long-lie.ts";
import { modelInput } from "./model-input.ts";
import { modelFor } from "./operating-points.ts";
import { type ResampleSink, resampleFrame, type Slots } from "./resample.ts";
import { addToSoftLane, afterGapSlots, changedAcross, clearSoftLane, slotsLeft, softImpact } from "./soft-lane.ts";
import { type Candidate, type FrameMark, type FrameSink, frameOf, newStream, type Stream } from "./stream.ts";
import { emptyWindow, slotsAfter, windowAround } from "./window.ts";

/** A wearer's cancel counts for an impact at most this old. */
const cancelMs = 30_000;

const window = emptyWindow();

/** Resamples the frame into its stream and does what falls due in it. */
export function takeFrame(state: DetectorState, frame: DetectorFrame, now: WallMs, commands: DetectorCommand[]): void {
  const stream = streamOf(state, frame.bootId, now, commands);
  const heardUntil = frame.arrivedAt - frame.ageMs;
  // A device that pauses and loses no frame goes on in its stream as if nothing had been: the minute in which falls are one is over all the same.
  if (heardUntil - stream.heardUntil > joinSlots * msPerSlot) stream.concluded = Number.NEGATIVE_INFINITY;
  if (heardUntil > stream.heardUntil) stream.heardUntil = heardUntil;
  const mark = markOf(stream, frame);
  stream.sink ??= new StreamSink(stream);
  const isNews = resampleFrame(stream.resampler, frame, stream.sink.of(state, mark, commands, now));
  if (!isNews) return;
  const frameMs = (frame.samples.length / 3 / frame.rateHz) * 1000;
  stream.silenceMs = Math.max(3000, 1.5 * frameMs);
  stream.lastArrival = now;
  // A peak behind the last slot opens the gate too: the frame that holds it must not be let go before its slot is written.
  const { peakSquared } = stream.resampler;
  if (peakSquared >= gateMg * gateMg) {
    open(overGate(stream, stream.history.next, Math.round(Math.sqrt(peakSquared)), mark), stream, commands);
  }
  if (state.cancelledAt !== null) applyCancel(state, stream, commands);
  if (state.watches.length > 0 && !stream.ended) lookOn(state, stream, frame, now, commands);
}

/** A mark for the frame. Those of more than ten seconds ago go, and the last of them serves again where no candidate can still hold it. */
function markOf(stream: Stream, frame: DetectorFrame): FrameMark {
  const { bootId, sequence, arrivedAt, ageMs, rateHz: rate, rangeG } = frame;
  const endSlot = Number.POSITIVE_INFINITY;
  let old: FrameMark | null = null;
  while (stream.marks.length > 1 && stream.marks[0]!.endSlot < stream.history.next - 10 * rateHz) {
    old = stream.marks.shift()!;
  }
  if (!old || stream.candidates.length > 0) {
    return { bootId, sequence, arrivedAt, ageMs, rateHz: rate, rangeG, endSlot };
  }
  old.bootId = bootId;
  old.sequence = sequence;
  old.arrivedAt = arrivedAt;
  old.ageMs = ageMs;
  old.rateHz = rate;
  old.rangeG = rangeG;
  old.endSlot = endSlot;
  return old;
}

function streamOf(state: DetectorState, bootId: number, now: WallMs, commands: DetectorCommand[]): Stream {
  for (const stream of state.streams) if (stream.resampler.bootId === bootId) return stream;
  const stream = newStream(bootId);
  for (const earlier of state.streams) earlier.ended = true;
  state.streams.push(stream);
  if (state.streams.length > 2) {
    // Two reboots within seconds: what is still open from before the first is decided with what is there.
    const dropped = state.streams[0]!;
    for (const candidate of [...dropped.candidates])
      if (candidate.score !== null) decide(state, dropped, candidate, now, commands);
    for (const candidate of dropped.candidates) dismiss(dropped, candidate, "below-threshold", commands);
    state.streams.shift();
  }
  for (const earlier of state.streams) if (earlier.ended) silenceFell(state, earlier, now, commands);
  return stream;
}

/** Takes in what a stream's resampler makes of a frame. One for each stream, not for each frame: it is called for every sample. */
class StreamSink implements FrameSink {
  private readonly stream: Stream;
  private state: DetectorState | null = null;
  private mark: FrameMark | null = null;
  private commands: DetectorCommand[] = [];
  private now: WallMs = 0;
  private marked = false;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  of(state: DetectorState, mark: FrameMark, commands: DetectorCommand[], now: WallMs): ResampleSink {
    this.state = state;
    this.mark = mark;
    this.commands = commands;
    this.now = now;
    this.marked = false;
    return this;
  }

  private arrive(): void {
    const { stream, commands } = this;
    this.marked = true;
    stream.marks.push(this.mark!);
    stream.openedInFrame = 0;
    for (const candidate of stream.candidates) {
      if (candidate.stage !== "parked") continue;
      candidate.stage = "waiting";
      commands.push({ kind: "gate-opened", candidateId: candidate.id });
      stream.nextDue = 0;
    }
  }

  samples(slots: Slots, count: number): void {
    if (!this.marked) this.arrive();
    const { stream } = this;
    let at = 0;
    // Nearly all there is: up to the end of the half second nothing can happen, and slots are taken in together.
    while (at < count) {
      const to = Math.min(count, at + slotsLeft(stream.softLane), this.quietUntil(slots, at, count));
      if (to === at) {
        this.slot(slots, at++);
        continue;
      }
      remember(stream.history, slots, at, to);
      if (addToSoftLane(stream.softLane, slots, at, to)) openSoft(stream, this.mark!, this.commands);
      at = to;
      if (stream.history.next > stream.nextDue) runDue(this.state!, stream, this.now, this.commands);
    }
  }

  /** The first slot from `from` on at which the gate may open or something is due; `count` where there is none. */
  private quietUntil(slots: Slots, from: number, count: number): number {
    const { nextDue, history } = this.stream;
    const until = Math.min(count, from + Math.max(0, Math.ceil(nextDue - history.next)));
    const { magnitude } = slots;
    for (let i = from; i < until; i++) if (magnitude[i]! >= gateMg) return i;
    return until;
  }

  /** One slot by itself. */
  private slot(slots: Slots, at: number): void {
    const { stream } = this;
    const { history } = stream;
    remember(history, slots, at, at + 1);
    const magnitude = slots.magnitude[at]!;
    if (magnitude >= gateMg) {
      open(overGate(stream, history.next - 1, Math.round(magnitude), this.mark!), stream, this.commands);
    }
    if (addToSoftLane(stream.softLane, slots, at, at + 1)) openSoft(stream, this.mark!, this.commands);
    if (history.next > stream.nextDue) runDue(this.state!, stream, this.now, this.commands);
  }

  placed(endSlot: number): void {
    if (!this.marked) this.arrive();
    this.mark!.endSlot = endSlot;
  }

  unknown(count: number): void {
    if (!this.marked) this.arrive();
    const { stream } = this;
    const { history } = stream;
    clearSoftLane(stream.softLane);
    // One gap after another with less than a second between them is one.
    if (stream.gapFrom < 0) stream.gapFrom = history.next;
    stream.gapTo = history.next + count;
    setDue(stream);
    // In steps, so that each candidate is decided at its time, while its history is still there.
    for (let left = count; left > 0; ) {
      const stride = stream.candidates.length > 0 ? Math.min(left, peakReach) : left;
      skipUnknown(history, stride);
      left -= stride;
      if (history.next > stream.nextDue) runDue(this.state!, stream, this.now, this.commands);
    }
  }
}

function open(candidate: Candidate | null, stream: Stream, commands: DetectorCommand[]): void {
  if (!candidate) return;
  commands.push({ kind: "gate-opened", candidateId: candidate.id });
  setDue(stream);
}

function openSoft(stream: Stream, mark: FrameMark, commands: DetectorCommand[]): void {
  const { history } = stream;
  const impact = softImpact(stream.softLane, history, gateMg);
  if (impact < 0 || impact - stream.concluded < joinSlots) return;
  stream.softLane.quietUntil = history.next + 5 * rateHz;
  const peak = magnitudeAt(history, placeOf(history, impact));
  open(openCandidate(stream, "soft", impact, peak, frameOf(stream, impact), mark), stream, commands);
}

/** A lost frame may have held the impact: where posture changed across a short gap, its middle is looked at as if the impact were there. */
function openHidden(stream: Stream, commands: DetectorCommand[]): void {
  const { history, gapFrom, gapTo } = stream;
  stream.gapFrom = -1;
  if (!changedAcross(history, gapFrom, gapTo)) return;
  const impact = Math.floor((gapFrom + gapTo) / 2);
  if (impact - stream.concluded < joinSlots) return;
  const mark = frameOf(stream, gapTo + 1);
  const peak = largestBetween(history, gapFrom - afterGapSlots, gapTo + afterGapSlots);
  // Named after the frame that is at hand: an impact behind the gap may have its name from the one that the gap ended with.
  open(openCandidate(stream, "hidden", impact, peak, mark, stream.marks.at(-1) ?? mark), stream, commands);
}

/** The slot count at which the candidate next wants attention. */
function dueAt(candidate: Candidate): number {
  if (candidate.stage === "rising") return candidate.impact + peakReach;
  if (candidate.stage === "window" || (candidate.stage === "waiting" && !candidate.complete)) {
    return candidate.impact + slotsAfter - 1;
  }
  if (candidate.stage === "waiting") return candidate.impact + decisionSlots;
  return Number.POSITIVE_INFINITY;
}

function setDue(stream: Stream): void {
  let due = stream.gapFrom < 0 ? Number.POSITIVE_INFINITY : stream.gapTo + afterGapSlots - 1;
  for (const candidate of stream.candidates) due = Math.min(due, dueAt(candidate));
  stream.nextDue = due;
}

function runDue(state: DetectorState, stream: Stream, now: WallMs, commands: DetectorCommand[]): void {
  const { next } = stream.history;
  if (stream.gapFrom >= 0 && next >= stream.gapTo + afterGapSlots) openHidden(stream, commands);
  for (const candidate of [...stream.candidates]) {
    if (!stream.candidates.includes(candidate)) continue;
    if (candidate.stage === "rising" && next > dueAt(candidate)) settle(stream, candidate);
    if (next <= dueAt(candidate)) continue;
    if (candidate.stage === "window" || !candidate.complete) classify(state, stream, candidate, true, commands);
    else decide(state, stream, candidate, now, commands);
  }
  setDue(stream);
}

/** No larger peak came within a second. */
function settle(stream: Stream, candidate: Candidate): void {
  candidate.stage = "window";
  if (stream.rising === candidate) stream.rising = null;
}

function classify(
  state: DetectorState,
  stream: Stream,
  candidate: Candidate,
  complete: boolean,
  commands: DetectorCommand[],
): void {
  candidate.stage = "scoring";
  candidate.complete = complete;
  commands.push({
    kind: "classify",
    candidateId: candidate.id,
    placement: state.settings.placement,
    impactAt: impactAt(candidate),
    input: modelInput(windowAround(stream.history, candidate.impact, window)),
  });
}

/** The classifier's answer. One for a candidate that is gone, or not asked for, changes nothing. */
export function onScore(
  state: DetectorState,
  candidateId: string,
  answer: number,
  now: WallMs,
  commands: DetectorCommand[],
): void {
  for (const stream of state.streams) {
    const candidate = stream.candidates.find((one) => one.id === candidateId && one.stage === "scoring");
    if (!candidate) continue;
    const point = pointOf(state, candidate);
    // A classifier that failed leaves it open whether this was a fall: the aftermath decides.
    const hasFailed = !Number.isFinite(answer);
    const score = hasFailed ? point.medium : Math.max(0, Math.min(1, answer));
    candidate.score = score;
    candidate.isUnscored = hasFailed;
    candidate.stage = "waiting";
    if (score >= point.medium && !candidate.suspected) {
      candidate.suspected = true;
      commands.push({ kind: "suspected", candidateId, impactAt: impactAt(candidate), score });
    }
    if (score >= point.strong && !hasFailed && candidate.lane === "impact") {
      conclude(state, stream, candidate, "strong", "at-once", now, commands);
    } else if (score < point.medium && candidate.complete && !isLiftable(state, candidate)) {
      dismiss(stream, candidate, "below-threshold", commands);
    }
    runDue(state, stream, now, commands);
    if (stream.ended || now >= silentAt(stream)) silenceFell(state, stream, now, commands);
    if (state.cancelledAt !== null) applyCancel(state, stream, commands);
    // Whoever has walked while the classifier was asked is up already: no further frame may come to show it.
    if (state.watches.length > 0 && state.streams.at(-1) === stream) {
      lookOn(state, stream, { arrivedAt: stream.heardUntil, ageMs: 0 }, now, commands);
    }
    return;
  }
}

/** Time has passed: what silence keeps from being completed is judged with what is there. */
export function onTime(state: DetectorState, now: WallMs, commands: DetectorCommand[]): void {
  for (const stream of state.streams) {
    if (stream.ended || now >= silentAt(stream)) silenceFell(state, stream, now, commands);
  }
  silenceInWatches(state, newestSilentAt(state), now, commands);
}

/** When the newest stream counts as silent; where there is none it does. */
function newestSilentAt({ streams }: DetectorState): WallMs {
  const newest = streams.at(-1);
  return newest ? silentAt(newest) : 0;
}

const silentAt = (stream: Stream) => stream.lastArrival + (stream.ended ? 0 : stream.silenceMs);

/** When a candidate is decided if no frame comes any more. */
function decidedAt(stream: Stream, candidate: Candidate): WallMs {
  const remaining = (candidate.impact + decisionSlots - stream.history.next) * msPerSlot;
  return Math.max(silentAt(stream), Math.ceil(stream.lastArrival + remaining));
}

function silenceFell(state: DetectorState, stream: Stream, now: WallMs, commands: DetectorCommand[]): void {
  for (const candidate of [...stream.candidates]) {
    if (!stream.candidates.includes(candidate)) continue;
    if (candidate.stage === "rising") settle(stream, candidate);
    if (candidate.stage === "window") classify(state, stream, candidate, false, commands);
    else if (candidate.stage === "waiting" && now >= decidedAt(stream, candidate)) {
      if (!candidate.complete && weigh(state, candidate, now).isBelow) park(stream, candidate, commands);
      else decide(state, stream, candidate, now, commands);
    }
  }
  setDue(stream);
}

/** Given up for now: the rest of its window may still come, from a device that stored it. */
function park(stream: Stream, candidate: Candidate, commands: DetectorCommand[]): void {
  if (stream.ended) {
    dismiss(stream, candidate, "below-threshold", commands);
    return;
  }
  candidate.stage = "parked";
  commands.push({ kind: "dismissed", candidateId: candidate.id, why: "below-threshold" });
}

/** The wearer cancelled: it ends a medium candidate of the last 30 s, once the wearer is upright. */
export function onCancel(state: DetectorState, at: WallMs, now: WallMs, commands: DetectorCommand[]): void {
  state.cancelledAt = Math.min(at, now);
  for (const stream of state.streams) applyCancel(state, stream, commands);
  cancelInWatches(state, now, commands);
}

function applyCancel(state: DetectorState, stream: Stream, commands: DetectorCommand[]): void {
  const at = state.cancelledAt ?? 0;
  for (const candidate of [...stream.candidates]) {
    if (candidate.stage !== "waiting" || candidate.score === null) continue;
    const since = at - impactAt(candidate);
    if (
      since < 0 ||
      since > cancelMs ||
      !uprightNow(stream.history, candidate.impact, modelFor(state.settings.placement))
    )
      continue;
    dismiss(stream, candidate, "cancelled", commands);
  }
}

/** When time alone will have something decided; null where nothing is open or watched. */
export function wakeTime(state: DetectorState): WallMs | null {
  let at = Number.POSITIVE_INFINITY;
  for (const stream of state.streams) {
    for (const candidate of stream.candidates) {
      if (candidate.stage === "rising" || candidate.stage === "window") at = Math.min(at, silentAt(stream));
      else if (candidate.stage === "waiting") at = Math.min(at, decidedAt(stream, candidate));
    }
  }
  for (const watch of state.watches) at = Math.min(at, wakeOf(watch, newestSilentAt(state)));
  return Number.isFinite(at) ? at : null;
}
