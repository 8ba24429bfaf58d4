import type { Placement } from "../../firmware-contracts/detection.ts";
import { impactSpan } from "../../firmware-contracts/recordings/format.ts";
import { type RecordingProblem, readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import type { OperatingPoints } from "../operating-points.ts";
import { play, rangeOf, type Score } from "./play.ts";
import { type PartReport, reportPart } from "./report.ts";

export interface EvaluateOptions {
  part?: string;
  placement?: Placement;
  subjects?: readonly string[];
  /** At most this many trials a part. */
  limit?: number;
  /** The model that judges; a loaded `Classifier` fits. */
  classifier: { modelVersion: string; operatingPoints: OperatingPoints; score: Score };
  /** Trials played so far, and how many there are in the sets read so far. */
  onProgress?: (done: number, known: number) => void;
}

export interface EvaluationReport {
  model: { version: string };
  /** One entry per part. */
  sets: PartReport[];
  /** What could not be played: which file, which trial, why. */
  problems: RecordingProblem[];
}

/**
 * Runs the streaming detector over recording sets as fast as it can.
 * A broken trial or part is told of in `problems` and left out; throws where a folder is no recording set.
 */
export async function evaluate(folders: readonly string[], options: EvaluateOptions): Promise<EvaluationReport> {
  const { classifier, onProgress, ...reading } = options;
  const report: EvaluationReport = { model: { version: classifier.modelVersion }, sets: [], problems: [] };
  const sets = [];
  for (const folder of folders) sets.push(await readRecordingSet(folder, reading));
  const known = sets.flatMap(({ parts }) => parts).reduce((sum, { recordings }) => sum + recordings.length, 0);
  let done = 0;
  for (const set of sets) {
    report.problems.push(...set.problems);
    for (const part of set.parts) {
      const rangeG = rangeOf(part.recordings);
      const usable = part.recordings.filter(({ trial }) => {
        if (trial.label === "adl" || impactSpan(trial)) return true;
        report.problems.push({ where: `${set.dataset}, trial ${trial.id}`, why: "a fall without peakS or onsetS" });
        return false;
      });
      const played = play(
        usable.map((recording) => ({ recording, rangeG })),
        {
          operatingPoints: classifier.operatingPoints,
          score: classifier.score,
          onPlayed: () => onProgress?.(++done, known),
        },
      );
      if (played.length > 0) report.sets.push(reportPart(part, played));
      // Between parts, so that the progress bar is drawn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return report;
}
