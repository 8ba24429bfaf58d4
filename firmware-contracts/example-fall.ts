import { type AccelFrame, clipMg, encodeFrame } from "./frame.ts";

// The fall of the worked example in device-life.md: half a minute at a wrist, kept on the device while the network was away.

const rateHz = 50;
const secondsPerFrame = 5;
const frameCount = 6;
const rangeG = 16;
/** Seconds from the first sample to the ground. */
const impactAt = 10.5;

/** Acceleration in g at second `t`: walks, loses the floor for 0.7 s, hits the ground at about 10 g, then lies still on another side. */
function motion(t: number): [number, number, number] {
  const tremble = 0.004 * Math.sin(37 * t);
  const since = t - impactAt;
  if (since < -0.7) {
    const step = Math.sin(2 * Math.PI * 1.8 * t);
    return [0.15 * Math.sin(2 * Math.PI * 0.9 * t) + tremble, -1 - 0.22 * step, 0.12 * step - tremble];
  }
  if (since < 0) {
    const share = 1 + since / 0.7;
    return [0.2 * share, -1 + 0.5 * share, 0.3 * share];
  }
  const hit = 9 * Math.exp(-since / 0.12) * Math.cos(2 * Math.PI * 7 * since);
  const turned = Math.min(1, since / 0.4);
  return [0.75 * hit - 0.25 * turned, 0.5 * (hit - (1 - turned)), 0.97 * turned + 0.6 * hit + tremble];
}

/** The frames as they are when the network is back, `afterMs` after the last sample: in order, each with its age, marked as stored. */
export function exampleFall(bootId: number, firstSampleMs: number, afterMs: number): AccelFrame[] {
  const perFrame = rateHz * secondsPerFrame;
  return Array.from({ length: frameCount }, (_, sequence) => {
    const rows = Array.from({ length: perFrame }, (_, i) => motion((sequence * perFrame + i) / rateHz));
    return {
      bootId,
      sequence,
      deviceTimeMs: firstSampleMs + sequence * secondsPerFrame * 1000,
      ageMs: afterMs + (frameCount - 1 - sequence) * secondsPerFrame * 1000,
      rateHz,
      rangeG,
      stored: true,
      clockUnset: false,
      samples: Int16Array.from(rows.flat().map((g) => clipMg(g * 1000, rangeG))),
    };
  });
}

/** One frame a line, in hex: what a shell can send. */
export function exampleFallText(): string {
  const frames = exampleFall(0x1234abcd, Date.UTC(2026, 0, 15, 2, 12, 0), 4000);
  return frames.map((frame) => `${Buffer.from(encodeFrame(frame)).toString("hex")}\n`).join("");
}
