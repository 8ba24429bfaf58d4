import type { WallMs } from "../firmware-contracts/clock.ts";
import { lookAfter } from "./aftermath.ts";
import { decisionSlots, impactAt, pointOf, upAgain } from "./conclude.ts";
import { historyLength, rateHz } from "./history.ts";
import type { DetectorState } from "./inputs.ts";
import { modelFor } from "./operating-points.ts";
import type { Candidate } from "./stream.ts";
import { keptWindow } from "./window.ts";

/** What came after an impact, as far as it decides: nothing that makes it no alarm, walking, or a posture that changed back. */
export type Afterwards = "stayed" | "walked" | "not-lying";

/** What a shell may know of a candidate whose score has just come, to keep it beside the decision. */
export interface LookBack {
  lane: Candidate["lane"];
  impactAt: WallMs;
  /** Identity of the frame that holds the impact. */
  bootId: number;
  sequence: number;
  rangeG: number;
  /** The score at which the aftermath would be awaited now. */
  medium: number;
  /** The window that was scored; see `keptWindow`. */
  window(): Int16Array;
  /**
   * What came after the impact up to when it would have been decided; for a candidate that was let go of before. `isOver`: nothing more will come, so that
   * what did not come is silence. Null where that is not known yet or no longer.
   */
  afterwards(state: DetectorState, isOver: boolean): Afterwards | null;
}

/** From the impact to when a candidate is decided that the aftermath decides, ms. */
export const decisionMs = (decisionSlots / rateHz) * 1000;
/** What looking at an aftermath needs of the time before the impact. */
const slotsNeeded = 3 * rateHz;

/** Null where the candidate is gone. */
export function lookBack(state: DetectorState, candidateId: string): LookBack | null {
  for (const stream of state.streams) {
    const candidate = stream.candidates.find(({ id }) => id === candidateId);
    if (!candidate) continue;
    const { lane, impact, frame } = candidate;
    const worn = modelFor(state.settings.placement);
    return {
      lane,
      impactAt: impactAt(candidate),
      bootId: frame.bootId,
      sequence: frame.sequence,
      rangeG: frame.rangeG,
      medium: pointOf(state, candidate).medium,
      window: () => keptWindow(stream.history, impact),
      afterwards(later, isOver) {
        const { history } = stream;
        const end = impact + decisionSlots + 1;
        const isKept = later.streams.includes(stream) && history.next - historyLength <= impact - slotsNeeded;
        if (!isKept || (history.next < end && !isOver)) return null;
        const seen = { ...history, next: Math.min(history.next, end) };
        const why = upAgain(seen, { impact, lane }, worn, lookAfter(seen, impact, end - seen.next));
        return why === "upright" ? "walked" : (why ?? "stayed");
      },
    };
  }
  return null;
}
