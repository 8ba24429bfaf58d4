import { Tinypool } from "tinypool";
import { type BatchResult, nothingPlayed, type SeedBatch } from "./seed-worker.ts";

/** Seeds that a thread plays in one go. */
const batchSize = 10;
/** After so many failing seeds no more are begun: one is enough to look at. */
const mostFailures = 20;

export interface ManySeeds {
  from: number;
  count: number;
  /** Threads. */
  jobs: number;
  fault?: string;
  /** Called after each batch, with the seeds in it. */
  onDone?(seeds: number, failed: BatchResult["failed"]): void;
}

/** Plays seeds on several threads. What comes back does not depend on how many, failing seeds come in their order. */
export async function playSeeds({ from, count, jobs, fault, onDone }: ManySeeds): Promise<BatchResult> {
  const filename = new URL("./seed-worker.ts", import.meta.url).href;
  const pool = new Tinypool({ filename, minThreads: jobs, maxThreads: jobs });
  const total = nothingPlayed();
  let next = from;
  const end = from + count;
  async function work(): Promise<void> {
    while (next < end && total.failed.length < mostFailures) {
      const batch: SeedBatch = { from: next, count: Math.min(batchSize, end - next), fault };
      next += batch.count;
      const done: BatchResult = await pool.run(batch);
      total.seeds += done.seeds;
      total.simulatedMs += done.simulatedMs;
      total.commits += done.commits;
      total.episodes += done.episodes;
      total.failed.push(...done.failed);
      total.yardstickMs.push(...done.yardstickMs);
      for (const mark of done.told) total.told.add(mark);
      onDone?.(done.seeds, done.failed);
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    await pool.destroy();
  }
  total.failed.sort((a, b) => a.seed - b.seed);
  return total;
}
