import { impactSpan, type Recording } from "../../firmware-contracts/recordings/format.ts";
import { play } from "../evaluation/play.ts";
import type { ModelPlacement, OperatingPoints, RangeClass } from "../operating-points.ts";
import { modelFor, rangeClassOf } from "../operating-points.ts";
import { augment, type Variant, variants } from "./augment.ts";
import { randomFrom, seedOf } from "./random.ts";

/** A recording of a named set, with the full scale of its part's sensor. */
export interface Source {
  dataset: string;
  part: string;
  recording: Recording;
  rangeG: number;
}

/** One window that the gate let through. */
export interface Example {
  input: Float32Array;
  /** 1 fall, 0 daily life. */
  label: 0 | 1;
  model: ModelPlacement;
  /** `dataset/subject`: people are left out whole, over all parts of a set. */
  person: string;
  dataset: string;
  /** Whether its recording is one of a fall: what comes before that is daily life, and no trial of it. */
  inFall: boolean;
  /** Names the recording and its variant. */
  trial: string;
  rangeClass: RangeClass;
  variant: Variant;
}

/** Trials of daily life, whether or not anything in them opens the gate. */
export interface DailyLife {
  dataset: string;
  person: string;
  model: ModelPlacement;
  rangeClass: RangeClass;
}

/** Each trial of daily life once for each range class of which there is a copy, as it is or clipped. */
export function dailyLifeOf(sources: readonly Source[]): DailyLife[] {
  return sources
    .filter(({ recording }) => recording.trial.label !== "fall")
    .flatMap((source) => {
      const { dataset, recording, rangeG } = source;
      const of = { dataset, person: personOf(source), model: modelFor(recording.placement) };
      const own = rangeClassOf(rangeG);
      return own === "2g"
        ? [{ ...of, rangeClass: own }]
        : [own, "2g" as const].map((rangeClass) => ({ ...of, rangeClass }));
    });
}

export const personOf = (source: Source) => `${source.dataset}/${source.recording.trial.subject}`;

/** Share of the windows of daily life that is kept of copies: most of them teach nothing new. Those that set thresholds are kept whole. */
const copiesKept = 0.3;

/** Nothing is ever told with these: every window is only looked at. */
const never: OperatingPoints = {
  wrist: { "2g": { medium: 1, strong: 1 }, wide: { medium: 1, strong: 1 } },
  waist: { "2g": { medium: 1, strong: 1 }, wide: { medium: 1, strong: 1 } },
};

/** Runs recordings and their augmented copies through the streaming code and keeps each window that reaches the classifier. */
export function examplesOf(
  sources: readonly Source[],
  seed: number,
  wanted: readonly Variant[] = variants,
  onDone?: (count: number) => void,
): Example[] {
  const examples: Example[] = [];
  for (const source of sources) {
    const { trial, placement } = source.recording;
    const trialName = `${source.dataset}/${source.part}/${trial.id}`;
    for (const variant of wanted) {
      const random = randomFrom(seedOf(trialName + variant, seed));
      const copy = augment(source.recording, source.rangeG, variant, random);
      if (!copy) continue;
      // The window of a long silence is asked for twice: short first, then whole. Both are examples.
      play([copy], {
        operatingPoints: never,
        score: (_, inputs) => inputs.map(() => 0),
        onWindow: (recording, impactS, input) => {
          const label = labelOf(recording, impactS);
          if (label === null) return;
          const optional = label === 0 && variant !== "as-is" && variant !== "clipped";
          if (optional && random.between(0, 1) > copiesKept) return;
          examples.push({
            input,
            label,
            model: modelFor(placement),
            person: personOf(source),
            dataset: source.dataset,
            inFall: trial.label === "fall",
            trial: `${trialName}/${variant}`,
            rangeClass: rangeClassOf(copy.rangeG),
            variant,
          });
        },
      });
    }
    onDone?.(1);
  }
  return examples;
}

/**
 * Fall, daily life, or null where a window is neither for certain: around the labelled impact, and whatever follows a fall. Where only the largest peak is
 * known, nothing else of a fall's trial is daily life: of smartfallmm's falls many peak when the person gets up, and the fall itself lies before.
 */
function labelOf(recording: Recording, impactS: number): 0 | 1 | null {
  const span = impactSpan(recording.trial);
  if (!span) return 0;
  const { onsetS, endS, peakS } = recording.trial;
  const from = onsetS != null ? onsetS - 0.2 : (peakS ?? 0) - 1;
  const to = endS != null ? endS + 0.7 : (peakS ?? 0) + 1;
  if (impactS >= from && impactS <= to) return 1;
  return onsetS != null && impactS < span.from ? 0 : null;
}
