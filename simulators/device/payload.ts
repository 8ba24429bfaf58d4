import type { z } from "zod";
import { encodeFrame, type JsonFrame } from "../../firmware-contracts/frame.ts";
import type { FrameRecord } from "./records.ts";

/** A frame as it goes out, `ageMs` after its last sample. */
export function framePayload(
  record: FrameRecord,
  ageMs: number,
  format: "binary" | "json",
  clockUnset: boolean,
): Uint8Array | string {
  const { bootId, sequence, deviceTimeMs, rateHz, rangeG, stored, samples } = record;
  if (format === "binary") {
    return encodeFrame({ bootId, sequence, deviceTimeMs, ageMs, rateHz, rangeG, stored, clockUnset, samples });
  }
  const rows: z.input<typeof JsonFrame>["samples"] = [];
  for (let i = 0; i < samples.length; i += 3) rows.push([samples[i] ?? 0, samples[i + 1] ?? 0, samples[i + 2] ?? 0]);
  const json: z.input<typeof JsonFrame> = {
    v: 1,
    boot: bootId,
    seq: sequence,
    t: deviceTimeMs,
    age: ageMs,
    rate: rateHz,
    range: rangeG,
    stored,
    clockUnset,
    samples: rows,
  };
  return JSON.stringify(json);
}
