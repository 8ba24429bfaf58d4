import type { WallMs } from "../firmware-contracts/clock.ts";
import type { DetectionReason, Evidence, Placement } from "../firmware-contracts/detection.ts";
import type { Gravity } from "./history.ts";
import type { Watch } from "./long-lie.ts";
import type { OperatingPoint, OperatingPoints } from "./operating-points.ts";
import type { FusionState } from "./presence/fusion.ts";
import type { Stream } from "./stream.ts";

export interface DetectorSettings {
  placement: Placement;
  /** From the model card: per model and range class. */
  operatingPoints: OperatingPoints;
  /** The device's own score for `medium`, 0 to 1, instead of the card's. */
  threshold?: number | undefined;
  /** Whether falls that are told are followed until the wearer has got up. Left out: they are. */
  watchFalls?: boolean | undefined;
}

/** A device's frame as the gateway took it. `samples` is x, y, z interleaved, milli-g. */
export interface DetectorFrame {
  bootId: number;
  sequence: number;
  /** Device time of the first sample, ms. */
  deviceTimeMs: number;
  /** How old the last sample was when the frame was handed to the network, ms. */
  ageMs: number;
  rateHz: number;
  rangeG: number;
  samples: Int16Array;
  arrivedAt: WallMs;
}

export type DetectorInput =
  /** In the order of their sequence numbers; gaps allowed. A frame that is no news is left out. */
  | { kind: "frame"; frame: DetectorFrame }
  /** The classifier's answer to `classify`, 0 to 1. NaN where it failed: then the aftermath decides, as for medium evidence. */
  | { kind: "scored"; candidateId: string; score: number }
  /** The wearer's own cancel, and when it was pressed. */
  | { kind: "cancel"; at: WallMs }
  /** A fall that an earlier detector told goes on being watched; all that was between is unknown. */
  | { kind: "watch"; fall: WatchedFall }
  /** It is not to be watched any more. */
  | { kind: "unwatch"; fall: FallIdentity }
  /** Time has passed. */
  | { kind: "tick" };

export interface Conclusion {
  /** Identity of the frame that holds the impact. */
  bootId: number;
  sequence: number;
  strength: "strong" | "medium";
  reason: Exclude<DetectionReason, "help-button" | "sensor-reported" | "sensor-suspects">;
  /** Wall time of the impact: when its frame arrived, less its age and the stream time from the impact to its last sample. */
  impactAt: WallMs;
  /** When the frame with the impact arrived. */
  arrivedAt: WallMs;
  /** `presence` in the time that the detector is given, as `impactAt` is. */
  evidence: Evidence;
  /** The score alone asked for nothing; presence made it medium. */
  isLifted: boolean;
}

/** Where a conclusion lies in its stream: what its picture is made from. */
export interface Told {
  bootId: number;
  /** Slot of the hardest hit, which the picture is around. */
  slot: number;
  /** From there to the impact whose score decided, ms. */
  judgedMs: number;
  /** What that score was held against. */
  point: OperatingPoint;
}

/** Identity of the frame that holds a fall's impact. */
export type FallIdentity = Pick<Conclusion, "bootId" | "sequence">;

/** A fall that was told, as far as it is needed to see whether its wearer gets up. */
export interface WatchedFall extends FallIdentity {
  impactAt: WallMs;
  /** How gravity lay before the impact: walking is looked for in that posture. */
  before: Gravity;
}

/**
 * `below-threshold`: the classifier saw no fall. `upright`: walking was seen afterwards. `cancelled`: by the wearer, who was upright.
 * `joined`: the same fall was told already. `not-lying`: a soft fall's change of posture did not last.
 * `presence`: the classifier's doubt, and the dwelling's sensors spoke against a fall.
 */
export type Dismissal = "below-threshold" | "upright" | "cancelled" | "joined" | "not-lying" | "presence";

export type DetectorCommand =
  /** From this frame on until the decision every frame must be kept; `undecided` tells until when. Twice for one candidate where a silence was in between. */
  | { kind: "gate-opened"; candidateId: string }
  /** Ask the classifier; the answer comes back as `scored`. `input` is `inputLength` long. */
  | { kind: "classify"; candidateId: string; placement: Placement; impactAt: WallMs; input: Float32Array }
  /** The score asks to await the aftermath. */
  | { kind: "suspected"; candidateId: string; impactAt: WallMs; score: number }
  /** `watched`: what `watch` needs where another detector is to go on with it; null where it is not watched. `told` is for `scoreTrace`. */
  | { kind: "detect"; candidateId: string; conclusion: Conclusion; watched: WatchedFall | null; told: Told }
  | { kind: "dismissed"; candidateId: string; why: Dismissal }
  /** Five minutes after the impact of a fall that was told nobody has been seen to get up. Seconds since the impact, and of these without signal. */
  | { kind: "long-lie"; fall: FallIdentity; lyingSeconds: number; unknownSeconds: number }
  /** Somebody whose fall was told has got up since, or has cancelled and is upright: it is watched no more. */
  | { kind: "got-up"; fall: FallIdentity; why: "walking" | "cancelled" }
  /** Send `tick` at this time. Replaces an earlier wish. */
  | { kind: "wake"; at: WallMs };

export interface DetectorState {
  settings: DetectorSettings;
  /** What the dwelling's presence sensors had told at the last step; null where there are none. */
  presence: FusionState | null;
  /** Newest last; at most two, so that what was undecided before a reboot is decided still. */
  streams: Stream[];
  /** Falls that were told, until somebody has got up. */
  watches: Watch[];
  /** When the wearer last cancelled. */
  cancelledAt: WallMs | null;
  /** When the shell was last asked to wake the detector; null where it need not. */
  wakeAt: WallMs | null;
}
