import { z } from "zod";
import { DetectionReason } from "../firmware-contracts/detection.ts";
import { DeviceClass, DeviceEvent, GatewayEvent, SupervisionEvent } from "../firmware-contracts/intake.ts";
import { blindReasons } from "./blind-time/causes.ts";
import { OutcomeDone, OutcomeWhat } from "./console/api.ts";
import { troubleKinds } from "./episode-state.ts";

const at = z.number().int().meta({ description: "Wall time, ms since 1970 UTC" });
const id = z.string();
/** What each event of an episode says. `alias` is the dwelling's key number, null for a device in no register. */
const episode = { at, episodeId: id, code: z.string(), alias: z.string().nullable(), test: z.boolean() };
const by = z.string().meta({ description: "A responder's id, or `operator` or `responder` for a user of the console" });
const ms = z.number().int().meta({ description: "Milliseconds" });
const purpose = z.string();

/**
 * What happens in alerting, told after it was committed: to the event log, the demo and whoever listens.
 * It holds no phone numbers, no texts and no names of persons.
 */
export const ServiceEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("detection"),
    ...episode,
    detectionId: id,
    deviceId: id,
    kind: z.enum(["fall", "help"]),
    strength: z.enum(["strong", "medium"]),
    reason: DetectionReason,
    impactAt: at,
    late: z.boolean(),
    joined: z.boolean().meta({ description: "It joined an episode that was open" }),
    score: z.number().nullable(),
    peakG: z.number().nullable(),
  }),
  z.object({
    type: z.literal("episode-opened"),
    ...episode,
    kind: z.enum(["fall", "help", "welfare", "technical", "sign-on", "test"]),
    impactAt: at.meta({ description: "When it happened, or since when it is so" }),
    trouble: z.enum(troubleKinds).nullable().meta({ description: "Of a technical alarm" }),
  }),
  z.object({
    type: z.literal("page-queued"),
    ...episode,
    pageId: id,
    responderId: id,
    purpose,
    step: z.number().int(),
  }),
  z.object({
    type: z.literal("page-sent"),
    at,
    episodeId: id.nullable(),
    pageId: id,
    responderId: id,
    purpose,
    result: z.enum(["accepted", "retryable", "permanent", "unknown"]),
    reason: z.string().nullable(),
    tries: z.number().int(),
    waitedMs: ms.meta({ description: "From the page's commit to the provider's answer" }),
  }),
  z.object({
    type: z.literal("receipt"),
    ...episode,
    pageId: id,
    responderId: id,
    status: z.string(),
    errorCode: z.string().nullable(),
  }),
  z.object({ type: z.literal("reply"), ...episode, responderId: id, letter: z.string().nullable() }),
  z.object({ type: z.literal("taken"), ...episode, by, sinceImpactMs: ms, sinceOpenedMs: ms }),
  z.object({ type: z.literal("released"), ...episode, by }),
  z.object({ type: z.literal("on-the-way"), ...episode, by }),
  z.object({ type: z.literal("arrived"), ...episode, by, sinceImpactMs: ms, sinceOpenedMs: ms }),
  z.object({
    type: z.literal("closed"),
    ...episode,
    by,
    outcome: OutcomeWhat,
    done: OutcomeDone.nullable(),
    floorMs: ms.nullable().meta({ description: "Time on the floor; null where nobody lay, or nobody came" }),
    floorIsLeast: z.boolean().meta({ description: "Nobody has said how long: until somebody came" }),
    arrived: z.boolean(),
    sinceImpactMs: ms,
  }),
  z.object({ type: z.literal("not-taken"), ...episode, round: z.number().int() }),
  z.object({
    type: z.literal("long-lie"),
    ...episode,
    detectionId: id,
    lyingSeconds: z.number().meta({ description: "Since the impact; nobody was seen to get up" }),
    unknownSeconds: z.number().meta({ description: "Of these, without signal" }),
  }),
  z.object({ type: z.literal("receipt-missing"), ...episode, step: z.number().int() }),
  z.object({ type: z.literal("operators-first"), ...episode }),
  z.object({ type: z.literal("not-set-off"), ...episode, by }),
  z.object({ type: z.literal("undone"), ...episode, by }),
  z.object({ type: z.literal("cancel"), ...episode, upright: z.boolean() }),
  z.object({ type: z.literal("not-arrived"), ...episode, by }),
  z.object({ type: z.literal("outcome-missing"), ...episode }),
  z.object({ type: z.literal("movement-again"), ...episode }),
  z.object({ type: z.literal("inactive-again"), ...episode }),
  z.object({ type: z.literal("called-out-again"), ...episode }),
  z.object({ type: z.literal("backup-joined"), ...episode, by }),
  z.object({ type: z.literal("backup-asked"), ...episode, by, letter: z.string() }),
  z.object({
    type: z.literal("contact"),
    at,
    responderId: id,
    lost: z.string().nullable().meta({ description: "Why no texts get there; null: they do again" }),
  }),
  z.object({
    type: z.literal("device"),
    at,
    deviceId: id,
    alias: z.string().nullable(),
    event: DeviceEvent.shape.event,
    battery: z.number().nullable(),
    worn: z.boolean().nullable(),
    detail: z.string().nullable(),
  }),
  z.object({
    type: z.literal("supervision"),
    at,
    deviceId: id,
    alias: z.string().nullable(),
    deviceClass: DeviceClass.nullable(),
    event: SupervisionEvent.shape.event,
    trouble: SupervisionEvent.shape.trouble,
    since: at.meta({ description: "Since when it is, or was, so" }),
    battery: z.number().nullable(),
    daysLeft: z.number().nullable(),
    driftMs: ms.nullable(),
  }),
  z.object({
    type: z.literal("gateway"),
    at,
    gatewayId: id,
    event: z.enum([...GatewayEvent.shape.event.options, "gateway-lost", "gateway-back"]),
    detail: z.string().nullable(),
  }),
  z.object({
    type: z.literal("blind-time"),
    at: at.meta({ description: "When the hour began that it is about" }),
    dwellingId: id,
    alias: z.string(),
    reason: z.enum(blindReasons),
    seconds: z.number().int().meta({
      description: "Blind time of that hour and reason that was not told yet; below 0 where less was so than was told",
    }),
  }),
]);
export type ServiceEvent = z.infer<typeof ServiceEvent>;
export type EpisodeEvent = Extract<ServiceEvent, { code: string }>;
