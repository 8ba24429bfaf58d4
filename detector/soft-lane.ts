import { angleBetween, type History, magnitudeAt, meanBetween, placeOf, rateHz } from "./history.ts";
import type { Slots } from "./resample.ts";

/**
 * The lane for soft falls: a body that comes to lie with no impact to speak of. Every half second the mean direction of the last second is compared
 * with that of four seconds ago.
 */
export interface SoftLane {
  /**
   * Means of the last eight half-seconds without a gap, x, y, z, and their spread, in g: a ring. Behind it the sums of the half second that is not yet full,
   * x, y, z and their squares, in milli-g. One array for all: a device's state is seldom in the processor's cache, and sums in an object's fields make
   * garbage with each frame.
   */
  values: Float64Array;
  /** Half-seconds in the ring, and where the next one goes. */
  blocks: number;
  next: number;
  /** How many slots of the half second that is not yet full are there. */
  count: number;
  /** Not before this slot again. */
  quietUntil: number;
}

const blockSlots = rateHz / 2;
const lookBack = 8;
const sumsAt = lookBack * 4;
/** Tilt that makes a change of posture, degrees (shared findings on soft falls: over 50°). */
const tiltLimit = 50;
/** Spread of a second at rest, in g. */
const restSpread = 0.09;
/** A movement as slow as this is somebody turning over or moving an arm: largest deviation from 1 g, milli-g. */
const leastDeviation = 150;

export function newSoftLane(): SoftLane {
  return { values: new Float64Array(sumsAt + 4), blocks: 0, next: 0, count: 0, quietUntil: 0 };
}

/** How many slots are left until the half second is full. */
export function slotsLeft(lane: SoftLane): number {
  return blockSlots - lane.count;
}

/** Takes in the slots [from, to), at most `slotsLeft`. Returns true at the end of a half second. */
export function addToSoftLane(lane: SoftLane, slots: Slots, from: number, to: number): boolean {
  const { values } = lane;
  let x = values[sumsAt]!;
  let y = values[sumsAt + 1]!;
  let z = values[sumsAt + 2]!;
  let squares = values[sumsAt + 3]!;
  for (let i = from; i < to; i++) {
    const slotX = slots.x[i]!;
    const slotY = slots.y[i]!;
    const slotZ = slots.z[i]!;
    x += slotX;
    y += slotY;
    z += slotZ;
    squares += slotX * slotX + slotY * slotY + slotZ * slotZ;
  }
  lane.count += to - from;
  if (lane.count < blockSlots) {
    values[sumsAt] = x;
    values[sumsAt + 1] = y;
    values[sumsAt + 2] = z;
    values[sumsAt + 3] = squares;
    return false;
  }
  const scale = 1 / (blockSlots * 1000);
  x *= scale;
  y *= scale;
  z *= scale;
  const power = squares / (blockSlots * 1e6);
  const at = lane.next * 4;
  values[at] = x;
  values[at + 1] = y;
  values[at + 2] = z;
  values[at + 3] = Math.sqrt(Math.max(0, power - x ** 2 - y ** 2 - z ** 2));
  lane.next = (lane.next + 1) % lookBack;
  if (lane.blocks < lookBack) lane.blocks++;
  values.fill(0, sumsAt);
  lane.count = 0;
  return true;
}

/** Forgets what was before a gap. */
export function clearSoftLane(lane: SoftLane): void {
  lane.blocks = 0;
  lane.values.fill(0, sumsAt);
  lane.count = 0;
}

/**
 * After a half second: the slot of a soft fall's impact (where the magnitude was furthest from 1 g in the last 4 s), or −1.
 * A magnitude of `gate` milli-g or more in that time is the other lane's.
 */
export function softImpact(lane: SoftLane, history: History, gate: number): number {
  const { values, next } = lane;
  if (lane.blocks < lookBack || history.next < lane.quietUntil) return -1;
  const last = ((next + lookBack - 1) % lookBack) * 4;
  const secondLast = ((next + lookBack - 2) % lookBack) * 4;
  if (values[last + 3]! > restSpread || values[secondLast + 3]! > restSpread) return -1;
  const now = sumOf(values, last, secondLast);
  const before = sumOf(values, next * 4, ((next + 1) % lookBack) * 4);
  const tilt = angleBetween(now, before);
  if (tilt === null || tilt < tiltLimit) return -1;
  let impact = -1;
  let furthest = leastDeviation;
  for (let i = history.next - lookBack * blockSlots; i < history.next; i++) {
    const place = placeOf(history, i);
    if (place < 0) continue;
    const magnitude = magnitudeAt(history, place);
    if (magnitude >= gate) return -1;
    const deviation = Math.abs(magnitude - 1000);
    if (deviation > furthest) {
      furthest = deviation;
      impact = i;
    }
  }
  return impact;
}

/** A shorter gap hides no impact whole, slots. */
const shortestHidingGap = 0.2 * rateHz;
/** A gap of a lost frame or two may hide an impact; a longer one is silence. Slots. */
const longestHidingGap = 2.5 * rateHz;
/** So much of the signal after a gap is compared with as much before it, slots. */
export const afterGapSlots = rateHz;
/** Tilt across a gap that an impact may explain, degrees: a fall that was seen whole needs no more. */
const gapTilt = 30;

/** Whether posture changed across the gap [from, to): a fall may be hidden in it. Called `afterGapSlots` after its end. */
export function changedAcross(history: History, from: number, to: number): boolean {
  if (to - from < shortestHidingGap || to - from > longestHidingGap) return false;
  const before = meanBetween(history, from - afterGapSlots, from);
  const after = meanBetween(history, to, to + afterGapSlots);
  if (before.known < afterGapSlots / 2 || after.known < afterGapSlots / 2) return false;
  const tilt = angleBetween(before, after);
  return tilt !== null && tilt >= gapTilt;
}

function sumOf(values: Float64Array, a: number, b: number) {
  return { x: values[a]! + values[b]!, y: values[a + 1]! + values[b + 1]!, z: values[a + 2]! + values[b + 2]! };
}
