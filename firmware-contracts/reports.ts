import { z } from "zod";
import { unknownVersion } from "./accel-frame.ts";
import { type Decoded, FrameHeader, parseJson } from "./frame.ts";

const identity = {
  v: z.literal(1),
  boot: FrameHeader.shape.bootId,
  seq: z.number().int().min(0).max(0xffff_ffff).meta({ description: "Counts this kind of message since the start" }),
  t: FrameHeader.shape.deviceTimeMs.meta({ description: "The device's clock, ms since 1970 or since its start" }),
  age: FrameHeader.shape.ageMs.default(0).meta({ description: "How long ago it happened when it was sent, ms" }),
};

/** What a presence sensor saw. `state` is what it says now; it is said again at each change and at least hourly. */
export const PresenceReport = z
  .object({
    ...identity,
    sensor: z.enum(["motion", "radar", "bed", "seat", "contact", "flush"]),
    state: z.enum(["on", "off"]),
    room: z.string().max(40).optional(),
    atFloor: z.boolean().optional().meta({
      description: "By a sensor that tells heights: whoever it sees lies still at floor height. Left out by all others",
    }),
  })
  .meta({ id: "PresenceReport", description: "A presence sensor's state" });
export type PresenceReport = z.infer<typeof PresenceReport>;

/** A sign of life. `will` is what the broker says for a device whose connection broke. */
export const StatusReport = z
  .object({
    v: z.literal(1),
    kind: z.enum(["birth", "heartbeat", "will"]),
    boot: FrameHeader.shape.bootId.optional(),
    t: identity.t.optional(),
    battery: z.number().min(0).max(100).optional().meta({ description: "Charge left, per cent" }),
    charging: z.boolean().optional(),
    worn: z.boolean().optional(),
    tamper: z.boolean().optional().meta({ description: "Somebody has opened it, or torn it from its place" }),
    firmware: z.string().max(40).optional(),
  })
  .meta({ id: "StatusReport", description: "Device status: heartbeat, birth or last will" });
export type StatusReport = z.infer<typeof StatusReport>;

/** The help button. It pages always, whatever else is paused. */
export const HelpReport = z.object({ ...identity }).meta({ id: "HelpReport", description: "Help button pressed" });
export type HelpReport = z.infer<typeof HelpReport>;

/** The wearer says "I am all right" on the device. Ends only a medium detection, within 30 s, when upright. */
export const CancelReport = z
  .object({ ...identity })
  .meta({ id: "CancelReport", description: "The wearer's own cancel" });
export type CancelReport = z.infer<typeof CancelReport>;

/** Reads one JSON report against its schema. Never throws. */
export function decodeReport<T extends z.ZodType>(schema: T, bytes: Uint8Array): Decoded<z.infer<T>> {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed;
  const version = (parsed.value as { v?: unknown } | null)?.v;
  if (typeof version === "number" && version !== 1) {
    return unknownVersion("report", version, [1]);
  }
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return { ok: true, value: checked.data };
  const issue = checked.error.issues[0];
  return { ok: false, reason: "bad-header", detail: `${issue?.path.join(".")}: ${issue?.message}` };
}
