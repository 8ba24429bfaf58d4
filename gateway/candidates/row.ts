import type { Dismissal } from "../../detector/detector.ts";
import type { Afterwards } from "../../detector/look-back.ts";
import type { Lane } from "../../detector/operating-points.ts";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";

/** What became of a candidate: told at once, told after the aftermath, or not told, and why. */
export type Decided = "strong" | "medium" | Dismissal;

/** A candidate that the classifier scored, with its decision. It holds movement under a device's id, and no name. */
export interface CandidateRow {
  deviceId: string;
  /** Unique for the device. */
  candidateId: string;
  /** Wall time of the impact. */
  impactAt: WallMs;
  lane: Lane;
  placement: Placement;
  /** The sensor's full scale as its frame tells it, g. */
  rangeG: number;
  /** Identity of the frame that holds the impact: an alarm's Detection has its id from it. */
  bootId: number;
  sequence: number;
  score: number;
  /** Version of the model that gave the score. */
  model: string;
  /** The score at which the aftermath was awaited then. */
  threshold: number;
  decided: Decided;
  /** Null where nobody looked, or the signal was not there to look at. */
  afterwards: Afterwards | null;
  /** The first part of the model's input. */
  features: Float32Array;
  /** As the detector's `keptWindow` gives it; null where the score is under the floor. */
  window: Int16Array | null;
}

/** What the log may grow to. */
export interface CandidateBounds {
  maxRows: number;
  maxBytes: number;
}
