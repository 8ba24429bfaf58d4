import { uplinkTopic } from "../../firmware-contracts/topics.ts";

// MQTT 3.1.1 packets as bytes. The load writes them by itself: a client library would cost more than the brokers that are measured.

export const connackLength = 4;
export const pubackLength = 4;

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u16(bytes.length), bytes]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function packet(type: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = body.length; ; ) {
    const low = left % 128;
    left = Math.floor(left / 128);
    length.push(left > 0 ? low | 0x80 : low);
    if (left === 0) break;
  }
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** CONNECT with a clean session, user name and password; keep-alive 0, so that an idle connection is really idle. */
export function connectPacket(deviceId: string, secret: string): Buffer {
  return packet(0x10, text("MQTT"), Buffer.from([4, 0xc2, 0, 0]), text(deviceId), text(deviceId), text(secret));
}

/** SUBSCRIBE to everything at QoS 0: what costs a broker least. */
export function subscribePacket(): Buffer {
  return packet(0x82, u16(1), text("#"), Buffer.from([0]));
}

/** PUBLISH at QoS 1 of a frame. `payloadAt` is where the payload begins. */
export function framePacket(deviceId: string, packetId: number, payload: Uint8Array): Buffer {
  return packet(0x32, text(uplinkTopic(deviceId, "accel")), u16(packetId), payload);
}

export const disconnectPacket = Buffer.from([0xe0, 0]);
