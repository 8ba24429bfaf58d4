import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binaryTypes, readFields } from "./binary.ts";
import {
  type AccelFrame,
  decodeFrame,
  decodeJsonFrame,
  encodeFrame,
  FrameHeader,
  frameHeaderLayout,
  parseJson,
} from "./frame.ts";

const frames: fc.Arbitrary<AccelFrame> = fc.record({
  bootId: fc.integer({ min: 0, max: 0xffff_ffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  deviceTimeMs: fc.maxSafeNat(),
  ageMs: fc.integer({ min: 0, max: 0xffff_ffff }),
  rateHz: fc.integer({ min: 2000, max: 20_000 }).map((hundredths) => hundredths / 100),
  rangeG: fc.integer({ min: 1, max: 32 }),
  stored: fc.boolean(),
  clockUnset: fc.boolean(),
  samples: fc
    .array(fc.tuple(fc.integer({ min: -32768, max: 32767 }), fc.integer({ min: -32768, max: 32767 }), fc.nat(32767)), {
      minLength: 1,
      maxLength: 40,
    })
    .map((rows) => Int16Array.from(rows.flat())),
});

describe("a binary frame", () => {
  test("has the bytes that were written out by hand", () => {
    const bytes = encodeFrame({
      bootId: 0x01020304,
      sequence: 5,
      deviceTimeMs: 0x0102_0304_05,
      ageMs: 258,
      rateHz: 31.25,
      rangeG: 8,
      stored: true,
      clockUnset: true,
      samples: Int16Array.from([1, -1, -1000]),
    });
    const byHand = [
      "01 03 08 00", // version, flags, range, reserved
      "04 03 02 01", // boot id
      "05 00 00 00", // sequence
      "02 01 00 00", // age
      "05 04 03 02 01 00 00 00", // device time
      "35 0c 01 00", // 3125 hundredths of a hertz, 1 sample
      "00 00 00 00", // reserved
      "01 00 ff ff 18 fc", // x, y, z
    ].join(" ");
    expect(Buffer.from(bytes).toString("hex")).toBe(byHand.replaceAll(" ", ""));
  });

  test("has a header of 32 bytes in which every field lies at a multiple of its size", () => {
    expect(frameHeaderLayout.size).toBe(32);
    for (const { type, offset } of frameHeaderLayout.fields) expect(offset % binaryTypes[type]).toBe(0);
  });

  test("is read back as it was written, at any offset in a buffer", () => {
    fc.assert(
      fc.property(frames, fc.nat(7), (frame, shift) => {
        const bytes = encodeFrame(frame);
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        expect(decodeFrame(shifted.subarray(shift))).toEqual({ ok: true, value: frame });
      }),
    );
  });

  test("is not written where a value is out of bounds", () => {
    fc.assert(
      fc.property(frames, fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 53), (frame, value) => {
        for (const field of ["bootId", "sequence", "deviceTimeMs", "ageMs", "rateHz", "rangeG"] as const) {
          expect(() => encodeFrame({ ...frame, [field]: value })).toThrow();
        }
        expect(() => encodeFrame({ ...frame, samples: new Int16Array(4) })).toThrow();
        expect(() => encodeFrame({ ...frame, samples: new Int16Array(3003) })).toThrow();
      }),
    );
  });
});

describe("no bytes make a decoder throw", () => {
  const reasons = /^(too-short|wrong-length|unknown-version|bad-rate|bad-header|bad-json|bad-sample)$/;
  const check = (bytes: Uint8Array) => {
    for (const decoded of [decodeFrame(bytes), decodeJsonFrame(bytes), parseJson(bytes)]) {
      if (!decoded.ok) expect(decoded.reason).toMatch(reasons);
    }
  };

  test("any bytes", () => fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 2000 }));

  test("a good frame with some bytes changed or cut", () => {
    const hit = fc.record({ frame: frames, at: fc.nat(60), byte: fc.nat(255), cut: fc.nat(80) });
    const change = fc.property(hit, ({ frame, at, byte, cut }) => {
      const bytes = encodeFrame(frame);
      if (at < bytes.length) bytes[at] = byte;
      check(bytes.subarray(0, Math.max(0, bytes.length - cut)));
    });
    fc.assert(change, { numRuns: 1000 });
  });

  test("any JSON", () => {
    const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    fc.assert(fc.property(fc.jsonValue(), (value) => check(bytesOf(value))));
    const nearly = fc.record(
      {
        v: fc.constantFrom<unknown>(1, 2, "1", null),
        boot: fc.nat(),
        seq: fc.nat(),
        t: fc.nat(),
        rate: fc.constantFrom<unknown>(50, 10, Number.NaN, "50"),
        range: fc.constantFrom(4, 0, 99),
        samples: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const text = (value: unknown) => {
      try {
        return bytesOf(value);
      } catch {
        return bytesOf(null);
      }
    };
    fc.assert(
      fc.property(nearly, (value) => check(text(value))),
      { numRuns: 1000 },
    );
    check(new TextEncoder().encode("[".repeat(500_000)));
    check(Uint8Array.from([0xff, 0xfe, 0x7b]));
  });
});

test("a JSON frame says the same as a binary one", () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const rows = Array.from({ length: frame.samples.length / 3 }, (_, i) => [
        ...frame.samples.slice(i * 3, i * 3 + 3),
      ]);
      const json = {
        v: 1,
        boot: frame.bootId,
        seq: frame.sequence,
        t: frame.deviceTimeMs,
        age: frame.ageMs,
        rate: frame.rateHz,
        range: frame.rangeG,
        stored: frame.stored,
        clockUnset: frame.clockUnset,
        samples: rows,
      };
      expect(decodeJsonFrame(new TextEncoder().encode(JSON.stringify(json)))).toEqual({ ok: true, value: frame });
    }),
  );
});

test("the decoder's own bounds are the schema's: any header is taken by both or by neither", () => {
  const bytesOf = (header: number[]) => {
    const bytes = new Uint8Array(frameHeaderLayout.size).map((_, i) => header[i] ?? 0);
    bytes[0] = 1;
    return bytes;
  };
  // Small numbers now and then: otherwise nearly every header is refused for its sample count.
  const header = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })), {
    minLength: frameHeaderLayout.size,
    maxLength: frameHeaderLayout.size,
  });
  let taken = 0;
  fc.assert(
    fc.property(header, (values) => {
      const bytes = bytesOf(values);
      const fields = readFields(frameHeaderLayout, new DataView(bytes.buffer));
      const bySchema = FrameHeader.safeParse(fields).success;
      const decoded = decodeFrame(bytes);
      // Without its samples a good header's frame is too short, and nothing else is wrong with it.
      const byDecoder = !decoded.ok && decoded.reason === "wrong-length";
      if (bySchema) taken++;
      expect(byDecoder).toBe(bySchema);
    }),
    { numRuns: 60_000, seed: 7 },
  );
  expect(taken).toBeGreaterThan(100);
});
