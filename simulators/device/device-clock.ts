import type { WallMs } from "../../firmware-contracts/clock.ts";

/**
 * How a device's own clock is wrong. `right`: not at all. `unset`: it counts from the device's start and says so.
 * `1970`: it counts from 1970 at the device's start and believes that. A number: so many ms ahead (or, negative, behind).
 */
export type ClockError = "right" | "unset" | "1970" | number;

/** What the device's clock shows at `at`, ms; `startedAt` is when the device started. Never before 0. */
export function deviceTime(error: ClockError, startedAt: WallMs, at: WallMs): number {
  if (error === "right") return Math.round(at);
  const shown = typeof error === "number" ? at + error : at - startedAt;
  return Math.max(0, Math.round(shown));
}
