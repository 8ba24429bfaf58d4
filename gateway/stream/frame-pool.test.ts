import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "../../firmware-contracts/frame.ts";
import { restFrame } from "../test-bench.ts";
import { createFramePool } from "./frame-pool.ts";
import type { RingEntry } from "./ring.ts";

const wire = (sequence: number, samples: number, more: object = {}) =>
  Buffer.from(
    encodeFrame({
      ...restFrame({ sequence }),
      samples: Int16Array.from({ length: samples * 3 }, (_, i) => ((sequence * 31 + i * 7) % 4000) - 2000),
      ...more,
    }),
  );

test("property: whatever was given back, a frame reads as it would by itself, and none that is still held changes", () => {
  const act = fc.record({
    samples: fc.constantFrom(20, 50, 51),
    stored: fc.boolean(),
    clockUnset: fc.boolean(),
    ageMs: fc.nat({ max: 100_000 }),
    isBad: fc.boolean(),
    giveBack: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const pool = createFramePool();
      const held: { entry: RingEntry; bytes: Buffer }[] = [];
      for (const [sequence, { samples, isBad, giveBack, ...more }] of acts.entries()) {
        const bytes = wire(sequence, samples, more);
        // A rate of 0, which the header's check refuses.
        if (isBad) bytes.writeUInt16LE(0, 24);
        const chunk = Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from([4])]);
        const read = pool.read(chunk, 3, 3 + bytes.length, 1000 + sequence);
        chunk.fill(0);
        if (isBad) expect(read).toEqual(decodeFrame(bytes));
        else held.push({ entry: read as RingEntry, bytes });
        for (let i = 0; i < giveBack && held.length > 0; i++) pool.giveBack(held.shift()!.entry);
        for (const { entry, bytes: own } of held) {
          const alone = decodeFrame(own);
          expect(alone.ok && alone.value).toEqual(entry.frame);
          expect(entry.bytes).toEqual(own);
          const { bootId, sequence: number, ageMs } = entry.frame;
          const { arrivedAt } = entry;
          expect(entry).toMatchObject({ bootId, sequence: number, takenAt: arrivedAt - ageMs, kept: "no" });
        }
      }
    }),
  );
});

test("what is owed to the journal is not used again", () => {
  const pool = createFramePool();
  const entry = pool.read(wire(1, 50), 0, 332, 1) as RingEntry;
  entry.kept = "owed";
  pool.giveBack(entry);
  expect(pool.read(wire(2, 50), 0, 332, 2)).not.toBe(entry);
  const done = pool.read(wire(3, 50), 0, 332, 3) as RingEntry;
  pool.giveBack(done);
  expect(pool.read(wire(4, 50), 0, 332, 4)).toBe(done);
});
