import { z } from "zod";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import { Control, longestPauseMs } from "../../firmware-contracts/intake.ts";

/** A Control as it lies on the disk, with what its pauses need in order to end after a restart too. */
export const KeptControl = Control.extend({
  kept: z
    .object({
      /** The gateway's wall time when alerting gave it. */
      wallAt: z.number(),
      /** How long ago that was, as far as the gateway knew when it wrote this, ms. */
      sinceMs: z.number(),
    })
    .optional(),
});
export type KeptControl = z.infer<typeof KeptControl>;

/** Each start counts for so much, ms: a gateway that is switched off and on again before it has written how long it ran ends its pauses all the same. */
export const startCostMs = 60_000;

/**
 * How long ago, ms, alerting gave a Control that was read from the disk at a start: at least as long as the gateway has run with it, and longer where
 * the wall clock says so. Where that has gone back, or there is no note, nobody can say: then so long that every pause is over.
 */
export function sinceGivenMs({ kept }: Pick<KeptControl, "kept">, wall: WallMs): number {
  if (!kept || wall < kept.wallAt) return longestPauseMs;
  return Math.max(kept.sinceMs + startCostMs, wall - kept.wallAt);
}
