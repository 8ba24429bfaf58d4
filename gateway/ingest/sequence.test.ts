import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addNumber, hasNumber, type Ranges } from "./ranges.ts";
import { heldUntil, openSequence, place, releaseOverdue } from "./sequence.ts";

const at = (sequence: number, bootId = 1, takenAt = sequence * 1000, arrivedAt = takenAt) => ({
  bootId,
  sequence,
  takenAt,
  arrivedAt,
  item: `${bootId}.${sequence}`,
});

describe("a device's frames in order", () => {
  test("frames in a row go through at once, and one that came before is a duplicate", () => {
    const state = openSequence<string>();
    expect(place(state, at(7)).released).toEqual(["1.7"]);
    expect(place(state, at(8)).released).toEqual(["1.8"]);
    expect(place(state, at(8))).toMatchObject({ place: "duplicate", released: [] });
    expect(place(state, at(7)).place).toBe("duplicate");
  });

  test("a frame that overtook another waits for it", () => {
    const state = openSequence<string>();
    place(state, at(1));
    expect(place(state, at(3))).toMatchObject({ place: "held", released: [] });
    expect(place(state, at(3)).place).toBe("duplicate");
    expect(place(state, at(2)).released).toEqual(["1.2", "1.3"]);
    expect(heldUntil(state)).toBeNull();
  });

  test("a frame that never comes is a gap after a while, and still welcome afterwards", () => {
    const state = openSequence<string>();
    place(state, at(1));
    place(state, at(4));
    expect(heldUntil(state)).toBe(5500);
    expect(releaseOverdue(state, 5499)).toEqual({ released: [], missing: 0 });
    expect(releaseOverdue(state, 5500)).toEqual({ released: ["1.4"], missing: 2 });
    expect(place(state, at(2))).toMatchObject({ place: "earlier", released: [] });
    expect(place(state, at(2)).place).toBe("duplicate");
  });

  test("a wide gap is not waited for", () => {
    const state = openSequence<string>();
    place(state, at(1));
    expect(place(state, at(400))).toMatchObject({ place: "live", released: ["1.400"], missing: 398 });
  });

  test("after a reboot the sequence starts again, and nothing is taken for a duplicate", () => {
    const state = openSequence<string>();
    for (const sequence of [0, 1, 2, 3]) place(state, at(sequence));
    for (const sequence of [0, 1, 2, 3]) {
      const placed = place(state, at(sequence, 2, 10_000 + sequence * 1000));
      expect(placed).toMatchObject({ place: "live", released: [`2.${sequence}`], rebooted: sequence === 0 });
    }
  });

  test("stored frames of the boot before come as earlier ones, known or not", () => {
    const state = openSequence<string>();
    place(state, at(50, 1));
    place(state, at(0, 2, 100_000));
    expect(place(state, at(51, 1)).place).toBe("earlier");
    expect(place(state, at(9, 77, 40_000, 101_000)).place).toBe("earlier");
    expect(place(state, at(1, 2, 101_000)).released).toEqual(["2.1"]);
  });

  test("property: any order and any number of copies release each frame once, the live ones in rising order", () => {
    const delivery = fc
      .record({
        count: fc.integer({ min: 1, max: 60 }),
        jitter: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 60, maxLength: 60 }),
        copies: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 60, maxLength: 60 }),
        boots: fc.integer({ min: 1, max: 3 }),
      })
      .map(({ count, jitter, copies, boots }) =>
        Array.from({ length: count }, (_, i) => {
          const frame = at(i, 1 + (Math.floor((i * boots) / count) % boots));
          return Array.from({ length: copies[i] ?? 1 }, (_, copy) => ({
            frame,
            key: i + (jitter[(i * 7 + copy) % 60] ?? 0),
          }));
        })
          .flat()
          .sort((a, b) => a.key - b.key)
          .map(({ frame }) => frame),
      );
    fc.assert(
      fc.property(delivery, (frames) => {
        const state = openSequence<string>();
        const live: string[] = [];
        const earlier: string[] = [];
        for (const frame of frames) {
          const placed = place(state, frame);
          live.push(...placed.released);
          if (placed.place === "earlier") earlier.push(frame.item);
        }
        live.push(...releaseOverdue(state, Number.MAX_SAFE_INTEGER).released);
        const all = [...live, ...earlier];
        expect(new Set(all).size).toBe(all.length);
        expect(new Set(all)).toEqual(new Set(frames.map((frame) => frame.item)));
        const perBoot = new Map<number, number>();
        for (const item of live) {
          const [boot = 0, sequence = 0] = item.split(".").map(Number);
          expect(sequence).toBeGreaterThan(perBoot.get(boot) ?? -1);
          perBoot.set(boot, sequence);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("property: frames shifted by a few places are all released live", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 50 }), (jitter) => {
        const frames = jitter
          .map((shift, i) => ({ frame: at(i + 1), key: i + shift }))
          .sort((a, b) => a.key - b.key)
          .map(({ frame }) => frame);
        const state = openSequence<string>();
        const live = place(state, at(0)).released;
        for (const frame of frames) live.push(...place(state, frame).released);
        expect(live).toEqual([at(0).item, ...jitter.map((_, i) => at(i + 1).item)]);
      }),
    );
  });
});

test("property: ranges hold what was added, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 })), (values) => {
      const ranges: Ranges = [];
      for (const value of values) addNumber(ranges, value);
      for (let value = 0; value <= 200; value++) expect(hasNumber(ranges, value)).toBe(values.includes(value));
      for (let i = 1; i < ranges.length; i++) expect(ranges[i]![0]).toBeGreaterThan(ranges[i - 1]![1] + 1);
    }),
  );
});
