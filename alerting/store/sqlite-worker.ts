import { Tinypool } from "tinypool";
import type { MasterKeySource } from "./master-key-file.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

// The thread behind threaded.ts: SQLite waits for the disk here, and nothing else does.

/** One call: a method of the store itself, or of one of its parts. `open` makes the store; it throws what opening it throws. */
export interface StoreCall {
  part: keyof Store | null;
  method: string;
  args: readonly unknown[];
}

let store: Store | null = null;

export default function call({ part, method, args }: StoreCall): unknown {
  if (method === "open" && part === null) {
    const { dataDir, masterKey } = Tinypool.workerData as { dataDir: string; masterKey?: MasterKeySource };
    store ??= openSqliteStore(dataDir, masterKey);
    return undefined;
  }
  if (!store) throw new Error("alerting's store is not open");
  const target = (part === null ? store : store[part]) as unknown as Record<string, (...args: unknown[]) => unknown>;
  return target[method]?.(...args);
}
