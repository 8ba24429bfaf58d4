import { z } from "zod";
import {
  type AccelFrame,
  type Decoded,
  maxFrameSamples,
  maxRangeG,
  maxRateHz,
  minRateHz,
  type Refused,
} from "./accel-frame.ts";
import { binaryField, layoutOf, readFields, writeFields } from "./binary.ts";

// Version 1 of the frame, in bytes and in JSON. Devices in homes speak it for years: it is read as long as there are gateways.

/** Bits of a frame's `flags`. */
export const frameFlags = {
  /** Kept on the device while there was no network, and sent later. */
  stored: 1,
  /** The device has not set its clock since it started: `deviceTimeMs` counts from its start. */
  clockUnset: 2,
} as const;

/**
 * The header of a binary accelerometer frame, 32 bytes, followed by `sampleCount` × (x, y, z) as little-endian int16 in milli-g.
 * The order of the fields is the order of the bytes; each lies at a multiple of its own size, so that a C struct has the same layout without packing.
 */
export const FrameHeader = z
  .object({
    version: binaryField("u8", "Major version of this contract: 1"),
    flags: binaryField("u8", "Bit 0: stored on the device and sent later. Bit 1: clock not set"),
    rangeG: binaryField("u8", "Full scale of the sensor in g; readings clip there").min(1).max(maxRangeG),
    reserved: binaryField("u8", "0"),
    bootId: binaryField("u32", "Chosen at random, or counted up, each time the device starts"),
    sequence: binaryField("u32", "Counts frames since the device started, from 0"),
    ageMs: binaryField("u32", "How long ago the last sample was taken when the frame was handed to the network, ms"),
    deviceTimeMs: binaryField(
      "u64",
      "Time of the first sample by the device's clock, ms since 1970 or since its start",
    ),
    rateHz: binaryField("u16", "Samples per second", 100).min(minRateHz).max(maxRateHz),
    sampleCount: binaryField("u16", "Samples that follow; each is x, y, z").min(1).max(maxFrameSamples),
    reserved2: binaryField("u32", "0"),
  })
  .meta({ id: "FrameHeader", description: "Header of a binary accelerometer frame" });
export type FrameHeader = z.infer<typeof FrameHeader>;

export const frameHeaderLayout = layoutOf(FrameHeader);
const at = Object.fromEntries(frameHeaderLayout.fields.map(({ name, offset }) => [name, offset])) as Record<
  keyof FrameHeader,
  number
>;
const rateScale = frameHeaderLayout.fields.find(({ name }) => name === "rateHz")!.scale;

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Writes a frame as bytes. Throws a ZodError where a header field is out of its bounds. */
export function encodeFrameV1(frame: AccelFrame): Uint8Array {
  const count = frame.samples.length / 3;
  const header = FrameHeader.parse({
    version: 1,
    flags: (frame.stored ? frameFlags.stored : 0) | (frame.clockUnset ? frameFlags.clockUnset : 0),
    rangeG: frame.rangeG,
    reserved: 0,
    bootId: frame.bootId,
    sequence: frame.sequence,
    deviceTimeMs: frame.deviceTimeMs,
    ageMs: frame.ageMs,
    rateHz: frame.rateHz,
    sampleCount: count,
    reserved2: 0,
  });
  const bytes = new Uint8Array(frameHeaderLayout.size + count * 6);
  const view = new DataView(bytes.buffer);
  writeFields(frameHeaderLayout, view, header);
  if (hostIsLittleEndian) new Int16Array(bytes.buffer, frameHeaderLayout.size).set(frame.samples);
  else for (const [i, value] of frame.samples.entries()) view.setInt16(frameHeaderLayout.size + i * 2, value, true);
  return bytes;
}

/** Reads a binary frame of version 1; whoever calls has looked at the version. Never throws. */
export function decodeFrameV1(bytes: Uint8Array, inPlace = false): Decoded<AccelFrame> {
  if (bytes.length < frameHeaderLayout.size) {
    return { ok: false, reason: "too-short", detail: `${bytes.length} bytes; a header has ${frameHeaderLayout.size}` };
  }
  const header = readHeader(bytes);
  if (!isWithinBounds(header)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const checked = FrameHeader.safeParse(readFields(frameHeaderLayout, view));
    if (!checked.success) return refusedHeader(checked.error);
  }
  const expected = frameHeaderLayout.size + header.sampleCount * 6;
  if (bytes.length !== expected) {
    return { ok: false, reason: "wrong-length", detail: `${bytes.length} bytes; the header says ${expected}` };
  }
  return {
    ok: true,
    value: {
      bootId: header.bootId,
      sequence: header.sequence,
      deviceTimeMs: header.deviceTimeMs,
      ageMs: header.ageMs,
      rateHz: header.rateHz,
      rangeG: header.rangeG,
      stored: (header.flags & frameFlags.stored) !== 0,
      clockUnset: (header.flags & frameFlags.clockUnset) !== 0,
      samples: readSamples(bytes, header.sampleCount * 3, inPlace),
    },
  };
}

/** As `readFrameAgain`, for bytes of version 1. */
export function readFrameV1Again(bytes: Uint8Array, into: AccelFrame): boolean {
  if (bytes.length < frameHeaderLayout.size) return false;
  const header = readHeader(bytes);
  const values = header.sampleCount * 3;
  if (!isWithinBounds(header) || bytes.length !== frameHeaderLayout.size + values * 2) return false;
  if (into.samples.length !== values) return false;
  into.bootId = header.bootId;
  into.sequence = header.sequence;
  into.deviceTimeMs = header.deviceTimeMs;
  into.ageMs = header.ageMs;
  into.rateHz = header.rateHz;
  into.rangeG = header.rangeG;
  into.stored = (header.flags & frameFlags.stored) !== 0;
  into.clockUnset = (header.flags & frameFlags.clockUnset) !== 0;
  return true;
}

type ReadHeader = Omit<FrameHeader, "version" | "reserved" | "reserved2">;

const u16 = (bytes: Uint8Array, offset: number) => bytes[offset]! | (bytes[offset + 1]! << 8);
const u32 = (bytes: Uint8Array, offset: number) => u16(bytes, offset) + u16(bytes, offset + 2) * 65_536;

/** By hand: a DataView for each frame costs more than all its fields. */
function readHeader(bytes: Uint8Array): ReadHeader {
  return {
    flags: bytes[at.flags]!,
    rangeG: bytes[at.rangeG]!,
    bootId: u32(bytes, at.bootId),
    sequence: u32(bytes, at.sequence),
    ageMs: u32(bytes, at.ageMs),
    deviceTimeMs: u32(bytes, at.deviceTimeMs + 4) * 2 ** 32 + u32(bytes, at.deviceTimeMs),
    rateHz: u16(bytes, at.rateHz) / rateScale,
    sampleCount: u16(bytes, at.sampleCount),
  };
}

/**
 * Whether FrameHeader would take what these bytes hold, for the bounds that bytes of their type can break at all. Zod on each header costs a gateway
 * a fifth of its throughput; it is asked where this says no, and gives the reason.
 */
function isWithinBounds(header: ReadHeader): boolean {
  const { rangeG, rateHz, sampleCount, deviceTimeMs } = header;
  return (
    rangeG >= 1 &&
    rangeG <= maxRangeG &&
    rateHz >= minRateHz &&
    rateHz <= maxRateHz &&
    sampleCount >= 1 &&
    sampleCount <= maxFrameSamples &&
    Number.isSafeInteger(deviceTimeMs)
  );
}

function readSamples(bytes: Uint8Array, values: number, inPlace: boolean): Int16Array {
  const start = bytes.byteOffset + frameHeaderLayout.size;
  if (hostIsLittleEndian && inPlace && start % 2 === 0) return new Int16Array(bytes.buffer, start, values);
  if (hostIsLittleEndian) return new Int16Array(bytes.buffer.slice(start, start + values * 2));
  const view = new DataView(bytes.buffer, start, values * 2);
  return Int16Array.from({ length: values }, (_, i) => view.getInt16(i * 2, true));
}

function refusedHeader(error: z.ZodError): Refused {
  const issue = error.issues[0];
  const field = String(issue?.path[0] ?? "");
  const reason = field === "rateHz" || field === "rate" ? "bad-rate" : "bad-header";
  return { ok: false, reason, detail: `${field}: ${issue?.message ?? "invalid"}` };
}

const milliG = z.number().min(-32768).max(32767);

/** The same frame as JSON, for devices that cannot pack bytes. Sample values are milli-g. */
export const JsonFrame = z
  .object({
    v: z.literal(1),
    boot: FrameHeader.shape.bootId,
    seq: FrameHeader.shape.sequence,
    t: FrameHeader.shape.deviceTimeMs,
    age: FrameHeader.shape.ageMs.default(0),
    rate: FrameHeader.shape.rateHz,
    range: FrameHeader.shape.rangeG,
    stored: z.boolean().default(false),
    clockUnset: z.boolean().default(false),
    samples: z
      .array(z.tuple([milliG, milliG, milliG]))
      .min(1)
      .max(maxFrameSamples)
      .meta({ description: "x, y, z in milli-g" }),
  })
  .meta({ id: "JsonFrame", description: "An accelerometer frame as JSON" });

// Sample arrays are checked by bounds in a loop: zod on each number costs half the gateway's throughput.
const JsonFrameHead = JsonFrame.omit({ samples: true });

/** Reads a JSON frame of version 1 that has been parsed. Never throws. */
export function decodeJsonFrameV1(parsed: unknown): Decoded<AccelFrame> {
  const head = JsonFrameHead.safeParse(parsed);
  if (!head.success) return refusedHeader(head.error);
  const rows = (parsed as { samples?: unknown }).samples;
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > maxFrameSamples) {
    return { ok: false, reason: "wrong-length", detail: `samples: 1 to ${maxFrameSamples} rows of x, y, z` };
  }
  const samples = new Int16Array(rows.length * 3);
  for (let i = 0; i < rows.length; i++) {
    const row: unknown = rows[i];
    if (!Array.isArray(row) || row.length !== 3) {
      return { ok: false, reason: "bad-sample", detail: `row ${i} is not x, y, z` };
    }
    for (let axis = 0; axis < 3; axis++) {
      const value: unknown = row[axis];
      // NaN and infinities fail both comparisons, and so does anything that is no number.
      if (!(typeof value === "number" && value >= -32768 && value <= 32767)) {
        return { ok: false, reason: "bad-sample", detail: `row ${i} holds a value that is no int16` };
      }
      samples[i * 3 + axis] = Math.round(value);
    }
  }
  const { boot, seq, t, age, rate, range, stored, clockUnset } = head.data;
  return {
    ok: true,
    value: {
      bootId: boot,
      sequence: seq,
      deviceTimeMs: t,
      ageMs: age,
      rateHz: rate,
      rangeG: range,
      stored,
      clockUnset,
      samples,
    },
  };
}
