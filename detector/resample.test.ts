import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newResampler, type ResampleSink, resampleFrame, type TimedFrame } from "./resample.ts";

/** Collects slots; null where unknown. */
function collector() {
  const slots: ({ x: number; magnitude: number } | null)[] = [];
  const sink: ResampleSink = {
    samples: (taken, count) => {
      for (let i = 0; i < count; i++) slots.push({ x: taken.x[i]!, magnitude: taken.magnitude[i]! });
    },
    placed: () => {},
    unknown: (count) => {
      for (let i = 0; i < Math.min(count, 400_000); i++) slots.push(null);
    },
  };
  return { slots, sink };
}

/** Frames of a ramp: x is the time in ms, so that a slot's x tells when it was taken. */
function ramp(rateHz: number, perFrame: number, frames: number, startMs = 0): TimedFrame[] {
  return Array.from({ length: frames }, (_, sequence) => {
    const samples = new Int16Array(perFrame * 3);
    for (let i = 0; i < perFrame; i++) samples[i * 3] = Math.round(((sequence * perFrame + i) * 1000) / rateHz);
    return { bootId: 1, sequence, deviceTimeMs: startMs + (sequence * perFrame * 1000) / rateHz, rateHz, samples };
  });
}

function run(frames: readonly TimedFrame[]) {
  const { slots, sink } = collector();
  const resampler = newResampler(1);
  const taken = frames.map((frame) => resampleFrame(resampler, frame, sink));
  return { slots, taken };
}

const rates = [20, 25, 31.25, 32, 50, 64, 100, 200];

describe("resampling to 50 Hz", () => {
  test("every rate and frame length: slot k is the signal at k/50 s", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rates),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 2, max: 20 }),
        (rateHz, perFrame, count) => {
          const { slots } = run(ramp(rateHz, perFrame, Math.min(count, Math.floor((30 * rateHz) / perFrame))));
          slots.forEach((slot, k) => {
            expect(Math.abs((slot?.x ?? Number.NaN) - k * 20)).toBeLessThanOrEqual(1);
          });
          const seconds = (perFrame * Math.min(count, Math.floor((30 * rateHz) / perFrame)) - 1) / rateHz;
          expect(Math.abs(slots.length - (seconds * 50 + 1))).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a peak of one sample is in some slot's magnitude, at any rate and place", () => {
    fc.assert(
      fc.property(fc.constantFrom(...rates), fc.integer({ min: 0, max: 119 }), (rateHz, at) => {
        const frames = ramp(rateHz, 40, 4).map((frame) => ({ ...frame, samples: new Int16Array(120).fill(500) }));
        frames[Math.floor(at / 40)]!.samples.fill(3000, (at % 40) * 3, (at % 40) * 3 + 3);
        const { slots } = run(frames);
        expect(Math.max(...slots.map((slot) => slot?.magnitude ?? 0))).toBeCloseTo(3000 * Math.sqrt(3), 0);
      }),
    );
  });

  test("a clock that is set changes nothing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.oneof(fc.integer({ min: 1100, max: 1e12 }), fc.integer({ min: -1e12, max: -1100 })),
        (at, jump) => {
          const frames = ramp(50, 50, 10, 2e12);
          const jumped = frames.map((frame) => ({
            ...frame,
            deviceTimeMs: frame.deviceTimeMs + (frame.sequence >= at ? jump : 0),
          }));
          expect(run(jumped).slots).toEqual(run(frames).slots);
        },
      ),
    );
  });

  test("missing frames are unknown for as long as they were", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rates),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        (rateHz, from, count) => {
          const frames = ramp(rateHz, 40, 10);
          const { slots } = run(frames.filter(({ sequence }) => sequence < from || sequence >= from + count));
          const unknown = slots.filter((slot) => slot === null).length;
          expect(Math.abs(unknown - (count * 40 * 50) / rateHz)).toBeLessThanOrEqual(50 / rateHz + 1);
          slots.forEach((slot, k) => {
            // The slot beside a gap is held, not interpolated.
            if (slot) expect(Math.abs(slot.x - k * 20)).toBeLessThanOrEqual(1000 / rateHz + 21);
          });
        },
      ),
    );
  });

  test("a gap whose device time makes no sense lasts as long as the missing frames", () => {
    const frames = ramp(50, 50, 10).filter(({ sequence }) => sequence < 3 || sequence > 5);
    for (const jump of [-5_000, 2 * 3_600_000, 1e12]) {
      const jumped = frames.map((frame) => ({
        ...frame,
        deviceTimeMs: frame.deviceTimeMs + (frame.sequence > 5 ? jump : 0),
      }));
      expect(run(jumped).slots.filter((slot) => slot === null)).toHaveLength(150);
    }
  });

  test("an hour of nothing is believed, a lifetime is not", () => {
    const [first, second] = ramp(50, 50, 2);
    const far = { ...second!, sequence: 2 ** 32 - 1, deviceTimeMs: -1 };
    expect(run([first!, far]).slots.length).toBeLessThanOrEqual(3600 * 50 + 100);
  });

  test("frames that are no news are refused", () => {
    const [first, second, third] = ramp(50, 50, 3);
    expect(run([first!, second!, first!, second!, third!]).taken).toEqual([true, true, false, false, true]);
    const doubled = run([first!, second!, first!, second!, third!]);
    expect(doubled.slots).toEqual(run([first!, second!, third!]).slots);
  });

  test("a device whose clock runs 2 % off its rate is followed", () => {
    const frames = ramp(50, 50, 200).map((frame) => ({ ...frame, deviceTimeMs: frame.deviceTimeMs * 1.02 }));
    expect(Math.abs(run(frames).slots.length - 200 * 50 * 1.02)).toBeLessThan(25);
  });
});
