import type { Classifier } from "../detector/classifier/classifier.ts";
import { type DetectorInput, openDetector, step, undecided } from "../detector/detector.ts";
import type { Placement } from "../firmware-contracts/detection.ts";
import type { ExpectedDetection } from "../simulators/demo/summary.ts";
import type { FrameRecord } from "../simulators/device/records.ts";

/** What one device remembers of the frames that a gateway acknowledged. */
export interface AcknowledgedFrames {
  deviceId: string;
  placement: Placement;
  frames: readonly FrameRecord[];
}

/** Most ticks after a device's last frame: a decision takes far fewer. */
const maxTicks = 100;

/**
 * The Detections that must have come of acknowledged frames, worked out from the devices' own records and not from anything a gateway says:
 * the same frames through a detector of their own.
 */
export async function expectedDetections(
  devices: readonly AcknowledgedFrames[],
  classifier: Classifier,
): Promise<ExpectedDetection[]> {
  const expected: ExpectedDetection[] = [];
  for (const { deviceId, placement, frames } of devices) {
    let state = openDetector({ placement, operatingPoints: classifier.operatingPoints });
    let wakeAt: number | null = null;

    const feed = async (input: DetectorInput, now: number): Promise<void> => {
      const [next, commands] = step(state, input, now);
      state = next;
      for (const command of commands) {
        if (command.kind === "wake") wakeAt = command.at;
        if (command.kind === "detect") {
          expected.push({ deviceId, impactAt: command.conclusion.impactAt });
        }
        if (command.kind === "classify") {
          const [score = 0] = await classifier.score(command.placement, [command.input]);
          await feed({ kind: "scored", candidateId: command.candidateId, score }, now);
        }
      }
    };

    let now = 0;
    for (const frame of frames) {
      // By the recording's time: as it would have arrived on a network without delay.
      const arrivedAt = frame.firstSampleAt + ((frame.sampleCount - 1) / frame.rateHz) * 1000;
      now = Math.max(now, arrivedAt);
      await feed({ kind: "frame", frame: { ...frame, ageMs: 0, arrivedAt } }, now);
    }
    for (let ticks = 0; wakeAt !== null && undecided(state) && ticks < maxTicks; ticks++) {
      now = Math.max(now, wakeAt);
      await feed({ kind: "tick" }, now);
    }
  }
  return expected;
}
