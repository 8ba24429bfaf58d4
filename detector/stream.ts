import type { WallMs } from "../firmware-contracts/clock.ts";
import { emptyHistory, type History } from "./history.ts";
import type { DetectorCommand, DetectorState } from "./inputs.ts";
import type { Lane } from "./operating-points.ts";
import { newResampler, type Resampler, type ResampleSink } from "./resample.ts";
import { newSoftLane, type SoftLane } from "./soft-lane.ts";

/** Where a frame lies in stream time: what turns a slot into wall time and a frame's identity. */
export interface FrameMark {
  bootId: number;
  sequence: number;
  arrivedAt: WallMs;
  ageMs: number;
  rateHz: number;
  rangeG: number;
  /** Slot time of the frame's last sample. */
  endSlot: number;
}

/**
 * `rising`: its peak may still be followed by a larger one within a second. `window`: the peak is settled, its window not yet over.
 * `scoring`: the classifier has the window. `waiting`: scored. Its window was cut short by silence, or its score asks to await the aftermath.
 * `parked`: given up in silence with an incomplete window; taken up again if the stream goes on.
 */
export type Stage = "rising" | "window" | "scoring" | "waiting" | "parked";

/** An impact, a soft fall's change of posture, or a short gap that may hide a fall: worth classifying. */
export interface Candidate {
  id: string;
  lane: Lane;
  stage: Stage;
  /** Slot of the impact and its magnitude in milli-g. */
  impact: number;
  peak: number;
  frame: FrameMark;
  score: number | null;
  /** The classifier failed, and `score` is made up so that the aftermath decides. */
  isUnscored: boolean;
  /** Whether the score, or the window at the classifier, is of a window that time had completed. */
  complete: boolean;
  suspected: boolean;
}

/** What takes in the samples of a stream's frames; see judge.ts. */
export interface FrameSink extends ResampleSink {
  /** The same, for one frame. */
  of(state: DetectorState, mark: FrameMark, commands: DetectorCommand[], now: WallMs): ResampleSink;
}

/** One boot of the device. */
export interface Stream {
  resampler: Resampler;
  history: History;
  softLane: SoftLane;
  /** Made with the first frame. */
  sink: FrameSink | null;
  candidates: Candidate[];
  /** The candidate that is still rising, if any. It is also in `candidates`. */
  rising: Candidate | null;
  /** Frames of the last seconds, oldest first. */
  marks: FrameMark[];
  /** Candidates opened in the newest frame: they number the ids. */
  openedInFrame: number;
  /** A gap that may hide an impact and has not been looked at yet: its first slot, and the first one after it. −1: none. */
  gapFrom: number;
  gapTo: number;
  /** Slot at which some candidate, or a gap, wants attention. */
  nextDue: number;
  lastArrival: WallMs;
  /** When its newest sample was taken, by arrival and age. */
  heardUntil: WallMs;
  /** How long no frame must come before the stream counts as silent, ms. */
  silenceMs: number;
  /** The device has started anew since. */
  ended: boolean;
  /** Impact of the last conclusion, or −∞. */
  concluded: number;
}

export function newStream(bootId: number): Stream {
  return {
    resampler: newResampler(bootId),
    history: emptyHistory(),
    softLane: newSoftLane(),
    sink: null,
    candidates: [],
    rising: null,
    marks: [],
    openedInFrame: 0,
    gapFrom: -1,
    gapTo: -1,
    nextDue: Number.POSITIVE_INFINITY,
    lastArrival: 0,
    heardUntil: 0,
    silenceMs: 3000,
    ended: false,
    concluded: Number.NEGATIVE_INFINITY,
  };
}

/** The frame that holds a slot; the oldest kept one where it is older than all. */
export function frameOf(stream: Stream, slot: number): FrameMark {
  for (const mark of stream.marks) if (mark.endSlot >= slot - 1) return mark;
  return stream.marks[stream.marks.length - 1]!;
}
