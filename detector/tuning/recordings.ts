import type { Placement } from "../../firmware-contracts/detection.ts";
import { impactSpan, type Trial } from "../../firmware-contracts/recordings/format.ts";
import { type RecordingProblem, readRecordingSet } from "../../firmware-contracts/recordings/read.ts";
import { type Alarm, type Judged, type Played, type PlayOptions, play, rangeOf } from "../evaluation/play.ts";
import { remembered } from "../evaluation/same-specificity.ts";
import { judgeTrial } from "../evaluation/trials.ts";
import { type RangeClass, rangeClassOf } from "../operating-points.ts";

/** An alarm that one threshold raises and the other does not. */
export interface RecordedChange {
  dataset: string;
  part: string;
  trial: string;
  subject: string;
  activity: string;
  /** By the set's labels: the labelled fall, or an alarm without one. */
  what: "fall" | "no-fall";
  /** Of the impact, seconds from the trial's start. */
  impactS: number;
  score: number;
  strength: "strong" | "medium";
  /** What becomes of it at the other threshold; null where it was not asked about there. */
  instead: Judged["outcome"];
}

export interface RecordingsTuned {
  trials: number;
  falls: number;
  rangeClasses: RangeClass[];
  /** At the threshold now and at the one proposed, as `fallvakt evaluate` counts them. */
  now: { found: number; falseAlarms: number };
  proposed: { found: number; falseAlarms: number };
  lost: RecordedChange[];
  gained: RecordedChange[];
  /** Of every candidate that was scored at the threshold now. */
  scores: number[];
  /** What could not be played, and why. */
  problems: RecordingProblem[];
}

export interface TuneRecordingsOptions extends Pick<PlayOptions, "operatingPoints" | "score"> {
  placement: Placement;
  /** Null: the model's own. */
  now: number | null;
  proposed: number | null;
}

/** Falls that lie this close are one alarm, seconds; as in an evaluation. */
const sameS = 60;

/**
 * Plays the parts of recording sets that were worn where the device is at both thresholds, and tells which alarms differ: exactly those by which two
 * evaluations would.
 * @throws where a folder is no recording set, or no part was worn there.
 */
export async function tuneOnRecordings(
  folders: readonly string[],
  options: TuneRecordingsOptions,
): Promise<RecordingsTuned> {
  const { placement, operatingPoints } = options;
  const score = remembered(options.score);
  const tuned: RecordingsTuned = {
    trials: 0,
    falls: 0,
    rangeClasses: [],
    now: { found: 0, falseAlarms: 0 },
    proposed: { found: 0, falseAlarms: 0 },
    lost: [],
    gained: [],
    scores: [],
    problems: [],
  };
  const elsewhere = new Set<Placement>();
  for (const folder of folders) {
    const set = await readRecordingSet(folder);
    tuned.problems.push(...set.problems);
    for (const { dataset, placement: worn, recordings } of set.parts) {
      if (worn !== placement) {
        elsewhere.add(worn);
        continue;
      }
      const rangeG = rangeOf(recordings);
      const range = rangeClassOf(rangeG);
      if (!tuned.rangeClasses.includes(range)) tuned.rangeClasses.push(range);
      const sent = recordings.flatMap((recording) => {
        const { trial } = recording;
        if (trial.label === "adl" || impactSpan(trial)) return [{ recording, rangeG }];
        tuned.problems.push({ where: `${dataset}, trial ${trial.id}`, why: "a fall without peakS or onsetS" });
        return [];
      });
      const at = (threshold: number | null) =>
        play(sent, { operatingPoints, score, ...(threshold === null ? {} : { threshold }) });
      const [before, after] = [at(options.now), at(options.proposed)];
      before.forEach((one, i) => {
        addTrial(tuned, dataset, one, after[i]!);
      });
    }
  }
  if (tuned.trials === 0) {
    const has = elsewhere.size > 0 ? ` They were worn at: ${[...elsewhere].join(", ")}.` : "";
    throw new Error(`no trial of these sets was worn at the ${placement}, as the device is.${has}`);
  }
  return tuned;
}

function addTrial(tuned: RecordingsTuned, dataset: string, before: Played, after: Played): void {
  const { trial } = before.recording;
  const [a, b] = [judgeTrial(before), judgeTrial(after)];
  tuned.trials++;
  if (trial.label === "fall") tuned.falls++;
  for (const [sum, one] of [
    [tuned.now, a],
    [tuned.proposed, b],
  ] as const) {
    if (one.found) sum.found++;
    sum.falseAlarms += one.falseAlarms;
  }
  for (const { score } of before.judged) if (score !== null) tuned.scores.push(score);
  const change = (alarm: Alarm, what: RecordedChange["what"], other: Played) =>
    changeOf(dataset, trial, alarm, what, other);
  if (a.hit && !b.hit) tuned.lost.push(change(a.hit, "fall", after));
  if (b.hit && !a.hit) tuned.gained.push(change(b.hit, "fall", before));
  const { onlyA, onlyB } = apart(a.wrong, b.wrong);
  tuned.lost.push(...onlyA.map((alarm) => change(alarm, "no-fall", after)));
  tuned.gained.push(...onlyB.map((alarm) => change(alarm, "no-fall", before)));
}

/** Alarms of either side without one of the other in their minute; each stands for one at most. */
function apart(a: readonly Alarm[], b: readonly Alarm[]): { onlyA: Alarm[]; onlyB: Alarm[] } {
  const onlyB = [...b];
  const onlyA = a.filter((alarm) => {
    const [nearest] = onlyB
      .filter((other) => Math.abs(other.impactS - alarm.impactS) < sameS)
      .sort((one, other) => Math.abs(one.impactS - alarm.impactS) - Math.abs(other.impactS - alarm.impactS));
    if (nearest) onlyB.splice(onlyB.indexOf(nearest), 1);
    return !nearest;
  });
  return { onlyA, onlyB };
}

function changeOf(
  dataset: string,
  trial: Trial,
  { conclusion, impactS }: Alarm,
  what: RecordedChange["what"],
  other: Played,
): RecordedChange {
  const instead = other.judged.find((one) => Math.abs(one.impactS - impactS) < 0.01)?.outcome ?? null;
  return {
    dataset,
    part: trial.part,
    trial: trial.id,
    subject: trial.subject,
    activity: trial.activityName ?? trial.activity,
    what,
    impactS,
    score: conclusion.evidence.score,
    strength: conclusion.strength,
    instead,
  };
}
