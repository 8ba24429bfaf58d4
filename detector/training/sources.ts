import { join } from "node:path";
import { readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { rangeOf } from "../evaluation/play.ts";
import type { Source } from "./examples.ts";

/** The sets a model is trained on. `umafall-sample` is for the end-to-end test only and never among them. */
export const trainingSets = ["weda-fall", "sisfall", "smartfallmm", "stress-predict"] as const;

/** Reads the training sets below `root`. Throws where one is missing. */
export async function readSources(root: string, sets: readonly string[] = trainingSets): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of sets) {
    const set = await readRecordingSet(join(root, name));
    for (const part of set.parts) {
      const rangeG = rangeOf(part.recordings);
      for (const recording of part.recordings) {
        sources.push({ dataset: set.dataset, part: part.part, recording, rangeG });
      }
    }
  }
  return sources;
}
