import { z } from "zod";

/** The topic root of this contract. The number is the major version: a gateway refuses one it does not know. */
export const topicRoot = "fallvakt";
export const topicVersion = 1;

/**
 * A device's id: lower-case letters, digits and hyphens, 3 to 32 characters, starting with a letter or digit.
 * It is also the MQTT user name and client id, so it holds none of MQTT's special characters.
 */
export const DeviceId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{2,31}$/, "3 to 32 lower-case letters, digits and hyphens")
  .meta({ id: "DeviceId", description: "A device's id; also its MQTT user name and client id" });
export type DeviceId = z.infer<typeof DeviceId>;

/** What a device may publish, by the last level of its topic. */
export const uplinks = {
  accel: "Accelerometer frame, binary",
  "accel-json": "Accelerometer frame, JSON",
  presence: "Presence report, JSON",
  status: "Device status, JSON; also the last will",
  help: "Help button pressed, JSON",
  cancel: "The wearer's own cancel, JSON",
} as const;
export type Uplink = keyof typeof uplinks;

/** `fallvakt/v1/<deviceId>/<uplink>` */
export function uplinkTopic(deviceId: string, uplink: Uplink): string {
  return `${topicRoot}/v${topicVersion}/${deviceId}/${uplink}`;
}

/** `fallvakt/v1/<deviceId>/down/#`: all that is sent to one device. */
export function downlinkFilter(deviceId: string): string {
  return `${topicRoot}/v${topicVersion}/${deviceId}/down/#`;
}

/** What is sent to a device, by the last level of its topic. */
export const downlinks = {
  time: "The gateway's wall time, binary (TimeSync)",
} as const;
export type Downlink = keyof typeof downlinks;

/** `fallvakt/v1/<deviceId>/down/<downlink>` */
export function downlinkTopic(deviceId: string, downlink: Downlink): string {
  return `${topicRoot}/v${topicVersion}/${deviceId}/down/${downlink}`;
}

export type TopicRefusal = "unknown-topic" | "unknown-version" | "bad-device-id";
export type ParsedTopic =
  | { ok: true; deviceId: string; uplink: Uplink }
  | { ok: false; reason: TopicRefusal; detail: string };

/** Takes an uplink topic apart. Never throws; the reason is one of a fixed list, for counting. */
export function parseUplinkTopic(topic: string): ParsedTopic {
  // A topic of ours has four levels; splitting at most five pieces keeps a topic of 1,000 levels cheap.
  const [root, version, deviceId = "", uplink = "", ...rest] = topic.split("/", 5);
  if (root !== topicRoot) return { ok: false, reason: "unknown-topic", detail: `does not start with ${topicRoot}/` };
  if (version !== `v${topicVersion}`) {
    const known = /^v\d{1,4}$/.test(version ?? "") ? "unknown-version" : "unknown-topic";
    return { ok: false, reason: known, detail: `this gateway speaks ${topicRoot}/v${topicVersion}` };
  }
  if (!DeviceId.safeParse(deviceId).success) return { ok: false, reason: "bad-device-id", detail: "bad device id" };
  if (rest.length > 0 || !Object.hasOwn(uplinks, uplink)) {
    return {
      ok: false,
      reason: "unknown-topic",
      detail: `the last level is one of ${Object.keys(uplinks).join(", ")}`,
    };
  }
  return { ok: true, deviceId, uplink: uplink as Uplink };
}
