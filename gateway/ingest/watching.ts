import type { MonotonicMs, WallMs } from "../../firmware-contracts/clock.ts";
import { type Control, longestPauseMs, type Pause } from "../../firmware-contracts/intake.ts";

/** Why what a device sends of somebody's movements is dropped; it is counted under that name. */
export type Unwatched = "no-consent" | "paused";

/** A pause as it runs here. It is over when either clock says so, and does not begin again. */
interface RunningPause {
  readonly from: WallMs;
  readonly until: WallMs;
  endsAt: MonotonicMs;
}

/** What keeps a device from being watched. */
export interface Hindrance {
  readonly hasConsent: boolean;
  readonly pause: RunningPause | null;
}

/** By device; who is simply watched has no entry. */
export type Hindrances = ReadonlyMap<string, Hindrance>;

/**
 * What keeps devices from being watched, by a Control that alerting gave `sinceMs` ago. A pause that runs already (`before`) is not made longer:
 * alerting's clock may stand still or go back.
 */
export function hindrancesOf(
  control: Pick<Control, "at" | "devices">,
  sinceMs: number,
  now: MonotonicMs,
  before: Hindrances = new Map(),
): Hindrances {
  const found = new Map<string, Hindrance>();
  for (const { deviceId, consent = "given", pause } of control.devices) {
    if (consent === "given" && !pause) continue;
    let running: RunningPause | null = null;
    if (pause) {
      const known = before.get(deviceId)?.pause;
      const isKnown = known?.from === pause.from && known.until === pause.until;
      const endsAt = now + pauseLeftMs(pause, control.at ?? pause.from) - sinceMs;
      running = { from: pause.from, until: pause.until, endsAt: isKnown ? Math.min(known.endsAt, endsAt) : endsAt };
    }
    found.set(deviceId, { hasConsent: consent === "given", pause: running });
  }
  return found;
}

/** What was left of a pause at `at` of alerting's clock, ms: never more than the whole of it; 0 or less where it was over. */
export function pauseLeftMs({ from, until }: Pick<Pause, "from" | "until">, at: WallMs): number {
  return Math.min(until - at, until - from, longestPauseMs);
}

/** Why this device's frames are to be dropped now, or null. It is called for each frame. */
export function unwatched(hindrance: Hindrance, wall: WallMs, monotonic: MonotonicMs): Unwatched | null {
  if (!hindrance.hasConsent) return "no-consent";
  const { pause } = hindrance;
  if (pause === null) return null;
  if (monotonic < pause.endsAt && wall < pause.until) return "paused";
  pause.endsAt = Number.NEGATIVE_INFINITY;
  return null;
}

/** Whether any pause is still running. */
export function anyPaused(hindrances: Hindrances, monotonic: MonotonicMs): boolean {
  for (const { pause } of hindrances.values()) if (pause !== null && monotonic < pause.endsAt) return true;
  return false;
}
