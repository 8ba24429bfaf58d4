import type { Placement } from "../../firmware-contracts/detection.ts";
import { impactSpan } from "../../firmware-contracts/recordings/format.ts";
import {
  type RecordingPart,
  type RecordingProblem,
  type RecordingSet,
  readRecordingSet,
} from "../../firmware-contracts/recordings/read.ts";
import type { OperatingPoints } from "../operating-points.ts";
import { type Degradation, whySkipped } from "./degradations.ts";
import { type Played, play, rangeOf, type Score, type Sent } from "./play.ts";
import { byPlacement, type FullPartReport, type PlacementReport, reportFully, resultOf } from "./report.ts";
import { type RobustnessRow, robustnessOf } from "./robustness.ts";
import { continuations, playStitched, type StitchedRow } from "./stitched.ts";

export interface EvaluateOptions {
  part?: string;
  placement?: Placement;
  subjects?: readonly string[];
  /** At most this many trials a part. */
  limit?: number;
  /** The model that judges; a loaded `Classifier` fits. */
  classifier: { modelVersion: string; operatingPoints: OperatingPoints; score: Score };
  /** Ways in which every part is made worse and played again. */
  degradations?: readonly Degradation[];
  /** Whether falls are played again, each followed by walking, rest and silence. */
  stitched?: boolean;
  /** Told of each part as it was recorded and played, for pictures. */
  onPart?: (part: RecordingPart, played: readonly Played[]) => Promise<void>;
  /** Trials played so far, over all rows, and how many there will be. */
  onProgress?: (done: number, known: number) => void;
}

export interface EvaluationReport {
  model: { version: string };
  /** One entry per part. */
  sets: FullPartReport[];
  byPlacement: PlacementReport[];
  /** Empty where nothing was made worse. */
  robustness: RobustnessRow[];
  /** Empty unless asked for. */
  stitched: StitchedRow[];
  /** What could not be played: which file, which trial, why. */
  problems: RecordingProblem[];
}

/**
 * Runs the streaming detector over recording sets as fast as it can.
 * A broken trial or part is told of in `problems` and left out; throws where a folder is no recording set.
 */
export async function evaluate(folders: readonly string[], options: EvaluateOptions): Promise<EvaluationReport> {
  const { classifier, degradations = [], stitched = false, onPart, onProgress, ...reading } = options;
  const sets: RecordingSet[] = [];
  for (const folder of folders) sets.push(await readRecordingSet(folder, reading));
  const problems = sets.flatMap((set) => set.problems);
  const jobs = sets.flatMap(({ parts }) => parts.map((part) => ({ part, sent: sentOf(part, problems) })));
  const known = jobs.reduce((sum, { sent }) => sum + playsOf(sent, degradations, stitched), 0);
  let done = 0;
  const judge = {
    operatingPoints: classifier.operatingPoints,
    score: classifier.score,
    onPlayed: () => onProgress?.(++done, known),
  };
  const report: EvaluationReport = {
    model: { version: classifier.modelVersion },
    sets: [],
    byPlacement: [],
    robustness: [],
    stitched: [],
    problems,
  };
  for (const { part, sent } of jobs) {
    if (sent.length === 0) continue;
    const played = play(sent, judge);
    report.sets.push(reportFully(part, played.map(resultOf)));
    await onPart?.(part, played);
    const rowOf = robustnessOf(part, sent, played, judge);
    for (const degradation of degradations) {
      report.robustness.push(rowOf(degradation));
      await breathe();
    }
    if (stitched) report.stitched.push(...playStitched(part, sent, judge));
    await breathe();
  }
  report.byPlacement = byPlacement(report.sets);
  return report;
}

/** Between rows, so that the progress bar is drawn. */
const breathe = () => new Promise((resolve) => setImmediate(resolve));

/** A part's recordings, but for falls that nothing can be held against. */
function sentOf({ dataset, recordings }: RecordingPart, problems: RecordingProblem[]): Sent[] {
  const rangeG = rangeOf(recordings);
  return recordings.flatMap((recording) => {
    const { trial } = recording;
    if (trial.label === "adl" || impactSpan(trial)) return [{ recording, rangeG }];
    problems.push({ where: `${dataset}, trial ${trial.id}`, why: "a fall without peakS or onsetS" });
    return [];
  });
}

/** How many trials will be played, as progress counts them. */
function playsOf(sent: readonly Sent[], degradations: readonly Degradation[], stitched: boolean): number {
  const rows = 1 + degradations.filter((one) => !whySkipped(one, sent)).length;
  const falls = sent.filter(({ recording }) => recording.trial.label === "fall").length;
  return sent.length * rows + (stitched ? falls * continuations.length : 0);
}
