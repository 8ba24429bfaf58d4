import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Placement } from "../../firmware-contracts/detection.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import { readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { generateSet } from "../../simulators/generator/set.ts";
import { rangeOf } from "../../simulators/replay/play.ts";

/** Where the load's frames come from. `generated` needs no recordings. */
export const sources = ["stress-predict", "sisfall", "generated"] as const;
export type Source = (typeof sources)[number];

/** One trial, cut into seconds. */
export interface Trial {
  id: string;
  label: "fall" | "adl";
  rateHz: number;
  /** Full scale of the sensor, g. */
  rangeG: number;
  placement: Placement;
  /** One second each: x, y, z interleaved, milli-g, `3 × rateHz` long. What is left of a last second is left out. */
  seconds: Int16Array[];
}

/** The set that is taken where none is named: hours of real people without a break, where recordings are there. */
export function defaultSource(): Source {
  const folder = process.env.FALLVAKT_RECORDINGS;
  return folder && existsSync(join(folder, "stress-predict", "manifest.json")) ? "stress-predict" : "generated";
}

/** Reads a set's trials. Throws where the set is not there, or has a problem. */
export async function readTrials(source: Source): Promise<Trial[]> {
  if (source === "generated") return generatedTrials();
  const folder = process.env.FALLVAKT_RECORDINGS;
  if (!folder) throw new Error(`FALLVAKT_RECORDINGS is not set: name the folder that holds ${source}/`);
  const { parts, problems } = await readRecordingSet(join(folder, source));
  if (problems[0]) throw new Error(`${problems[0].where}: ${problems[0].why}`);
  return parts.flatMap(({ recordings, placement }) => {
    const rangeG = rangeOf(recordings);
    return recordings.map(({ trial: { id, label, rateHz }, samples }) => ({
      id,
      label,
      rateHz,
      rangeG,
      placement,
      seconds: inSeconds(samples, rateHz),
    }));
  });
}

function generatedTrials(): Trial[] {
  const { manifest, parts } = generateSet({ seed: 1 });
  const rangeG = rangeOf([{ samples: parts.wrist }]);
  return manifest.trials
    .filter(({ part }) => part === "wrist")
    .map(({ id, label, rateHz, offset, samples }) => ({
      id,
      label,
      rateHz,
      rangeG,
      placement: "wrist" as const,
      seconds: inSeconds(parts.wrist.subarray(offset * 3, (offset + samples) * 3), rateHz),
    }));
}

function inSeconds(samples: Int16Array, rateHz: number): Int16Array[] {
  const length = Math.round(rateHz) * 3;
  return Array.from({ length: Math.floor(samples.length / length) }, (_, i) =>
    samples.slice(i * length, (i + 1) * length),
  );
}

/** What each publisher plays over and over, one list of seconds each. */
export interface Playlists {
  rateHz: number;
  rangeG: number;
  placement: Placement;
  daily: Int16Array[][];
  quiet: Int16Array[][];
}

/** Most seconds that one publisher plays before it begins again. */
const longest = 1024;
/** Fewest, so that a window of frames in flight is never longer than what is played. */
const shortest = 128;
/** A second whose largest magnitude is below this opens no gate (the gate is at 1,450 milli-g). */
const quietBelowMg = 1400;
/** And whose mean direction is within this of each of the five seconds before, degrees: a tilt of 50° opens the gate for soft falls. */
const quietTilt = 25;

/**
 * Shares a set's daily life out to `publishers`: to each a stretch of its own. `quiet` is the longest stretch below the gate in it, forwards and then
 * backwards, so that where it begins again no posture jumps.
 */
export function shareOut(trials: readonly Trial[], publishers: number): Playlists {
  const daily = trials.filter(({ label }) => label === "adl");
  const first = daily[0];
  if (!first) throw new Error("the set holds no daily life");
  const all = daily.filter(({ rateHz }) => rateHz === first.rateHz).flatMap(({ seconds }) => seconds);
  const share = all.length / publishers;
  const lists = Array.from({ length: publishers }, (_, i) =>
    repeated(all.slice(Math.floor(i * share), Math.floor(i * share) + Math.max(1, Math.min(longest, share)))),
  );
  const { rateHz, rangeG, placement } = first;
  return { rateHz, rangeG, placement, daily: lists, quiet: lists.map(quietest) };
}

function quietest(seconds: readonly Int16Array[]): Int16Array[] {
  let best: Int16Array[] = [];
  let run: Int16Array[] = [];
  for (const second of seconds) {
    const isSteady = run.slice(-5).every((earlier) => tiltBetween(earlier, second) < quietTilt);
    run = largestMg(second) < quietBelowMg ? [...(isSteady ? run : []), second] : [];
    if (run.length > best.length) best = run;
  }
  // A stretch in which somebody moves all the time: its calmest second stands for it.
  if (best.length === 0) best = [seconds.reduce((calm, one) => (largestMg(one) < largestMg(calm) ? one : calm))];
  return repeated([...best, ...best.map(backwards).reverse()]);
}

function repeated(seconds: Int16Array[]): Int16Array[] {
  const times = Math.ceil(shortest / seconds.length);
  return Array.from({ length: times }, () => seconds).flat();
}

function backwards(second: Int16Array): Int16Array {
  const turned = new Int16Array(second.length);
  for (let i = 0; i < second.length; i += 3) turned.set(second.subarray(i, i + 3), second.length - 3 - i);
  return turned;
}

function mean(second: Int16Array): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < second.length; i++) sum[i % 3]! += second[i]!;
  return sum;
}

/** Degrees between the mean directions of two seconds. */
function tiltBetween(one: Int16Array, other: Int16Array): number {
  const a = mean(one);
  const b = mean(other);
  const cosine = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (Math.hypot(...a) * Math.hypot(...b));
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}

function largestMg(second: Int16Array): number {
  let largest = 0;
  for (let i = 0; i < second.length; i += 3) {
    largest = Math.max(largest, Math.hypot(second[i]!, second[i + 1]!, second[i + 2]!));
  }
  return largest;
}

/** A second as a frame of a device that counts time from its start, because a load faster than life cannot have a clock that is right. */
export function frameOf(
  samples: Int16Array,
  { rateHz, rangeG, bootId, sequence }: { rateHz: number; rangeG: number; bootId: number; sequence: number },
): Uint8Array {
  return encodeFrame({
    bootId,
    sequence,
    deviceTimeMs: sequence * 1000,
    ageMs: 0,
    rateHz,
    rangeG,
    stored: false,
    clockUnset: true,
    samples,
  });
}
