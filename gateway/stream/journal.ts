import { type FileHandle, mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Clock, MonotonicMs, WallMs } from "../../firmware-contracts/clock.ts";
import type { Counters } from "../counters.ts";
import { decodeRecords, encodeRecords, type JournalRecord } from "./journal-format.ts";

/** After a failed write the disk is tried again this often, ms. */
const probeMs = 2000;
/**
 * Commits begin no closer than this, ms: a memory card wears with each, and a building where many are busy would have dozens a second. The first after a
 * rest waits for nothing.
 */
const apartMs = 50;
/** Of no device, and a disk block long: writing nothing succeeds on a full disk. */
const probeRecord: JournalRecord = { kind: "decided", deviceId: "", at: 0, bytes: new Uint8Array(4096) };

export interface JournalOptions {
  folder: string;
  segmentBytes: number;
  /** Beyond this the oldest of what is not undecided goes. */
  maxBytes: number;
  /** What is decided is gone from the disk after this, ms. */
  keepMs: number;
  /** Asks for the release of a device, which may refuse: it does while something of it is undecided. */
  letGo(deviceId: string): void;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/**
 * Append-only files of the frames in which a fall may be. Writes and syncs run on Node's thread pool; what comes while one runs goes together in the next.
 */
export interface Journal {
  /** Makes the folder and reads what is undecided, by device and in the order written; `latest` is the highest time in it. */
  start(): Promise<{ undecided: Map<string, JournalRecord[]>; latest: WallMs }>;
  /** Resolves when the records are on the disk, synced. Rejects where they are not; then they may or may not be. */
  append(records: readonly JournalRecord[]): Promise<void>;
  /** As `append`, for a list that may still grow until its turn comes. */
  appendLater(writing: Writing): void;
  /** Nothing of this device is undecided any more: marks it, and deletes files that nobody needs, oldest first. */
  release(deviceId: string, at: WallMs): void;
  /** False from a failed write until one succeeds. */
  readonly healthy: boolean;
  /** Resolves when what was given is written, or has failed. */
  stop(): Promise<void>;
}

/** What is to be written in the next turn. */
export interface Writing {
  /** Called once, when the turn has come. */
  records(): readonly JournalRecord[];
  /** Called once: null where they are on the disk, synced. Before the next turn's records are asked for. */
  ended(error: Error | null): void;
}

interface Segment {
  number: number;
  file: FileHandle;
  bytes: number;
}

export function createJournal(options: JournalOptions): Journal {
  const { folder, clock, counters, log } = options;
  let waiting: Writing[] = [];
  let writing: Promise<void> | null = null;
  let current: Segment | null = null;
  let begunAt: MonotonicMs = Number.NEGATIVE_INFINITY;
  let nextNumber = 1;
  let healthy = true;
  let stopped = false;
  let callOffProbe = () => {};
  let callOffAge = () => {};
  /** What rests between two commits rests no longer. */
  let endRest = () => {};
  let isOverBound = false;
  /** Files are to be looked through for what is too old. */
  let isAgeDue = false;
  /** Files on disk, oldest first, each with the devices that still want something in it. */
  const segments = new Map<number, { holders: Set<string>; bytes: number; since: MonotonicMs }>();

  const pathOf = (number: number) => join(folder, `${String(number).padStart(10, "0")}.journal`);

  async function openSegment(): Promise<Segment> {
    const number = nextNumber++;
    const file = await open(pathOf(number), "ax");
    segments.set(number, { holders: new Set(), bytes: 0, since: clock.monotonicNow() });
    current = { number, file, bytes: 0 };
    // A file whose name is not on the disk is lost at a power cut, however well its content was synced.
    const directory = await open(folder, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return current;
  }

  async function closeSegment(): Promise<void> {
    const closing = current;
    current = null;
    await closing?.file.close().catch(() => {});
  }

  async function write(batch: readonly Writing[]): Promise<void> {
    try {
      const records = batch.flatMap((one) => one.records());
      if (isAgeDue && records.length === 0) {
        for (const one of batch) one.ended(null);
        return await closeOld();
      }
      const segment = current ?? (await openSegment());
      const kept = segments.get(segment.number);
      for (const { kind, deviceId } of records) if (kind !== "decided") kept?.holders.add(deviceId);
      const bytes = encodeRecords(records);
      await segment.file.writeFile(bytes);
      await segment.file.datasync();
      segment.bytes += bytes.length;
      if (kept) kept.bytes = segment.bytes;
      counters.add("journal.commits");
      counters.add("journal.bytes", bytes.length);
      if (!healthy) log.info({}, "the journal can be written again");
      healthy = true;
      for (const one of batch) one.ended(null);
      if (isAgeDue) await closeOld();
      if (current && segment.bytes >= options.segmentBytes) {
        await closeSegment();
        deleteUnneeded();
        makeRoom();
      }
    } catch (error) {
      counters.add("journal.failed");
      if (healthy)
        log.error({ error: String(error), folder }, "the journal cannot be written; check the disk's space and rights");
      healthy = false;
      // After a failed sync nothing is known about the file's tail: a new file is begun, and the senders send again.
      await closeSegment();
      deleteUnneeded();
      for (const one of batch) one.ended(error instanceof Error ? error : new Error(String(error)));
      scheduleProbe();
    }
  }

  /** In its turn: nothing is written while a file is closed. */
  async function closeOld(): Promise<void> {
    isAgeDue = false;
    const since = current === null ? null : segments.get(current.number)?.since;
    if (since != null && clock.monotonicNow() - since >= options.keepMs / 4) await closeSegment();
    deleteUnneeded();
    for (const [number, kept] of segments) {
      if (number === current?.number || clock.monotonicNow() - kept.since < options.keepMs / 2) break;
      for (const deviceId of [...kept.holders]) options.letGo(deviceId);
    }
  }

  /** A file in which little is written would stay for ever: by age it is closed, and let go of. */
  function scheduleAge(): void {
    callOffAge = clock.after(options.keepMs / 4, () => {
      isAgeDue = true;
      appendLater({ records: () => [], ended: () => {} });
      if (!stopped) scheduleAge();
    });
  }

  /** Resolves when the next commit may begin. Whatever arrives meanwhile goes into it, and at least what does in this turn of the event loop. */
  function turn(): Promise<void> {
    const rest = apartMs - (clock.monotonicNow() - begunAt);
    return new Promise((resolve) => {
      if (rest <= 0 || stopped) {
        setImmediate(resolve);
        return;
      }
      const callOff = clock.after(rest, resolve);
      endRest = () => {
        callOff();
        resolve();
      };
    });
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      await turn();
      begunAt = clock.monotonicNow();
      const batch = waiting;
      waiting = [];
      await write(batch);
    }
    // Here, not in a later microtask: an append in between would wait for a turn that never comes.
    writing = null;
  }

  function appendLater(one: Writing): void {
    waiting.push(one);
    writing ??= writeAll();
  }

  function append(records: readonly JournalRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      appendLater({ records: () => records, ended: (error) => (error ? reject(error) : resolve()) });
    });
  }

  function scheduleProbe(): void {
    callOffProbe();
    if (stopped) return;
    callOffProbe = clock.after(probeMs, () => {
      if (!healthy && !stopped) void append([probeRecord]).catch(() => {});
    });
  }

  /** Only from the oldest on: a mark may stand in a later file than the frames that it is about. */
  function deleteUnneeded(): void {
    for (const [number, { holders }] of segments) {
      if (holders.size > 0 || number === current?.number) return;
      segments.delete(number);
      counters.add("journal.segments-deleted");
      void unlink(pathOf(number)).catch((error) =>
        log.warn({ error: String(error) }, "a journal file cannot be deleted"),
      );
    }
  }

  /** Files beyond the bound are released from the oldest on, and deleted once the marks of that are written. What is undecided stays, and so do the files after it. */
  function makeRoom(): void {
    let excess = -options.maxBytes;
    for (const { bytes } of segments.values()) excess += bytes;
    for (const [number, { holders, bytes }] of segments) {
      if (excess <= 0 || number === current?.number) break;
      for (const deviceId of [...holders]) options.letGo(deviceId);
      if (holders.size > 0) break;
      counters.add("journal.segments-given-up");
      excess -= bytes;
    }
    if (excess > 0) counters.add("journal.over-bound");
    if (excess > 0 && !isOverBound) {
      log.warn(
        { bytes: options.maxBytes + excess, maxBytes: options.maxBytes },
        "undecided falls keep the journal above its bound",
      );
    }
    isOverBound = excess > 0;
  }

  return {
    append,
    appendLater,
    get healthy() {
      return healthy;
    },
    release(deviceId, at) {
      for (const { holders } of segments.values()) holders.delete(deviceId);
      // A lost mark does no harm: the fall would be found again, with the same id.
      void append([{ kind: "decided", deviceId, at, bytes: new Uint8Array() }]).then(deleteUnneeded, () => {});
    },
    async start() {
      stopped = false;
      segments.clear();
      await mkdir(folder, { recursive: true });
      const numbers = (await readdir(folder))
        .filter((name) => /^\d{10}\.journal$/.test(name))
        .map((name) => Number(name.slice(0, 10)))
        .sort((a, b) => a - b);
      nextNumber = (numbers.at(-1) ?? 0) + 1;
      const undecided = new Map<string, JournalRecord[]>();
      let latest: WallMs = 0;
      for (const number of numbers) {
        const holders = new Set<string>();
        const content = await readFile(pathOf(number));
        segments.set(number, { holders, bytes: content.length, since: clock.monotonicNow() });
        const { records, torn } = decodeRecords(content);
        if (torn > 0) {
          counters.add("journal.torn");
          log.warn({ bytes: torn }, "a journal file ends in the middle of a record, which was never acknowledged");
        }
        for (const record of records) {
          latest = Math.max(latest, record.at);
          if (record.kind === "decided") {
            undecided.delete(record.deviceId);
            for (const earlier of segments.values()) earlier.holders.delete(record.deviceId);
          } else {
            holders.add(record.deviceId);
            const list = undecided.get(record.deviceId) ?? [];
            list.push(record);
            undecided.set(record.deviceId, list);
          }
        }
      }
      deleteUnneeded();
      scheduleAge();
      return { undecided, latest };
    },
    async stop() {
      stopped = true;
      endRest();
      callOffProbe();
      callOffAge();
      await writing;
      await closeSegment();
    },
  };
}
