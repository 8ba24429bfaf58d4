import type { Slots } from "./resample.ts";

/** The detector's rate, in hertz: every device is resampled to it. */
export const rateHz = 50;
/** Samples kept, about 41 s: from before an impact to past its decision at 22 s. A power of two, so that an index wraps by a mask. */
export const historyLength = 2048;
const wrap = historyLength - 1;

/**
 * The last 41 s of one stream at 50 Hz, as a ring. Values are milli-g.
 * `magnitude` is the largest of the device's own samples in the slot, so that no peak is lost between two slots; 0 means unknown.
 */
export interface History {
  x: Int16Array;
  y: Int16Array;
  z: Int16Array;
  magnitude: Uint16Array;
  /** Index of the next sample; index / 50 is the stream time in seconds. */
  next: number;
}

export function emptyHistory(): History {
  return {
    x: new Int16Array(historyLength),
    y: new Int16Array(historyLength),
    z: new Int16Array(historyLength),
    magnitude: new Uint16Array(historyLength),
    next: 0,
  };
}

/** Writes the slots [from, to) as the next samples. A known magnitude is kept at 1 or more, since 0 stands for unknown. */
export function remember(history: History, slots: Slots, from: number, to: number): void {
  const { x, y, z, magnitude } = history;
  let { next } = history;
  for (let i = from; i < to; i++) {
    const at = next & wrap;
    x[at] = slots.x[i]!;
    y[at] = slots.y[i]!;
    z[at] = slots.z[i]!;
    const largest = slots.magnitude[i]!;
    magnitude[at] = largest < 1 ? 1 : largest;
    next++;
  }
  history.next = next;
}

export function rememberUnknown(history: History): void {
  history.magnitude[history.next & wrap] = 0;
  history.next++;
}

/** Passes over `count` unknown samples at once: what was there is no longer reachable by index. */
export function skipUnknown(history: History, count: number): void {
  if (count < historyLength) {
    for (let i = 0; i < count; i++) rememberUnknown(history);
    return;
  }
  history.magnitude.fill(0);
  history.next += count;
}

/** The sample's place in the arrays, or −1 where it is unknown, not yet there or no longer kept. */
export function slotOf(history: History, index: number): number {
  if (index < 0 || index >= history.next || index < history.next - historyLength) return -1;
  const slot = index & wrap;
  return history.magnitude[slot] === 0 ? -1 : slot;
}

/** Largest magnitude in [from, to), milli-g; 0 where nothing is known. */
export function largestBetween(history: History, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const slot = slotOf(history, i);
    if (slot >= 0 && history.magnitude[slot]! > largest) largest = history.magnitude[slot]!;
  }
  return largest;
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
    const slot = slotOf(history, i);
    if (slot < 0) continue;
    x += history.x[slot]!;
    y += history.y[slot]!;
    z += history.z[slot]!;
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
