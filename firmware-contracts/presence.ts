import { z } from "zod";
import { DeviceId } from "./topics.ts";

const wallMs = z.number().int().min(0).meta({ description: "Wall time, ms since 1970 UTC, by the gateway's clock" });

/** Why nothing that a presence sensor says counts: not heard for too long, hangs, or has only just begun anew. */
export const SensorTrouble = z.enum(["stale", "stuck", "restarted"]);
export type SensorTrouble = z.infer<typeof SensorTrouble>;

/**
 * What a dwelling's presence sensors can show of a suspected fall. `still-at-floor`: somebody lies still at floor height since the impact.
 * `same-room`: nobody was seen elsewhere since. `bed-occupied`: somebody is in bed since. `two-rooms`: somebody has walked through the dwelling since.
 */
export const PresenceSign = z.enum(["still-at-floor", "same-room", "bed-occupied", "two-rooms"]);
export type PresenceSign = z.infer<typeof PresenceSign>;

/** One thing seen. */
export const PresenceItem = z.object({
  what: PresenceSign,
  since: wallMs,
  weight: z.number().meta({ description: "Logits: above 0 for a fall, below against" }),
  rooms: z.array(z.string().max(40)).max(2),
});
export type PresenceItem = z.infer<typeof PresenceItem>;

/** What a dwelling's presence sensors say for and against a fall, for a person to read. It shifts medium evidence alone. */
export const PresenceEvidence = z.object({
  shift: z.number().meta({ description: "The sum of the weights, as far as presence may count; logits" }),
  items: z.array(PresenceItem).max(4),
  unheard: z
    .array(z.object({ deviceId: DeviceId, why: SensorTrouble }))
    .max(48)
    .meta({ description: "Sensors whose word does not count, and why" }),
});
export type PresenceEvidence = z.infer<typeof PresenceEvidence>;
