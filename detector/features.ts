import { angleBetween, rateHz } from "./history.ts";
import { meanVector, slotsBefore, tiltBetween, type Window, windowLength } from "./window.ts";

/**
 * What the features are called, in their order in the vector. None depends on how the device is turned on the body.
 * Times are seconds relative to the impact; accelerations are in g; angles are divided by 90°.
 * Peaks are capped at `peakCap` g: real falls are softer than acted ones, and a sensor of ±2 g shows no more than 3.5 g.
 */
export const featureNames = [
  // The impact.
  "log of the peak",
  "log of the peak between −0.1 and +0.1, of x, y, z at 50 Hz",
  "share of time over 1.3 g, −0.4 to +0.6",
  "mean |m − 1|, −0.3 to +0.3",
  "mean of m − 1, −0.15 to +0.35",
  "largest step of the vector from sample to sample, −0.2 to +0.2",
  // Before it.
  "lowest m, −1.0 to 0",
  "share of time under 0.75 g, −1.0 to 0",
  "mean of m − 1, −0.8 to −0.1",
  "log of the peak, −1.5 to −0.4",
  "spread of m, −1.5 to −0.7",
  "spread of m, −0.7 to −0.15",
  "spread of the vector, −1.5 to −0.5",
  "step of the vector, −1.5 to −0.5",
  // After it.
  "log of the peak, 0.4 to 1.2",
  "log of the peak, 1.2 to 2.5",
  "lowest m, 0.1 to 1.0",
  "spread of m, 0.3 to 1.0",
  "spread of m, 1.0 to 1.75",
  "spread of m, 1.75 to 2.5",
  "spread of the vector, 0.5 to 1.5",
  "spread of the vector, 1.5 to 2.5",
  "step of the vector, 0.5 to 1.5",
  "step of the vector, 1.5 to 2.5",
  "mean of m − 1, 1.0 to 2.5",
  // Posture.
  "tilt, −1.5…−0.8 to 1.5…2.5",
  "tilt, −1.5…−0.8 to 0.5…1.2",
  "tilt, −0.5…0 to 0.4…0.9",
  "tilt, −1.5…−0.8 to −0.3…0",
  "tilt, 0.5…1.2 to 1.8…2.5",
  "largest tilt from −1.5…−0.8, 0.3 to 2.5",
  "way of the direction, −1.5 to 0",
  "way of the direction, 0 to 1.2",
  "way of the direction, 1.2 to 2.5",
  "cosine of the tilt, −1.5…−0.8 to 1.5…2.5",
  // Rhythm and how often.
  "likeness of m to itself 0.3 to 0.8 s later",
  "peaks over 1.25 g, −1.5 to −0.2",
  "peaks over 1.25 g, 0.25 to 2.5",
  "energy after the impact over energy around it",
  // What is known.
  "share known before",
  "share known, 0 to 1.2",
  "share known, 1.2 to 2.5",
] as const;

export const featureCount = featureNames.length;
const peakCap = 4;

const slot = (seconds: number) => Math.max(0, Math.min(windowLength, Math.round(slotsBefore + seconds * rateHz)));

interface Span {
  known: number;
  mean: number;
  spread: number;
  lowest: number;
  /** Largest of the device's own samples. */
  peak: number;
  /** Mean length of the step from one sample to the next. */
  step: number;
  vectorSpread: number;
}

/** Length of the step to each sample from the one before, g; worked out once for a window, as many figures ask for it. */
const stepLengths = new Float64Array(windowLength);

function measureSteps(window: Window): void {
  const { x, y, z } = window;
  for (let i = 1; i < windowLength; i++) {
    const dx = x[i]! - x[i - 1]!;
    const dy = y[i]! - y[i - 1]!;
    const dz = z[i]! - z[i - 1]!;
    stepLengths[i] = Math.sqrt(dx * dx + dy * dy + dz * dz);
  }
}

/** Figures of one part of the window. Where nothing is known they are those of a device at rest. */
function span(window: Window, fromS: number, toS: number): Span {
  const from = slot(fromS);
  const to = slot(toS);
  let known = 0;
  let sum = 0;
  let squares = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let peak = 0;
  let steps = 0;
  let stepCount = 0;
  let sx = 0;
  let sy = 0;
  let sz = 0;
  let vectorSquares = 0;
  for (let i = from; i < to; i++) {
    if (!window.known[i]) continue;
    const m = window.magnitude[i]!;
    known++;
    sum += m;
    squares += m * m;
    if (m < lowest) lowest = m;
    if (window.peak[i]! > peak) peak = window.peak[i]!;
    sx += window.x[i]!;
    sy += window.y[i]!;
    sz += window.z[i]!;
    vectorSquares += m * m;
    if (i > 0 && window.known[i - 1]) {
      steps += stepLengths[i]!;
      stepCount++;
    }
  }
  if (known === 0) return { known, mean: 1, spread: 0, lowest: 1, peak: 1, step: 0, vectorSpread: 0 };
  const mean = sum / known;
  const meanSquared = (sx * sx + sy * sy + sz * sz) / (known * known);
  return {
    known: known / (to - from),
    mean,
    spread: Math.sqrt(Math.max(0, squares / known - mean * mean)),
    lowest,
    peak,
    step: stepCount > 0 ? steps / stepCount : 0,
    vectorSpread: Math.sqrt(Math.max(0, vectorSquares / known - meanSquared)),
  };
}

/** Share of the known samples for which `holds`. */
function share(window: Window, fromS: number, toS: number, holds: (magnitude: number) => boolean): number {
  let known = 0;
  let held = 0;
  for (let i = slot(fromS); i < slot(toS); i++) {
    if (!window.known[i]) continue;
    known++;
    if (holds(window.magnitude[i]!)) held++;
  }
  return known > 0 ? held / known : 0;
}

function meanAbsolute(window: Window, fromS: number, toS: number): number {
  let known = 0;
  let sum = 0;
  for (let i = slot(fromS); i < slot(toS); i++) {
    if (!window.known[i]) continue;
    known++;
    sum += Math.abs(window.magnitude[i]! - 1);
  }
  return known > 0 ? sum / known : 0;
}

function largestStep(window: Window, fromS: number, toS: number): number {
  let largest = 0;
  for (let i = Math.max(1, slot(fromS)); i < slot(toS); i++) {
    if (window.known[i] && window.known[i - 1]) largest = Math.max(largest, stepLengths[i]!);
  }
  return largest;
}

/** Peaks of the device's magnitudes over `level`, at least 0.16 s apart. */
function peaks(window: Window, fromS: number, toS: number, level: number): number {
  let count = 0;
  let last = -100;
  for (let i = slot(fromS); i < slot(toS); i++) {
    const m = window.peak[i]!;
    if (m < level || i - last < 8) continue;
    if (m >= (window.peak[i - 1] ?? 0) && m >= (window.peak[i + 1] ?? 0)) {
      count++;
      last = i;
    }
  }
  return count;
}

const bigSlots = 10;

/** Degrees that the smoothed direction travels, in steps of 0.2 s, and the largest angle from `reference`. */
function travel(window: Window, fromS: number, toS: number, reference: { x: number; y: number; z: number }) {
  let way = 0;
  let largest = 0;
  let previous: { x: number; y: number; z: number } | null = null;
  const stepS = bigSlots / rateHz;
  for (let t = fromS; t + stepS <= toS + 1e-9; t += stepS) {
    const here = meanVector(window, t, t + stepS);
    if (here.x === 0 && here.y === 0 && here.z === 0) {
      previous = null;
      continue;
    }
    if (previous) way += angleBetween(previous, here) ?? 0;
    largest = Math.max(largest, angleBetween(reference, here) ?? 0);
    previous = here;
  }
  return { way, largest };
}

const deviations = new Float64Array(windowLength);

/** Largest likeness (autocorrelation) of the magnitude to itself 0.3 to 0.8 s later, −1 to 1. */
function rhythm(window: Window, mean: number): number {
  let power = 0;
  for (let i = 0; i < windowLength; i++) {
    // One high peak would hide the rhythm of everything else. What is unknown is like nothing.
    const deviation = window.known[i] ? Math.min(1.8, window.magnitude[i]!) - mean : 0;
    deviations[i] = deviation;
    power += deviation * deviation;
  }
  if (power < 1e-6) return 0;
  let best = 0;
  for (let lag = 15; lag <= 40; lag += 2) {
    let sum = 0;
    for (let i = lag; i < windowLength; i++) sum += deviations[i]! * deviations[i - lag]!;
    best = Math.max(best, sum / power);
  }
  return best;
}

const logPeak = (g: number) => Math.log(Math.max(0.2, Math.min(peakCap, g)));

/** Writes the features of `window` to `into` from `offset`. See `featureNames`. */
export function writeFeatures(window: Window, into: Float32Array, offset = 0): void {
  measureSteps(window);
  const impact = span(window, -0.2, 0.2);
  const before = span(window, -1.5, 0);
  const fall = span(window, -1, 0);
  const early = span(window, -1.5, -0.5);
  const after1 = span(window, 0.5, 1.5);
  const after2 = span(window, 1.5, 2.5);
  const reference = meanVector(window, -1.5, -0.8);
  const wayBefore = travel(window, -1.5, 0, reference).way;
  const wayImpact = travel(window, 0, 1.2, reference).way;
  const afterTravel = travel(window, 0.3, 2.5, reference);
  const whole = span(window, -1.5, 2.5);
  const tilt = (a: [number, number], b: [number, number]) => tiltBetween(window, a, b) ?? 0;
  const overall = tilt([-1.5, -0.8], [1.5, 2.5]);
  const around = meanAbsolute(window, -0.3, 0.3);
  const values: number[] = [
    logPeak(impact.peak),
    logPeak(highest(window, -0.1, 0.1)),
    share(window, -0.4, 0.6, (m) => m > 1.3),
    Math.min(2, around),
    Math.min(2, span(window, -0.15, 0.35).mean - 1),
    Math.min(4, largestStep(window, -0.2, 0.2)),
    fall.lowest,
    share(window, -1, 0, (m) => m < 0.75),
    span(window, -0.8, -0.1).mean - 1,
    logPeak(span(window, -1.5, -0.4).peak),
    span(window, -1.5, -0.7).spread,
    span(window, -0.7, -0.15).spread,
    early.vectorSpread,
    early.step * 5,
    logPeak(span(window, 0.4, 1.2).peak),
    logPeak(span(window, 1.2, 2.5).peak),
    span(window, 0.1, 1).lowest,
    span(window, 0.3, 1).spread,
    span(window, 1, 1.75).spread,
    span(window, 1.75, 2.5).spread,
    after1.vectorSpread,
    after2.vectorSpread,
    after1.step * 5,
    after2.step * 5,
    span(window, 1, 2.5).mean - 1,
    overall / 90,
    tilt([-1.5, -0.8], [0.5, 1.2]) / 90,
    tilt([-0.5, 0], [0.4, 0.9]) / 90,
    tilt([-1.5, -0.8], [-0.3, 0]) / 90,
    tilt([0.5, 1.2], [1.8, 2.5]) / 90,
    afterTravel.largest / 90,
    wayBefore / 90,
    wayImpact / 90,
    travel(window, 1.2, 2.5, reference).way / 90,
    Math.cos((overall * Math.PI) / 180),
    rhythm(window, Math.min(1.8, whole.mean)),
    peaks(window, -1.5, -0.2, 1.25),
    peaks(window, 0.25, 2.5, 1.25),
    Math.log((after2.spread + 0.02) / (around + 0.05)),
    before.known,
    span(window, 0, 1.2).known,
    span(window, 1.2, 2.5).known,
  ];
  into.set(values, offset);
}

function highest(window: Window, fromS: number, toS: number): number {
  let largest = 0;
  for (let i = slot(fromS); i < slot(toS); i++) largest = Math.max(largest, window.magnitude[i]!);
  return largest;
}
