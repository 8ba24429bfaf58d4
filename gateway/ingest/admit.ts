import { type AccelFrame, decodeFrame, decodeJsonFrame, type FrameRefusal } from "../../firmware-contracts/frame.ts";
import {
  CancelReport,
  decodeReport,
  HelpReport,
  PresenceReport,
  StatusReport,
} from "../../firmware-contracts/reports.ts";
import { parseUplinkTopic, type TopicRefusal, uplinkTopic } from "../../firmware-contracts/topics.ts";

/** A payload that could be read, and what it is. */
export type Message =
  | { kind: "frame"; frame: AccelFrame }
  | { kind: "presence"; report: PresenceReport }
  | { kind: "status"; report: StatusReport }
  | { kind: "help"; report: HelpReport }
  | { kind: "cancel"; report: CancelReport };

export type Refusal = TopicRefusal | FrameRefusal | "foreign-topic";

/** `reason` is of a fixed list, for counting; `detail` names the field and the bound, never the content. */
export interface Refused {
  ok: false;
  reason: Refusal;
  detail: string;
}
export type Admission = { ok: true; message: Message } | Refused;

/**
 * Says what a publish of `deviceId` is, or why it is refused. Never throws.
 * A device speaks for itself alone: another's topic is `foreign-topic`, whatever the payload.
 */
export function admit(deviceId: string, topic: string, payload: Uint8Array): Admission {
  // Nearly all there is: a device's own frames, whose topic need not be taken apart.
  if (topic === uplinkTopic(deviceId, "accel")) return as(decodeFrame(payload), (frame) => ({ kind: "frame", frame }));
  const parsed = parseUplinkTopic(topic);
  if (!parsed.ok) return parsed;
  if (parsed.deviceId !== deviceId)
    return { ok: false, reason: "foreign-topic", detail: "the topic of another device" };
  switch (parsed.uplink) {
    case "accel":
      return as(decodeFrame(payload), (frame) => ({ kind: "frame", frame }));
    case "accel-json":
      return as(decodeJsonFrame(payload), (frame) => ({ kind: "frame", frame }));
    case "presence":
      return as(decodeReport(PresenceReport, payload), (report) => ({ kind: "presence", report }));
    case "status":
      return as(decodeReport(StatusReport, payload), (report) => ({ kind: "status", report }));
    case "help":
      return as(decodeReport(HelpReport, payload), (report) => ({ kind: "help", report }));
    case "cancel":
      return as(decodeReport(CancelReport, payload), (report) => ({ kind: "cancel", report }));
  }
}

function as<T>(
  decoded: { ok: true; value: T } | { ok: false; reason: FrameRefusal; detail: string },
  make: (value: T) => Message,
): Admission {
  return decoded.ok ? { ok: true, message: make(decoded.value) } : decoded;
}

const clockToleranceMs = 60_000;

/** How far the device's clock is ahead of the gateway's, ms, by a frame; NaN where the device says that it is not set. */
export function clockAheadMs(frame: AccelFrame, arrivedAt: number): number {
  if (frame.clockUnset) return Number.NaN;
  const lastSampleAt = frame.deviceTimeMs + (frame.samples.length / 3 - 1) * (1000 / frame.rateHz);
  return lastSampleAt - (arrivedAt - frame.ageMs);
}

/**
 * Whether the device's clock disagrees with the gateway's by more than a minute though the device says that it is set.
 * Such a frame is taken like any other: its arrival and its age are what count.
 */
export const isSuspectClock = (aheadMs: number) => Math.abs(aheadMs) > clockToleranceMs;
