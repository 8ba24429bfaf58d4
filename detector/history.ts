import type { Slots } from "./resample.ts";

/** The detector's rate, in hertz: every device is resampled to it. */
export const rateHz = 50;
/** Samples kept, about 41 s: from before an impact to past its decision at 22 s. A power of two, so that an index wraps by a mask. */
export const historyLength = 2048;
const wrap = historyLength - 1;

/**
 * The last 41 s of one stream at 50 Hz, as a ring. Values are milli-g: four for each sample, x, y, z and the magnitude, side by side, so that a frame of
 * one of ten thousand devices finds them in few lines of the processor's cache.
 * The magnitude is the largest of the device's own samples in the slot, so that no peak is lost between two slots; 0 means unknown.
 */
export interface History {
  values: Int16Array;
  /** The same memory, as the magnitudes are to be read: three axes at full scale give 56,756. */
  unsigned: Uint16Array;
  /** Index of the next sample; index / 50 is the stream time in seconds. */
  next: number;
}

export function emptyHistory(): History {
  const values = new Int16Array(4 * historyLength);
  return { values, unsigned: new Uint16Array(values.buffer), next: 0 };
}

/** Writes the slots [from, to) as the next samples. A known magnitude is kept at 1 or more, since 0 stands for unknown. */
export function remember(history: History, slots: Slots, from: number, to: number): void {
  const { values, unsigned } = history;
  let { next } = history;
  for (let i = from; i < to; i++) {
    const at = (next & wrap) * 4;
    values[at] = slots.x[i]!;
    values[at + 1] = slots.y[i]!;
    values[at + 2] = slots.z[i]!;
    const largest = slots.magnitude[i]!;
    unsigned[at + 3] = largest < 1 ? 1 : largest;
    next++;
  }
  history.next = next;
}

export function rememberUnknown(history: History): void {
  history.unsigned[(history.next & wrap) * 4 + 3] = 0;
  history.next++;
}

/** Passes over `count` unknown samples at once: what was there is no longer reachable by index. */
export function skipUnknown(history: History, count: number): void {
  if (count < historyLength) {
    for (let i = 0; i < count; i++) rememberUnknown(history);
    return;
  }
  history.values.fill(0);
  history.next += count;
}

/** Where the sample's x lies in `values`, or −1 where it is unknown, not yet there or no longer kept. */
export function placeOf(history: History, index: number): number {
  if (index < 0 || index >= history.next || index < history.next - historyLength) return -1;
  const place = (index & wrap) * 4;
  return history.unsigned[place + 3] === 0 ? -1 : place;
}

/** Magnitude of the sample whose x lies at `place`, milli-g. */
export function magnitudeAt(history: History, place: number): number {
  return history.unsigned[place + 3]!;
}

/** Largest magnitude in [from, to), milli-g; 0 where nothing is known. */
export function largestBetween(history: History, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const place = placeOf(history, i);
    if (place >= 0 && magnitudeAt(history, place) > largest) largest = magnitudeAt(history, place);
  }
  return largest;
}

/** Slot of the largest magnitude in [from, to); `from` where nothing is larger. */
export function hardestBetween(history: History, from: number, to: number): number {
  let hardest = from;
  let largest = largestBetween(history, from, from + 1);
  for (let i = from + 1; i < to; i++) {
    const place = placeOf(history, i);
    if (place < 0 || magnitudeAt(history, place) <= largest) continue;
    hardest = i;
    largest = magnitudeAt(history, place);
  }
  return hardest;
}

export interface Gravity {
  x: number;
  y: number;
  z: number;
  /** Known samples it was averaged over. */
  known: number;
}

/** Mean acceleration over [from, to), in g: gravity's direction where the wearer is not accelerating for long. */
export function meanBetween(history: History, from: number, to: number): Gravity {
  let x = 0;
  let y = 0;
  let z = 0;
  let known = 0;
  for (let i = from; i < to; i++) {
    const place = placeOf(history, i);
    if (place < 0) continue;
    x += history.values[place]!;
    y += history.values[place + 1]!;
    z += history.values[place + 2]!;
    known++;
  }
  const scale = known > 0 ? 1 / (known * 1000) : 0;
  return { x: x * scale, y: y * scale, z: z * scale, known };
}

type Vector = { x: number; y: number; z: number };

/** Math.hypot takes ten times as long: it guards against overflow, which accelerations never come near. */
const lengthOf = ({ x, y, z }: Vector) => Math.sqrt(x * x + y * y + z * z);

/** Degrees between two directions, 0 to 180; null where one of them is no direction. */
export function angleBetween(a: Vector, b: Vector): number | null {
  const lengths = lengthOf(a) * lengthOf(b);
  if (!(lengths > 1e-6)) return null;
  const cosine = (a.x * b.x + a.y * b.y + a.z * b.z) / lengths;
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}
