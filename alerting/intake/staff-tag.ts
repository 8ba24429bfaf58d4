import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { Counters } from "../counters.ts";
import type { Store } from "../store/store.ts";

/** How long staff who say by a tag that they are in a dwelling hold its watching, ms. It ends by itself; leaving needs no press. */
export const staffTagMs = 30 * 60_000;
/** A press of a while ago says nothing of now, ms: staff may have left. */
const lateMs = 5 * 60_000;
/** Pressed again so soon is the same press, ms. */
const bounceMs = 10_000;

/**
 * Takes the press of a staff's tag: staff are in the dwelling, and its watching is held for half an hour. Pressed again while that runs it is a call for
 * help like any other. Returns whether it was taken; false: it is to page.
 */
export async function takeStaffTag(
  options: { store: Store; clock: Clock; counters: Counters },
  { id, deviceId, kind, test, impactAt }: Detection,
): Promise<boolean> {
  if (kind !== "help" || test) return false;
  const { store, clock, counters } = options;
  const found = await store.registry.device(deviceId);
  if (!found?.device.staffTag) return false;
  // The same press, handed in again.
  if (await store.watching.hasPauseBegunBy(id)) return true;
  const now = Math.round(clock.wallNow());
  const { pause, dwellingId } = found.device;
  // In store it is nobody's tag: a press is an alarm.
  if (dwellingId === null) return false;
  const isRunning = pause !== undefined && pause.until > now;
  if (isRunning && pause.reason === "staff-in-dwelling") return now - pause.from < bounceMs;
  if (now - impactAt > lateMs) {
    counters.count("staff-tag.late");
    return true;
  }
  counters.count("staff-tag.pressed");
  const until = now + staffTagMs;
  // A stay in hospital is not made shorter by whoever waters the flowers.
  if (isRunning && pause.until >= until) return true;
  const act = { at: now, by: `tag ${deviceId}`, via: "service" as const };
  await store.watching.putPause(dwellingId, { from: now, until, reason: "staff-in-dwelling" }, act, id);
  return true;
}
