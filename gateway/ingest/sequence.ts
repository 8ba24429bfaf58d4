import type { WallMs } from "../../firmware-contracts/clock.ts";
import { addNumber, hasNumber, type Ranges } from "./ranges.ts";

/** A frame that overtook at most this many others waits for them… */
const maxOvertaken = 4;
/** …but no longer than this, ms: the detector takes a stream for silent after 3 s. */
const maxWaitMs = 1500;
/** A boot not heard of before, whose frame was taken this long before the newest, ms, is an old one with stored frames. */
const oldBootMs = 5000;
/** Boots of one device whose numbers are remembered, to know a frame that came before. */
const maxBoots = 8;

/** A frame by its identity: device + boot + sequence. After a reboot the sequence starts again. */
export interface Numbered<T> {
  bootId: number;
  sequence: number;
  arrivedAt: WallMs;
  /** When its last sample was taken: arrival less age. The device's clock has no part in it. */
  takenAt: WallMs;
  item: T;
}

/** What is known of one device's frames. */
export interface SequenceState<T> {
  /** Longest known first. */
  boots: { bootId: number; seen: Ranges }[];
  /** The boot whose frames are released as they come, and its next number; null before the first frame. */
  live: { bootId: number; next: number; takenAt: WallMs } | null;
  /** Frames of the live boot that overtook others, by number. */
  held: Numbered<T>[];
}

/**
 * `live`: the next, or the next after a gap. `held`: it overtook others, which are waited for. `earlier`: not seen before, but from before frames
 * already released, as when a device sends what it had stored. `duplicate`: seen before.
 */
export type Place = "live" | "held" | "earlier" | "duplicate";

export interface Placed<T> {
  place: Place;
  /** Frames of the live stream that may go on now, in order. An `earlier` frame is not among them. */
  released: T[];
  /** Frames that are not here though later ones were released. They may still come, as `earlier`. */
  missing: number;
  rebooted: boolean;
}

export function openSequence<T>(): SequenceState<T> {
  return { boots: [], live: null, held: [] };
}

/**
 * Nearly all there is: takes in a frame if it is the one that follows the last of the live stream, with none waiting, and says whether it was.
 * As `place` does with such a frame, which is then released; made for each frame that a gateway hears, so it makes no garbage.
 */
export function takeNext<T>(state: SequenceState<T>, frame: Omit<Numbered<T>, "item">): boolean {
  const { live } = state;
  if (!live || frame.bootId !== live.bootId || frame.sequence !== live.next || state.held.length > 0) return false;
  const boot = bootOf(state, frame.bootId);
  if (!boot || hasNumber(boot.seen, frame.sequence)) return false;
  addNumber(boot.seen, frame.sequence);
  live.next = frame.sequence + 1;
  live.takenAt = frame.takenAt;
  return true;
}

/** Takes in a frame. Pure but for this: it owns the state given, and changes it. */
export function place<T>(state: SequenceState<T>, frame: Numbered<T>): Placed<T> {
  const { bootId, sequence } = frame;
  const result: Placed<T> = { place: "live", released: [], missing: 0, rebooted: false };
  let boot = bootOf(state, bootId);
  const isNewBoot = !boot;
  if (!boot) {
    boot = { bootId, seen: [] };
    state.boots.push(boot);
    if (state.boots.length > maxBoots) forgetOldest(state);
  }
  if (hasNumber(boot.seen, sequence)) return { ...result, place: "duplicate" };
  addNumber(boot.seen, sequence);

  const { live } = state;
  if (live && isNewBoot && frame.takenAt < live.takenAt - oldBootMs) return { ...result, place: "earlier" };
  if (!live || isNewBoot) {
    releaseHeld(state, result);
    result.rebooted = live !== null;
    state.live = { bootId, next: sequence + 1, takenAt: frame.takenAt };
    result.released.push(frame.item);
    return result;
  }
  if (bootId !== live.bootId || sequence < live.next) return { ...result, place: "earlier" };

  insertHeld(state, frame);
  releaseInOrder(state, result);
  const last = state.held.at(-1);
  if (last && last.sequence - live.next >= maxOvertaken + state.held.length) releaseHeld(state, result);
  return { ...result, place: state.held.includes(frame) ? "held" : "live" };
}

function bootOf<T>(state: SequenceState<T>, bootId: number) {
  for (const boot of state.boots) if (boot.bootId === bootId) return boot;
  return undefined;
}

/** When `releaseOverdue` wants to be called; null where nothing is held. */
export function heldUntil<T>(state: SequenceState<T>): WallMs | null {
  if (state.held.length === 0) return null;
  return Math.min(...state.held.map((frame) => frame.arrivedAt)) + maxWaitMs;
}

/** Lets go of frames that waited too long for those they overtook: the detector meets a gap. */
export function releaseOverdue<T>(state: SequenceState<T>, now: WallMs): { released: T[]; missing: number } {
  const result = { released: [], missing: 0 };
  const until = heldUntil(state);
  if (until !== null && now >= until) releaseHeld(state, result);
  return result;
}

function insertHeld<T>(state: SequenceState<T>, frame: Numbered<T>): void {
  const at = state.held.findIndex((one) => one.sequence > frame.sequence);
  state.held.splice(at < 0 ? state.held.length : at, 0, frame);
}

function releaseInOrder<T>(state: SequenceState<T>, result: { released: T[] }): void {
  while (state.live && state.held[0]?.sequence === state.live.next) release(state, state.held.shift()!, result);
}

function releaseHeld<T>(state: SequenceState<T>, result: { released: T[]; missing: number }): void {
  for (const frame of state.held) {
    result.missing += frame.sequence - (state.live?.next ?? frame.sequence);
    release(state, frame, result);
  }
  state.held = [];
}

function release<T>(state: SequenceState<T>, frame: Numbered<T>, result: { released: T[] }): void {
  state.live = { bootId: frame.bootId, next: frame.sequence + 1, takenAt: frame.takenAt };
  result.released.push(frame.item);
}

function forgetOldest<T>(state: SequenceState<T>): void {
  const at = state.boots.findIndex((boot) => boot.bootId !== state.live?.bootId);
  state.boots.splice(at, 1);
}
