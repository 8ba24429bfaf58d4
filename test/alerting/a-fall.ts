import { type Detection, detectionId } from "../../firmware-contracts/detection.ts";

/**
 * A strong fall as a gateway hands it in: 12 s after the impact.
 * @param now wall time, ms.
 * @param number which of the device's detections it is: the same is the same fall.
 */
export function aFall(deviceId: string, now: number, number: number, change: Partial<Detection> = {}): Detection {
  const kind = change.kind ?? "fall";
  return {
    v: 1,
    id: detectionId(deviceId, 1, number, kind),
    deviceId,
    kind,
    strength: "strong",
    reason: "still",
    impactAt: now - 12_000,
    detectedAt: now,
    arrivedAt: now - 11_000,
    late: false,
    clockSuspect: false,
    evidence: null,
    model: "m1",
    test: false,
    ...change,
  };
}
