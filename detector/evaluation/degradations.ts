import { randomFrom, seedOf } from "../training/random.ts";
import { anyRotation, clipped, lostFrames, resampled, rotated } from "./degrade.ts";
import { framesOf, type Sent } from "./play.ts";

/** One way in which a recording is made worse, always the same for the same trial. */
export interface Degradation {
  kind: "rate" | "clip" | "rotation" | "loss";
  /** Hertz, ±g, number of the rotation, % of frames. */
  value: number;
  /** For a person: "25 Hz". */
  name: string;
}

export interface DegradationFlags {
  /** Hertz. */
  rates?: readonly number[];
  /** Full scales, ±g. */
  clip?: readonly number[];
  /** How many rotations; each turns every trial in a way of its own. */
  rotate?: number;
  /** Frames of one second that are lost, %. */
  loss?: readonly number[];
}

export function degradationsOf({ rates = [], clip = [], rotate = 0, loss = [] }: DegradationFlags): Degradation[] {
  return [
    ...rates.map((value) => ({ kind: "rate" as const, value, name: `${value} Hz` })),
    ...clip.map((value) => ({ kind: "clip" as const, value, name: `±${value} g` })),
    ...Array.from({ length: rotate }, (_, i) => ({
      kind: "rotation" as const,
      value: i + 1,
      name: `turned, ${i + 1} of ${rotate}`,
    })),
    ...loss.map((value) => ({ kind: "loss" as const, value, name: `${value} % of frames lost` })),
  ];
}

/** Why it would change nothing in these recordings of one part; null where it does. */
export function whySkipped({ kind, value }: Degradation, sent: readonly Sent[]): string | null {
  if (kind === "rate") {
    const own = sent.reduce((most, { recording }) => Math.max(most, recording.trial.rateHz), 0);
    if (value > own) return `recorded at ${own} Hz, which is less`;
    if (value === own) return `recorded at ${own} Hz`;
  }
  if (kind === "clip") {
    const own = sent.reduce((most, { rangeG }) => Math.max(most, rangeG), 0);
    if (value >= own) return `recorded with a sensor of ±${own} g`;
  }
  return null;
}

/** `name`: of the trial and its set, which seeds what is drawn. Trials that it does not touch come back as they are. */
export function degraded(sent: Sent, { kind, value }: Degradation, name: string): Sent {
  const { recording, rangeG } = sent;
  const random = randomFrom(seedOf(`${name} ${kind}`, kind === "rotation" ? value : 1));
  switch (kind) {
    case "rate":
      return { ...sent, recording: resampled(recording, value, random.between(0, 1)) };
    case "clip":
      return { ...sent, recording: clipped(recording, value * 1000), rangeG: Math.min(value, rangeG) };
    case "rotation": {
      // A sensor's readings may exceed its nominal range a little, as rangeOf allows.
      const limit = largestReading(recording.samples, rangeG * 1000);
      return { ...sent, recording: rotated(recording, anyRotation(random), limit) };
    }
    case "loss":
      return { ...sent, lost: lostFrames(framesOf(recording), value / 100, random) };
  }
}

function largestReading(samples: Int16Array, least: number): number {
  let largest = least;
  for (let i = 0; i < samples.length; i++) largest = Math.max(largest, Math.abs(samples[i]!));
  return largest;
}
