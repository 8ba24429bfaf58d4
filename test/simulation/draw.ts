import { type Chance, chance } from "../../simulators/generator/random.ts";

/** Chance, with what a simulation asks of it. */
export interface Draw extends Chance {
  /** A whole number, both ends included. */
  whole(least: number, most: number): number;
  pick<T>(choices: readonly T[]): T;
  /** A key, by its weight. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K;
  /** Mostly short, seldom long: spread evenly over the logarithm. */
  spread(least: number, most: number): number;
}

export function draw(seed: number, stream: number): Draw {
  const source = chance(seed, stream);
  const { between } = source;
  return {
    ...source,
    whole: (least, most) => Math.floor(between(least, most + 1)),
    pick: <T>(choices: readonly T[]) => choices[Math.floor(between(0, choices.length))] as T,
    weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
      const entries = Object.entries(weights) as [K, number][];
      let left = between(
        0,
        entries.reduce((sum, [, weight]) => sum + weight, 0),
      );
      for (const [key, weight] of entries) {
        left -= weight;
        if (left < 0) return key;
      }
      return (entries.at(-1) as [K, number])[0];
    },
    spread: (least, most) => Math.exp(between(Math.log(least), Math.log(most))),
  };
}
