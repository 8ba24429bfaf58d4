import { featureNames } from "../features.ts";
import type { Example, Source } from "./examples.ts";
import { budget } from "./thresholds.ts";

/** The training sets as their makers published them. */
const origins: Record<string, { by: string; licence: string }> = {
  "weda-fall": {
    by: "Marques and Moreno, Sensors 2023, 23(3), 1146",
    licence: "the repository states none; the paper is CC BY 4.0",
  },
  sisfall: {
    by: "Sucerquia, López and Vargas-Bonilla, Sensors 2017, 17(1), 198",
    licence: "the archive states none; the paper is CC BY 4.0",
  },
  smartfallmm: { by: "Ngu et al., Texas State University, SmartFallMM", licence: "the repository states none" },
  "stress-predict": { by: "Iqbal et al., Sensors 2022, 22(21), 8135", licence: "MIT" },
};

export interface TrainingRun {
  seed: number;
  quick: boolean;
  epochs: number;
  branches: number;
  folds: number;
}

/** What the model card tells beside the files' sums: version, data, training, thresholds, limits. */
export function cardOf(
  sources: readonly Source[],
  examples: readonly Example[],
  run: TrainingRun,
): { version: string; told: Record<string, unknown> } {
  return {
    version: `1.2.0-seed${run.seed}${run.quick ? "-quick" : ""}`,
    told: {
      purpose:
        "Judges whether 4 s of acceleration around an impact are a fall. One network for the wrist, one for waist, chest, hip and pocket.",
      data: [...Map.groupBy(sources, ({ dataset }) => dataset)].map(([dataset, list]) => ({
        dataset,
        ...origins[dataset],
        falls: list.filter(({ recording }) => recording.trial.label === "fall").length,
        dailyLife: list.filter(({ recording }) => recording.trial.label === "adl").length,
        people: new Set(list.map(({ recording }) => recording.trial.subject)).size,
        windows: examples.filter((example) => example.dataset === dataset).length,
      })),
      training: {
        ...run,
        ensemble: `The mean of the logits of dense networks on ${featureNames.length} features (${run.branches}) and patch convolutions on 4 channels at 25 Hz (${run.branches})`,
        leftOut: "See figures: printed and written here by `npm run -s evaluate:all -- --card`.",
      },
      thresholds: {
        how: `Set on people left out (${run.folds} folds) by a budget of alarms on daily life, for each set by itself; sensors of ±2 g may cost more.`,
        budget,
      },
      limits: [
        "All falls in the data were acted by mostly young, healthy people. Detectors that found 90 % of acted falls have found 57 % of real ones (Bagalà 2012). Expect less than the figures here.",
        "Daily life in the data is scripted or seated. Measure false alarms on the wearer's own days before trusting them.",
        "Chest and pocket were not trained on; hip only with sensors that clip at ±2 g.",
        "Rates of 20 to 200 Hz. Sensors that clip at ±2 g find fewer falls and raise more false alarms, at the wrist above all: take ±4 g or more.",
        "Nobody in a wheelchair, and nobody with a walking frame, is in the data. A device that is not worn finds nothing.",
      ],
    },
  };
}
