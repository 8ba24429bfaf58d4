import type { WallMs } from "../../firmware-contracts/clock.ts";

/** What a device remembers of one frame: what it held, when it was sent first, and whether the gateway acknowledged it. */
export interface FrameRecord {
  bootId: number;
  sequence: number;
  /** Samples that the device had recorded since its start before this frame's first. */
  startSample: number;
  sampleCount: number;
  rateHz: number;
  rangeG: number;
  /** Clock time of the first sample. */
  firstSampleAt: WallMs;
  /** The same by the device's own clock, as sent. */
  deviceTimeMs: number;
  /** Kept on the device for want of a network before it was sent. */
  stored: boolean;
  /** Clock time; null until it is handed to the network for the first time. */
  sentAt: WallMs | null;
  /** Clock time of the PUBACK; null where none came. */
  ackedAt: WallMs | null;
  /** The samples as sent: x, y, z interleaved, milli-g, clipped at the device's range. */
  samples: Int16Array;
}

/** The same for a help button, a cancel or a presence report. */
export interface ReportRecord {
  kind: "help" | "cancel" | "presence";
  bootId: number;
  sequence: number;
  at: WallMs;
  sentAt: WallMs | null;
  ackedAt: WallMs | null;
}

/**
 * A device's own records: the side of the story that no gateway can embellish.
 * They outlive the device's restarts, as a test's observer would.
 */
export interface DeviceRecords {
  readonly frames: readonly FrameRecord[];
  readonly reports: readonly ReportRecord[];
}

/** The samples of one start of a device, in order, with the frames that were never acknowledged left out where `acked` is set. */
export function samplesOf(records: DeviceRecords, bootId: number, which: "all" | "acked" = "all"): Int16Array {
  const frames = records.frames
    .filter((frame) => frame.bootId === bootId && (which === "all" || frame.ackedAt !== null))
    .sort((a, b) => a.sequence - b.sequence);
  const joined = new Int16Array(frames.reduce((sum, frame) => sum + frame.samples.length, 0));
  let at = 0;
  for (const frame of frames) {
    joined.set(frame.samples, at);
    at += frame.samples.length;
  }
  return joined;
}
