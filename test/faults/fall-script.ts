import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import type { FrameRecord } from "../../simulators/device/records.ts";
import { hardFall } from "../promises/town.ts";

/** Seconds of the recording before the impact. */
const leadSeconds = 5.5;
/** The frame that holds the impact has this number, counted from 0. */
export const impactFrame = Math.floor(leadSeconds);
let recording: Recording | null = null;

/** One fall, sent as frames of one second that a device had stored: the gateway has it as fast as the network goes. */
export interface ScriptedFall {
  /** Sends the frames before the impact's, together. */
  sendLead(): void;
  /** Sends the next frame: the first is the one with the impact. Null after the last. */
  sendNext(): FrameRecord | null;
  /** The frame with the impact, once sent. */
  readonly impact: FrameRecord | null;
}

export function scriptFall(device: SimulatedDevice, now: number): ScriptedFall {
  recording ??= hardFall(leadSeconds);
  const { samples, trial } = recording;
  const { rateHz } = trial;
  const seconds = Math.floor(samples.length / 3 / rateHz);
  let second = 0;
  let impact: FrameRecord | null = null;
  const send = () => {
    const part = samples.slice(second * rateHz * 3, (second + 1) * rateHz * 3);
    const record = device.publishFrame(part, { rateHz, firstSampleAt: now - (seconds - second) * 1000, stored: true });
    if (second === impactFrame) impact = record;
    second++;
    return record;
  };
  return {
    sendLead() {
      while (second < impactFrame) send();
    },
    sendNext: () => (second < seconds ? send() : null),
    get impact() {
      return impact;
    },
  };
}
