import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded source of chance. Each trial has its own, so that a change to one trial leaves the others as they were. */
export interface Chance {
  /** Evenly spread in [low, high). */
  between(low: number, high: number): number;
  /** Bell-shaped, mean 0, standard deviation 1. */
  normal(): number;
  /** True with this probability. */
  happens(probability: number): boolean;
  /** One of −1 and 1. */
  sign(): number;
  /** A direction, evenly spread over the sphere. */
  direction(): [number, number, number];
}

/** The source for stream number `stream` (a whole number ≥ 0) of `seed`. */
export function chance(seed: number, stream: number): Chance {
  // Neighbouring seeds give related first values in this family of generators; Knuth's multiplicative constant spreads the streams.
  const generator = xoroshiro128plus((seed ^ Math.imul(stream + 1, 2654435761)) | 0);
  for (let i = 0; i < 8; i++) uniformInt(generator, 0, 1);
  const even = () => uniformFloat64(generator);
  const normal = () => Math.sqrt(-2 * Math.log(1 - even())) * Math.cos(2 * Math.PI * even());
  return {
    between: (low, high) => low + (high - low) * even(),
    normal,
    happens: (probability) => even() < probability,
    sign: () => (even() < 0.5 ? -1 : 1),
    direction() {
      const [x, y, z] = [normal(), normal(), normal()];
      const length = Math.hypot(x, y, z) || 1;
      return [x / length, y / length, z / length];
    },
  };
}
