import { angleBetween, emptyHistory, type History, magnitudeAt, placeOf, rateHz } from "./history.ts";

/** The window the classifier judges: 1.5 s before the impact to 2.5 s after it. */
export const slotsBefore = 1.5 * rateHz;
export const slotsAfter = 2.5 * rateHz;
export const windowLength = slotsBefore + slotsAfter;

/**
 * 200 samples around an impact, in g. The impact is sample 75.
 * Where `known` is 0 the values are 0 and mean nothing. `peak` is the largest of the device's own magnitudes in the slot, `magnitude` that of x, y, z.
 */
export interface Window {
  x: Float32Array;
  y: Float32Array;
  z: Float32Array;
  magnitude: Float32Array;
  peak: Float32Array;
  known: Uint8Array;
}

export function emptyWindow(): Window {
  return {
    x: new Float32Array(windowLength),
    y: new Float32Array(windowLength),
    z: new Float32Array(windowLength),
    magnitude: new Float32Array(windowLength),
    peak: new Float32Array(windowLength),
    known: new Uint8Array(windowLength),
  };
}

/** Cuts the window around slot `impact`. What lies outside the history or in a gap is unknown. */
export function windowAround(history: History, impact: number, into: Window = emptyWindow()): Window {
  for (let i = 0; i < windowLength; i++) {
    const place = placeOf(history, impact - slotsBefore + i);
    const known = place >= 0;
    const x = known ? history.values[place]! / 1000 : 0;
    const y = known ? history.values[place + 1]! / 1000 : 0;
    const z = known ? history.values[place + 2]! / 1000 : 0;
    into.known[i] = known ? 1 : 0;
    into.x[i] = x;
    into.y[i] = y;
    into.z[i] = z;
    into.magnitude[i] = Math.sqrt(x * x + y * y + z * z);
    into.peak[i] = known ? magnitudeAt(history, place) / 1000 : 0;
  }
  return into;
}

/** The same window as it can be kept: 4 × 200 values in milli-g, as the history has them: x, y, z and the magnitude, which is 0 where nothing is known. */
export function keptWindow(history: History, impact: number): Int16Array {
  const kept = new Int16Array(4 * windowLength);
  for (let i = 0; i < windowLength; i++) {
    const place = placeOf(history, impact - slotsBefore + i);
    if (place >= 0) kept.set(history.values.subarray(place, place + 4), i * 4);
  }
  return kept;
}

/** The window that was kept. */
export function windowOf(kept: Int16Array): Window {
  const history = emptyHistory();
  history.values.set(kept.subarray(0, 4 * windowLength));
  history.next = windowLength;
  return windowAround(history, slotsBefore);
}

/** Mean vector over [from, to) of the window, seconds relative to the impact. Zero where nothing is known. */
export function meanVector(window: Window, fromS: number, toS: number) {
  const from = Math.max(0, Math.round(slotsBefore + fromS * rateHz));
  const to = Math.min(windowLength, Math.round(slotsBefore + toS * rateHz));
  const mean = { x: 0, y: 0, z: 0 };
  let known = 0;
  for (let i = from; i < to; i++) {
    if (!window.known[i]) continue;
    mean.x += window.x[i]!;
    mean.y += window.y[i]!;
    mean.z += window.z[i]!;
    known++;
  }
  if (known > 0) {
    mean.x /= known;
    mean.y /= known;
    mean.z /= known;
  }
  return mean;
}

/** Degrees between the mean directions of two parts of the window; null where one is unknown. */
export function tiltBetween(window: Window, a: [number, number], b: [number, number]): number | null {
  return angleBetween(meanVector(window, ...a), meanVector(window, ...b));
}
