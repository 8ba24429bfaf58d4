import { Tinypool } from "tinypool";
import { createOutboxTables, type OutboxTables } from "./tables.ts";

// The thread behind store.ts: SQLite waits for the disk here, and nothing else does.

/** One call of a method of the tables. */
export type TablesCall = {
  [Method in keyof OutboxTables]: { method: Method; args: Parameters<OutboxTables[Method]> };
}[keyof OutboxTables];

const tables = createOutboxTables((Tinypool.workerData as { folder: string }).folder);

export default function call({ method, args }: TablesCall): unknown {
  return (tables[method] as (...args: readonly unknown[]) => unknown)(...args);
}
