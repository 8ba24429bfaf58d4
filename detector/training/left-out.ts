import { lowerWhereGaps } from "../classifier/gap-margin.ts";
import { degradationsOf } from "../evaluation/degradations.ts";
import { type Judge, play, type Sent } from "../evaluation/play.ts";
import { type FullPartReport, reportFully, resultOf } from "../evaluation/report.ts";
import { type RobustnessRow, robustnessOf } from "../evaluation/robustness.ts";
import { remembered } from "../evaluation/same-specificity.ts";
import { modelFor } from "../operating-points.ts";
import { type DailyLife, dailyLifeOf, type Example, personOf, type Source } from "./examples.ts";
import {
  disposeOf,
  type Folds,
  foldsOf,
  type LeftOut,
  leaveOut,
  leavePairsOut,
  type Models,
  trainBoth,
} from "./folds.ts";
import { gapMarginsOf } from "./gap-margins.ts";
import { scoresOf, type TrainingOptions } from "./network.ts";
import { thresholdsFor } from "./thresholds.ts";

/** What models showed on recordings that they know nothing of. */
export interface LeftOutReport {
  /** Who was left out. */
  tells: string;
  sets: FullPartReport[];
  /** The same recordings made worse, where that was asked for. */
  robustness: RobustnessRow[];
}

/** What is played again, made worse. */
const madeWorse = degradationsOf({ rates: [20, 25], clip: [2], rotate: 1, loss: [5] });

/** Trainings of both models that `leavePeopleOut` makes. */
export const trainingsOfPeopleOut = (folds: number) => (folds * (folds - 1)) / 2 + folds;

/** Leaves each fold of people out: training, scaling and thresholds see only the others. The shipped streaming code judges whole recordings. */
export async function leavePeopleOut(
  sources: readonly Source[],
  examples: readonly Example[],
  folds: Folds,
  options: TrainingOptions,
  robustness: boolean,
): Promise<LeftOutReport> {
  const inner = await leavePairsOut(examples, folds, options);
  const { models } = await leaveOut(examples, folds, options);
  const dailyLife = dailyLifeOf(sources);
  const judges = models.map((own, fold) => judgeOf(own, inner[fold]!, dailyLife));
  const report = reportOn(sources, (source) => judges[folds.foldOf.get(personOf(source)) ?? -1], robustness);
  for (const own of models) disposeOf(own);
  return { tells: `people left out in ${folds.folds} folds`, ...report };
}

/** The sets that can be left out as a whole: those with falls. */
export function setsWithFalls(sources: readonly Source[]): string[] {
  const falls = sources.filter(({ recording }) => recording.trial.label === "fall");
  return [...new Set(falls.map(({ dataset }) => dataset))];
}

/** Leaves each set with falls out as a whole; thresholds come from people left out of what remains. */
export async function leaveSetsOut(
  sources: readonly Source[],
  examples: readonly Example[],
  folds: Folds,
  options: TrainingOptions,
): Promise<LeftOutReport> {
  const sets: FullPartReport[] = [];
  const names = setsWithFalls(sources);
  const dailyLife = dailyLifeOf(sources);
  for (const out of names) {
    const known = examples.filter(({ dataset }) => dataset !== out);
    const { scores, models } = await leaveOut(known, folds, options);
    for (const own of models) disposeOf(own);
    const both = await trainBoth(known, options);
    const judge = judgeOf(both, scores, dailyLife);
    const own = sources.filter(({ dataset }) => dataset === out);
    sets.push(...reportOn(own, () => judge, false).sets);
    disposeOf(both);
  }
  return { tells: `each of ${names.join(", ")} left out as a whole`, sets, robustness: [] };
}

/** Recordings by the models that may judge them, set by set. Those that no model may judge are left out. */
function reportOn(sources: readonly Source[], judgeFor: (source: Source) => Judge | undefined, robustness: boolean) {
  const sets: FullPartReport[] = [];
  const rows: RobustnessRow[] = [];
  for (const list of Map.groupBy(sources, ({ dataset, part }) => `${dataset}/${part}`).values()) {
    const sent = list.flatMap((source): Sent[] => {
      const judge = judgeFor(source);
      return judge ? [{ recording: source.recording, rangeG: source.rangeG, judge }] : [];
    });
    if (sent.length === 0) continue;
    const { dataset, part, recording } = list[0]!;
    const about = { dataset, part, placement: recording.placement };
    const fallback = sent[0]!.judge!;
    const played = play(sent, fallback);
    sets.push(reportFully(about, played.map(resultOf)));
    const isOneStream = sent.every(({ recording: { trial } }) => trial.label !== "fall");
    if (robustness && !isOneStream) rows.push(...madeWorse.map(robustnessOf(about, sent, played, fallback)));
  }
  return { sets, robustness: rows };
}

/** Thresholds and margins come from `scored`, of people that no scoring model saw. */
function judgeOf(models: Models, scored: readonly LeftOut[], dailyLife: readonly DailyLife[]): Judge {
  const operatingPoints = thresholdsFor(scored, dailyLife);
  const margins = gapMarginsOf(scored, operatingPoints);
  return {
    operatingPoints,
    score: remembered((placement, inputs) => {
      const model = modelFor(placement);
      return lowerWhereGaps(Array.from(scoresOf(models[model], inputs)), inputs, margins[model]);
    }),
  };
}

/** Folds of the people of these sources. */
export const peopleIn = (sources: readonly Source[], folds: number): Folds => ({
  foldOf: foldsOf(sources.map(personOf), folds),
  folds,
});
