import { rateHz as targetHz } from "./history.ts";

/** What the resampler needs of a frame. `samples` is x, y, z interleaved, milli-g. */
export interface TimedFrame {
  bootId: number;
  sequence: number;
  /** Time of the first sample by the device's clock, ms. */
  deviceTimeMs: number;
  rateHz: number;
  samples: Int16Array;
}

/** Slots one after another. Values in milli-g; `magnitude` is the largest of the device's samples in the slot. */
export interface Slots {
  x: Float64Array;
  y: Float64Array;
  z: Float64Array;
  magnitude: Float64Array;
}

/** Takes what comes out, in order. */
export interface ResampleSink {
  /** `count` slots, 1 or more; the arrays are used again after the call. */
  samples(slots: Slots, count: number): void;
  /** A frame's samples follow, the last one at slot time `endSlot`. What lies before the frame has been written. */
  placed(endSlot: number): void;
  /** `count` slots of which nothing is known. */
  unknown(count: number): void;
}

/**
 * One stream: the frames of one boot of one device. Times are counted in slots of 1/50 s from the stream's first sample,
 * so that a slot's number is its stream time.
 */
export interface Resampler {
  bootId: number;
  started: boolean;
  lastSequence: number;
  /** Length of the last frame in slots, for gaps whose device time makes no sense. */
  lastLength: number;
  /** Device time where the last frame ended, ms. */
  lastEndMs: number;
  /** Slot time at which the next sample is due if nothing is missing. */
  due: number;
  /** Where device time `anchorMs` lies in slot time. */
  anchorMs: number;
  anchorSlot: number;
  /** The next slot to be written. */
  nextSlot: number;
  /** Last sample, to interpolate from. */
  at: number;
  x: number;
  y: number;
  z: number;
  /** Square of the largest magnitude since the last slot written, milli-g². Larger than 0 between two slots. */
  peakSquared: number;
}

/** A step of the device's clock beyond this is a clock that was set, not samples that are missing. */
const clockJumpSlots = 1 * targetHz;
/** Longest gap that device time is believed for; it also bounds a gap counted in frames. */
const longestGapSlots = 3600 * targetHz;

const slotsPerMs = targetHz / 1000;

/** A second and a bit: what is handed on together. One block serves all streams, as nothing of it is kept. */
const blockLength = 64;
const block: Slots = {
  x: new Float64Array(blockLength),
  y: new Float64Array(blockLength),
  z: new Float64Array(blockLength),
  magnitude: new Float64Array(blockLength),
};

export function newResampler(bootId: number): Resampler {
  return {
    bootId,
    started: false,
    lastSequence: -1,
    lastLength: 0,
    lastEndMs: 0,
    due: 0,
    anchorMs: 0,
    anchorSlot: 0,
    nextSlot: 0,
    at: 0,
    x: 0,
    y: 0,
    z: 0,
    peakSquared: 0,
  };
}

/**
 * Puts a frame in its place in stream time and hands the slots it completes to `sink`. Returns false for a frame that is no news
 * (its sequence number is not above the last one's), which is left out.
 *
 * Frames that follow each other are contiguous: small differences between the device's clock and its nominal rate are followed slowly
 * (an eighth of the difference a frame, at most 5 % faster or slower), large ones are a clock that was set. Missing sequence numbers are a gap,
 * as long as device time says where that is 0 to 1 h, else as long as the missing frames.
 */
export function resampleFrame(resampler: Resampler, frame: TimedFrame, sink: ResampleSink): boolean {
  const count = Math.floor(frame.samples.length / 3);
  if (count === 0 || (resampler.started && frame.sequence <= resampler.lastSequence)) return false;
  const step = targetHz / frame.rateHz;
  const paceStep = resampler.started
    ? placeFrame(resampler, frame, count, step, sink)
    : startAt(resampler, frame, step);
  sink.placed(resampler.due + (count - 1) * paceStep);
  writeSamples(resampler, frame.samples, count, paceStep, sink);
  resampler.lastSequence = frame.sequence;
  resampler.lastLength = count * step;
  resampler.lastEndMs = frame.deviceTimeMs + (count * 1000) / frame.rateHz;
  return true;
}

function startAt(resampler: Resampler, frame: TimedFrame, step: number): number {
  resampler.started = true;
  resampler.anchorMs = frame.deviceTimeMs;
  // The sample "before" the first is one step back, so that slot 0 is the first sample itself.
  resampler.at = -step;
  resampler.x = frame.samples[0]!;
  resampler.y = frame.samples[1]!;
  resampler.z = frame.samples[2]!;
  return step;
}

/** Advances over a gap if there is one. Returns the slot time between two samples of this frame. */
function placeFrame(resampler: Resampler, frame: TimedFrame, count: number, step: number, sink: ResampleSink): number {
  const missing = frame.sequence - resampler.lastSequence - 1;
  if (missing > 0) {
    passGap(resampler, frame, missing, step, sink);
    return step;
  }
  const byClock = resampler.anchorSlot + (frame.deviceTimeMs - resampler.anchorMs) * slotsPerMs;
  const late = byClock - resampler.due;
  if (!(Math.abs(late) <= clockJumpSlots)) {
    anchor(resampler, frame.deviceTimeMs);
    return step;
  }
  const stretch = Math.max(-0.05, Math.min(0.05, late / 8 / (count * step)));
  return step * (1 + stretch);
}

function passGap(resampler: Resampler, frame: TimedFrame, missing: number, step: number, sink: ResampleSink): void {
  const byClock = (frame.deviceTimeMs - resampler.lastEndMs) * slotsPerMs;
  const plausible = byClock >= 0 && byClock <= longestGapSlots;
  const gap = plausible ? byClock : Math.min(missing * resampler.lastLength, longestGapSlots);
  resampler.due += gap;
  // A peak between the last slot and the gap must not be lost: it gets the slot that it lies before.
  if (resampler.peakSquared > 0) {
    resampler.nextSlot++;
    block.x[0] = resampler.x;
    block.y[0] = resampler.y;
    block.z[0] = resampler.z;
    block.magnitude[0] = Math.sqrt(resampler.peakSquared);
    sink.samples(block, 1);
    resampler.peakSquared = 0;
  }
  const unknown = Math.ceil(resampler.due - 1e-6) - resampler.nextSlot;
  if (unknown > 0) {
    resampler.nextSlot += unknown;
    sink.unknown(unknown);
  }
  // Nothing is interpolated across the gap: the first sample after it stands for itself.
  resampler.x = frame.samples[0]!;
  resampler.y = frame.samples[1]!;
  resampler.z = frame.samples[2]!;
  resampler.at = resampler.due - step;
  anchor(resampler, frame.deviceTimeMs);
}

function anchor(resampler: Resampler, deviceTimeMs: number): void {
  resampler.anchorMs = deviceTimeMs;
  resampler.anchorSlot = resampler.due;
}

function writeSamples(
  resampler: Resampler,
  samples: Int16Array,
  count: number,
  step: number,
  sink: ResampleSink,
): void {
  let { at, x, y, z, peakSquared, nextSlot, due } = resampler;
  const { x: xs, y: ys, z: zs, magnitude: magnitudes } = block;
  let written = 0;
  for (let i = 0, j = 0; i < count; i++, j += 3) {
    const toX = samples[j]!;
    const toY = samples[j + 1]!;
    const toZ = samples[j + 2]!;
    while (nextSlot <= due + 1e-9) {
      let share = 1;
      if (due > at) {
        share = (nextSlot - at) / (due - at);
        if (share < 0) share = 0;
        else if (share > 1) share = 1;
      }
      const slotX = x + share * (toX - x);
      const slotY = y + share * (toY - y);
      const slotZ = z + share * (toZ - z);
      const between = slotX * slotX + slotY * slotY + slotZ * slotZ;
      nextSlot++;
      xs[written] = slotX;
      ys[written] = slotY;
      zs[written] = slotZ;
      magnitudes[written] = Math.sqrt(between > peakSquared ? between : peakSquared);
      peakSquared = 0;
      if (++written < blockLength) continue;
      sink.samples(block, written);
      written = 0;
    }
    // A sample behind the last slot written counts for the next one.
    if (due > nextSlot - 1 + 1e-9) {
      const squared = toX * toX + toY * toY + toZ * toZ;
      if (squared > peakSquared) peakSquared = squared;
    }
    at = due;
    x = toX;
    y = toY;
    z = toZ;
    due += step;
  }
  if (written > 0) sink.samples(block, written);
  resampler.at = at;
  resampler.x = x;
  resampler.y = y;
  resampler.z = z;
  resampler.peakSquared = peakSquared;
  resampler.nextSlot = nextSlot;
  resampler.due = due;
}
