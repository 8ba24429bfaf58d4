import type { Violation } from "./oracle.ts";
import { plantedFaults } from "./planted-faults.ts";
import { playSeed } from "./seed.ts";

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
}

/** Lines of a failing seed's story that are shown. */
const shownLines = 40;

export default async function playBatch({ from, count, fault }: SeedBatch): Promise<BatchResult> {
  const planted = fault === undefined ? undefined : plantedFaults[fault];
  if (fault !== undefined && !planted) throw new Error(`no planted fault is called ${fault}`);
  const result: BatchResult = { seeds: 0, simulatedMs: 0, commits: 0, episodes: 0, failed: [] };
  for (let seed = from; seed < from + count; seed++) {
    const { simulatedMs, commits, episodes, violation, story } = await playSeed(seed, planted);
    result.seeds++;
    result.simulatedMs += simulatedMs;
    result.commits += commits;
    result.episodes += episodes;
    if (violation) result.failed.push({ seed, violation, story: story.slice(-shownLines) });
  }
  return result;
}
