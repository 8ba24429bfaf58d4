import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import { maxFrameSamples } from "../../firmware-contracts/frame.ts";
import type { Recording, Trial } from "../../firmware-contracts/recordings/format.ts";
import type { SimulatedDevice } from "../device/device.ts";
import type { FrameRecord } from "../device/records.ts";

/** A frame of a played trial, from the device's own record. */
export interface PlayedFrame {
  bootId: number;
  sequence: number;
  /** First sample of the frame in the trial. */
  startSample: number;
  sampleCount: number;
  /** Whether its PUBACK has come by now. */
  readonly acked: boolean;
  readonly record: FrameRecord;
}

/** A trial as it was played. */
export interface PlayedTrial {
  deviceId: string;
  trial: Trial;
  /** Clock time of the trial's first sample. */
  startedAt: WallMs;
  frames: PlayedFrame[];
}

export interface PlayOptions {
  /** Seconds of samples in a frame. Default 1. */
  frameSeconds?: number;
  /** Called after each frame is handed to the device. */
  onFrame?: (frame: PlayedFrame) => void;
  /** Stops before the next frame. */
  signal?: AbortSignal;
}

/** Sensors' usual full scales, g. */
const ranges = [2, 4, 8, 16, 32];

/** The smallest usual full scale, in g, that holds every sample: what a device must have had at least. */
export function rangeOf(recordings: Iterable<{ samples: Int16Array }>): number {
  let largest = 0;
  for (const { samples } of recordings) for (const value of samples) largest = Math.max(largest, Math.abs(value));
  // A sensor that clips at ±2 g reads a few counts beyond 2,000.
  return ranges.find((range) => largest <= range * 1000 * 1.02) ?? 32;
}

/**
 * Plays one trial on a connected device in real time by the clock: each frame is sent when its last sample would have been taken.
 * The recording's time starts when this is called. Resolves after the last frame is handed to the device; PUBACKs may come later.
 */
export async function playTrial(
  device: SimulatedDevice,
  recording: Recording,
  clock: Clock,
  options: PlayOptions = {},
): Promise<PlayedTrial> {
  const { trial, samples } = recording;
  const { rateHz } = trial;
  const perFrame = Math.min(maxFrameSamples, Math.max(1, Math.round((options.frameSeconds ?? 1) * rateHz)));
  const count = Math.floor(samples.length / 3);
  const startedAt = clock.wallNow();
  const began = clock.monotonicNow();
  const played: PlayedTrial = { deviceId: device.deviceId, trial, startedAt, frames: [] };
  for (let start = 0; start < count; start += perFrame) {
    const end = Math.min(count, start + perFrame);
    // Each wait is counted from the trial's start, so that late timers do not add up.
    await wait(clock, began + (end / rateHz) * 1000 - clock.monotonicNow(), options.signal);
    if (options.signal?.aborted) break;
    const record = device.publishFrame(samples.slice(start * 3, end * 3), {
      rateHz,
      firstSampleAt: startedAt + (start / rateHz) * 1000,
    });
    const frame: PlayedFrame = {
      bootId: record.bootId,
      sequence: record.sequence,
      startSample: start,
      sampleCount: end - start,
      get acked() {
        return record.ackedAt !== null;
      },
      record,
    };
    played.frames.push(frame);
    options.onFrame?.(frame);
  }
  return played;
}

/** Waits by the clock; a signal ends it early. */
export function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const stop = () => {
      callOff();
      resolve();
    };
    const callOff = clock.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Runs each job on one of the workers, as many at a time as there are workers, jobs in order.
 * A worker takes the first job left that it may take. Returns the jobs that no worker may take.
 */
export async function playSideBySide<W, J>(
  workers: readonly W[],
  jobs: readonly J[],
  may: (worker: W, job: J) => boolean,
  run: (worker: W, job: J) => Promise<void>,
): Promise<J[]> {
  const left = [...jobs];
  await Promise.all(
    workers.map(async (worker) => {
      for (;;) {
        const index = left.findIndex((job) => may(worker, job));
        if (index < 0) return;
        const [job] = left.splice(index, 1);
        await run(worker, job as J);
      }
    }),
  );
  return left;
}
