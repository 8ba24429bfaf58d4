import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import type { Random } from "../training/random.ts";

/** The recording with other samples; its times in seconds stay. */
export function withSamples(recording: Recording, samples: Int16Array, rateHz = recording.trial.rateHz): Recording {
  return { ...recording, samples, trial: { ...recording.trial, samples: samples.length / 3, rateHz } };
}

/** As a sensor of a lower rate would have seen it: single readings between the recorded ones, so that peaks between them are lost. */
export function resampled(recording: Recording, rateHz: number, phase: number): Recording {
  const from = recording.samples;
  const step = recording.trial.rateHz / rateHz;
  if (step <= 1) return recording;
  const count = Math.max(1, Math.floor((from.length / 3 - 1) / step));
  const to = new Int16Array(count * 3);
  for (let i = 0; i < count; i++) {
    const at = (i + phase) * step;
    const base = Math.min(Math.floor(at), from.length / 3 - 2);
    const share = Math.min(1, at - base);
    for (let axis = 0; axis < 3; axis++) {
      const a = from[Math.max(0, base) * 3 + axis]!;
      const b = from[Math.max(0, base + 1) * 3 + axis] ?? a;
      to[i * 3 + axis] = Math.round(a + share * (b - a));
    }
  }
  return withSamples(recording, to, rateHz);
}

/** As a sensor of a smaller range would have seen it: no axis beyond ±`limit` milli-g. */
export function clipped(recording: Recording, limit: number): Recording {
  return withSamples(
    recording,
    recording.samples.map((value) => Math.max(-limit, Math.min(limit, value))),
  );
}

/** A rotation as three rows, for vectors x, y, z. */
type Rotation = readonly (readonly [number, number, number])[];

/** A rotation drawn evenly from all there are: a unit quaternion by Shoemake's method. */
export function anyRotation(random: Random): Rotation {
  const u = random.between(0, 1);
  const a = random.between(0, 2 * Math.PI);
  const b = random.between(0, 2 * Math.PI);
  const x = Math.sqrt(1 - u) * Math.sin(a);
  const y = Math.sqrt(1 - u) * Math.cos(a);
  const z = Math.sqrt(u) * Math.sin(b);
  return ofQuaternion(x, y, z, Math.sqrt(u) * Math.cos(b));
}

/** A rotation by `angle`, radians, around an axis drawn evenly from all directions. */
export function rotationBy(angle: number, random: Random): Rotation {
  const z = random.between(-1, 1);
  const around = random.between(0, 2 * Math.PI);
  const flat = Math.sqrt(1 - z * z);
  const half = Math.sin(angle / 2);
  return ofQuaternion(flat * Math.cos(around) * half, flat * Math.sin(around) * half, z * half, Math.cos(angle / 2));
}

/** Of a unit quaternion. */
function ofQuaternion(x: number, y: number, z: number, w: number): Rotation {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
}

/** As the same device would have seen it, worn turned: its axes still end at ±`limit` milli-g. */
export function rotated(recording: Recording, rotation: Rotation, limit: number): Recording {
  const from = recording.samples;
  const to = new Int16Array(from.length);
  for (let i = 0; i + 2 < from.length; i += 3) {
    for (let axis = 0; axis < 3; axis++) {
      const [x, y, z] = rotation[axis]!;
      const value = Math.round(x * from[i]! + y * from[i + 1]! + z * from[i + 2]!);
      to[i + axis] = Math.max(-limit, Math.min(limit, value));
    }
  }
  return withSamples(recording, to);
}

/** Which of `count` frames are lost, each with the probability `share`, whatever became of the others. */
export function lostFrames(count: number, share: number, random: Random): ReadonlySet<number> {
  const lost = new Set<number>();
  for (let i = 0; i < count; i++) if (random.between(0, 1) < share) lost.add(i);
  return lost;
}
