import { z } from "zod";
import { type Decoded, unknownVersion } from "./accel-frame.ts";
import { binaryField, layoutOf, readFields, writeFields } from "./binary.ts";

/** A gateway whose clock shows an earlier time has not got its own set, and tells nobody: 2025-01-01 UTC, ms. */
export const earliestTimeSync = Date.UTC(2025, 0, 1);

/**
 * The gateway's wall time for one device, 16 bytes, on `down/time`. Sent at QoS 0 and never retained, in answer to a `birth` and to a `heartbeat`:
 * a copy that was kept for a device would tell an old time.
 */
export const TimeSync = z
  .object({
    version: binaryField("u8", "Major version of this message: 1"),
    reserved: binaryField("u8", "0"),
    reserved2: binaryField("u16", "0"),
    bootId: binaryField("u32", "Boot id of the status that this answers; the device ignores one of another start"),
    wallMs: binaryField("u64", "The gateway's wall time when it was sent, ms since 1970 UTC").min(earliestTimeSync),
  })
  .meta({ id: "TimeSync", description: "The gateway's wall time, for a device to set its clock by" });
export type TimeSync = z.infer<typeof TimeSync>;

export const timeSyncLayout = layoutOf(TimeSync);

/** Writes the message. Throws a ZodError where the time is earlier than `earliestTimeSync` or the boot id is none. */
export function encodeTimeSync({ bootId, wallMs }: { bootId: number; wallMs: number }): Uint8Array {
  const fields = TimeSync.parse({ version: 1, reserved: 0, reserved2: 0, bootId, wallMs });
  const bytes = new Uint8Array(timeSyncLayout.size);
  writeFields(timeSyncLayout, new DataView(bytes.buffer), fields);
  return bytes;
}

/** Reads the message as a device does. Never throws. */
export function decodeTimeSync(bytes: Uint8Array): Decoded<{ bootId: number; wallMs: number }> {
  const { size } = timeSyncLayout;
  if (bytes.length < size) return { ok: false, reason: "too-short", detail: `${bytes.length} bytes; it has ${size}` };
  if (bytes[0] !== 1) return unknownVersion("time", bytes[0], [1]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checked = TimeSync.safeParse(readFields(timeSyncLayout, view));
  if (!checked.success) {
    const issue = checked.error.issues[0];
    return { ok: false, reason: "bad-header", detail: `${issue?.path.join(".")}: ${issue?.message}` };
  }
  if (bytes.length > size)
    return { ok: false, reason: "wrong-length", detail: `${bytes.length} bytes; it has ${size}` };
  return { ok: true, value: { bootId: checked.data.bootId, wallMs: checked.data.wallMs } };
}
