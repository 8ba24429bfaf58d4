import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import type { MasterKeySource } from "./master-key-file.ts";
import type { StoreCall } from "./sqlite-worker.ts";
import type { Store } from "./store.ts";

/** SQLite's caches and the rows of one answer; without a limit V8 lets a thread grow as it lets a process. */
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 4 };

/**
 * The SQLite store behind a thread of its own. An alarm costs some fifteen syncs, each of which takes as long as the disk likes; in one process with a
 * gateway they would hold up the frames of a whole building. Calls are done one by one, in their order.
 * @throws as `openSqliteStore`.
 */
export async function openThreadedStore(dataDir: string, masterKey?: MasterKeySource): Promise<Store> {
  const filename = new URL(`./sqlite-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href;
  const pool = new Tinypool({
    filename,
    minThreads: 1,
    maxThreads: 1,
    workerData: { dataDir, masterKey },
    resourceLimits,
  });
  let isClosed = false;

  async function call(part: keyof Store | null, method: string, args: readonly unknown[]): Promise<never> {
    if (isClosed) throw new Error("alerting's store is closed");
    return (await pool.run({ part, method, args } satisfies StoreCall)) as never;
  }

  /** One part of the store: whatever method is asked of it is asked of the thread. */
  function behind<Part extends keyof Store>(part: Part): Store[Part] {
    const methods: Record<string, (...args: unknown[]) => Promise<never>> = {};
    return new Proxy(methods, {
      get: (_, method) => {
        if (typeof method !== "string") return undefined;
        methods[method] ??= (...args) => call(part, method, args);
        return methods[method];
      },
    }) as unknown as Store[Part];
  }

  try {
    await call(null, "open", []);
  } catch (error) {
    await pool.destroy();
    throw error;
  }
  return {
    episodes: behind("episodes"),
    pages: behind("pages"),
    registry: behind("registry"),
    watching: behind("watching"),
    control: behind("control"),
    users: behind("users"),
    access: behind("access"),
    gateways: behind("gateways"),
    blindTime: behind("blindTime"),
    troubles: behind("troubles"),
    residents: behind("residents"),
    audit: behind("audit"),
    erasure: behind("erasure"),
    keys: behind("keys"),
    rota: behind("rota"),
    contacts: behind("contacts"),
    operation: behind("operation"),
    selfTests: behind("selfTests"),
    followUps: behind("followUps"),
    probe: () => call(null, "probe", []),
    async close() {
      if (isClosed) return;
      const closed = call(null, "close", []);
      isClosed = true;
      await closed.catch(() => {});
      await pool.destroy();
    },
  };
}
