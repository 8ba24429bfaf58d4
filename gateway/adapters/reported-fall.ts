import type { WallMs } from "../../firmware-contracts/clock.ts";
import { type Detection, detectionId } from "../../firmware-contracts/detection.ts";
import type { ToldFall } from "./device-reports.ts";

/** As of a fall that was measured, one that reached the gateway later than this is told as late, ms. */
const lateMs = 120_000;

/** The Detection of a fall that a sensor itself reported. `via`: the adapter's name. */
export function reportedFall(deviceId: string, fall: ToldFall, via: string, now: WallMs): Detection {
  const { identity, strength, state, sensor, age } = fall;
  const arrivedAt = Math.max(0, Math.round(now));
  return {
    v: 1,
    id: detectionId(deviceId, identity.boot, identity.seq, "fall"),
    deviceId,
    kind: "fall",
    strength,
    reason: strength === "strong" ? "sensor-reported" : "sensor-suspects",
    impactAt: Math.max(0, Math.round(arrivedAt - age)),
    detectedAt: arrivedAt,
    arrivedAt,
    late: age > lateMs,
    clockSuspect: false,
    evidence: null,
    reported: { sensor, state, via },
    model: null,
    test: false,
  };
}
