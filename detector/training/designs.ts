import type { Example, Source } from "./examples.ts";
import { disposeOf, type Folds, type LeftOut, leaveOut } from "./folds.ts";
import type { TrainingOptions } from "./network.ts";

/** A way to build the classifier. */
export interface Design {
  tells: string;
  kinds: NonNullable<TrainingOptions["kinds"]>;
  /** One model for all wearing places. */
  together?: true;
}

/** What was tried: `both` is what ships. Each is trained for real by `npm run -s train -- --designs`. */
export const designs = {
  features: { tells: "dense networks on features", kinds: ["features"] },
  signal: { tells: "patch convolutions on channels that do not depend on how it is worn", kinds: ["signal"] },
  both: {
    tells: "the mean of both kinds' logits, a model for the wrist and one for the waist",
    kinds: ["features", "signal"],
  },
  together: { tells: "the same, and one model for all wearing places", kinds: ["features", "signal"], together: true },
} satisfies Record<string, Design>;

/** Scores every example by a model of this design that never saw its person. */
export async function tryDesign(
  design: Design,
  examples: readonly Example[],
  folds: Folds,
  options: TrainingOptions,
): Promise<LeftOut[]> {
  const { scores, models } = await leaveOut(examples, folds, { ...options, kinds: design.kinds }, design.together);
  for (const one of models) disposeOf(one);
  return scores;
}

/** How well scores rank one part of a recording set, by trial. */
export interface Ranking {
  set: string;
  falls: number;
  dailyLife: number;
  /** Area under the curve: how often a fall scores higher than a trial of daily life. */
  area: number;
  /** Share of falls found where this share of daily life is quiet. */
  found: { quiet: number; share: number }[];
}

/** Ranks whole recordings as they are by their highest window. A trial whose gate never opened has no score: a fall is missed, daily life is quiet. */
export function rankingsOf(
  scored: readonly LeftOut[],
  sources: readonly Source[],
  quietShares: readonly number[] = [0.99, 0.97, 0.95],
): Ranking[] {
  const highest = [new Map<string, number>(), new Map<string, number>()] as const;
  for (const { example, score } of scored) {
    if (example.variant !== "as-is") continue;
    const trial = example.trial.slice(0, example.trial.lastIndexOf("/"));
    const ofLabel = highest[example.label];
    ofLabel.set(trial, Math.max(ofLabel.get(trial) ?? 0, score));
  }
  const rankings: Ranking[] = [];
  for (const [set, list] of Map.groupBy(sources, ({ dataset, part }) => `${dataset}/${part}`)) {
    const scoresOfLabel = (label: 0 | 1) =>
      list
        .filter(({ recording }) => (recording.trial.label === "fall") === (label === 1))
        .map(({ recording }) => highest[label].get(`${set}/${recording.trial.id}`) ?? 0)
        .sort((a, b) => b - a);
    const [quiet, falls] = [scoresOfLabel(0), scoresOfLabel(1)];
    if (falls.length === 0) continue;
    rankings.push({
      set,
      falls: falls.length,
      dailyLife: quiet.length,
      area: areaUnder(falls, quiet),
      found: quietShares.map((share) => {
        const threshold = quiet[Math.round((1 - share) * quiet.length)] ?? 0;
        return { quiet: share, share: falls.filter((score) => score > threshold).length / falls.length };
      }),
    });
  }
  return rankings;
}

/** Both highest first. Ties count half. */
function areaUnder(falls: readonly number[], quiet: readonly number[]): number {
  let above = 0;
  for (const fall of falls) for (const other of quiet) above += fall > other ? 1 : fall === other ? 0.5 : 0;
  return above / Math.max(1, falls.length * quiet.length);
}

/** As a table for a terminal. */
export function rankingTable(rows: readonly { design: string; rankings: readonly Ranking[] }[]): string {
  const lines = rows.flatMap(({ design, rankings }) =>
    rankings.map(({ set, falls, area, found }) =>
      [
        design.padEnd(9),
        set.padEnd(23),
        `${falls} falls`.padStart(11),
        `area ${area.toFixed(4)}`,
        ...found.map(
          ({ quiet, share }) => `${(share * 100).toFixed(1).padStart(5)} % at ${(quiet * 100).toFixed(0)} %`,
        ),
      ].join("  "),
    ),
  );
  return ["falls found where so much of daily life is quiet, people left out", ...lines].join("\n");
}
