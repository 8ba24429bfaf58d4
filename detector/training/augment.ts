import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { clipped, lostFrames, resampled, rotated, rotationBy, withSamples } from "../evaluation/degrade.ts";
import { frameLength, framesOf, type Sent } from "../evaluation/play.ts";
import type { Random } from "./random.ts";

/**
 * What a copy of a recording has been put through. `slow`: a lower rate. `clipped`: a sensor of ±2 g. `soft`: softer, with another gain, pace and zero,
 * and sometimes with a sensor of ±4 g, or one that slipped at the peak.
 * `softer`: a fall as real ones are, slower and with little impact. `cut`: the signal ends within 2.5 s of the peak. `lost`: frames are missing, the one with the largest peak among them.
 */
export const variants = ["as-is", "slow", "slow-too", "clipped", "soft", "softer", "cut", "lost"] as const;
export type Variant = (typeof variants)[number];

export type Copy = Sent;

/** Share of the other frames that a `lost` copy misses: daily life teaches what a gap looks like that hides nothing. */
const lostShare = 0.1;

/** A sensor's zero may be off by this on each axis, ±milli-g: data sheets of common sensors say 40 to 80. */
const zeroOffset = 60;
/** So many `soft` copies are of a device that turned on its wearer at the peak, by up to so many degrees. */
const slippedShare = 0.3;
const slippedBy = 35;

/** Makes one copy. Rotations need no copies: the model's input does not depend on them. Null where the variant does not apply. */
export function augment(recording: Recording, rangeG: number, variant: Variant, random: Random): Copy | null {
  switch (variant) {
    case "as-is":
      return { recording, rangeG };
    case "slow":
    case "slow-too":
      return { recording: resampled(recording, random.between(20, 34), random.between(0, 1)), rangeG };
    case "clipped": {
      const slower = random.between(0, 1) < 0.5 ? resampled(recording, random.between(20, 40), 0) : recording;
      const gained = scaled(slower, random.between(0.95, 1.05));
      return { recording: clipped(gained, 2000), rangeG: 2 };
    }
    case "soft": {
      const softer = softened(scaled(recording, random.between(0.95, 1.05)), random.between(0.6, 1));
      const shifted = offset(softer, random);
      const worn = random.between(0, 1) < slippedShare ? slipped(shifted, random) : shifted;
      const narrow = rangeG > 4 && random.between(0, 1) < 0.3;
      return {
        recording: paced(narrow ? clipped(worn, 4000) : worn, random.between(0.85, 1.15)),
        rangeG: narrow ? 4 : rangeG,
      };
    }
    case "softer": {
      if (recording.trial.label !== "fall") return null;
      return { recording: paced(slumped(recording, random.between(0.25, 0.7)), random.between(0.75, 1)), rangeG };
    }
    case "cut": {
      const { peakS, rateHz } = recording.trial;
      if (peakS == null) return null;
      const samples = Math.floor((peakS + random.between(0.2, 2.5)) * rateHz);
      const cut = withSamples(recording, recording.samples.slice(0, Math.max(1, samples) * 3));
      return { recording: random.between(0, 1) < 0.5 ? resampled(cut, random.between(20, 34), 0) : cut, rangeG };
    }
    case "lost": {
      // Begun a little later, so that frames end anywhere around the peak.
      const begun = delayed(recording, random.between(0, 1));
      const lost = new Set(lostFrames(framesOf(begun), lostShare, random));
      lost.add(Math.floor(peakOf(begun) / frameLength(begun.trial.rateHz)));
      return { recording: begun, rangeG, lost };
    }
  }
}

function scaled(recording: Recording, gain: number): Recording {
  return withSamples(
    recording,
    recording.samples.map((value) => Math.round(Math.max(-32767, Math.min(32767, value * gain)))),
  );
}

/** As of a sensor whose zero is off. */
function offset(recording: Recording, random: Random): Recording {
  const off = [0, 1, 2].map(() => Math.round(random.between(-zeroOffset, zeroOffset)));
  return withSamples(
    recording,
    recording.samples.map((value, i) => Math.max(-32767, Math.min(32767, value + off[i % 3]!))),
  );
}

/** As of a device that turned at the peak: the posture afterwards is not the one it seems to be. */
function slipped(recording: Recording, random: Random): Recording {
  const from = peakOf(recording) * 3;
  const samples = recording.samples.slice();
  const turned = rotated(
    withSamples(recording, samples.subarray(from)),
    rotationBy((random.between(0, slippedBy) * Math.PI) / 180, random),
    32767,
  );
  samples.set(turned.samples, from);
  return withSamples(recording, samples);
}

/** Without its first `byS` seconds. Labels move along. */
function delayed(recording: Recording, byS: number): Recording {
  const { trial, samples } = recording;
  const left = Math.round(byS * trial.rateHz);
  const moved = (time: number | null | undefined) => (time == null ? time : time - left / trial.rateHz);
  const cut = withSamples(recording, samples.subarray(left * 3));
  const { peakS, onsetS, endS } = trial;
  return { ...cut, trial: { ...cut.trial, peakS: moved(peakS), onsetS: moved(onsetS), endS: moved(endS) } };
}

/** The sample of a fall's labelled peak, else of the largest magnitude. */
function peakOf({ trial, samples }: Recording): number {
  if (trial.peakS != null) return Math.round(trial.peakS * trial.rateHz);
  let largest = 0;
  let at = 0;
  for (let i = 0; i + 2 < samples.length; i += 3) {
    const squared = samples[i]! ** 2 + samples[i + 1]! ** 2 + samples[i + 2]! ** 2;
    if (squared <= largest) continue;
    largest = squared;
    at = i / 3;
  }
  return at;
}

/** Faster or slower, by telling another rate. Labels move along. */
function paced(recording: Recording, pace: number): Recording {
  const { trial } = recording;
  const rateHz = Math.max(20, Math.min(200, trial.rateHz * pace));
  const by = trial.rateHz / rateHz;
  const moved = (time: number | null | undefined) => (time == null ? time : time * by);
  return {
    ...recording,
    trial: { ...trial, rateHz, peakS: moved(trial.peakS), onsetS: moved(trial.onsetS), endS: moved(trial.endS) },
  };
}

/** What exceeds 1.3 g is made smaller: softer impacts in the same posture. */
const softened = (recording: Recording, share: number) =>
  remagnified(recording, (mg) => (mg > 1300 ? 1300 + share * (mg - 1300) : mg));

/** Hardly a fall any more by its forces: both the impact and the weightlessness before it shrink towards 1 g. */
const slumped = (recording: Recording, share: number) =>
  remagnified(recording, (mg) =>
    mg > 1100 ? 1100 + share * (mg - 1100) : mg < 900 && mg > 50 ? 900 - share * (900 - mg) : mg,
  );

function remagnified(recording: Recording, change: (mg: number) => number): Recording {
  const samples = recording.samples.slice();
  for (let i = 0; i + 2 < samples.length; i += 3) {
    const magnitude = Math.hypot(samples[i]!, samples[i + 1]!, samples[i + 2]!);
    const changed = change(magnitude);
    if (changed === magnitude) continue;
    const scale = changed / magnitude;
    samples[i] = Math.round(samples[i]! * scale);
    samples[i + 1] = Math.round(samples[i + 1]! * scale);
    samples[i + 2] = Math.round(samples[i + 2]! * scale);
  }
  return withSamples(recording, samples);
}
