import { z } from "zod";
import type { Placement } from "../detection.ts";

/**
 * One trial of a recording set. Its bytes are `[offset × 6, (offset + samples) × 6)` of the part's unzipped file.
 * Optional keys may be missing and unknown ones are ignored, so that sets of other makers can be read.
 */
export const Trial = z.object({
  part: z.string(),
  offset: z.number().int().min(0),
  samples: z.number().int().min(1),
  rateHz: z.number().min(20).max(200),
  id: z.string(),
  subject: z.coerce.string(),
  age: z.number().nullish(),
  sex: z.string().nullish(),
  ageGroup: z.string().nullish(),
  activity: z.coerce.string(),
  activityName: z.string().nullish(),
  label: z.enum(["fall", "adl"]),
  peakG: z.number().nullish(),
  /** Time of the largest magnitude, s from the trial's start. */
  peakS: z.number().nullish(),
  onsetS: z.number().nullish(),
  endS: z.number().nullish(),
});
export type Trial = z.infer<typeof Trial>;

export const RecordingFile = z.object({ file: z.string(), samples: z.number().int().nullish() });

export const Manifest = z.object({
  dataset: z.string(),
  placement: z.union([z.string(), z.record(z.string(), z.string())]).nullish(),
  files: z.record(z.string(), RecordingFile),
  /** Each trial is checked on its own, so that one broken trial does not cost the rest. */
  trials: z.array(z.unknown()),
});
export type Manifest = z.infer<typeof Manifest>;

const placementWords: [RegExp, Placement][] = [
  [/wrist|watch/i, "wrist"],
  [/waist|belt/i, "waist"],
  [/chest|sternum/i, "chest"],
  [/hip/i, "hip"],
  [/pocket|thigh/i, "pocket"],
];

function placementIn(text: string): Placement | null {
  const found = placementWords.filter(([word]) => word.test(text)).map(([, placement]) => placement);
  return found.length === 1 ? (found[0] ?? null) : null;
}

/**
 * The wearing place of a part: from its name ("meta_wrist", "watch"), else from what the manifest says of that part, else from the manifest as a whole
 * where it names just one place. Null where neither tells.
 */
export function placementOf(part: string, manifest: Manifest): Placement | null {
  const byName = placementIn(part);
  if (byName) return byName;
  const told = manifest.placement;
  if (!told) return null;
  return placementIn(typeof told === "string" ? told : (told[part] ?? ""));
}

/** A trial with its samples: x, y, z interleaved, milli-g. */
export interface Recording {
  trial: Trial;
  placement: Placement;
  samples: Int16Array;
}

/** The labelled span in which a fall's impact must lie to count as found, s from the trial's start. Null for daily life. */
export function impactSpan(trial: Trial): { from: number; to: number } | null {
  if (trial.label !== "fall") return null;
  const from = trial.onsetS ?? trial.peakS;
  const to = trial.endS ?? trial.onsetS ?? trial.peakS;
  if (from == null || to == null) return null;
  return { from: from - 2, to: to + 5 };
}
