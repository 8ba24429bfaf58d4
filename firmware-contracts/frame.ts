import { type AccelFrame, type Decoded, parseJson, unknownVersion } from "./accel-frame.ts";
import { decodeFrameV1, decodeJsonFrameV1, encodeFrameV1, readFrameV1Again } from "./frame-v1.ts";

export {
  type AccelFrame,
  clipMg,
  type Decoded,
  type FrameRefusal,
  fullScaleMg,
  maxFrameSamples,
  maxRangeG,
  maxRateHz,
  minRateHz,
  parseJson,
} from "./accel-frame.ts";
export { FrameHeader, frameFlags, frameHeaderLayout, JsonFrame } from "./frame-v1.ts";

/** No major version has a header shorter than this: a shorter payload is a torn one, whatever its first byte says. */
const shortestFrame = 32;

/** How one major version is read. */
export interface FrameReader {
  /** `inPlace`: the samples may be a view of the payload, instead of a copy. */
  bytes(payload: Uint8Array, inPlace: boolean): Decoded<AccelFrame>;
  json(parsed: unknown): Decoded<AccelFrame>;
  /** See `readFrameAgain`; left out where that is never so. */
  again?(payload: Uint8Array, into: AccelFrame): boolean;
}
export type FrameReaders = ReadonlyMap<number, FrameReader>;

/**
 * Every major version that a gateway reads. A new one gets a line and a file `frame-v<N>.ts`; no line is ever taken out,
 * because devices of that version are worn and journals of that version are on disks.
 */
export const frameReaders: FrameReaders = new Map([
  [1, { bytes: decodeFrameV1, json: decodeJsonFrameV1, again: readFrameV1Again }],
]);

/** Writes a frame as bytes of the newest version. Throws a ZodError where a header field is out of its bounds. */
export const encodeFrame: (frame: AccelFrame) => Uint8Array = encodeFrameV1;

/** Reads a binary frame of any version in `readers`. Never throws: what is wrong comes back as a reason to count and a detail to log. */
export function decodeFrame(bytes: Uint8Array, readers: FrameReaders = frameReaders): Decoded<AccelFrame> {
  return decode(bytes, readers, false);
}

/** As `decodeFrame`, for bytes that nobody changes any more: the frame's samples may be a view of them. */
export function decodeFrameInPlace(bytes: Uint8Array): Decoded<AccelFrame> {
  return decode(bytes, frameReaders, true);
}

/**
 * Reads another frame into the object of an earlier one, whose samples are a view of these same bytes. Returns false where the bytes hold no good frame of
 * as many samples; the object then means nothing, and `decodeFrame` says why.
 */
export function readFrameAgain(bytes: Uint8Array, into: AccelFrame): boolean {
  return frameReaders.get(bytes[0] ?? 0)?.again?.(bytes, into) ?? false;
}

function decode(bytes: Uint8Array, readers: FrameReaders, inPlace: boolean): Decoded<AccelFrame> {
  if (bytes.length < shortestFrame) {
    return { ok: false, reason: "too-short", detail: `${bytes.length} bytes; a header has ${shortestFrame}` };
  }
  const reader = readers.get(bytes[0] ?? 0);
  return reader ? reader.bytes(bytes, inPlace) : unknownVersion("frame", bytes[0], readers.keys());
}

/** Reads a JSON frame of any version in `readers`. Never throws. */
export function decodeJsonFrame(bytes: Uint8Array, readers: FrameReaders = frameReaders): Decoded<AccelFrame> {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed;
  const version = (parsed.value as { v?: unknown } | null)?.v;
  if (typeof version !== "number") {
    return { ok: false, reason: "bad-header", detail: "v: the major version is missing or no number" };
  }
  return readers.get(version)?.json(parsed.value) ?? unknownVersion("frame", version, readers.keys());
}
