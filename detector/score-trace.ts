import type { EvidenceScores, EvidenceWindow } from "../firmware-contracts/detection.ts";
import { msPerSlot } from "./conclude.ts";
import { rateHz } from "./history.ts";
import type { DetectorState, Told } from "./inputs.ts";
import { modelInput } from "./model-input.ts";
import { emptyWindow, slotsAfter, windowAround, windowLength } from "./window.ts";

/** A quarter of a second: the classifier's answer hardly moves within it. */
const stepSlots = rateHz / 4;
const window = emptyWindow();

/** What is to be asked of the classifier so that a picture can show how its answer moved: each moment as if the impact had been there. */
export interface ScoreTrace {
  startMs: number;
  stepMs: number;
  /** null where less than half of a window is known. */
  inputs: (Float32Array | null)[];
}

/**
 * Windows around the moments of a conclusion's picture, as far as each has all of its 2.5 s after it by now. No decision rests on them.
 * @param state after the step that told the conclusion
 * @returns null where the stream is gone, or nothing is complete
 */
export function scoreTrace(state: DetectorState, { bootId, slot }: Told, picture: EvidenceWindow): ScoreTrace | null {
  const stream = state.streams.find(({ resampler }) => resampler.bootId === bootId);
  if (!stream) return null;
  const { history } = stream;
  const from = slot + Math.ceil(picture.startMs / msPerSlot);
  const last = from + ((picture.x.length - 1) * rateHz) / picture.rateHz;
  // Moments before the stream began have nothing to be asked of.
  const first = from + stepSlots * Math.max(0, Math.ceil(-from / stepSlots));
  const inputs: (Float32Array | null)[] = [];
  for (let at = first; at <= last && at + slotsAfter <= history.next; at += stepSlots) {
    const cut = windowAround(history, at, window);
    const known = cut.known.reduce((sum, one) => sum + one, 0);
    inputs.push(known * 2 < windowLength ? null : modelInput(cut));
  }
  if (!inputs.some(Boolean)) return null;
  return { startMs: (first - slot) * msPerSlot, stepMs: stepSlots * msPerSlot, inputs };
}

/** The trace with the classifier's answers, one for each input that is not null and in their order, to three digits. */
export function scoredTrace(
  { startMs, stepMs, inputs }: ScoreTrace,
  answers: readonly number[],
  { judgedMs, point }: Pick<Told, "judgedMs" | "point">,
): EvidenceScores {
  const left = [...answers];
  const values = inputs.map((input) => (input ? Math.round((left.shift() ?? 0) * 1000) / 1000 : null));
  return { startMs, stepMs, values, judgedMs, medium: point.medium, strong: point.strong };
}
