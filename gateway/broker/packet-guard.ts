/** Why a connection's bytes are not let through. */
export type GuardRefusal = "too-much-before-connack" | "packet-too-big" | "malformed-length" | "too-many-requests";

export interface PacketGuard {
  /** Looks at bytes on their way to the parser. A refusal is final. */
  take(chunk: Uint8Array): GuardRefusal | null;
  /** What was looked at so far ends with a packet's end. */
  readonly isBetweenPackets: boolean;
  /** The client was let in: from here on `packetBytes` is the bound. */
  letIn(): void;
  /** To be called once a second. True where one packet has been under way since `seconds` calls: its sender drips. */
  isDripping(seconds: number): boolean;
}

/** Requests, as CONNECT, SUBSCRIBE, UNSUBSCRIBE and PINGREQ, that a client may send at once, and then each second. A device sends a few a minute. */
const requestsAtOnce = 100;
const requestsPerSecond = 10;
const requestTypes = new Set([1, 8, 10, 12]);

/**
 * Follows MQTT's fixed headers (section 2.2: type, then a remaining length of one to four bytes) through a byte stream and refuses what is too big
 * by its declared length, before a parser collects any of it. Keeps no bytes.
 */
export function createPacketGuard(bytesBeforeConnack: number, packetBytes: number): PacketGuard {
  let isIn = false;
  let total = 0;
  let place: "type" | "length" | "body" = "type";
  let length = 0;
  let lengthBytes = 0;
  let bodyLeft = 0;
  let packets = 0;
  let requestsLeft = requestsAtOnce;
  let watched = 0;
  let watchedFor = 0;

  return {
    get isBetweenPackets() {
      return place === "type";
    },
    letIn() {
      isIn = true;
    },
    isDripping(seconds) {
      requestsLeft = Math.min(requestsAtOnce, requestsLeft + requestsPerSecond);
      watchedFor = place !== "type" && watched === packets ? watchedFor + 1 : 0;
      watched = packets;
      return watchedFor >= seconds;
    },
    take(chunk) {
      if (!isIn) {
        total += chunk.length;
        if (total > bytesBeforeConnack) return "too-much-before-connack";
      }
      for (let at = 0; at < chunk.length; ) {
        if (place === "body") {
          const step = Math.min(bodyLeft, chunk.length - at);
          bodyLeft -= step;
          at += step;
          if (bodyLeft === 0) place = "type";
        } else if (place === "type") {
          place = "length";
          length = 0;
          lengthBytes = 0;
          packets++;
          if (requestTypes.has(chunk[at]! >> 4) && --requestsLeft < 0) return "too-many-requests";
          at++;
        } else {
          const byte = chunk[at++]!;
          length += (byte & 0x7f) * 128 ** lengthBytes;
          lengthBytes++;
          if (length > (isIn ? packetBytes : bytesBeforeConnack)) return "packet-too-big";
          if ((byte & 0x80) !== 0) {
            if (lengthBytes === 4) return "malformed-length";
            continue;
          }
          bodyLeft = length;
          place = length === 0 ? "type" : "body";
        }
      }
      return null;
    },
  };
}
