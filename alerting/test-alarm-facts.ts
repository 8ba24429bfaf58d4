import type { EpisodeState } from "./episode-state.ts";
import type { Message } from "./messages/message.ts";

/** How long after a device's test alarm another of the same device is the same press or the same fall, ms. What comes later is an alarm of its own. */
export const joinsTestMs = 60_000;
/** No test alarm is awaited longer, ms. */
export const longestTestMs = 3_600_000;

/** What joins the test alarms of a device in a dwelling. A fall there joins none of them. */
export const deviceTestKey = (dwellingId: string, deviceId: string) => `${deviceTestsOf(dwellingId)}${deviceId}`;
/** With what the keys of a dwelling's test alarms begin. */
export const deviceTestsOf = (dwellingId: string) => `device-test:${dwellingId}:`;
/** The same for the self-test's. */
export const selfTestKey = (deviceId: string) => `self-test:${deviceId}`;

/** The text at a test alarm's end, and null where none is sent: nobody waits for the self-test's. */
export function testClosingText({ facts, closeReason, closedBy }: EpisodeState, now: number): Message | null {
  const bySystem = closedBy?.kind === "system";
  if (facts.testAlarm?.purpose === "chain") {
    return bySystem ? null : { kind: "closed", at: now, outcome: "test", undo: false };
  }
  if (closeReason === "passed") return { kind: "device-in-operation", at: now };
  return { kind: "device-test-over", isHandedOn: bySystem };
}
