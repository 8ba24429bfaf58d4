import type { WallMs } from "../firmware-contracts/clock.ts";
import type { DetectorCommand, DetectorInput, DetectorSettings, DetectorState } from "./inputs.ts";
import { onCancel, onScore, onTime, takeFrame, wakeTime } from "./judge.ts";
import { unwatch, watchAgain } from "./long-lie.ts";
import type { FusionState } from "./presence/fusion.ts";

export type {
  Conclusion,
  DetectorCommand,
  DetectorFrame,
  DetectorInput,
  DetectorSettings,
  DetectorState,
  Dismissal,
  FallIdentity,
  Told,
  WatchedFall,
} from "./inputs.ts";

export function openDetector(settings: DetectorSettings): DetectorState {
  return { settings, presence: null, streams: [], watches: [], cancelledAt: null, wakeAt: null };
}

/** Opens a detector that goes on with what an earlier one of the same device watches. Worn elsewhere, the posture of before tells nothing. */
export function openAfter(earlier: DetectorState, settings: DetectorSettings): DetectorState {
  const isElsewhere = settings.placement !== earlier.settings.placement;
  const before = { x: 0, y: 0, z: 0, known: 0 };
  const watches = earlier.watches.map((watch) => ({ ...watch, stream: null, ...(isElsewhere ? { before } : {}) }));
  return { ...openDetector(settings), watches };
}

/**
 * Takes in one input and tells what is to be done. Pure but for this: it owns the state given and may change and return it.
 * Neither a `frame`'s samples nor any other input is kept.
 * @param presence what the dwelling's sensors have told up to `now`, in the same time; it is read only. Null where there are none, or where a journal is
 * lived again: then the movement alone decides.
 */
export function step(
  state: DetectorState,
  input: DetectorInput,
  now: WallMs,
  presence: FusionState | null = null,
): [DetectorState, DetectorCommand[]] {
  const commands: DetectorCommand[] = [];
  state.presence = presence;
  switch (input.kind) {
    case "frame":
      takeFrame(state, input.frame, now, commands);
      break;
    case "scored":
      onScore(state, input.candidateId, input.score, now, commands);
      break;
    case "cancel":
      onCancel(state, input.at, now, commands);
      break;
    case "watch":
      watchAgain(state, input.fall, now);
      break;
    case "unwatch":
      unwatch(state, input.fall);
      break;
    case "tick":
      onTime(state, now, commands);
      break;
  }
  const at = wakeTime(state);
  if (at !== null && (at !== state.wakeAt || input.kind === "tick")) commands.push({ kind: "wake", at });
  state.wakeAt = at;
  return [state, commands];
}

/** Whether a gate is open: each frame must be kept until it is not. */
export function undecided(state: DetectorState): boolean {
  for (const stream of state.streams) {
    for (const candidate of stream.candidates) if (candidate.stage !== "parked") return true;
  }
  return false;
}
