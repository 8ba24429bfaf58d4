import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { ModelPlacement } from "../operating-points.ts";
import type { Example } from "./examples.ts";
import { scoresOf, type TrainingOptions, trainModel } from "./network.ts";

/** The fold of each person, 0 to `folds` − 1: dealt out in the order of their names, each set on its own. */
export function foldsOf(people: Iterable<string>, folds: number): Map<string, number> {
  const dealt = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const person of [...new Set(people)].sort()) {
    const set = person.split("/")[0]!;
    const count = counts.get(set) ?? 0;
    dealt.set(person, count % folds);
    counts.set(set, count + 1);
  }
  return dealt;
}

export type Models = Record<ModelPlacement, LayersModel>;

/** Trains both models on the examples given. */
export async function trainBoth(examples: readonly Example[], options: TrainingOptions): Promise<Models> {
  const only = (name: ModelPlacement) => examples.filter(({ model }) => model === name);
  return { wrist: await trainModel(only("wrist"), options), waist: await trainModel(only("waist"), options) };
}

/** An example's score by a model that never saw its person. */
export interface LeftOut {
  example: Example;
  score: number;
}

/** Scores every example by a model trained without its person, `folds` of them: for each placement by itself, or one for all placements `together`. */
export async function scoreLeftOut(
  examples: readonly Example[],
  folds: number,
  options: TrainingOptions,
  together = false,
): Promise<LeftOut[]> {
  const foldOf = foldsOf(
    examples.map(({ person }) => person),
    folds,
  );
  const groups = together ? [examples] : Map.groupBy(examples, ({ model }) => model).values();
  const scored: LeftOut[] = [];
  for (const group of groups) {
    for (let fold = 0; fold < folds; fold++) {
      const out = group.filter(({ person }) => foldOf.get(person) === fold);
      const model = await trainModel(
        group.filter(({ person }) => foldOf.get(person) !== fold),
        options,
      );
      const scores = scoresOf(
        model,
        out.map(({ input }) => input),
      );
      out.forEach((example, i) => {
        scored.push({ example, score: scores[i]! });
      });
      model.dispose();
    }
  }
  return scored;
}
