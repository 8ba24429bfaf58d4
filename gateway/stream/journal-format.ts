import { crc32 } from "node:zlib";
import type { WallMs } from "../../firmware-contracts/clock.ts";

/**
 * One entry of the journal. `frame`: a frame as the device's bytes (firmware-contracts/frame.ts). `cancel`: the wearer's cancel, no bytes.
 * `decided`: nothing of this device before here is undecided.
 */
export interface JournalRecord {
  kind: "frame" | "cancel" | "decided";
  deviceId: string;
  /** Frame: its arrival. Cancel: when it was pressed. Decided: when. In the gateway's steady time. */
  at: WallMs;
  bytes: Uint8Array;
}

const kinds = ["frame", "cancel", "decided"] as const;
const frameBytes = 8;
const headBytes = 10;

/**
 * Records one after another. Each is `length (u32) crc32 (u32)`, then `length` bytes: kind (u8), id length (u8), time (f64), id, bytes. Little-endian.
 * Into one buffer: when a whole building falls, thousands are written at once.
 */
export function encodeRecords(records: readonly JournalRecord[]): Buffer {
  let total = 0;
  // An id has no more bytes in UTF-8 than characters: it is ASCII.
  for (const { deviceId, bytes } of records) total += frameBytes + headBytes + deviceId.length + bytes.length;
  const buffer = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { kind, deviceId, at: time, bytes } of records) {
    const body = headBytes + deviceId.length + bytes.length;
    const from = at + frameBytes;
    buffer.writeUInt32LE(body, at);
    buffer[from] = kinds.indexOf(kind);
    buffer[from + 1] = deviceId.length;
    buffer.writeDoubleLE(time, from + 2);
    buffer.write(deviceId, from + headBytes, "latin1");
    buffer.set(bytes, from + headBytes + deviceId.length);
    at = from + body;
    buffer.writeUInt32LE(crc32(buffer.subarray(from, at)), from - 4);
  }
  return buffer;
}

/** Reads records up to the end, or up to the first that is torn or damaged. `torn` is how many bytes were left unread. */
export function decodeRecords(segment: Buffer): { records: JournalRecord[]; torn: number } {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at + frameBytes + headBytes <= segment.length) {
    const length = segment.readUInt32LE(at);
    const end = at + frameBytes + length;
    if (length < headBytes || end > segment.length) break;
    const body = segment.subarray(at + frameBytes, end);
    if (crc32(body) !== segment.readUInt32LE(at + 4)) break;
    const kind = kinds[body.readUInt8(0)];
    const idEnd = headBytes + body.readUInt8(1);
    if (!kind || idEnd > length) break;
    records.push({
      kind,
      deviceId: body.toString("latin1", headBytes, idEnd),
      at: body.readDoubleLE(2),
      bytes: body.subarray(idEnd),
    });
    at = end;
  }
  return { records, torn: segment.length - at };
}
