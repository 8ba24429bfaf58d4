import { z } from "zod";
import type { WatchedFall } from "../../detector/detector.ts";

const WatchedFallKept = z.object({
  bootId: z.number(),
  sequence: z.number(),
  impactAt: z.number(),
  before: z.object({ x: z.number(), y: z.number(), z: z.number(), known: z.number() }),
}) satisfies z.ZodType<WatchedFall>;

/** A fall that was told and is watched, as it outlives a restart. `impactAt` is wall time here. */
export const KeptWatch = z.object({ detectionId: z.string(), deviceId: z.string(), fall: WatchedFallKept });
export type KeptWatch = z.infer<typeof KeptWatch>;
