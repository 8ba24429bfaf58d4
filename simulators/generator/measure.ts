import type { Recording } from "../../firmware-contracts/recordings/format.ts";

/** What is measured of a recording around its largest magnitude (the event). Null where the trial is too short to tell. */
export interface Measures {
  /** Largest magnitude, g. */
  peakG: number;
  /** Smallest magnitude in the second before the event, g: the free-fall dip, where there is one. */
  dipG: number | null;
  /** Angle between the mean accelerations 3–1.5 s before and 2.5–4 s after the event, degrees. */
  tiltDeg: number | null;
  /** Standard deviation of the magnitude 2.5–5 s after the event, g. */
  restG: number | null;
  /** Standard deviation of the magnitude 4–1.5 s before the event, g. */
  beforeG: number | null;
  /** Largest change of the acceleration vector from one sample to the next within ±0.5 s, g/s at 50 Hz. */
  jerkGPerS: number;
  /** Time within ±2 s in which the magnitude is more than 0.3 g away from 1 g, s. */
  busyS: number;
}

export const measureNames = [
  "peakG",
  "dipG",
  "tiltDeg",
  "restG",
  "beforeG",
  "jerkGPerS",
  "busyS",
] as const satisfies readonly (keyof Measures)[];

/** Everything is measured at one rate, since peaks and jerk depend on it. */
const rateHz = 50;
/** Below this much of a window a mean or deviation says nothing, s. */
const shortestWindowS = 0.6;

/**
 * Measures one recording (x, y, z interleaved, milli-g, at `trial.rateHz`). Higher rates are averaged down to 50 Hz, lower ones interpolated.
 * Returns null for a recording shorter than half a second.
 */
export function measure({ trial, samples }: Pick<Recording, "trial" | "samples">): Measures | null {
  const xyz = at50Hz(samples, trial.rateHz);
  const length = xyz.length / 3;
  if (length < rateHz / 2) return null;
  const magnitude = new Float64Array(length);
  let peak = 0;
  for (let i = 0; i < length; i++) {
    magnitude[i] = Math.hypot(xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!);
    if (magnitude[i]! > magnitude[peak]!) peak = i;
  }
  const span = (fromS: number, toS: number): [number, number] | null => {
    const from = Math.max(0, peak + Math.round(fromS * rateHz));
    const to = Math.min(length, peak + Math.round(toS * rateHz));
    return to - from >= shortestWindowS * rateHz ? [from, to] : null;
  };
  const deviation = (window: [number, number] | null) =>
    window && standardDeviation(magnitude.subarray(window[0], window[1]));
  const dip = span(-1, 0);
  const before = span(-3, -1.5);
  const after = span(2.5, 4);
  let jerk = 0;
  for (let i = Math.max(1, peak - rateHz / 2); i < Math.min(length, peak + rateHz / 2); i++) {
    const step = [0, 1, 2].map((axis) => xyz[3 * i + axis]! - xyz[3 * i - 3 + axis]!);
    jerk = Math.max(jerk, Math.hypot(...step) * rateHz);
  }
  let busy = 0;
  for (let i = Math.max(0, peak - 2 * rateHz); i < Math.min(length, peak + 2 * rateHz); i++) {
    if (Math.abs(magnitude[i]! - 1) > 0.3) busy++;
  }
  return {
    peakG: magnitude[peak]!,
    dipG: dip && Math.min(...magnitude.subarray(dip[0], dip[1])),
    tiltDeg: before && after && angleDeg(meanVector(xyz, before), meanVector(xyz, after)),
    restG: deviation(span(2.5, 5)),
    beforeG: deviation(span(-4, -1.5)),
    jerkGPerS: jerk,
    busyS: busy / rateHz,
  };
}

/** The `q`-quantile (0–1) of `values`, interpolated between neighbours. NaN for none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

function at50Hz(samples: Int16Array, fromHz: number): Float64Array {
  const inLength = samples.length / 3;
  const ratio = fromHz / rateHz;
  const length = Math.max(0, Math.floor((inLength - 1) / ratio) + 1);
  const out = new Float64Array(length * 3);
  const taps = Math.max(1, Math.round(ratio));
  for (let i = 0; i < length; i++) {
    for (let axis = 0; axis < 3; axis++) {
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        const place = Math.min(inLength - 1, i * ratio + tap);
        const low = Math.floor(place);
        const high = Math.min(inLength - 1, low + 1);
        const a = samples[3 * low + axis]!;
        sum += a + (samples[3 * high + axis]! - a) * (place - low);
      }
      out[3 * i + axis] = sum / taps / 1000;
    }
  }
  return out;
}

function standardDeviation(values: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
}

function meanVector(xyz: Float64Array, [from, to]: [number, number]): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    for (let axis = 0; axis < 3; axis++) sum[axis]! += xyz[3 * i + axis]! / (to - from);
  }
  return sum;
}

function angleDeg(a: [number, number, number], b: [number, number, number]): number {
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cosine = dot / (Math.hypot(...a) * Math.hypot(...b));
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}
