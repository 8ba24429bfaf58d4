import type { Manifest, Trial } from "../../firmware-contracts/recordings/format.ts";
import { anyWearing, felt } from "./body.ts";
import { dailyLife } from "./daily.ts";
import { type FallTimes, falls } from "./falls.ts";
import { quantile } from "./measure.ts";
import { Motion, type Site, standingHeight } from "./motion.ts";
import { alive, anyPerson, type Person } from "./movements.ts";
import { type Chance, chance } from "./random.ts";
import { type Sensor, sampled, waistSensor, wristSensor } from "./sensor.ts";

export const datasetName = "fallvakt-generated";
export const parts = ["wrist", "waist"] as const satisfies readonly Site[];

/** Below this largest magnitude (g) a fall is soft, and every soft fall of a set is below it. */
export const softBelowG = 1.8;
/** A hard fall reaches at least this, g; the 5 % quantiles of the real sets are 2.7 (waist) and 3.9 (wrist). */
const hardFromG = 2.2;

const sensors: Record<Site, Sensor> = { wrist: wristSensor, waist: waistSensor };
const people = 12;
/** A fall whose peak is not of its kind is drawn again, at most so often. */
const draws = 40;

/** A trial with all that is known of it; times in s from its start, magnitudes in g. */
export type GeneratedTrial = Trial & { activityName: string; peakG: number; peakS: number; medianG: number };

/** A recording set in memory: the manifest as it is written, and each part's samples (x, y, z interleaved, milli-g). */
export interface GeneratedSet {
  manifest: Omit<Manifest, "trials"> & { seed: number; trials: GeneratedTrial[] };
  parts: Record<Site, Int16Array>;
}

/**
 * Makes a recording set of falls and daily life at wrist and waist from a seed (a whole number). The same seed gives the same set, to the byte.
 * Each part has 7 hard falls, 2 soft ones ("Soft" in the activity's name) and 10 other activities, each worn in a mounting of its own.
 */
export function generateSet({ seed }: { seed: number }): GeneratedSet {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed must be a whole number, not ${seed}`);
  const crowd = chance(seed, 0);
  const persons = Array.from({ length: people }, (_, index) => anyPerson(index + 1, crowd));
  const trials: GeneratedTrial[] = [];
  const samples: Record<Site, Int16Array> = { wrist: new Int16Array(), waist: new Int16Array() };
  parts.forEach((part, partNumber) => {
    const made = recordingsOf(part, seed, 1 + partNumber * 10_000, persons);
    const all = new Int16Array(made.reduce((sum, { xyz }) => sum + xyz.length, 0));
    let offset = 0;
    for (const { trial, xyz } of made) {
      all.set(xyz, offset * 3);
      trials.push({ ...trial, offset });
      offset += xyz.length / 3;
    }
    samples[part] = all;
  });
  const file = (part: Site) => ({ file: `${datasetName}.${part}.bin.gz`, samples: samples[part].length / 3 });
  const manifest = {
    dataset: datasetName,
    format: "gzip of little-endian int16, x, y, z interleaved; a trial is bytes [offset*6, (offset+samples)*6)",
    unit: "mg (1/1000 g)",
    placement: { wrist: "wrist", waist: "waist" },
    nativeRateHz: wristSensor.rateHz,
    source: `fallvakt generate --seed ${seed}: a body model, no recordings of people`,
    licence: "EUPL-1.2",
    seed,
    files: { wrist: file("wrist"), waist: file("waist") },
    trials,
  };
  return { manifest, parts: samples };
}

interface Made {
  trial: GeneratedTrial;
  xyz: Int16Array;
}

function recordingsOf(part: Site, seed: number, firstStream: number, persons: readonly Person[]): Made[] {
  const made: Made[] = [];
  const next = (): { stream: number; person: Person } => {
    const number = made.length;
    return {
      stream: firstStream + number * (draws + 1),
      person: persons[(number * 5 + firstStream) % persons.length]!,
    };
  };
  falls.forEach((kind, index) => {
    const { stream, person } = next();
    // Two people of each part get up again by themselves.
    const getsUp = index === 1 || index === 4;
    made.push(
      drawn(stream, seed, (random) => {
        const motion = new Motion(random.between(...kind.seconds), random);
        motion.begin("height", standingHeight);
        alive(motion, person);
        const times = kind.script(motion, person, getsUp);
        const recording = recorded(motion, part, person, { ...kind, label: "fall" }, random, times);
        const { peakG, peakS } = recording.trial;
        const inFall = peakS >= times.onsetS && peakS <= times.endS;
        const fits = inFall && (kind.soft ? peakG < softBelowG : peakG >= hardFromG);
        return fits ? recording : null;
      }),
    );
  });
  for (const kind of dailyLife) {
    const { stream, person } = next();
    made.push(
      drawn(stream, seed, (random) => {
        const motion = new Motion(random.between(...kind.seconds), random);
        motion.begin("height", standingHeight);
        alive(motion, person);
        kind.script(motion, person);
        return recorded(motion, part, person, { ...kind, label: "adl" }, random);
      }),
    );
  }
  return made;
}

function drawn(stream: number, seed: number, draw: (random: Chance) => Made | null): Made {
  for (let attempt = 0; attempt < draws; attempt++) {
    const made = draw(chance(seed, stream + attempt));
    if (made) return made;
  }
  throw new Error(`seed ${seed}: no fitting fall in ${draws} draws; take another seed`);
}

function recorded(
  motion: Motion,
  part: Site,
  person: Person,
  kind: { activity: string; name: string; label: Trial["label"] },
  random: Chance,
  times?: FallTimes,
): Made {
  const sensor = sensors[part];
  const xyz = sampled(felt(motion, anyWearing(part, random)), sensor, random);
  const samples = xyz.length / 3;
  const magnitudes = Array.from({ length: samples }, (_, i) =>
    Math.hypot(xyz[3 * i]!, xyz[3 * i + 1]!, xyz[3 * i + 2]!),
  );
  const peak = magnitudes.reduce((best, value, i) => (value > magnitudes[best]! ? i : best), 0);
  const trial = {
    part,
    offset: 0,
    samples,
    rateHz: sensor.rateHz,
    id: `${part}/${kind.activity}/${person.id}`,
    subject: person.id,
    age: person.age,
    sex: person.sex,
    ageGroup: "elder",
    activity: kind.activity,
    activityName: kind.name,
    label: kind.label,
    peakG: rounded(magnitudes[peak]! / 1000, 3),
    peakS: rounded(peak / sensor.rateHz, 2),
    medianG: rounded(quantile(magnitudes, 0.5) / 1000, 3),
    ...(times && { onsetS: rounded(times.onsetS, 2), endS: rounded(times.endS, 2) }),
  };
  return { trial, xyz };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
