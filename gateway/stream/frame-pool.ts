import type { WallMs } from "../../firmware-contracts/clock.ts";
import { decodeFrameInPlace, readFrameAgain } from "../../firmware-contracts/frame.ts";
import type { Refused } from "../ingest/admit.ts";
import type { RingEntry } from "./ring.ts";

/** Entries that wait to be used again at most: a frame pushes out one of about the same length. */
const mostSpare = 4;

/**
 * The frames of one device. A frame is kept for some ten seconds, which is just long enough to outlive V8's young generation: made anew for each, they cost
 * a busy gateway a fifth of its time in garbage collection. So what a frame leaves behind, object and bytes, takes in a later one.
 */
export interface FramePool {
  /** The frame that `bytes` hold from `from` to `to`, in an entry of its own. The bytes are copied. */
  read(bytes: Buffer, from: number, to: number, arrivedAt: WallMs): RingEntry | Refused;
  /** Nobody has the entry any more. */
  giveBack(entry: RingEntry): void;
}

export function createFramePool(): FramePool {
  const spare: RingEntry[] = [];

  function readAgain(bytes: Buffer, from: number, to: number, arrivedAt: WallMs): RingEntry | null {
    const entry = spare.pop();
    const own = entry?.bytes;
    if (!entry || own?.length !== to - from) return null;
    bytes.copy(own, 0, from, to);
    if (!readFrameAgain(own, entry.frame)) return null;
    const { bootId, sequence, ageMs } = entry.frame;
    entry.bootId = bootId;
    entry.sequence = sequence;
    entry.arrivedAt = arrivedAt;
    entry.takenAt = arrivedAt - ageMs;
    entry.kept = "no";
    return entry;
  }

  return {
    read(bytes, from, to, arrivedAt) {
      const again = readAgain(bytes, from, to, arrivedAt);
      if (again) return again;
      const own = Buffer.allocUnsafe(to - from);
      bytes.copy(own, 0, from, to);
      const decoded = decodeFrameInPlace(own);
      return decoded.ok ? ringEntry(decoded.value, own, arrivedAt, "no") : decoded;
    },
    giveBack(entry) {
      // What is owed is in a list of its own until it is written.
      const isWhole = entry.bytes !== null && entry.frame.samples.buffer === entry.bytes.buffer;
      if (isWhole && entry.kept !== "owed" && spare.length < mostSpare) spare.push(entry);
    },
  };
}

/** @param bytes the frame as its device wrote it, where that is at hand. */
export function ringEntry(
  frame: RingEntry["frame"],
  bytes: Buffer | null,
  arrivedAt: WallMs,
  kept: RingEntry["kept"],
): RingEntry {
  const { bootId, sequence, ageMs } = frame;
  return { bootId, sequence, frame, bytes, arrivedAt, takenAt: arrivedAt - ageMs, kept };
}
