import { angleBetween } from "../../history.ts";
import type { Alarm, Played } from "../play.ts";

/** Longer recordings are cut around what is shown, seconds. */
const longest = 60;
const before = 20;

/** Seconds from the recording's start. */
export interface Shown {
  from: number;
  to: number;
}

/** All of a short recording, with the time until its last alarm; of a long one what lies around `at`. */
export function timeShown(seconds: number, at: number, played: Played, alarm: Alarm | null): Shown {
  const last = Math.max(seconds, alarm?.detectedS ?? 0, ...(seconds <= longest ? told(played) : []));
  if (last <= longest) return { from: 0, to: last + 0.2 };
  const from = Math.max(0, Math.min(at - before, last - longest));
  return { from, to: Math.min(last + 0.2, from + longest) };
}

const told = ({ alarms }: Played) => alarms.map(({ detectedS }) => detectedS);
/** g. */
export function magnitudesOf(samples: Int16Array): Float32Array {
  return Float32Array.from(
    { length: samples.length / 3 },
    (_, i) => Math.hypot(samples[i * 3]!, samples[i * 3 + 1]!, samples[i * 3 + 2]!) / 1000,
  );
}

/** The values in view. */
export const cut = (values: Float32Array, rateHz: number, { from, to }: Shown) =>
  values.subarray(Math.floor(from * rateHz), Math.ceil(to * rateHz) + 1);

/** Degrees between the mean of the second around each time and that of the seconds before `at`, as the detector looks at posture. */
export function tiltOver(samples: Int16Array, rateHz: number, at: number, { from, to }: Shown) {
  const posture = meanOf(samples, rateHz, Math.max(0, at - 3), Math.max(0.5, at - 0.5));
  const list: ({ at: number; degrees: number } | null)[] = [];
  const end = Math.min(to, samples.length / 3 / rateHz);
  for (let s = from; s < end; s += 0.1) {
    const now = meanOf(samples, rateHz, Math.max(0, s - 0.5), Math.min(end, s + 0.5));
    const degrees = posture && now && angleBetween(posture, now);
    list.push(degrees === null ? null : { at: s, degrees });
  }
  return list;
}

function meanOf(samples: Int16Array, rateHz: number, from: number, to: number) {
  const mean = { x: 0, y: 0, z: 0 };
  const first = Math.floor(from * rateHz);
  const last = Math.min(samples.length / 3, Math.ceil(to * rateHz));
  if (last <= first) return null;
  for (let i = first; i < last; i++) {
    mean.x += samples[i * 3]! / (last - first);
    mean.y += samples[i * 3 + 1]! / (last - first);
    mean.z += samples[i * 3 + 2]! / (last - first);
  }
  return mean;
}
