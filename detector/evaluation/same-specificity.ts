import { isQuiet } from "./figures.ts";
import { type Played, type PlayOptions, play, type Score } from "./play.ts";
import { resultOf } from "./report.ts";
import { bestScore } from "./trials.ts";

export interface AtThreshold {
  threshold: number;
  /** Shares of the falls found and of the daily life that stayed quiet; null where there was none. */
  sensitivity: number | null;
  specificity: number | null;
}

/** Halvings of 0 to 1: scores lie close together near 1. */
const halvings = 20;

/**
 * How many falls are found where the medium threshold is moved until daily life raises no more alarms than `allowed` trials: the least such
 * threshold. Strong evidence is never told below the model's own strong threshold, and never below a medium one that is above it.
 *
 * The streaming detector plays the trials again at each threshold tried, with the threshold as a device's own, since scores alone don't tell what
 * becomes of a candidate: walking dismisses one, and falls of one minute are told as one. That is cheap: a quiet trial whose windows all scored less
 * than the threshold stays quiet and is not played, and `score` should be `remembered`. Null where there is no daily life to hold the number against.
 *
 * @param played the same trials at the shipped operating point
 */
export function atSameSpecificity(
  played: readonly Played[],
  allowed: number,
  options: Pick<PlayOptions, "operatingPoints" | "score">,
): AtThreshold | null {
  const ofLabel = (label: "fall" | "adl") => played.filter(({ recording }) => recording.trial.label === label);
  const adls = ofLabel("adl");
  const falls = ofLabel("fall");
  if (adls.length === 0) return null;
  const alarmedAt = (threshold: number) => {
    // An alarm keeps later windows from being judged: only of quiet trials are all scores known.
    const mayAlarm = adls.filter((one) => one.alarms.length > 0 || (bestScore(one.judged) ?? -1) >= threshold);
    return play(mayAlarm, { ...options, threshold }).filter((one) => !isQuiet(resultOf(one))).length;
  };
  let low = 0;
  let high = 1;
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    if (alarmedAt(middle) > allowed) low = middle;
    else high = middle;
  }
  const found = play(falls, { ...options, threshold: high }).filter((one) => resultOf(one).found).length;
  return {
    threshold: high,
    sensitivity: falls.length > 0 ? found / falls.length : null,
    specificity: 1 - alarmedAt(high) / adls.length,
  };
}

/** The same answers, each window computed once: windows are told apart by a hash of 53 bits. */
export function remembered(score: Score): Score {
  const known = new Map<string, number>();
  return (placement, inputs) => {
    const keys = inputs.map((input) => `${placement} ${hashOf(input)}`);
    const fresh = keys.flatMap((key, i) => (known.has(key) ? [] : [i]));
    if (fresh.length > 0) {
      const scores = score(
        placement,
        fresh.map((i) => inputs[i]!),
      );
      fresh.forEach((i, n) => {
        known.set(keys[i]!, scores[n]!);
      });
    }
    return keys.map((key) => known.get(key)!);
  };
}

/** Two FNV-1a hashes of 32 bits with different offsets, of the values' bits. */
function hashOf(input: Float32Array): number {
  const bits = new Uint32Array(input.buffer, input.byteOffset, input.length);
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    a = Math.imul(a ^ value, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ (value + i), 0x5bd1e995);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}
