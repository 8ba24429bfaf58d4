import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import type { CandidateTables } from "./tables.ts";
import type { CandidateCall } from "./tables-worker.ts";

/** The log's tables behind a thread of their own. Calls are done one by one, in their order. */
export interface CandidateThread {
  call<Method extends keyof CandidateTables>(
    method: Method,
    ...args: Parameters<CandidateTables[Method]>
  ): Promise<ReturnType<CandidateTables[Method]>>;
  close(): Promise<void>;
}

const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** The thread begins with the first call: a gateway that has nothing to keep has none. */
export function createCandidateThread(folder: string): CandidateThread {
  let pool: Tinypool | null = null;

  function opened(): Tinypool {
    if (pool) return pool;
    const filename = new URL(`./tables-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href;
    pool = new Tinypool({ filename, minThreads: 1, maxThreads: 1, workerData: { folder }, resourceLimits });
    return pool;
  }

  return {
    call: (method, ...args) => opened().run({ method, args } as CandidateCall),
    async close() {
      if (!pool) return;
      const closing = pool;
      pool = null;
      await closing.run({ method: "close", args: [] } satisfies CandidateCall).finally(() => closing.destroy());
    },
  };
}
