import { largestBetween, rateHz } from "./history.ts";
import type { Candidate, FrameMark, Stream } from "./stream.ts";

/** Magnitude that opens the gate, milli-g. At 2.0 g it would lose 4 % of falls at the waist and 18 % at the hip; see README. */
export const gateMg = 1450;
/** A peak is worth classifying where none larger lies within a second. */
export const peakReach = 1 * rateHz;
/** Falls within a minute of each other are told as one. */
export const joinSlots = 60 * rateHz;

/**
 * A magnitude over the gate at slot `at`: it moves the rising candidate to itself, or opens a new one unless a larger peak lies in the second before.
 * Returns the candidate if it was opened just now.
 */
export function overGate(stream: Stream, at: number, magnitude: number, mark: FrameMark): Candidate | null {
  const rising = stream.rising;
  if (rising) {
    if (magnitude > rising.peak) {
      rising.peak = magnitude;
      rising.impact = at;
      rising.frame = mark;
    }
    return null;
  }
  if (at - stream.concluded < joinSlots) return null;
  if (largestBetween(stream.history, at - peakReach, at) >= magnitude) return null;
  const opened = openCandidate(stream, "impact", at, magnitude, mark, mark);
  stream.rising = opened;
  return opened;
}

/** `crossing`: the frame in which the gate opened. It names the candidate, since the peak may still move. */
export function openCandidate(
  stream: Stream,
  lane: Candidate["lane"],
  impact: number,
  peak: number,
  frame: FrameMark,
  crossing: FrameMark,
): Candidate {
  const candidate: Candidate = {
    id: `${crossing.bootId}.${crossing.sequence}.${stream.openedInFrame++}`,
    lane,
    stage: lane === "impact" ? "rising" : "window",
    impact,
    peak,
    frame,
    score: null,
    isUnscored: false,
    complete: false,
    suspected: false,
  };
  stream.candidates.push(candidate);
  return candidate;
}
