import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import type { RecordingProblem, RecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { createDevice, type SimulatedDevice } from "../device/device.ts";
import type { Credential } from "./credentials.ts";
import { type PlayedTrial, playSideBySide, playTrial, rangeOf, wait } from "./play.ts";

export interface ReplayOptions {
  set: RecordingSet;
  credentials: readonly Credential[];
  url: string;
  clock: Clock;
  /** Silence after each trial on a device, s of the clock: time for the gateway to decide, and a gap before the next trial. Default 30. */
  pauseSeconds?: number;
  frameSeconds?: number;
  onTrial?: (played: PlayedTrial) => void;
  signal?: AbortSignal;
}

export interface ReplayResult {
  dataset: string;
  trials: number;
  falls: number;
  /** Devices that were connected. */
  devices: number;
  frames: { sent: number; acknowledged: number };
  /** Recording time played, s, over all devices together. */
  seconds: number;
  problems: RecordingProblem[];
}

interface Job {
  recording: Recording;
  part: string;
  rangeG: number;
  placement: Placement;
}

/**
 * Plays a recording set on simulated devices, side by side, part after part. A device is somebody else's from one trial to the next only after a pause.
 * A device that is refused or never connects is told of in `problems`; the others play its trials.
 */
export async function replaySet(options: ReplayOptions): Promise<ReplayResult> {
  const { set, clock, signal } = options;
  const problems = [...set.problems];
  const jobs: Job[] = set.parts.flatMap(({ part, placement, recordings }) => {
    const rangeG = rangeOf(recordings);
    return recordings.map((recording) => ({ recording, part, rangeG, placement }));
  });
  const result: ReplayResult = {
    dataset: set.dataset,
    trials: 0,
    falls: 0,
    devices: 0,
    frames: { sent: 0, acknowledged: 0 },
    seconds: 0,
    problems,
  };

  const workers = options.credentials.map((credential) => ({
    credential,
    device: null as SimulatedDevice | null,
    gone: false,
  }));
  type Worker = (typeof workers)[number];

  async function deviceFor(worker: Worker, rangeG: number): Promise<SimulatedDevice> {
    if (worker.device?.rangeG === rangeG) return worker.device;
    // Another part was recorded with another sensor, so it is played on another one: a new start of the device.
    await worker.device?.disconnect();
    const { deviceId, secret } = worker.credential;
    const device = createDevice({ clock, url: options.url, deviceId, secret, rangeG });
    const isFirst = worker.device === null;
    worker.device = device;
    await device.connect();
    if (isFirst) result.devices++;
    return device;
  }

  async function play(worker: Worker, job: Job): Promise<void> {
    if (signal?.aborted) return;
    let device: SimulatedDevice;
    try {
      device = await deviceFor(worker, job.rangeG);
    } catch (error) {
      worker.gone = true;
      problems.push({ where: `device ${worker.credential.deviceId}`, why: (error as Error).message });
      jobs.push(job);
      return;
    }
    const played = await playTrial(device, job.recording, clock, { frameSeconds: options.frameSeconds, signal });
    await device.drain();
    result.trials++;
    if (job.recording.trial.label === "fall") result.falls++;
    result.seconds += job.recording.samples.length / 3 / job.recording.trial.rateHz;
    result.frames.sent += played.frames.length;
    result.frames.acknowledged += played.frames.filter((frame) => frame.acked).length;
    options.onTrial?.(played);
    await wait(clock, (options.pauseSeconds ?? 30) * 1000, signal);
  }

  const may = (worker: Worker, job: Job) =>
    !worker.gone && (worker.credential.placement === null || worker.credential.placement === job.placement);
  // Trials of devices that failed come back: each further round has at least one device fewer, so there are at most as many rounds as devices.
  let unplayed: Job[] = [];
  for (let round = 0; round <= workers.length && jobs.length > 0; round++) {
    unplayed = await playSideBySide(workers, jobs.splice(0), may, play);
    if (jobs.length > 0) jobs.push(...unplayed);
  }
  for (const placement of new Set(unplayed.map((job) => job.placement))) {
    const count = unplayed.filter((job) => job.placement === placement).length;
    problems.push({ where: `${count} trials worn at the ${placement}`, why: "no device to play them on" });
  }
  for (const { device } of workers) await device?.disconnect();
  result.seconds = Math.round(result.seconds * 10) / 10;
  return result;
}
