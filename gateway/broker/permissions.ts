import type { Client, PublishPacket, Subscription } from "aedes";
import { downlinkFilter } from "../../firmware-contracts/topics.ts";
import type { Admission } from "./broker.ts";
import type { FrameLaneOptions } from "./frame-lane.ts";

/** CONNACK's return codes, MQTT 3.1.1 section 3.2.2.3. */
export const returnCodes = {
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserOrSecret: 4,
  notAuthorized: 5,
} as const;

/** Why a client is not let in: what CONNACK says, and the reason it is counted under. */
export class Refused extends Error {
  override name = "Refused";
  readonly returnCode: number;
  readonly reason: string;
  constructor(message: string, returnCode: number, reason: string) {
    super(message);
    this.returnCode = returnCode;
    this.reason = reason;
  }
}

/** What is known of a connection when its CONNECT has come. */
export interface Caller {
  user: string | undefined;
  secret: Buffer | undefined;
  /** The common name in the certificate that the client showed, where one of our authority's was valid; else null. */
  certificate: string | null;
  will: { topic: string } | undefined;
}

export type Done = (error?: Error | null) => void;
export type Granted = (error: Error | null, subscription?: Subscription | null) => void;

/** Who comes in, and what they may say and hear: the broker asks before everything it does. */
export interface Permissions {
  /** @throws Refused */
  admit(client: Client, caller: Caller): Promise<Admission>;
  /** Where `done` gets an error there is no acknowledgement, and the connection is closed. */
  publish(client: Client | null, packet: PublishPacket, done: Done): void;
  /** The topic whose PUBLISHes (QoS 0 and 1, not retained) of this client go the short way, and where to; left out or null where there is none. */
  frames?(client: Client): Pick<FrameLaneOptions, "topic" | "take"> | null;
  /** `done(null, null)` refuses the filter. */
  subscribe(client: Client, subscription: Subscription, done: Granted): void;
  /** Whether the client may have a message of this topic. */
  mayHear(client: Client, topic: string): boolean;
  /** The connection is gone. */
  gone(client: Client): void;
}

/** Whether a topic or filter is below the device's own `down/`. */
export function isBelowOwn(deviceId: string, topic: string): boolean {
  const own = downlinkFilter(deviceId);
  return topic === own || topic.startsWith(own.slice(0, -1));
}

/** Whether a topic is one of the device's own, up or down. */
export function isOwn(deviceId: string, topic: string): boolean {
  return topic.startsWith(downlinkFilter(deviceId).slice(0, -"down/#".length));
}
