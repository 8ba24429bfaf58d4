import { Tinypool } from "tinypool";
import { type CandidateTables, createCandidateTables } from "./tables.ts";

// The thread behind thread.ts: the log waits for the disk here, and nothing else does.

/** One call of a method of the tables. */
export type CandidateCall = {
  [Method in keyof CandidateTables]: { method: Method; args: Parameters<CandidateTables[Method]> };
}[keyof CandidateTables];

const tables = createCandidateTables((Tinypool.workerData as { folder: string }).folder);

export default function call({ method, args }: CandidateCall): unknown {
  return (tables[method] as (...args: readonly unknown[]) => unknown)(...args);
}
