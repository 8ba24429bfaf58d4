import { angleBetween, type History, magnitudeAt, placeOf, rateHz } from "./history.ts";
import type { Slots } from "./resample.ts";

/**
 * The lane for soft falls: a body that comes to lie with no impact to speak of. Every half second the mean direction of the last second is compared
 * with that of four seconds ago.
 */
export interface SoftLane {
  /** Means of the last eight half-seconds without a gap, x, y, z, and their spread, in g. */
  blocks: { x: number; y: number; z: number; spread: number }[];
  /** Of the half second that is not yet full: x, y, z and their squares, in milli-g. An array of its own: sums in an object's fields make garbage with each frame. */
  sums: Float64Array;
  /** How many slots of it are there. */
  count: number;
  /** Not before this slot again. */
  quietUntil: number;
}

const blockSlots = rateHz / 2;
const lookBack = 8;
/** Tilt that makes a change of posture, degrees (shared findings on soft falls: over 50°). */
const tiltLimit = 50;
/** Spread of a second at rest, in g. */
const restSpread = 0.09;
/** A movement as slow as this is somebody turning over or moving an arm: largest deviation from 1 g, milli-g. */
const leastDeviation = 150;

export function newSoftLane(): SoftLane {
  return { blocks: [], sums: new Float64Array(4), count: 0, quietUntil: 0 };
}

/** How many slots are left until the half second is full. */
export function slotsLeft(lane: SoftLane): number {
  return blockSlots - lane.count;
}

/** Takes in the slots [from, to), at most `slotsLeft`. Returns true at the end of a half second. */
export function addToSoftLane(lane: SoftLane, slots: Slots, from: number, to: number): boolean {
  const { sums } = lane;
  let x = sums[0]!;
  let y = sums[1]!;
  let z = sums[2]!;
  let squares = sums[3]!;
  for (let i = from; i < to; i++) {
    const slotX = slots.x[i]!;
    const slotY = slots.y[i]!;
    const slotZ = slots.z[i]!;
    x += slotX;
    y += slotY;
    z += slotZ;
    squares += slotX * slotX + slotY * slotY + slotZ * slotZ;
  }
  sums[0] = x;
  sums[1] = y;
  sums[2] = z;
  sums[3] = squares;
  lane.count += to - from;
  if (lane.count < blockSlots) return false;
  const scale = 1 / (blockSlots * 1000);
  // The oldest, which is not needed any more, serves as the newest.
  const newest = lane.blocks.length < lookBack ? { x: 0, y: 0, z: 0, spread: 0 } : lane.blocks.shift()!;
  newest.x = x * scale;
  newest.y = y * scale;
  newest.z = z * scale;
  const power = squares / (blockSlots * 1e6);
  newest.spread = Math.sqrt(Math.max(0, power - newest.x ** 2 - newest.y ** 2 - newest.z ** 2));
  lane.blocks.push(newest);
  sums.fill(0);
  lane.count = 0;
  return true;
}

/** Forgets what was before a gap. */
export function clearSoftLane(lane: SoftLane): void {
  lane.blocks.length = 0;
  lane.sums.fill(0);
  lane.count = 0;
}

/**
 * After a half second: the slot of a soft fall's impact (where the magnitude was furthest from 1 g in the last 4 s), or −1.
 * A magnitude of `gate` milli-g or more in that time is the other lane's.
 */
export function softImpact(lane: SoftLane, history: History, gate: number): number {
  const blocks = lane.blocks;
  if (blocks.length < lookBack || history.next < lane.quietUntil) return -1;
  const last = blocks[lookBack - 1]!;
  const secondLast = blocks[lookBack - 2]!;
  if (last.spread > restSpread || secondLast.spread > restSpread) return -1;
  const now = { x: last.x + secondLast.x, y: last.y + secondLast.y, z: last.z + secondLast.z };
  const before = { x: blocks[0]!.x + blocks[1]!.x, y: blocks[0]!.y + blocks[1]!.y, z: blocks[0]!.z + blocks[1]!.z };
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
