import { fileURLToPath } from "node:url";
import { keepIn } from "./kept-branches.ts";
import type { TrainingOptions } from "./network.ts";

/** What one training costs, and in how many folds people are left out in turn: for thresholds and for figures. */
export interface Effort {
  epochs: number;
  /** Of each kind. */
  branches: number;
  folds: number;
}

/** `full`: what ships. `quick`: to try the pipeline. */
export const efforts = {
  full: { epochs: 20, branches: 2, folds: 5 },
  quick: { epochs: 3, branches: 1, folds: 3 },
} satisfies Record<string, Effort>;

/** Where trained branches are kept: in the repository's folder, and no part of it. */
export const keptFolder = ".cache/training";

/** @param afresh nothing is taken that was trained before */
export function trainingOptions(
  { epochs, branches }: Effort,
  seed: number,
  { onEpoch, afresh = false }: { onEpoch?: (loss: number) => void; afresh?: boolean } = {},
): TrainingOptions {
  return {
    ...{ epochs, branches, seed },
    ...(onEpoch && { onEpoch }),
    ...(!afresh && { kept: keepIn(fileURLToPath(new URL(`../../${keptFolder}/`, import.meta.url))) }),
  };
}

/** Epochs of one training of both models, all branches together. */
export const epochsOf = ({ epochs, branches }: Effort) => epochs * branches * 4;
