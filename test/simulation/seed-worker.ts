import { marks } from "./marks.ts";
import type { Violation } from "./oracle.ts";
import { plantedFaults } from "./planted-faults.ts";
import { playSeed } from "./seed.ts";
import { yardstick } from "./yardstick.ts";

// The thread behind many-seeds.ts: each plays its share of the seeds.

export interface SeedBatch {
  from: number;
  count: number;
  /** Name of a planted fault. */
  fault?: string | undefined;
}

export interface FailedSeed {
  seed: number;
  violation: Violation;
  /** The last lines of its story. */
  story: string[];
}

export interface BatchResult {
  seeds: number;
  simulatedMs: number;
  commits: number;
  episodes: number;
  failed: FailedSeed[];
  /** The marks that the stories bear. */
  told: Set<string>;
  /** What the yardstick took meanwhile, ms. */
  yardstickMs: number[];
}

export function nothingPlayed(): BatchResult {
  return { seeds: 0, simulatedMs: 0, commits: 0, episodes: 0, failed: [], told: new Set(), yardstickMs: [] };
}

/** Lines of a failing seed's story that are shown. */
const shownLines = 40;

export default async function playBatch({ from, count, fault }: SeedBatch): Promise<BatchResult> {
  const planted = fault === undefined ? undefined : plantedFaults[fault];
  if (fault !== undefined && !planted) throw new Error(`no planted fault is called ${fault}`);
  const result = nothingPlayed();
  const untold = new Set(marks);
  for (let seed = from; seed < from + count; seed++) {
    const { simulatedMs, commits, episodes, violation, story } = await playSeed(seed, planted);
    result.seeds++;
    result.simulatedMs += simulatedMs;
    result.commits += commits;
    result.episodes += episodes;
    const text = story.join("\n");
    for (const mark of untold) {
      if (!mark.test(text)) continue;
      untold.delete(mark);
      result.told.add(mark.source);
    }
    if (violation) result.failed.push({ seed, violation, story: story.slice(-shownLines) });
  }
  result.yardstickMs.push(yardstick());
  return result;
}
