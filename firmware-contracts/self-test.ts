import { createHash } from "node:crypto";
import { z } from "zod";
import { DeviceId } from "./topics.ts";

/**
 * The links of the chain that a self-test tries, in order: the test device connects and its fall is acknowledged; the detector finds it; alerting has
 * committed it; the provider has accepted its text; the phone has it.
 */
export const selfTestLinks = ["connect", "acknowledged", "detected", "intake", "paged", "delivered"] as const;
export const SelfTestLink = z.enum(selfTestLinks);
export type SelfTestLink = z.infer<typeof SelfTestLink>;

/** The links that a gateway can see. */
export const gatewayLinks = ["connect", "acknowledged", "detected"] as const satisfies readonly SelfTestLink[];
export type GatewayLink = (typeof gatewayLinks)[number];

/** The boot id under which a run's frames are sent: by it a Detection is known as the run's, and one that comes late is not taken for the next run's. */
export function bootOfRun(run: string): number {
  return createHash("sha256").update(run).digest().readUInt32BE(0) || 1;
}

/** Whether an id that begins with `<device>.<boot>.`, as a Detection's does, is of this run. */
export function isOfRun(id: string, { run, device }: { run: string; device: string }): boolean {
  return id.startsWith(`${device}.${bootOfRun(run)}.`);
}

const seconds = z.number().min(1).max(600);
const RunId = z.string().min(1).max(64);

/** A self-test that alerting wants: the gateway that has this device's secret runs it once. */
export const WantedSelfTest = z
  .object({
    run: RunId,
    device: DeviceId,
    limits: z
      .object({ connect: seconds, acknowledged: seconds, detected: seconds } satisfies Record<GatewayLink, unknown>)
      .meta({ description: "How long each link may take, seconds, counted from the one before" }),
  })
  .meta({ id: "WantedSelfTest" });
export type WantedSelfTest = z.infer<typeof WantedSelfTest>;

const ms = z.number().min(0).optional();

/** How far a self-test came, as its gateway has seen it. */
export const SelfTestEvent = z
  .object({
    v: z.literal(1),
    id: z.string().max(100).meta({ description: "`<run>.gateway`" }),
    gatewayId: z.string().min(1).max(64),
    at: z.number().int().min(0).meta({ description: "Wall time, ms since 1970 UTC" }),
    run: RunId,
    links: z
      .object({ connect: ms, acknowledged: ms, detected: ms } satisfies Record<GatewayLink, unknown>)
      .meta({ description: "How long each link that held took, ms" }),
    failed: z.enum(gatewayLinks).optional().meta({ description: "The link that did not hold" }),
    detail: z.string().max(80).optional().meta({ description: "Why: of a fixed list" }),
  })
  .meta({ id: "SelfTestEvent", description: "How far a self-test came at its gateway" });
export type SelfTestEvent = z.infer<typeof SelfTestEvent>;
