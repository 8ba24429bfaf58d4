import type { Placement } from "../../firmware-contracts/detection.ts";
import { type Figures, figuresOf, isQuiet } from "./figures.ts";
import type { Played } from "./play.ts";
import { judgeTrial, type TrialResult } from "./trials.ts";

/** What one part of a recording set showed. */
export interface PartReport extends Figures {
  dataset: string;
  part: string;
  placement: Placement;
  byActivity: { activity: string; name: string | null; label: string; trials: number; alarmed: number }[];
}

export type AgeGroupReport = Figures & { ageGroup: string };

/** A part with its age groups and each of its trials. */
export interface FullPartReport extends PartReport {
  byAgeGroup: AgeGroupReport[];
  trials: TrialResult[];
}

/** Sets taken together by where the device was worn. People of two sets are never the same. */
export type PlacementReport = Figures & { placement: Placement };

export function reportPart(
  part: { dataset: string; part: string; placement: Placement },
  played: readonly Played[],
): PartReport {
  return reportTrials(part, played.map(resultOf));
}

/** What a report keeps of a trial. */
export function resultOf(played: Played): TrialResult {
  const { hit: _, wrong: __, ...result } = judgeTrial(played);
  return result;
}

export function reportFully(
  part: { dataset: string; part: string; placement: Placement },
  trials: TrialResult[],
): FullPartReport {
  const groups = Map.groupBy(trials, ({ ageGroup }) => ageGroup ?? "unknown");
  return {
    ...reportTrials(part, trials),
    byAgeGroup: [...groups]
      .map(([ageGroup, own]) => ({ ageGroup, ...figuresOf(own) }))
      .sort((a, b) => (a.ageGroup < b.ageGroup ? -1 : 1)),
    trials,
  };
}

function reportTrials(
  { dataset, part, placement }: { dataset: string; part: string; placement: Placement },
  trials: readonly TrialResult[],
): PartReport {
  const activities = Map.groupBy(trials, ({ label, activity }) => `${label} ${activity}`);
  return {
    dataset,
    part,
    placement,
    ...figuresOf(trials),
    byActivity: [...activities]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, own]) => ({
        activity: own[0]!.activity,
        name: own[0]!.name,
        label: own[0]!.label,
        trials: own.length,
        alarmed: own.filter((one) => (one.label === "fall" ? one.found : !isQuiet(one))).length,
      })),
  };
}

export function byPlacement(parts: readonly FullPartReport[]): PlacementReport[] {
  return [...Map.groupBy(parts, ({ placement }) => placement)].map(([placement, own]) => ({
    placement,
    ...figuresOf(
      own.flatMap(({ dataset, trials }) => trials.map((one) => ({ ...one, subject: `${dataset}/${one.subject}` }))),
    ),
  }));
}
