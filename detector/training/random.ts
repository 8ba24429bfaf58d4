import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Seeded randomness: the same seed trains the same model. */
export interface Random {
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** Uniform in [0, 1), of lesser quality but ten times as fast: for noise. */
  quick(): number;
  /** Integers 0 to length − 1 in a random order. */
  order(length: number): Int32Array;
}

export function randomFrom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const between = (from: number, to: number) => from + (to - from) * uniformFloat64(generator);
  // Marsaglia's xorshift32, shifts 13, 17, 5; its state must not be 0.
  let state = Math.floor(between(1, 2 ** 31));
  return {
    between,
    quick() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 2 ** 32;
    },
    order(length) {
      const order = Int32Array.from({ length }, (_, i) => i);
      for (let i = length - 1; i > 0; i--) {
        const j = Math.floor(between(0, i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
  };
}

/** A seed for a named purpose, so that one more recording does not change the fate of all others. */
export function seedOf(text: string, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
