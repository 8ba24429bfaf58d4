import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { earliestTimeSync } from "../../firmware-contracts/time-sync.ts";
import type { Counters } from "../counters.ts";
import type { CandidateBounds, CandidateRow } from "./row.ts";
import { hasCandidates } from "./tables.ts";
import { createCandidateThread } from "./thread.ts";

/** Rows are written together after this, ms: what a crash costs. */
const gatherMs = 5_000;
/** So many are written at once, sooner. */
const batchRows = 200;
/** Beyond, with a disk that takes none, new ones are let go of. */
const maxWaiting = 5_000;
/** How often what is too old is deleted, ms; and what could not be deleted is tried again. */
const pruneMs = 3_600_000;
const retryMs = 5_000;
const dayMs = 86_400_000;

/** Keeps candidates for `days` beside the gateway's work: nothing waits for it, and what it cannot write is lost. */
export interface CandidateLog {
  /** Scores from here on are kept with their window. */
  readonly floor: number;
  keep(row: CandidateRow): void;
  /** Forgets every device that `mayKeep` says no to, on the disk too; tried again until that is done. */
  retain(mayKeep: (deviceId: string) => boolean): void;
  start(): void;
  /** Writes what waits. */
  stop(): Promise<void>;
}

export interface CandidateLogOptions {
  folder: string;
  config: CandidateBounds & { days: number; floor: number };
  clock: Clock;
  counters: Counters;
  log: Logger;
}

export function createCandidateLog(options: CandidateLogOptions): CandidateLog {
  const { folder, config, clock, counters, log } = options;
  const thread = createCandidateThread(folder);
  let waiting: CandidateRow[] = [];
  let opened: Promise<unknown> | null = null;
  let mayKeep: (deviceId: string) => boolean = () => true;
  let isFailing = false;
  let stopped = true;
  let callOffWrite: (() => void) | null = null;
  let callOffPrune = () => {};
  let callOffRetain = () => {};

  async function ready(): Promise<void> {
    opened ??= thread.call("open");
    try {
      await opened;
    } catch (error) {
      opened = null;
      throw error;
    }
  }

  /** Whether the work was done; a failure is counted, and logged when it begins. */
  async function tried(work: () => Promise<void>): Promise<boolean> {
    try {
      await ready();
      await work();
      isFailing = false;
      return true;
    } catch (error) {
      counters.add("candidates.log-failed");
      if (!isFailing) log.warn({ error: String(error) }, "the candidate log cannot be written; alarms do not need it");
      isFailing = true;
      return false;
    }
  }

  async function write(): Promise<void> {
    callOffWrite?.();
    callOffWrite = null;
    const rows = waiting.filter(({ deviceId }) => mayKeep(deviceId));
    waiting = [];
    if (rows.length === 0) return;
    const isDone = await tried(async () => {
      const dropped = await thread.call("put", rows, config);
      counters.add("candidates.kept", rows.length);
      if (dropped > 0) counters.add("candidates.dropped-early", dropped);
    });
    if (!isDone) counters.add("candidates.not-kept", rows.length);
  }

  async function prune(): Promise<void> {
    const now = clock.wallNow();
    // By a clock that stands in 1970 all would be of the future.
    if (now >= earliestTimeSync) await tried(() => thread.call("prune", now - config.days * dayMs, now + dayMs));
    if (!stopped) callOffPrune = clock.after(pruneMs, () => void prune());
  }

  async function forget(): Promise<void> {
    callOffRetain();
    if (opened === null && !hasCandidates(folder)) return;
    const isDone = await tried(async () => {
      const gone = (await thread.call("devices")).filter((deviceId) => !mayKeep(deviceId));
      await thread.call("forget", gone);
    });
    if (!isDone && !stopped) callOffRetain = clock.after(retryMs, () => void forget());
  }

  return {
    floor: config.floor,
    keep(row) {
      if (waiting.length >= maxWaiting) return counters.add("candidates.not-kept");
      waiting.push(row);
      if (waiting.length >= batchRows) void write();
      else callOffWrite ??= clock.after(gatherMs, () => void write());
    },
    retain(next) {
      mayKeep = next;
      waiting = waiting.filter(({ deviceId }) => mayKeep(deviceId));
      void forget();
    },
    start() {
      stopped = false;
      if (hasCandidates(folder)) void prune();
      else callOffPrune = clock.after(pruneMs, () => void prune());
    },
    async stop() {
      stopped = true;
      callOffPrune();
      callOffRetain();
      await write();
      // A write under way is done before it: calls go in their order.
      await thread.close().catch(() => {});
      opened = null;
    },
  };
}
