import type { Recording, Trial } from "../../firmware-contracts/recordings/format.ts";
import { type Random, randomFrom, seedOf } from "../training/random.ts";
import { resampled, withSamples } from "./degrade.ts";
import { type Figure, share } from "./intervals.ts";
import { type PlayOptions, play, type Sent } from "./play.ts";
import { endInSpan, judgeTrial } from "./trials.ts";

/**
 * What follows a recorded fall, since recordings end before a medium alarm is decided. `walking`: of the same person, recorded by the same device.
 * `rest`: the posture of the last second is held. `silence`: the device stops.
 */
export const continuations = ["walking", "rest", "silence"] as const;
export type Continuation = (typeof continuations)[number];

/** The fall goes on for this long after its labelled end or peak; then comes what follows, for 40 s. */
const keptS = 3;
const followsS = 40;

/** Medium evidence is to be told this long after the impact, seconds. */
const mediumWindow = { from: 20, to: 25 };

export interface StitchedResult {
  id: string;
  alarmed: boolean;
  /** Seconds from the impact to the alarm. */
  afterS: number | null;
  strength: "strong" | "medium" | null;
  /** The alarm's reason, or what became of the likeliest candidate. */
  why: string;
}

/** One part's falls, all followed by the same. */
export interface StitchedRow {
  dataset: string;
  part: string;
  continuation: Continuation;
  trials: number;
  /** Falls of people whose walking was not recorded. */
  leftOut: number;
  alarmed: Figure;
  strong: number;
  medium: number;
  /**
   * Medium alarms that were told less than 20 s, or more than 25 s, after the impact they tell of. Early is where a later impact was likelier than
   * the one that was due: the fall's minute is told as one.
   */
  mediumEarly: number;
  mediumLate: number;
  /** How many trials ended for which reason. */
  why: Record<string, number>;
  results: StitchedResult[];
}

/** Whether the manifest's words say that somebody walks on the flat, and does nothing else. */
export function isWalking({ label, activityName }: Trial): boolean {
  return label === "adl" && /^walk/i.test(activityName ?? "") && !/stair|jog|stumbl|fall/i.test(activityName ?? "");
}

/**
 * The fall, cut 3 s after its end, and what follows, as one recording with one sample clock. Null where it has no labelled time, or for
 * `walking` where `walks` has none of that person's at the fall's rate or a higher one.
 */
export function stitch(
  fall: Recording,
  continuation: Continuation,
  walks: readonly Recording[],
  random: Random,
): Recording | null {
  const { trial } = fall;
  const end = trial.endS ?? trial.peakS ?? trial.onsetS;
  if (end == null) return null;
  const cut = fall.samples.subarray(0, Math.round((end + keptS) * trial.rateHz) * 3);
  const length = Math.round(followsS * trial.rateHz) * 3;
  const follows =
    continuation === "walking"
      ? walkOf(trial, walks, length)
      : continuation === "rest"
        ? restAfter(cut, trial.rateHz, length, random)
        : new Int16Array(0);
  if (!follows) return null;
  const samples = new Int16Array(cut.length + follows.length);
  samples.set(cut);
  samples.set(follows, cut.length);
  return withSamples({ ...fall, trial: { ...trial, id: `${trial.id} + ${continuation}` } }, samples);
}

/** The person's walks one after another, again from the first where they are too short. */
function walkOf(trial: Trial, walks: readonly Recording[], length: number): Int16Array | null {
  const own = walks
    .filter((walk) => walk.trial.subject === trial.subject && walk.trial.rateHz >= trial.rateHz && walk.samples.length)
    .map((walk) => resampled(walk, trial.rateHz, 0).samples);
  if (own.length === 0) return null;
  const samples = new Int16Array(length);
  for (let at = 0, i = 0; at < length; i++) {
    const next = own[i % own.length]!.subarray(0, length - at);
    samples.set(next, at);
    at += next.length;
  }
  return samples;
}

/** The mean of the last second, with noise as small as in the quietest second there is. */
function restAfter(cut: Int16Array, rateHz: number, length: number, random: Random): Int16Array {
  const second = Math.max(1, Math.round(rateHz)) * 3;
  const means = [0, 1, 2].map((axis) => spreadOf(cut, Math.max(0, cut.length - second), cut.length, axis).mean);
  const noises = [0, 1, 2].map((axis) => {
    let least = Number.POSITIVE_INFINITY;
    for (let from = 0; from + second <= cut.length; from += second) {
      least = Math.min(least, spreadOf(cut, from, from + second, axis).deviation);
    }
    return Number.isFinite(least) ? least : 0;
  });
  return Int16Array.from({ length }, (_, i) => Math.round(means[i % 3]! + noises[i % 3]! * normal(random)));
}

function spreadOf(samples: Int16Array, from: number, to: number, axis: number): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  const count = Math.max(1, (to - from) / 3);
  for (let i = from + axis; i < to; i += 3) {
    sum += samples[i]!;
    squares += samples[i]! ** 2;
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

/** Standard normal, by Box and Muller. */
const normal = (random: Random) =>
  Math.sqrt(-2 * Math.log(1 - random.quick())) * Math.cos(2 * Math.PI * random.quick());

/** Plays each of a part's falls three times, followed by walking, rest and silence. No rows where there are no falls. */
export function playStitched(
  { dataset, part }: { dataset: string; part: string },
  sent: readonly Sent[],
  options: Pick<PlayOptions, "operatingPoints" | "score" | "onPlayed">,
): StitchedRow[] {
  const walks = sent.map(({ recording }) => recording).filter(({ trial }) => isWalking(trial));
  const falls = sent.filter(({ recording }) => recording.trial.label === "fall");
  if (falls.length === 0) return [];
  return continuations.map((continuation) => {
    const stitched = falls.flatMap((one): Sent[] => {
      const random = randomFrom(seedOf(`${dataset}/${part}/${one.recording.trial.id} ${continuation}`, 1));
      const recording = stitch(one.recording, continuation, walks, random);
      return recording ? [{ ...one, recording }] : [];
    });
    const results = play(stitched, options).map((played): StitchedResult => {
      const { found, latencyS, strength, hit } = judgeTrial(played);
      const why = hit ? hit.conclusion.reason : endInSpan(played);
      return { id: played.recording.trial.id, alarmed: found, afterS: latencyS, strength, why };
    });
    const medium = results.filter(({ strength }) => strength === "medium");
    const why: Record<string, number> = {};
    for (const result of results) why[result.why] = (why[result.why] ?? 0) + 1;
    return {
      dataset,
      part,
      continuation,
      trials: results.length,
      leftOut: falls.length - results.length,
      alarmed: share(results.filter(({ alarmed }) => alarmed).length, results.length),
      strong: results.filter(({ strength }) => strength === "strong").length,
      medium: medium.length,
      mediumEarly: medium.filter(({ afterS }) => afterS! < mediumWindow.from).length,
      mediumLate: medium.filter(({ afterS }) => afterS! > mediumWindow.to).length,
      why,
      results,
    };
  });
}
