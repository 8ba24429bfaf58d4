// What a frame means, whichever version of the contract brought it.

/** Most samples in one frame: 5 s at 200 Hz. A frame then has 6,032 bytes. */
export const maxFrameSamples = 1000;
/** Rates a gateway takes, in hertz. */
export const minRateHz = 20;
export const maxRateHz = 200;
/** Largest full scale a frame can state, in g: beyond it int16 in milli-g ends. */
export const maxRangeG = 32;

/** An accelerometer frame, however it came. `samples` is x, y, z interleaved, in milli-g, `3 × count` long. */
export interface AccelFrame {
  bootId: number;
  sequence: number;
  deviceTimeMs: number;
  ageMs: number;
  rateHz: number;
  rangeG: number;
  stored: boolean;
  clockUnset: boolean;
  samples: Int16Array;
}

export type FrameRefusal =
  | "too-short"
  | "wrong-length"
  | "unknown-version"
  | "bad-rate"
  | "bad-header"
  | "bad-json"
  | "bad-sample";
export type Refused = { ok: false; reason: FrameRefusal; detail: string };
export type Decoded<T> = { ok: true; value: T } | Refused;

/** Largest value of an axis, milli-g, that a sensor of this full scale (g) can show: it clips there, and int16 ends at 32,767. */
export function fullScaleMg(rangeG: number): number {
  return Math.min(32_767, rangeG * 1000);
}

/** What a sensor of `rangeG` g full scale shows of `mg` milli-g on one axis. A sensor's own overshoot past its scale is cut too. */
export function clipMg(mg: number, rangeG: number): number {
  const limit = fullScaleMg(rangeG);
  return Math.max(-limit, Math.min(limit, Math.round(mg)));
}

/** A payload of a major version that this side does not speak. */
export function unknownVersion(what: string, version: unknown, spoken: Iterable<number>): Refused {
  return {
    ok: false,
    reason: "unknown-version",
    detail: `${what} version ${version}; this gateway reads ${[...spoken].join(", ")}`,
  };
}

/** Parses UTF-8 JSON without throwing. */
export function parseJson(bytes: Uint8Array): Decoded<unknown> {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch (error) {
    return { ok: false, reason: "bad-json", detail: error instanceof Error ? error.message.slice(0, 80) : "not JSON" };
  }
}
