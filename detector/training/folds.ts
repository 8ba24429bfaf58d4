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

/** Trains both models on the examples given, or one that stands for both places. */
export async function trainBoth(
  examples: readonly Example[],
  options: TrainingOptions,
  together = false,
): Promise<Models> {
  if (together) {
    const model = await trainModel(examples, options);
    return { wrist: model, waist: model };
  }
  const only = (name: ModelPlacement) => examples.filter(({ model }) => model === name);
  return { wrist: await trainModel(only("wrist"), options), waist: await trainModel(only("waist"), options) };
}

/** An example's score by a model that never saw its person. */
export interface LeftOut {
  example: Example;
  score: number;
}

/** Who is left out with whom: the fold of each person, 0 to `folds` − 1. Who has none is always trained on. */
export interface Folds {
  foldOf: ReadonlyMap<string, number>;
  folds: number;
}

const ofFold = (examples: readonly Example[], { foldOf }: Folds, fold: number) =>
  examples.filter(({ person }) => foldOf.get(person) === fold);
const without = (examples: readonly Example[], { foldOf }: Folds, ...out: number[]) =>
  examples.filter(({ person }) => !out.includes(foldOf.get(person) ?? -1));
/** A seed of its own for each training, the same whichever run asks for it. */
const seedWithout = ({ seed }: TrainingOptions, a: number, b = -1) => seed * 100 + 10 * (a + 1) + b + 1;

/** Scores every example by the models trained without its fold, which come back too, fold by fold: `disposeOf` lets go of them. */
export async function leaveOut(
  examples: readonly Example[],
  folds: Folds,
  options: TrainingOptions,
  together = false,
): Promise<{ scores: LeftOut[]; models: Models[] }> {
  const scores: LeftOut[] = [];
  const models: Models[] = [];
  for (let fold = 0; fold < folds.folds; fold++) {
    const seed = seedWithout(options, fold);
    const trained = await trainBoth(without(examples, folds, fold), { ...options, seed }, together);
    scores.push(...scored(trained, ofFold(examples, folds, fold)));
    models.push(trained);
  }
  return { scores, models };
}

/**
 * For each fold, the scores of the other folds by models that saw neither: what is decided for a fold then rests on people that neither it nor the scoring
 * model saw. A pair of folds left out serves both: with five, thresholds rest on four inner folds for ten trainings instead of twenty.
 */
export async function leavePairsOut(
  examples: readonly Example[],
  folds: Folds,
  options: TrainingOptions,
): Promise<LeftOut[][]> {
  const inner = Array.from({ length: folds.folds }, (): LeftOut[] => []);
  for (let a = 0; a < folds.folds; a++) {
    for (let b = a + 1; b < folds.folds; b++) {
      const models = await trainBoth(without(examples, folds, a, b), { ...options, seed: seedWithout(options, a, b) });
      inner[a]!.push(...scored(models, ofFold(examples, folds, b)));
      inner[b]!.push(...scored(models, ofFold(examples, folds, a)));
      disposeOf(models);
    }
  }
  return inner;
}

/** Each example's score by the model of its place. */
function scored(models: Models, examples: readonly Example[]): LeftOut[] {
  return [...Map.groupBy(examples, ({ model }) => model)].flatMap(([name, list]) => {
    const scores = scoresOf(
      models[name],
      list.map(({ input }) => input),
    );
    return list.map((example, i) => ({ example, score: scores[i]! }));
  });
}

export function disposeOf(models: Models): void {
  models.wrist.dispose();
  if (models.waist !== models.wrist) models.waist.dispose();
}
