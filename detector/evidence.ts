import type { Evidence, EvidenceWindow } from "../firmware-contracts/detection.ts";
import { type Aftermath, tiltSince } from "./aftermath.ts";
import { type History, largestBetween, magnitudeAt, placeOf, rateHz } from "./history.ts";
import type { Candidate } from "./stream.ts";

const secondsBefore = 4;
const secondsAfter = 6;
/** Every second slot: 25 Hz is enough for a picture. */
const thin = 2;

/**
 * What is told of a conclusion, for a person to read and a picture to show.
 * @param hardest slot of the fall's hardest hit, which the picture is around; tilt and fall phase are those of the first
 */
export function evidenceOf(history: History, candidate: Candidate, hardest: number, aftermath: Aftermath): Evidence {
  return {
    peakG: Math.max(candidate.peak, largestBetween(history, hardest, hardest + 1)) / 1000,
    score: candidate.score ?? 0,
    tiltDeg: tiltSince(history, candidate.impact),
    fallMs: candidate.lane === "hidden" ? null : weightlessBefore(history, candidate.impact),
    stillSeconds: aftermath.stillSeconds,
    unknownSeconds: aftermath.unknownSeconds,
    rangeG: candidate.frame.rangeG,
    rateHz: candidate.frame.rateHz,
    window: pictureOf(history, hardest),
  };
}

/** Below this a body is on its way down, milli-g: studies of falls take 0.5 to 0.7 g (Kangas 2008: 0.6 g). */
const weightlessMg = 600;

/** Milliseconds of the second before the impact in which there was hardly any weight; null where half of it or more is unknown. */
function weightlessBefore(history: History, impact: number): number | null {
  let known = 0;
  let weightless = 0;
  for (let slot = impact - rateHz; slot < impact; slot++) {
    const place = placeOf(history, slot);
    if (place < 0) continue;
    known++;
    if (magnitudeAt(history, place) < weightlessMg) weightless++;
  }
  return known > rateHz / 2 ? (weightless * 1000) / rateHz : null;
}

function pictureOf(history: History, impact: number): EvidenceWindow {
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  const z: (number | null)[] = [];
  const from = impact - secondsBefore * rateHz;
  const to = Math.min(history.next, impact + secondsAfter * rateHz);
  for (let i = from; i < to; i += thin) {
    const place = placeOf(history, i);
    x.push(place < 0 ? null : history.values[place]!);
    y.push(place < 0 ? null : history.values[place + 1]!);
    z.push(place < 0 ? null : history.values[place + 2]!);
  }
  return { rateHz: rateHz / thin, startMs: -secondsBefore * 1000, x, y, z };
}
