// For tests: recording sets with made-up wearers.
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Recording, Trial } from "../../firmware-contracts/recordings/format.ts";
import { type Motion, points } from "../synthetic-wearer.ts";

const rateHz = 50;
const seconds = 30;

/** A trial of 30 s at 50 Hz with its labelled peak at 10.3 s, worn at the waist. */
export function recorded(motion: Motion, label: Trial["label"], more: Partial<Trial> = {}): Recording {
  const rate = more.rateHz ?? rateHz;
  const count = more.samples ?? Math.round(seconds * rate);
  const samples = new Int16Array(count * 3);
  for (let i = 0; i < count; i++) {
    motion(i / rate).forEach((g, axis) => {
      samples[i * 3 + axis] = Math.round(g * 1000);
    });
  }
  const trial: Trial = {
    part: "belt",
    offset: 0,
    id: "T0",
    subject: "S0",
    activity: label,
    label,
    peakS: 10.3,
    ...more,
    samples: count,
    rateHz: rate,
  };
  return { trial, placement: "waist", samples };
}

/** Writes a set of one part "belt" below `folder`: trials T0, T1, … of people S0 and S1 in turn. `bad` goes into the manifest's trials as it is. */
export async function writeSet(
  folder: string,
  trials: readonly { motion: Motion; label: Trial["label"]; more?: Partial<Trial> }[],
  bad: readonly unknown[] = [],
  dataset = "made-up",
): Promise<string> {
  let offset = 0;
  const recordings = trials.map(({ motion, label, more }, n) => {
    const one = recorded(motion, label, { id: `T${n}`, subject: `S${n % 2}`, ...more });
    const trial = { ...one.trial, offset };
    offset += trial.samples;
    return { ...one, trial };
  });
  const values = new Int16Array(recordings.flatMap(({ samples }) => Array.from(samples)));
  const set = await mkdtemp(join(folder, "set-"));
  await writeFile(join(set, "belt.bin.gz"), gzipSync(new Uint8Array(values.buffer)));
  const manifest = {
    dataset,
    unit: "mg",
    files: { belt: { file: "belt.bin.gz" } },
    trials: [...recordings.map(({ trial }) => trial), ...bad],
  };
  await writeFile(join(set, "manifest.json"), JSON.stringify(manifest));
  return set;
}

/** A model that gives every window the same score, with `medium` at 0.5 and `strong` at 0.9. */
export const judge = (score: number) => ({
  modelVersion: "test",
  operatingPoints: points(0.5, 0.9),
  score: (_: string, inputs: readonly Float32Array[]) => inputs.map(() => score),
});
