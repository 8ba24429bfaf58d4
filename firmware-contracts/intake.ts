import { z } from "zod";
import type { ControlPart } from "./control-parts.ts";
import { Detection, Placement } from "./detection.ts";
import { SelfTestEvent, WantedSelfTest } from "./self-test.ts";
import { DeviceId } from "./topics.ts";

const at = z.number().int().min(0).meta({ description: "Wall time, ms since 1970 UTC" });

const GatewayId = z.string().min(1).max(64);

/** What a gateway tells alerting about a device, beside Detections: for the event log and the console. */
export const DeviceEvent = z
  .object({
    v: z.literal(1),
    id: z.string().max(80),
    deviceId: DeviceId,
    gatewayId: GatewayId.optional().meta({ description: "Through which gateway it was heard. Left out: not known" }),
    at,
    event: z.enum(["online", "offline", "heartbeat", "presence", "cancel", "refused-payload", "clock-suspect"]),
    battery: z.number().optional(),
    worn: z.boolean().optional(),
    charging: z.boolean().optional(),
    firmware: z.string().max(40).optional().meta({ description: "Its firmware's version, as it says itself" }),
    detail: z.string().max(80).optional().meta({
      description:
        "A reason or state from a fixed list; never content. With online, new-secret: it came with a replaced secret's successor",
    }),
  })
  .meta({ id: "DeviceEvent", description: "Something a device did or met, other than a Detection" });
export type DeviceEvent = z.infer<typeof DeviceEvent>;

/** What a gateway tells of itself. An alerting that is older than an event of this list refuses it, and nothing else waits for it. */
export const GatewayEvent = z
  .object({
    v: z.literal(1),
    id: z.string().max(80),
    gatewayId: GatewayId,
    at,
    event: z.enum(["broker-lost", "broker-back"]).meta({
      description: "Its broker cannot be reached, told again each minute while that lasts; or can be again",
    }),
    detail: z.string().max(80).optional().meta({ description: "A reason from a fixed list: session-lost" }),
  })
  .meta({ id: "GatewayEvent", description: "Something that a gateway met and that no device did" });
export type GatewayEvent = z.infer<typeof GatewayEvent>;

/** A dwelling, by the opaque id that alerting gave it. */
export const DwellingId = z.string().min(1).max(64);

/**
 * What a dwelling's presence sensors tell of its resident's activity. It is of inactivity, never of a fall.
 * `inactive`: at home, and no movement since `since`, for longer than is usual for this person at this time of day. `active`: movement again after that.
 * `unheard`: too few sensors are heard to tell stillness from a fault. `heard`: enough are, again.
 */
export const WelfareEvent = z
  .object({
    v: z.literal(1),
    id: z
      .string()
      .max(100)
      .meta({ description: "`<dwelling>.<when it began>.<event>`: the same pause or outage has the same id" }),
    dwelling: DwellingId,
    at,
    event: z.enum(["inactive", "active", "unheard", "heard"]),
    since: at.optional().meta({ description: "With inactive: the last movement, ms since 1970 UTC" }),
    limitMinutes: z.number().int().min(0).optional().meta({
      description: "With inactive: how long this person's pauses may be here and now, minutes",
    }),
    room: z.string().max(40).optional().meta({ description: "With inactive: where the last movement was" }),
    sensors: z.array(DeviceId).max(48).optional().meta({ description: "With unheard: which are not heard" }),
  })
  .meta({ id: "WelfareEvent", description: "A dwelling's unusual inactivity, and its end" });
export type WelfareEvent = z.infer<typeof WelfareEvent>;

/**
 * What became of somebody after a fall that was told. `long-lie`: five minutes and more after the impact, and no sign of getting up since.
 * It joins the Detection's alarm; it raises its priority, and lowers nothing.
 */
export const FallUpdate = z
  .object({
    v: z.literal(1),
    id: z.string().max(100).meta({ description: "`<id of the Detection>.long-lie`" }),
    detectionId: z.string().max(80),
    deviceId: DeviceId,
    at,
    event: z.enum(["long-lie"]),
    lyingSeconds: z.number().min(0).meta({ description: "Since the impact, seconds" }),
    unknownSeconds: z.number().min(0).meta({ description: "Of these, without signal" }),
  })
  .meta({ id: "FallUpdate", description: "What became of somebody after a fall that was told" });
export type FallUpdate = z.infer<typeof FallUpdate>;

/** What supervision finds wrong with a device, beside what a report itself says. */
export const DeviceTrouble = z.enum([
  "overdue",
  "battery-low",
  "not-worn",
  "charging-long",
  "tamper",
  "stuck",
  "clock-drift",
]);
export type DeviceTrouble = z.infer<typeof DeviceTrouble>;

/** What a device is, by what it sends: frames, reports of presence, or help calls alone. */
export const DeviceClass = z.enum(["wearable", "presence", "button"]);
export type DeviceClass = z.infer<typeof DeviceClass>;

/**
 * An outage of one device as supervision sees it, and its end. `overdue`: nothing was heard for longer than its class may be silent. `stuck`: a presence
 * sensor whose state cannot be true. The others stand for what the device itself measures. One trouble of one device is open at most once at a time.
 */
export const SupervisionEvent = z
  .object({
    v: z.literal(1),
    id: z.string().max(120).meta({
      description: "`<device>.<trouble>.<since>.<event>`: the same outage has the same id, however often it is told",
    }),
    deviceId: DeviceId,
    deviceClass: DeviceClass.optional().meta({ description: "By what it sends; left out: not known yet" }),
    gatewayId: GatewayId.optional().meta({ description: "Which gateway says so" }),
    at,
    event: z.enum(["began", "ended"]),
    trouble: DeviceTrouble,
    since: at.meta({ description: "Since when it is so, ms since 1970 UTC; for overdue, when it was last heard" }),
    battery: z.number().min(0).max(100).optional().meta({ description: "With battery-low: charge left, per cent" }),
    daysLeft: z.number().min(0).optional().meta({ description: "With battery-low: by its trend, days until empty" }),
    driftMs: z.number().int().optional().meta({ description: "With clock-drift: how far its clock is ahead, ms" }),
  })
  .meta({ id: "SupervisionEvent", description: "A device's outage as supervision sees it, and its end" });
export type SupervisionEvent = z.infer<typeof SupervisionEvent>;

/** One thing handed from a gateway's outbox to alerting's intake. */
export const IntakeItem = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("detection"), detection: Detection }),
    z.object({ type: z.literal("device-event"), event: DeviceEvent }),
    z.object({ type: z.literal("gateway-event"), event: GatewayEvent }),
    z.object({ type: z.literal("welfare-event"), event: WelfareEvent }),
    z.object({ type: z.literal("fall-update"), update: FallUpdate }),
    z.object({ type: z.literal("supervision-event"), event: SupervisionEvent }),
    z.object({ type: z.literal("self-test-event"), event: SelfTestEvent }),
  ])
  .meta({ id: "IntakeItem" });
export type IntakeItem = z.infer<typeof IntakeItem>;

/** By which an item is known, however often it is handed in. */
export function itemId(item: IntakeItem): string {
  if (item.type === "detection") return item.detection.id;
  return item.type === "fall-update" ? item.update.id : item.event.id;
}

/** Whether the resident, and whoever lives there too, has consented. `missing`: it is not on record. */
export const ConsentState = z.enum(["given", "missing", "withdrawn"]);
export type ConsentState = z.infer<typeof ConsentState>;

/** Why a dwelling is not watched for a while. */
export const PauseReason = z.enum(["visit", "bath", "staff-in-dwelling", "hospital", "other"]);
export type PauseReason = z.infer<typeof PauseReason>;

/** No pause is longer, ms. */
export const longestPauseMs = 30 * 86_400_000;

/** Watching held on purpose. It ends by itself: a gateway lets what is left of it run out on its own clock. */
export const Pause = z.object({
  from: at.meta({ description: "When it began, ms since 1970 UTC, by alerting's clock" }),
  until: at.meta({ description: "When it ends, ms since 1970 UTC, by alerting's clock; 30 days after `from` at most" }),
  // Which reasons there are may grow: a gateway that does not know one pauses all the same.
  reason: PauseReason.catch("other"),
});
export type Pause = z.infer<typeof Pause>;

/** Bounds of a device's own threshold: nobody is made deaf, and nobody paged by every movement. */
export const thresholdBounds = { least: 0.02, most: 0.98 } as const;

/** A device as a gateway must know it. The secret itself is nowhere but in the device. */
export const ControlDevice = z.object({
  deviceId: DeviceId,
  secretHash: z.string(),
  previousSecretHash: z.string().optional().meta({
    description: "Of the secret that was replaced; it is valid until the new one has been used, or until its end",
  }),
  previousSecretUntil: at.optional().meta({ description: "When the replaced secret ends, ms since 1970 UTC" }),
  placement: Placement,
  revoked: z.boolean(),
  consent: ConsentState.optional().meta({
    description:
      "Its dwelling's; frames are taken in only where it is given. Left out by an alerting that knows no consents: given",
  }),
  pause: Pause.optional().meta({ description: "Its dwelling's, where there is one" }),
  threshold: z.number().min(0).max(1).optional().meta({
    description: "The score at which the aftermath of an impact is awaited, instead of the model's own `medium`",
  }),
  dwelling: DwellingId.optional().meta({
    description: "Which devices are in one dwelling; left out, its presence is not used beside its accelerometer",
  }),
  livesAlone: z
    .boolean()
    .optional()
    .meta({ description: "One resident, and nobody else lives there. Left out: not known" }),
  leadsOut: z.boolean().optional().meta({ description: "A contact at a door that leads out of the dwelling" }),
});
export type ControlDevice = z.infer<typeof ControlDevice>;

const version = z.number().int().min(0);

export const ControlVersions = z.object({
  registry: version,
  consents: version,
  pauses: version,
  placements: version,
  thresholds: version,
  revocations: version,
} satisfies Record<ControlPart, typeof version>);
export type ControlVersions = z.infer<typeof ControlVersions>;

/** What shall be: held by alerting, fetched and kept by each gateway. What is optional came later than `v: 1`. */
export const Control = z
  .object({
    v: z.literal(1),
    version,
    at: at
      .optional()
      .meta({ description: "Alerting's wall time when it gave this: what is left of a pause counts from it" }),
    versions: ControlVersions.optional().meta({
      description: "Of each part, the version at which it last changed; 0 where it never did",
    }),
    devices: z.array(ControlDevice),
    selfTest: WantedSelfTest.optional().meta({
      description: "A self-test that is under way; a gateway that was not there then leaves it",
    }),
  })
  .meta({ id: "Control", description: "Desired state that alerting holds and a gateway follows" });
export type Control = z.infer<typeof Control>;

/** A gateway's sign of life; it comes with each fetch of control. */
export const GatewayHeartbeat = z.object({
  gatewayId: GatewayId,
  everyMs: z.number().int().min(100).max(600_000).meta({ description: "How often it comes, ms" }),
  version: z.string().max(40).optional().meta({ description: "Of the gateway's program" }),
  at: at.optional().meta({ description: "The gateway's wall time, ms since 1970 UTC" }),
});
export type GatewayHeartbeat = z.infer<typeof GatewayHeartbeat>;

/**
 * Alerting's door, as a gateway sees it: a function call in one process, HTTPS between two.
 * `submit` resolves only once the item is committed; it rejects where it is not, and the caller tries again.
 */
export interface Intake {
  submit(item: IntakeItem): Promise<void>;
  /** The desired state, or null where `haveVersion` is the newest. It reports the version in force, and that the gateway lives. */
  control(haveVersion: number, heartbeat: GatewayHeartbeat): Promise<Control | null>;
}
