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

/**
 * Sums over the window's known samples before slot i, so that the figures of any part of it are differences: a window has thirty such parts.
 * One set serves all windows.
 */
const before = {
  known: new Float64Array(windowLength + 1),
  magnitude: new Float64Array(windowLength + 1),
  squares: new Float64Array(windowLength + 1),
  x: new Float64Array(windowLength + 1),
  y: new Float64Array(windowLength + 1),
  z: new Float64Array(windowLength + 1),
  /** Lengths of the steps from one known sample to the next, and how many there are. */
  steps: new Float64Array(windowLength + 1),
  stepCount: new Float64Array(windowLength + 1),
};
/** Length of the step to each sample from the one before, g; 0 where one of them is unknown. */
const stepLengths = new Float64Array(windowLength);

function sumUp(window: Window): void {
  const { x, y, z, magnitude, known } = window;
  for (let i = 0; i < windowLength; i++) {
    // What is unknown is 0 in every array.
    const m = magnitude[i]!;
    const isStep = i > 0 && known[i] !== 0 && known[i - 1] !== 0;
    let length = 0;
    if (isStep) {
      const dx = x[i]! - x[i - 1]!;
      const dy = y[i]! - y[i - 1]!;
      const dz = z[i]! - z[i - 1]!;
      length = Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
    stepLengths[i] = length;
    before.known[i + 1] = before.known[i]! + known[i]!;
    before.magnitude[i + 1] = before.magnitude[i]! + m;
    before.squares[i + 1] = before.squares[i]! + m * m;
    before.x[i + 1] = before.x[i]! + x[i]!;
    before.y[i + 1] = before.y[i]! + y[i]!;
    before.z[i + 1] = before.z[i]! + z[i]!;
    before.steps[i + 1] = before.steps[i]! + length;
    before.stepCount[i + 1] = before.stepCount[i]! + (isStep ? 1 : 0);
  }
}

const between = (sums: Float64Array, from: number, to: number) => sums[to]! - sums[from]!;

/** Figures of one part of the window, from and to in seconds. Where nothing is known they are those of a device at rest. */
class Part {
  private readonly window: Window;
  private readonly from: number;
  private readonly to: number;
  private readonly count: number;

  constructor(window: Window, fromS: number, toS: number) {
    this.window = window;
    this.from = slot(fromS);
    this.to = slot(toS);
    this.count = between(before.known, this.from, this.to);
  }
  get known(): number {
    return this.count / (this.to - this.from);
  }
  get mean(): number {
    return this.count > 0 ? between(before.magnitude, this.from, this.to) / this.count : 1;
  }
  get spread(): number {
    if (this.count === 0) return 0;
    return Math.sqrt(Math.max(0, between(before.squares, this.from, this.to) / this.count - this.mean ** 2));
  }
  get vectorSpread(): number {
    const { from, to, count } = this;
    if (count === 0) return 0;
    const x = between(before.x, from, to);
    const y = between(before.y, from, to);
    const z = between(before.z, from, to);
    const meanSquared = (x * x + y * y + z * z) / (count * count);
    return Math.sqrt(Math.max(0, between(before.squares, from, to) / count - meanSquared));
  }
  /** Mean length of the step from one sample to the next. */
  get step(): number {
    const count = between(before.stepCount, this.from, this.to);
    return count > 0 ? between(before.steps, this.from, this.to) / count : 0;
  }
  get lowest(): number {
    const { magnitude, known } = this.window;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = this.from; i < this.to; i++) if (known[i] && magnitude[i]! < lowest) lowest = magnitude[i]!;
    return this.count > 0 ? lowest : 1;
  }
  /** Largest of the device's own samples. */
  get peak(): number {
    const { peak } = this.window;
    let largest = 0;
    for (let i = this.from; i < this.to; i++) if (peak[i]! > largest) largest = peak[i]!;
    return this.count > 0 ? largest : 1;
  }
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

function largestStep(fromS: number, toS: number): number {
  let largest = 0;
  for (let i = slot(fromS); i < slot(toS); i++) if (stepLengths[i]! > largest) largest = stepLengths[i]!;
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
  sumUp(window);
  const span = (fromS: number, toS: number) => new Part(window, fromS, toS);
  const impact = span(-0.2, 0.2);
  const fall = span(-1, 0);
  const early = span(-1.5, -0.5);
  const after1 = span(0.5, 1.5);
  const after2 = span(1.5, 2.5);
  const reference = meanVector(window, -1.5, -0.8);
  const wayBefore = travel(window, -1.5, 0, reference).way;
  const wayImpact = travel(window, 0, 1.2, reference).way;
  const afterTravel = travel(window, 0.3, 2.5, reference);
  const whole = span(-1.5, 2.5);
  const tilt = (a: [number, number], b: [number, number]) => tiltBetween(window, a, b) ?? 0;
  const overall = tilt([-1.5, -0.8], [1.5, 2.5]);
  const around = meanAbsolute(window, -0.3, 0.3);
  const values: number[] = [
    logPeak(impact.peak),
    logPeak(highest(window, -0.1, 0.1)),
    share(window, -0.4, 0.6, (m) => m > 1.3),
    Math.min(2, around),
    Math.min(2, span(-0.15, 0.35).mean - 1),
    Math.min(4, largestStep(-0.2, 0.2)),
    fall.lowest,
    share(window, -1, 0, (m) => m < 0.75),
    span(-0.8, -0.1).mean - 1,
    logPeak(span(-1.5, -0.4).peak),
    span(-1.5, -0.7).spread,
    span(-0.7, -0.15).spread,
    early.vectorSpread,
    early.step * 5,
    logPeak(span(0.4, 1.2).peak),
    logPeak(span(1.2, 2.5).peak),
    span(0.1, 1).lowest,
    span(0.3, 1).spread,
    span(1, 1.75).spread,
    span(1.75, 2.5).spread,
    after1.vectorSpread,
    after2.vectorSpread,
    after1.step * 5,
    after2.step * 5,
    span(1, 2.5).mean - 1,
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
    span(-1.5, 0).known,
    span(0, 1.2).known,
    span(1.2, 2.5).known,
  ];
  into.set(values, offset);
}

function highest(window: Window, fromS: number, toS: number): number {
  let largest = 0;
  for (let i = slot(fromS); i < slot(toS); i++) largest = Math.max(largest, window.magnitude[i]!);
  return largest;
}
