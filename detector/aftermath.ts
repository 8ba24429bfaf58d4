import { angleBetween, type Gravity, type History, magnitudeAt, meanBetween, placeOf, rateHz } from "./history.ts";
import type { ModelPlacement } from "./operating-points.ts";

/** What the seconds after an impact show. Gaps are unknown: neither still nor upright. */
export interface Aftermath {
  /** No movement from shortly after the impact until now, and nothing unknown. */
  still: boolean;
  /** Seconds without movement; null where nothing is known. */
  stillSeconds: number | null;
  unknownSeconds: number;
  /** The signal ended and has not come back. */
  silent: boolean;
}

/** Movement under this spread of the vector, in g over half a second, is rest: breathing and sensor noise stay below it. */
const restSpread = 0.06;
/** The fall itself and its rebound are over by then. */
const settleSlots = 2.5 * rateHz;
const blockSlots = rateHz / 2;
/** A signal that has been away this long has ended for now. */
const silentSlots = 3 * rateHz;

export const walkWindow = 3 * rateHz;
export const walkStride = rateHz;
/** Walking windows in a row, one a second, that make walking: five seconds of it. */
export const walkWindows = 3;
const walkLikeness = 0.6;
/** Steps and strides: 0.36 to 1.2 s apart. */
const shortestStep = 0.36 * rateHz;
const longestStep = 1.2 * rateHz;
/** Who walks wears the device turned no further than this from how it was before the fall, degrees. An arm hangs in many ways. */
const uprightTilt = { waist: 45, wrist: 70 } as const;

/** @param unseen slots that should have come after the history's end but did not */
export function lookAfter(history: History, impact: number, unseen: number): Aftermath {
  const from = impact + settleSlots;
  const until = history.next;
  let blocks = 0;
  let stillBlocks = 0;
  for (let at = from; at + blockSlots <= until; at += blockSlots) {
    const spread = spreadOf(history, at, at + blockSlots);
    if (spread === null) continue;
    blocks++;
    if (spread < restSpread) stillBlocks++;
  }
  let unknown = unseen;
  let trailing = unseen;
  let trailingOpen = true;
  for (let at = until - 1; at > impact; at--) {
    if (placeOf(history, at) >= 0) {
      trailingOpen = false;
      continue;
    }
    unknown++;
    if (trailingOpen) trailing++;
  }
  return {
    still: blocks >= 4 && stillBlocks === blocks && unknown === 0,
    stillSeconds: blocks > 0 ? (stillBlocks * blockSlots) / rateHz : null,
    unknownSeconds: unknown / rateHz,
    silent: trailing >= silentSlots,
  };
}

/** Degrees between how gravity lay before the impact and how it lies now; null where either is unknown. */
export function tiltSince(history: History, impact: number): number | null {
  const before = gravityBefore(history, impact);
  const now = meanBetween(history, Math.max(impact + rateHz, history.next - 2 * rateHz), history.next);
  if (before.known < rateHz / 2 || now.known < rateHz / 2) return null;
  return angleBetween(before, now);
}

/** Whether the wearer may be on their feet now, as far as a cancel needs it: walking was seen, or gravity lies as it did before. */
export function uprightNow(history: History, impact: number, worn: ModelPlacement): boolean {
  const tilt = tiltSince(history, impact);
  return (tilt !== null && tilt < uprightTilt.waist) || walkingSeen(history, impact, worn);
}

/** Whether gravity lies now as it did before, in the last two seconds. Unknown: no. */
export function isBackInPosture(history: History, before: Gravity): boolean {
  const now = meanBetween(history, history.next - 2 * rateHz, history.next);
  if (before.known < rateHz / 2 || now.known < rateHz / 2) return false;
  const tilt = angleBetween(before, now);
  return tilt !== null && tilt < uprightTilt.waist;
}

/** How gravity lay in the seconds before the impact. */
export function gravityBefore(history: History, impact: number): Gravity {
  return meanBetween(history, impact - 3 * rateHz, impact - rateHz / 2);
}

/** Spread of the acceleration vector in g over [from, to); null unless all of it is known. */
function spreadOf(history: History, from: number, to: number): number | null {
  const mean = meanBetween(history, from, to);
  if (mean.known < to - from) return null;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const place = placeOf(history, i);
    squares +=
      (history.values[place]! / 1000) ** 2 +
      (history.values[place + 1]! / 1000) ** 2 +
      (history.values[place + 2]! / 1000) ** 2;
  }
  return Math.sqrt(Math.max(0, squares / mean.known - mean.x ** 2 - mean.y ** 2 - mean.z ** 2));
}

/**
 * True where five seconds in a row repeat themselves step by step, in the posture of before the impact: somebody who rocks on the floor,
 * or waves for help with the arm that wears the device, is not upright.
 */
export function walkingSeen(history: History, impact: number, worn: ModelPlacement): boolean {
  const before = gravityBefore(history, impact);
  let run = 0;
  for (let at = impact + 2 * rateHz; at + walkWindow <= history.next; at += walkStride) {
    run = walksAt(history, at, before, worn) ? run + 1 : 0;
    if (run >= walkWindows) return true;
  }
  return false;
}

/** Whether the three seconds from `at` are steps, in the posture of before where that is known. */
export function walksAt(history: History, at: number, before: Gravity, worn: ModelPlacement): boolean {
  if (!likeSteps(history, at)) return false;
  if (before.known === 0) return true;
  const tilt = angleBetween(before, meanBetween(history, at, at + walkWindow));
  return tilt !== null && tilt < uprightTilt[worn];
}

const magnitudes = new Float64Array(walkWindow);

/** Whether the magnitude of the three seconds from `from` repeats itself as steps do. Unknown samples: no. */
function likeSteps(history: History, from: number): boolean {
  let sum = 0;
  for (let i = 0; i < walkWindow; i++) {
    const place = placeOf(history, from + i);
    if (place < 0) return false;
    // One bump would hide the rhythm of the steps.
    const m = Math.min(2, magnitudeAt(history, place) / 1000);
    magnitudes[i] = m;
    sum += m;
  }
  const mean = sum / walkWindow;
  let power = 0;
  for (let i = 0; i < walkWindow; i++) {
    magnitudes[i] = magnitudes[i]! - mean;
    power += magnitudes[i]! ** 2;
  }
  if (Math.sqrt(power / walkWindow) < 0.05) return false;
  let previous = likenessAt(shortestStep - 2);
  let rising = false;
  for (let lag = shortestStep; lag <= longestStep; lag += 2) {
    const likeness = likenessAt(lag);
    // A true rhythm has its maximum inside the range; a slow swing only falls off from lag 0.
    if (likeness < previous && rising && previous >= walkLikeness) return true;
    if (likeness !== previous) rising = likeness > previous;
    previous = likeness;
  }
  return false;
}

function likenessAt(lag: number): number {
  let product = 0;
  let a = 0;
  let b = 0;
  for (let i = lag; i < walkWindow; i++) {
    product += magnitudes[i]! * magnitudes[i - lag]!;
    a += magnitudes[i]! ** 2;
    b += magnitudes[i - lag]! ** 2;
  }
  return product / Math.sqrt(a * b + 1e-12);
}
