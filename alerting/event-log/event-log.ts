import { join } from "node:path";
import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { ServiceEvent } from "../events.ts";
import { createInfluxWriter, type InfluxConfig, type InfluxWriter, type SpooledPoint } from "./influx-writer.ts";
import { pointOf } from "./points.ts";
import { openSpool, type Spool } from "./spool.ts";

/** Events in memory on their way to the disk; beyond, they are dropped and counted. About 300 bytes each, 6 MB. */
const mostInMemory = 20_000;
/** Points in one request. */
const batchSize = 1_000;
/** Waits between tries while InfluxDB is away, ms. */
const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** How often the spool is looked through for events that are too old, ms. */
const expireEveryMs = 3_600_000;
const dayMs = 86_400_000;

export interface EventCounts {
  /** Points that InfluxDB has taken, since the start. */
  written: number;
  /** Lines that wait on disk or in memory. */
  spooled: number;
  /** Lost: the spool was full or could not be written, the event waited for too long, or InfluxDB refused the point. */
  dropped: number;
}

/** The event log: `record` returns at once and never throws, whatever disk and database do. */
export interface EventLog {
  start(): Promise<void>;
  record(event: ServiceEvent): void;
  counts(): EventCounts;
  /** Whether the last try to write failed. */
  troubled(): boolean;
  /** Brings what is in memory to the disk and, where InfluxDB answers, from there to it. */
  stop(): Promise<void>;
}

export function createEventLog(options: {
  dataDir: string;
  spool: { maxBytes: number; maxDays: number };
  influx: InfluxConfig | undefined;
  clock: Clock;
  log: Logger;
}): EventLog {
  const { clock, log } = options;
  const writer: InfluxWriter | null = options.influx ? createInfluxWriter(options.influx) : null;
  const memory: string[] = [];
  let spool: Spool | null = null;
  let number = 0;
  /** Lines between memory and disk. */
  let onTheirWay = 0;
  let written = 0;
  let dropped = 0;
  let saving: Promise<void> | null = null;
  let draining: Promise<void> | null = null;
  let failing = false;
  let waitMs = firstWaitMs;
  let callOff = () => {};
  let callOffExpiry = () => {};
  let expiring: Promise<void> | null = null;
  let stopped = false;

  /** From memory to disk, one append at a time. */
  async function save(to: Spool): Promise<void> {
    while (memory.length > 0) {
      const lines = memory.splice(0, batchSize);
      onTheirWay = lines.length;
      try {
        dropped += (await to.append(lines)).dropped;
      } catch (error) {
        dropped += lines.length;
        log.error(
          { err: error, events: lines.length },
          "events could not be spooled and are lost to InfluxDB; alarms are not touched",
        );
      }
      onTheirWay = 0;
    }
  }

  /** From disk to InfluxDB until nothing waits or a try fails. */
  async function drain(from: Spool, to: InfluxWriter): Promise<void> {
    for (;;) {
      const batch = await from.peek(batchSize);
      if (batch.lines.length === 0) return;
      // A blank line was erased: it is neither written nor lost.
      const lines = batch.lines.filter((line) => line.trim() !== "");
      const points = lines.flatMap(readLine);
      const unreadable = lines.length - points.length;
      const { refused } = points.length > 0 ? await to.write(points) : { refused: 0 };
      // Where the spool was changed meanwhile the batch comes again, and counts then.
      if (!(await from.advance(batch))) continue;
      written += points.length - refused;
      dropped += refused + unreadable;
    }
  }

  /** Drops what waits for too long, now and each hour. */
  function expire(from: Spool): void {
    const oldest = clock.wallNow() - options.spool.maxDays * dayMs;
    expiring = from
      .expire((line) => {
        const [point] = readLine(line);
        return point === undefined || point.at < oldest;
      })
      .then(
        (expired) => {
          dropped += expired.dropped;
          if (expired.dropped > 0) {
            const told = { events: expired.dropped, days: options.spool.maxDays };
            log.warn(told, "events waited in the spool for too long and are dropped; they hold key numbers");
          }
        },
        (error: unknown) => log.error({ err: error }, "the spool could not be looked through for old events"),
      )
      .finally(() => {
        expiring = null;
        if (!stopped) callOffExpiry = clock.after(expireEveryMs, () => expire(from));
      });
  }

  function wake(): void {
    if (!spool) return;
    const to = spool;
    saving ??= save(to).finally(() => {
      saving = null;
      if (memory.length > 0) wake();
      else drainSoon();
    });
  }

  function drainSoon(): void {
    if (!spool || !writer || draining || stopped) return;
    // After a failure the timer decides when: events must not make a try each.
    if (failing) return;
    tryDrain(spool, writer);
  }

  function tryDrain(from: Spool, to: InfluxWriter): void {
    draining = drain(from, to)
      .then(
        () => {
          if (failing) log.info({ waiting: from.waiting() }, "InfluxDB takes events again");
          failing = false;
          waitMs = firstWaitMs;
        },
        (error: unknown) => {
          if (!failing) log.warn({ reason: reasonOf(error) }, "InfluxDB does not take events; they wait in the spool");
          failing = true;
        },
      )
      .finally(() => {
        draining = null;
        if (stopped) return;
        if (failing) {
          callOff = clock.after(waitMs, () => tryDrain(from, to));
          waitMs = Math.min(waitMs * 2, longestWaitMs);
        } else if (from.waiting() > 0) drainSoon();
      });
  }

  return {
    async start() {
      // The folder is kept apart from the store: a full spool is this folder's business.
      spool = await openSpool(join(options.dataDir, "spool"), options.spool.maxBytes);
      expire(spool);
      await expiring;
      number = Math.round(clock.wallNow()) % 1_000_000;
      wake();
    },
    record(event) {
      if (memory.length >= mostInMemory) {
        dropped++;
        return;
      }
      number = (number + 1) % 1_000_000;
      const line: SpooledPoint = { ...pointOf(event), n: number };
      memory.push(JSON.stringify(line));
      wake();
    },
    counts: () => ({ written, spooled: (spool?.waiting() ?? 0) + memory.length + onTheirWay, dropped }),
    troubled: () => failing,
    async stop() {
      stopped = true;
      callOff();
      callOffExpiry();
      while (expiring) await expiring;
      while (saving) await saving;
      while (draining) await draining;
      if (spool && writer && !failing) await drain(spool, writer).catch(() => undefined);
    },
  };
}

function readLine(line: string): SpooledPoint[] {
  try {
    return [JSON.parse(line) as SpooledPoint];
  } catch {
    return [];
  }
}

/** An error's code or status: its text can hold what was written. */
function reasonOf(error: unknown): string {
  const { code, res, name } = (error ?? {}) as { code?: unknown; res?: { statusCode?: unknown }; name?: unknown };
  return String(code ?? res?.statusCode ?? name ?? "unknown");
}
