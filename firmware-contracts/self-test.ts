import { z } from "zod";

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
