import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { DeviceEvent, FallUpdate, GatewayEvent } from "../../firmware-contracts/intake.ts";
import type { SelfTestEvent } from "../../firmware-contracts/self-test.ts";
import type { KeptControl } from "../ingest/kept-control.ts";
import type { KeptWatch } from "./kept-watch.ts";
import { createSupervisionTables, openSupervisionTables, type SupervisionTables } from "./supervision-tables.ts";
import { createWelfareTables, openWelfareTables, type WelfareTables } from "./welfare-tables.ts";

/** What goes out beside Detections. */
export type OutboxEvent = SelfTestEvent | GatewayEvent | DeviceEvent;

/** Delivered Detections, and watches that have ended, are remembered so long, ms, so that a replayed journal does not begin again with them. */
const rememberMs = 30 * 86_400_000;

const remembered = [
  ["detection", "deliveredAt"],
  ["fall_update", "deliveredAt"],
  ["watch", "endedAt"],
] as const;

/**
 * What the gateway must not forget. Detections and the last Control are in `gateway.sqlite` (WAL, synchronous=FULL: a commit is on the disk when it
 * returns); device events in `events.sqlite` (synchronous=NORMAL: a power cut may cost the last seconds of them), so that they never hold up a Detection.
 * What is read is the JSON that was written: store.ts checks it, for the schemas would cost the thread behind it megabytes of their own.
 */
export interface OutboxTables extends WelfareTables, SupervisionTables {
  /** Makes folder and files, and forgets what was delivered long ago. Throws where that cannot be done. */
  open(at: WallMs): void;
  close(): void;
  /** Commits Detections, and which of their falls are watched, all or none. One that is known already, delivered or not, changes nothing. */
  putDetections(detections: readonly Detection[], at: WallMs, watches?: readonly KeptWatch[]): void;
  /** Not yet delivered, oldest first. */
  waitingDetections(limit: number): string[];
  detectionsDelivered(ids: readonly string[], at: WallMs): void;
  countDetections(): number;
  /** Commits what became of somebody, and that the fall is watched no more. The same id twice is one. */
  putFallUpdate(update: FallUpdate, at: WallMs): void;
  /** Not yet delivered, oldest first; each only once its Detection is. */
  waitingFallUpdates(limit: number): string[];
  fallUpdatesDelivered(ids: readonly string[], at: WallMs): void;
  countFallUpdates(): number;
  /** A fall is watched no more; also one that is not committed yet. */
  endWatch(detectionId: string, at: WallMs): void;
  watches(): { open: string[]; ended: string[] };
  /** Adds events and drops the oldest beyond `max`. Returns how many were dropped. */
  putEvents(events: readonly OutboxEvent[], max: number): number;
  waitingEvents(limit: number): { number: number; event: string }[];
  /** All up to and with this number are delivered. */
  eventsDelivered(upTo: number): void;
  countEvents(): number;
  readControl(): string | null;
  writeControl(control: KeptControl): void;
  /** Throws where a commit is not possible now. */
  probe(): void;
}

export function createOutboxTables(folder: string): OutboxTables {
  let main: DatabaseSync | null = null;
  let events: DatabaseSync | null = null;

  function need(database: DatabaseSync | null): DatabaseSync {
    if (!database) throw new Error("the gateway's store is not open");
    return database;
  }
  const number = (row: Record<string, unknown> | undefined) => Number(row?.n ?? 0);

  function transaction(database: DatabaseSync, work: () => void): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      work();
      database.exec("COMMIT");
    } catch (error) {
      // A full disk rolls back by itself, and then there is nothing to roll back.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  function inTransaction(work: (database: DatabaseSync) => void): void {
    const database = need(main);
    transaction(database, () => work(database));
  }

  function endWatch(database: DatabaseSync, detectionId: string, at: WallMs): void {
    database
      .prepare(
        "INSERT INTO watch (detectionId, body, endedAt) VALUES (?, '', ?) ON CONFLICT DO UPDATE SET endedAt = excluded.endedAt, body = ''",
      )
      .run(detectionId, Math.round(at));
  }

  return {
    open(at) {
      mkdirSync(folder, { recursive: true });
      main = new DatabaseSync(join(folder, "gateway.sqlite"));
      main.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 250;
        CREATE TABLE IF NOT EXISTS detection (
          number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, keptAt INTEGER NOT NULL, deliveredAt INTEGER) STRICT;
        CREATE INDEX IF NOT EXISTS detection_waiting ON detection (number) WHERE deliveredAt IS NULL;
        CREATE TABLE IF NOT EXISTS fall_update (
          number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, detectionId TEXT NOT NULL, body TEXT NOT NULL, deliveredAt INTEGER) STRICT;
        CREATE TABLE IF NOT EXISTS watch (detectionId TEXT PRIMARY KEY, body TEXT NOT NULL, endedAt INTEGER) STRICT;
        CREATE TABLE IF NOT EXISTS control (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS probe (one INTEGER PRIMARY KEY CHECK (one = 1), times INTEGER NOT NULL) STRICT;`);
      for (const [table, column] of remembered) {
        main.prepare(`DELETE FROM ${table} WHERE ${column} < ?`).run(Math.round(at - rememberMs));
      }
      openWelfareTables(main, Math.round(at - rememberMs));
      openSupervisionTables(main, Math.round(at - rememberMs));
      events = new DatabaseSync(join(folder, "events.sqlite"));
      events.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 250;
        CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;`);
    },
    close() {
      main?.close();
      events?.close();
      main = null;
      events = null;
    },
    putDetections(detections, at, watches = []) {
      const database = need(main);
      transaction(database, () => {
        const insert = database.prepare(
          "INSERT INTO detection (id, body, keptAt) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        );
        for (const detection of detections) insert.run(detection.id, JSON.stringify(detection), Math.round(at));
        const watch = database.prepare("INSERT INTO watch (detectionId, body) VALUES (?, ?) ON CONFLICT DO NOTHING");
        for (const one of watches) watch.run(one.detectionId, JSON.stringify(one));
      });
    },
    waitingDetections(limit) {
      const rows = need(main)
        .prepare("SELECT body FROM detection WHERE deliveredAt IS NULL ORDER BY number LIMIT ?")
        .all(limit);
      return rows.map((row) => String(row.body));
    },
    detectionsDelivered(ids, at) {
      const database = need(main);
      transaction(database, () => {
        const mark = database.prepare("UPDATE detection SET deliveredAt = ?, body = '' WHERE id = ?");
        for (const id of ids) mark.run(Math.round(at), id);
      });
    },
    countDetections: () =>
      number(need(main).prepare("SELECT count(*) n FROM detection WHERE deliveredAt IS NULL").get()),
    putFallUpdate(update, at) {
      const database = need(main);
      transaction(database, () => {
        database
          .prepare("INSERT INTO fall_update (id, detectionId, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING")
          .run(update.id, update.detectionId, JSON.stringify(update));
        endWatch(database, update.detectionId, at);
      });
    },
    waitingFallUpdates(limit) {
      const rows = need(main)
        .prepare(
          `SELECT body FROM fall_update u WHERE deliveredAt IS NULL
             AND NOT EXISTS (SELECT 1 FROM detection d WHERE d.id = u.detectionId AND d.deliveredAt IS NULL)
           ORDER BY number LIMIT ?`,
        )
        .all(limit);
      return rows.map((row) => String(row.body));
    },
    fallUpdatesDelivered(ids, at) {
      const database = need(main);
      transaction(database, () => {
        const mark = database.prepare("UPDATE fall_update SET deliveredAt = ? WHERE id = ?");
        for (const id of ids) mark.run(Math.round(at), id);
      });
    },
    countFallUpdates: () =>
      number(need(main).prepare("SELECT count(*) n FROM fall_update WHERE deliveredAt IS NULL").get()),
    endWatch: (detectionId, at) => endWatch(need(main), detectionId, at),
    watches() {
      const rows = need(main).prepare("SELECT detectionId, body, endedAt FROM watch ORDER BY rowid").all();
      const isOpen = (row: Record<string, unknown>) => row.endedAt === null;
      return {
        open: rows.filter(isOpen).map((row) => String(row.body)),
        ended: rows.filter((row) => !isOpen(row)).map((row) => String(row.detectionId)),
      };
    },
    putEvents(list, max) {
      const database = need(events);
      let dropped = 0;
      transaction(database, () => {
        const insert = database.prepare("INSERT INTO event (body) VALUES (?)");
        for (const event of list) insert.run(JSON.stringify(event));
        const excess = number(database.prepare("SELECT count(*) n FROM event").get()) - max;
        if (excess <= 0) return;
        database
          .prepare("DELETE FROM event WHERE number IN (SELECT number FROM event ORDER BY number LIMIT ?)")
          .run(excess);
        dropped = excess;
      });
      return dropped;
    },
    waitingEvents(limit) {
      const rows = need(events).prepare("SELECT number, body FROM event ORDER BY number LIMIT ?").all(limit);
      return rows.map((row) => ({ number: Number(row.number), event: String(row.body) }));
    },
    eventsDelivered: (upTo) => void need(events).prepare("DELETE FROM event WHERE number <= ?").run(upTo),
    countEvents: () => number(need(events).prepare("SELECT count(*) n FROM event").get()),
    readControl() {
      const row = need(main).prepare("SELECT body FROM control").get();
      return row ? String(row.body) : null;
    },
    writeControl(control) {
      need(main)
        .prepare("INSERT INTO control (one, body) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET body = excluded.body")
        .run(JSON.stringify(control));
    },
    ...createWelfareTables(inTransaction, () => need(main)),
    ...createSupervisionTables(inTransaction, () => need(main)),
    probe() {
      need(main).exec("INSERT INTO probe (one, times) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET times = times + 1");
    },
  };
}
