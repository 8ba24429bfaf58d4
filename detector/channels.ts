import { meanVector, slotsBefore, type Window, windowLength } from "./window.ts";

/** Samples a channel has: the window at 25 Hz. */
export const channelLength = windowLength / 2;
export const channelNames = ["m − 1", "along the gravity before", "across it", "known"] as const;
export const channelCount = channelNames.length;

const cap = (value: number, limit: number) => Math.max(-limit, Math.min(limit, value));

/**
 * Writes the window as `channelLength × channelCount` values, time-major, for the convolutional branch. None depends on how the device is turned.
 * Two slots make one value: their mean, except for the magnitude, which keeps the larger peak. Unknown samples are 0 in every channel.
 */
export function writeChannels(window: Window, into: Float32Array, offset = 0): void {
  const before = meanVector(window, -1.5, -0.5);
  const length = Math.hypot(before.x, before.y, before.z) || 1;
  for (let i = 0; i < channelLength; i++) {
    // The impact, slot 75, and the slot before it fall into one pair: a peak is never split from its own slot.
    const a = i * 2;
    const b = a + 1;
    const known = window.known[a]! + window.known[b]!;
    const at = offset + i * channelCount;
    if (known === 0) {
      into.fill(0, at, at + channelCount);
      continue;
    }
    const x = (window.x[a]! + window.x[b]!) / known;
    const y = (window.y[a]! + window.y[b]!) / known;
    const z = (window.z[a]! + window.z[b]!) / known;
    const along = (x * before.x + y * before.y + z * before.z) / length;
    const across = Math.sqrt(Math.max(0, x * x + y * y + z * z - along * along));
    into[at] = cap(Math.max(window.peak[a]!, window.peak[b]!) - 1, 2.5);
    into[at + 1] = cap(along, 2.5);
    into[at + 2] = cap(across, 2.5);
    into[at + 3] = known / 2;
  }
}

/** The impact's place in a channel. */
export const impactValue = Math.floor(slotsBefore / 2);
