import { randomFrom } from "../training/random.ts";
import { quantile } from "./intervals.ts";

export interface Range {
  low: number;
  high: number;
}

const draws = 1000;

/**
 * 95 % interval of a share over people: each draw takes as many people as there are, some twice and some not at all, with all their trials.
 * Trials of one person resemble each other, which Wilson's interval does not know. The same counts give the same interval.
 * Null where fewer than two people have any trial.
 */
export function bootstrapOverPeople(people: readonly { hits: number; of: number }[]): Range | null {
  const known = people.filter(({ of }) => of > 0);
  if (known.length < 2) return null;
  const random = randomFrom(1);
  const shares: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    let hits = 0;
    let of = 0;
    for (let i = 0; i < known.length; i++) {
      const one = known[Math.floor(random.quick() * known.length)]!;
      hits += one.hits;
      of += one.of;
    }
    shares.push(hits / of);
  }
  return { low: quantile(shares, 0.025)!, high: quantile(shares, 0.975)! };
}
