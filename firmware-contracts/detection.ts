import { z } from "zod";
import { PresenceEvidence } from "./presence.ts";
import { DeviceId } from "./topics.ts";

/** Where an accelerometer is worn. Chest and pocket are judged by the waist's model. */
export const Placement = z.enum(["wrist", "waist", "chest", "hip", "pocket"]).meta({ id: "Placement" });
export type Placement = z.infer<typeof Placement>;

const wallMs = z.number().int().min(0).meta({ description: "Wall time, ms since 1970 UTC, by the gateway's clock" });

/**
 * What a text may claim about a fall; nothing else was measured.
 * `at-once`: strong evidence, nothing known of what came after. `still`: no movement from the impact until `detectedAt`.
 * `silent`: no signal after the impact. `soft`: low impact, then lying. `help-button`: pressed by the wearer.
 * `sensor-reported`: a sensor that judges by itself says that somebody has fallen. `sensor-suspects`: it has warned of a fall, and not taken that back.
 */
export const DetectionReason = z
  .enum(["at-once", "still", "silent", "soft", "help-button", "sensor-reported", "sensor-suspects"])
  .meta({ id: "DetectionReason" });
export type DetectionReason = z.infer<typeof DetectionReason>;

/** The movement around the impact, resampled to one rate, for the console's plot. */
export const EvidenceWindow = z.object({
  rateHz: z.number().positive(),
  startMs: z.number().meta({ description: "Time of the first value relative to the impact, ms; negative is before" }),
  /** x, y, z in milli-g; null where the signal has a gap. */
  x: z.array(z.number().nullable()).max(1000),
  y: z.array(z.number().nullable()).max(1000),
  z: z.array(z.number().nullable()).max(1000),
});
export type EvidenceWindow = z.infer<typeof EvidenceWindow>;

const score = z.number().min(0).max(1);

/** How the classifier's answer moved around the impact, for the console's plot; no decision rests on it. */
export const EvidenceScores = z.object({
  startMs: z.number().meta({ description: "Time of the first value relative to the impact, ms; negative is before" }),
  stepMs: z.number().positive(),
  values: z.array(score.nullable()).max(200).meta({
    description:
      "The score of the movement around each moment, as if the impact had been there; null: too little is known",
  }),
  judgedMs: z.number().meta({ description: "The moment whose score decided, ms from the hardest hit" }),
  medium: score.meta({ description: "From this score on it asks for an alarm" }),
  strong: score.meta({ description: "From this score on the alarm goes at once" }),
});
export type EvidenceScores = z.infer<typeof EvidenceScores>;

/** What the detector measured, for a person to read and a picture to show. */
export const Evidence = z.object({
  peakG: z.number().min(0),
  score: score.meta({ description: "The classifier's answer, 0 to 1" }),
  scores: EvidenceScores.optional().meta({ description: "How that answer moved; left out by earlier gateways" }),
  tiltDeg: z
    .number()
    .min(0)
    .max(180)
    .nullable()
    .meta({ description: "Change of posture across the impact; null unknown" }),
  fallMs: z.number().min(0).nullable().optional().meta({
    description: "How long in the second before the impact the device was nearly weightless, ms; null unknown",
  }),
  stillSeconds: z.number().min(0).nullable().meta({ description: "Seconds still after the impact; null unknown" }),
  unknownSeconds: z.number().min(0).meta({ description: "Seconds without signal between impact and detection" }),
  rangeG: z.number().positive(),
  rateHz: z.number().positive(),
  window: EvidenceWindow.nullable(),
  presence: PresenceEvidence.optional().meta({
    description: "With medium evidence: what the dwelling's presence sensors said, where there are any",
  }),
});
export type Evidence = z.infer<typeof Evidence>;

/** What a sensor that judges by itself has said: there is no score in it, and nothing here was measured by us. */
export const ReportedFall = z
  .object({
    sensor: z.string().min(1).max(60).meta({ description: "Which sensor, as maker and model" }),
    state: z.string().min(1).max(40).meta({ description: "Its own word for what it saw, as it came" }),
    via: z.string().min(1).max(40).meta({ description: "The adapter that it came by" }),
  })
  .meta({ id: "ReportedFall", description: "A fall that a sensor reported, instead of evidence that we measured" });
export type ReportedFall = z.infer<typeof ReportedFall>;

/**
 * The detector's conclusion, and the help button's. `id` is made from the frame's identity, so that the same fall always has the same id:
 * `<device>.<boot>.<sequence>.<kind>`.
 */
export const Detection = z
  .object({
    v: z.literal(1),
    id: z.string().max(80),
    deviceId: DeviceId,
    kind: z.enum(["fall", "help"]),
    strength: z.enum(["strong", "medium"]),
    reason: DetectionReason,
    impactAt: wallMs.meta({ description: "When it happened, wall time ms, worked back from arrival" }),
    detectedAt: wallMs,
    arrivedAt: wallMs.meta({ description: "When the frame with the impact reached the gateway" }),
    /** Arrived so long after the impact that the text must say so. */
    late: z.boolean(),
    /** The device's clock disagrees with the gateway's by more than a minute. */
    clockSuspect: z.boolean(),
    evidence: Evidence.nullable(),
    reported: ReportedFall.optional().meta({ description: "Where a sensor itself reported the fall: what it said" }),
    model: z.string().max(60).nullable(),
    /** A synthetic alarm; marked so everywhere. */
    test: z.boolean().default(false),
  })
  .meta({ id: "Detection", description: "A fall found, or a help button pressed" });
export type Detection = z.infer<typeof Detection>;

/** Makes a Detection's id from the identity of the frame or report that it comes from. */
export function detectionId(deviceId: string, bootId: number, sequence: number, kind: Detection["kind"]): string {
  return `${deviceId}.${bootId}.${sequence}.${kind}`;
}
