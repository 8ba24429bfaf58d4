import type { EpisodeInput, LongLie } from "./episode-state.ts";
import { advance, type Move, page, pageOperators, tell } from "./escalation.ts";
import type { Message } from "./messages/message.ts";

/** Detections whose long lie an episode remembers, the newest. */
const keptLongLies = 1000;

/**
 * Five minutes after a fall nobody has been seen to get up. It raises the alarm and never lowers it: nobody has it, and the next are paged at once; somebody has
 * it and is not there, and they are told. Where somebody is there, or it is closed, it is written down and no more. The same fall's word twice is one.
 */
export function lieLong(move: Move, input: Extract<EpisodeInput, { type: "long-lie" }>): void {
  const { state, now } = move;
  const { detectionId, lyingSeconds, unknownSeconds } = input;
  const known = state.longLies ?? [];
  if (known.includes(detectionId)) return;
  state.longLies = [...known, detectionId].slice(-keptLongLies);
  tell(move, { type: "long-lie", detectionId, lyingSeconds, unknownSeconds });
  if (state.status === "closed" || state.status === "arrived") return;
  const fall = state.detections.find(({ id }) => id === detectionId);
  const longLie: LongLie = {
    since: fall?.impactAt ?? Math.round(now - lyingSeconds * 1000),
    at: now,
    // What a text may say: where the signal was away for most of it, that is what is known.
    isUnheard: unknownSeconds > lyingSeconds / 2,
  };
  state.longLie = longLie;
  if (state.status === "open") {
    advance(move);
    return;
  }
  const message: Message = { kind: "long-lie-taken", ...longLie, isOnTheWay: state.onTheWayAt !== null };
  if (state.takenBy?.kind === "responder") page(move, state.takenBy.id, "reminder", message);
  else pageOperators(move, "reminder", message);
}
