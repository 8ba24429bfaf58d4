import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type AccelFrame,
  decodeFrame,
  decodeJsonFrame,
  encodeFrame,
  type FrameReaders,
  frameReaders,
} from "./frame.ts";
import { CancelReport, decodeReport, HelpReport, PresenceReport, StatusReport } from "./reports.ts";
import { parseUplinkTopic } from "./topics.ts";

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const frame: AccelFrame = {
  bootId: 1,
  sequence: 2,
  deviceTimeMs: 3,
  ageMs: 4,
  rateHz: 50,
  rangeG: 8,
  stored: false,
  clockUnset: false,
  samples: Int16Array.from([1, 2, 3]),
};

function ofVersion(version: number): Uint8Array {
  const bytes = encodeFrame(frame);
  bytes[0] = version;
  return bytes;
}

describe("a gateway that meets a newer major version", () => {
  test.each([0, 2, 3, 255])("refuses a binary frame of version %i by that name, and says which it reads", (version) => {
    const detail = `frame version ${version}; this gateway reads 1`;
    expect(decodeFrame(ofVersion(version))).toEqual({ ok: false, reason: "unknown-version", detail });
  });

  test("says so whatever else has changed in it", () => {
    const next = new Uint8Array(64).fill(0xff);
    next[0] = 2;
    expect(decodeFrame(next)).toMatchObject({ ok: false, reason: "unknown-version" });
    const json = bytesOf({ v: 2, all: "new" });
    expect(decodeJsonFrame(json)).toEqual({
      ok: false,
      reason: "unknown-version",
      detail: "frame version 2; this gateway reads 1",
    });
    for (const schema of [HelpReport, CancelReport, PresenceReport, StatusReport])
      expect(decodeReport(schema, json)).toMatchObject({ ok: false, reason: "unknown-version" });
    expect(parseUplinkTopic("fallvakt/v2/watch-17/accel")).toMatchObject({ ok: false, reason: "unknown-version" });
  });
});

describe("a gateway that has learnt version 2", () => {
  // What it says is of no matter here.
  const readers: FrameReaders = new Map([
    ...frameReaders,
    [
      2,
      {
        bytes: () => ({ ok: true, value: { ...frame, sequence: 222 } }) as const,
        json: () => ({ ok: true, value: { ...frame, sequence: 222 } }) as const,
      },
    ],
  ]);

  test("still reads every frame of version 1 as it was", () => {
    const { good, refused } = JSON.parse(readFileSync(new URL("vectors/frames.json", import.meta.url), "utf8"));
    const whole = good.filter(({ hex }: { hex?: string }) => hex);
    expect(whole.length).toBeGreaterThanOrEqual(6);
    for (const { name, hex, fields, samples } of whole) {
      const value = { ...fields, samples: Int16Array.from(samples) };
      expect(decodeFrame(Buffer.from(hex, "hex"), readers), name).toEqual({ ok: true, value });
    }
    for (const { name, hex, reason } of refused) {
      if (name === "version 2") continue;
      expect(decodeFrame(Buffer.from(hex, "hex"), readers), name).toMatchObject({ ok: false, reason });
    }
    const json = JSON.parse(readFileSync(new URL("vectors/json-frames.json", import.meta.url), "utf8"));
    for (const { name, text, fields, samples } of json.good) {
      const value = { ...fields, samples: Int16Array.from(samples) };
      expect(decodeJsonFrame(new TextEncoder().encode(text), readers), name).toEqual({ ok: true, value });
    }
  });

  test("reads version 2 by its own reader, and refuses 3", () => {
    expect(decodeFrame(ofVersion(2), readers)).toMatchObject({ ok: true, value: { sequence: 222 } });
    expect(decodeJsonFrame(bytesOf({ v: 2 }), readers)).toMatchObject({ ok: true, value: { sequence: 222 } });
    const detail = "frame version 3; this gateway reads 1, 2";
    expect(decodeFrame(ofVersion(3), readers)).toEqual({ ok: false, reason: "unknown-version", detail });
  });
});

test("every version that was ever sent has a reader", () => {
  expect([...frameReaders.keys()]).toEqual([1]);
});
