import type { WallMs } from "../firmware-contracts/clock.ts";
import type { PresenceEvidence } from "../firmware-contracts/presence.ts";
import { type Aftermath, lookAfter, tiltSince, walkingSeen } from "./aftermath.ts";
import { evidenceOf } from "./evidence.ts";
import { joinSlots } from "./gate.ts";
import { type History, hardestBetween, rateHz } from "./history.ts";
import type { Conclusion, DetectorCommand, DetectorState, Dismissal } from "./inputs.ts";
import { watchFall } from "./long-lie.ts";
import { type ModelPlacement, modelFor, type OperatingPoint, rangeClassOf, withThreshold } from "./operating-points.ts";
import { mayBeLifted, presenceEvidence, strengthWith } from "./presence/fusion.ts";
import type { Candidate, Stream } from "./stream.ts";
import { slotsAfter } from "./window.ts";

/** Medium evidence is decided this long after the impact. */
export const decisionSlots = 22 * rateHz;
export const msPerSlot = 1000 / rateHz;
/** Hits that follow each other within this belong to one fall; the hardest of them is its impact. As the fall's label has it after its onset: README. */
const fallSlots = 5 * rateHz;
/** A posture changed by less than this, degrees, when a soft fall is decided has changed back. */
const lyingTilt = 40;

/** Decides a candidate whose score asked to await the aftermath, together with others of the same minute: the likeliest is told. */
export function decide(
  state: DetectorState,
  stream: Stream,
  candidate: Candidate,
  now: WallMs,
  commands: DetectorCommand[],
): void {
  const { history } = stream;
  const unseen = unseenSlots(stream, candidate, now);
  const aftermath = lookAfter(history, candidate.impact, unseen);
  const isUp = upAgain(history, candidate, modelFor(state.settings.placement), aftermath);
  if (isUp) {
    dismiss(stream, candidate, isUp, commands);
    return;
  }
  if (weigh(state, candidate, now).isBelow) {
    const isDoubt = (candidate.score ?? 0) >= pointOf(state, candidate).medium;
    dismiss(stream, candidate, isDoubt ? "presence" : "below-threshold", commands);
    return;
  }
  let likeliest = candidate;
  for (const other of stream.candidates) {
    if (other.stage !== "waiting" || other.impact - candidate.impact > joinSlots) continue;
    if ((other.score ?? 0) > (likeliest.score ?? 0) && !weigh(state, other, now).isBelow) likeliest = other;
  }
  const reason = aftermath.silent
    ? "silent"
    : likeliest.lane !== "impact"
      ? "soft"
      : aftermath.still
        ? "still"
        : "at-once";
  conclude(state, stream, likeliest, "medium", reason, now, commands);
}

/** Why what came after an impact makes it no alarm, or null where nothing does. */
export function upAgain(
  history: History,
  { impact, lane }: Pick<Candidate, "impact" | "lane">,
  worn: ModelPlacement,
  { silent }: Pick<Aftermath, "silent">,
): "upright" | "not-lying" | null {
  if (walkingSeen(history, impact, worn)) return "upright";
  if (lane === "impact" || silent) return null;
  const tilt = tiltSince(history, impact);
  return tilt !== null && tilt < lyingTilt ? "not-lying" : null;
}

/** What a candidate's score comes to, with the dwelling's presence where there is any. */
export interface Weighed {
  /** It asks for nothing. */
  isBelow: boolean;
  /** It asks for nothing by itself, and with presence it does. */
  isLifted: boolean;
  presence: PresenceEvidence | null;
}

export function weigh(state: DetectorState, candidate: Candidate, now: WallMs): Weighed {
  const point = pointOf(state, candidate);
  const score = candidate.score ?? 0;
  const asksByItself = score >= point.medium;
  if (!state.presence) return { isBelow: !asksByItself, isLifted: false, presence: null };
  const presence = presenceEvidence(state.presence, impactAt(candidate), now);
  const isBelow = strengthWith(candidate.isUnscored ? Number.NaN : score, point, presence) === "below";
  return { isBelow, isLifted: !isBelow && !asksByItself, presence };
}

/** Whether a score that asks for nothing by itself is worth awaiting, for what presence may still show. */
export function isLiftable(state: DetectorState, candidate: Candidate): boolean {
  return state.presence !== null && mayBeLifted(candidate.score ?? 0, pointOf(state, candidate));
}

/** Slots that should have come by now, up to the decision, and did not. */
function unseenSlots(stream: Stream, candidate: Candidate, now: WallMs): number {
  const remaining = candidate.impact + decisionSlots - stream.history.next;
  const away = Math.floor((now - stream.lastArrival) / msPerSlot);
  return Math.max(0, Math.min(remaining, Math.max(away, stream.ended ? remaining : 0)));
}

export function conclude(
  state: DetectorState,
  stream: Stream,
  candidate: Candidate,
  strength: Conclusion["strength"],
  reason: Conclusion["reason"],
  now: WallMs,
  commands: DetectorCommand[],
): void {
  if (Math.abs(candidate.impact - stream.concluded) < joinSlots) {
    dismiss(stream, candidate, "joined", commands);
    return;
  }
  const aftermath = lookAfter(stream.history, candidate.impact, unseenSlots(stream, candidate, now));
  const weighed = strength === "medium" ? weigh(state, candidate, now) : null;
  const hardest = hardestHit(stream, candidate, strength);
  const judgedMs = (candidate.impact - hardest) * msPerSlot;
  const conclusion: Conclusion = {
    bootId: candidate.frame.bootId,
    sequence: candidate.frame.sequence,
    strength,
    reason,
    impactAt: impactAt(candidate) - judgedMs,
    arrivedAt: candidate.frame.arrivedAt,
    evidence: {
      ...evidenceOf(stream.history, candidate, hardest, aftermath),
      ...(weighed?.presence ? { presence: weighed.presence } : {}),
    },
    isLifted: weighed?.isLifted ?? false,
  };
  const { bootId, sequence } = conclusion;
  const watched = watchFall(state, stream, candidate, { bootId, sequence, impactAt: impactAt(candidate) }, now);
  const told = { bootId: stream.resampler.bootId, slot: hardest, judgedMs, point: pointOf(state, candidate) };
  commands.push({ kind: "detect", candidateId: candidate.id, conclusion, watched, told });
  remove(stream, candidate);
  stream.concluded = candidate.impact;
  for (const other of [...stream.candidates]) {
    if (Math.abs(other.impact - candidate.impact) < joinSlots) dismiss(stream, other, "joined", commands);
  }
}

/**
 * Slot of the fall's hardest hit. Strong evidence does not wait for it: only what came with the frame that completed the window counts, so that the same
 * frames tell the same impact however long the classifier took.
 */
function hardestHit({ history, marks }: Stream, { lane, impact }: Candidate, strength: Conclusion["strength"]): number {
  if (lane !== "impact") return impact;
  const complete = impact + slotsAfter;
  const atOnce = marks.find(({ endSlot }) => endSlot >= complete)?.endSlot ?? history.next - 1;
  return hardestBetween(
    history,
    impact,
    Math.min(impact + fallSlots, strength === "strong" ? atOnce + 1 : history.next),
  );
}

export function impactAt(candidate: Candidate): WallMs {
  const { arrivedAt, ageMs, endSlot } = candidate.frame;
  return Math.max(0, Math.round(arrivedAt - ageMs - Math.max(0, endSlot - candidate.impact) * msPerSlot));
}

export function dismiss(stream: Stream, candidate: Candidate, why: Dismissal, commands: DetectorCommand[]): void {
  if (candidate.stage !== "parked") commands.push({ kind: "dismissed", candidateId: candidate.id, why });
  remove(stream, candidate);
}

function remove(stream: Stream, candidate: Candidate): void {
  stream.candidates = stream.candidates.filter((one) => one !== candidate);
  if (stream.rising === candidate) stream.rising = null;
}

/** The model's point, with the device's own threshold. */
export function pointOf({ settings }: DetectorState, candidate: Candidate): OperatingPoint {
  const point = settings.operatingPoints[modelFor(settings.placement)][rangeClassOf(candidate.frame.rangeG)];
  return withThreshold(point, settings.threshold, candidate.lane);
}
