import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { CandidateBounds, CandidateRow } from "./row.ts";

/** Of the table; a file of another is begun anew: what is kept for two weeks needs no migration. */
export const candidateSchema = 1;
/** What a row weighs beside its blobs, bytes: roughly, with its index. */
const rowBytes = 200;
/** Over a bound, so much more is let go of, that it is not done again for each row. */
const spare = 0.05;

export const candidatesFile = (folder: string) => join(folder, "candidate-log.sqlite");

/** The log's SQLite file. synchronous=NORMAL: a power cut may cost the last seconds; secure_delete: what is deleted is overwritten. */
export interface CandidateTables {
  /** Makes folder and file. */
  open(): void;
  close(): void;
  /** Adds rows; one that is known already is replaced. Beyond the bounds the oldest go, of the device with the most first. Returns how many went. */
  put(rows: readonly CandidateRow[], bounds: CandidateBounds): number;
  devices(): string[];
  /** Forgets these devices, and overwrites what was deleted. Throws where a reader keeps that from being done: to be called again. */
  forget(deviceIds: readonly string[]): void;
  /** Forgets impacts before `from` and, as a clock that was wrong gives them, after `to`. */
  prune(from: WallMs, to: WallMs): void;
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Deletes the log, for a gateway that is to keep none. */
export function removeCandidates(folder: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${candidatesFile(folder)}${end}`, { force: true });
}

export const hasCandidates = (folder: string) => existsSync(candidatesFile(folder));

export function createCandidateTables(folder: string): CandidateTables {
  let database: DatabaseSync | null = null;
  let size = { rows: 0, bytes: 0 };
  /** Whether all that was deleted was overwritten. */
  let isClean = true;

  function need(): DatabaseSync {
    if (!database) throw new Error("the candidate log is not open");
    return database;
  }

  function transaction<T>(work: () => T): T {
    const file = need();
    file.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      file.exec("COMMIT");
      return result;
    } catch (error) {
      if (file.isTransaction) file.exec("ROLLBACK");
      throw error;
    }
  }

  function measure(): void {
    const { rows, bytes } = need()
      .prepare(
        "SELECT count(*) AS rows, coalesce(sum(length(features) + coalesce(length(window), 0)), 0) AS bytes FROM candidate",
      )
      .get() as { rows: number; bytes: number };
    size = { rows, bytes: bytes + rows * rowBytes };
  }

  /** What was deleted is to be nowhere, the write-ahead log included. */
  function overwrite(): void {
    measure();
    const { busy } = need().prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
    isClean = busy === 0;
    if (!isClean) throw new Error("somebody reads the candidate log: what was deleted is not yet overwritten");
  }

  /** Lets go of the oldest of whoever has most: a device that shakes all day shall not cost the others theirs. */
  function bound({ maxRows, maxBytes }: CandidateBounds): number {
    if (size.rows <= maxRows && size.bytes <= maxBytes) return 0;
    const file = need();
    const [toRows, toBytes] = [maxRows * (1 - spare), maxBytes * (1 - spare)];
    let dropped = 0;
    while (size.rows > toRows || size.bytes > toBytes) {
      const most = file.prepare("SELECT device FROM candidate GROUP BY device ORDER BY count(*) DESC LIMIT 1").get();
      if (!most) break;
      const excess = Math.max(1, size.rows - toRows, Math.ceil((size.bytes - toBytes) / (size.bytes / size.rows)));
      const { changes } = file
        .prepare(
          `DELETE FROM candidate WHERE rowid IN (SELECT rowid FROM candidate WHERE device = ?
             ORDER BY impact_at LIMIT max(1, min(?, (SELECT count(*) / 2 FROM candidate WHERE device = ?))))`,
        )
        .run(most.device!, Math.ceil(excess), most.device!);
      dropped += Number(changes);
      measure();
    }
    return dropped;
  }

  return {
    open() {
      mkdirSync(folder, { recursive: true });
      database = new DatabaseSync(candidatesFile(folder));
      database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000; PRAGMA secure_delete = ON;",
      );
      const { user_version: schema } = database.prepare("PRAGMA user_version").get() as { user_version: number };
      if (schema !== candidateSchema) {
        database.exec(`BEGIN IMMEDIATE;
          DROP TABLE IF EXISTS candidate;
          CREATE TABLE candidate (
            device TEXT NOT NULL, id TEXT NOT NULL, impact_at INTEGER NOT NULL, lane TEXT NOT NULL, placement TEXT NOT NULL, range_g REAL NOT NULL,
            boot INTEGER NOT NULL, sequence INTEGER NOT NULL, score REAL NOT NULL, model TEXT NOT NULL, threshold REAL NOT NULL, decided TEXT NOT NULL,
            afterwards TEXT, features BLOB NOT NULL, window BLOB, PRIMARY KEY (device, id)) STRICT;
          CREATE INDEX candidate_at ON candidate (impact_at);
          PRAGMA user_version = ${candidateSchema};
          COMMIT;`);
      }
      measure();
    },
    close() {
      database?.close();
      database = null;
    },
    put(rows, bounds) {
      return transaction(() => {
        const insert = need().prepare(
          `INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, id) DO UPDATE SET
             impact_at = excluded.impact_at, boot = excluded.boot, sequence = excluded.sequence, score = excluded.score, model = excluded.model,
             threshold = excluded.threshold, decided = excluded.decided, afterwards = excluded.afterwards, features = excluded.features,
             window = excluded.window`,
        );
        for (const row of rows) {
          insert.run(
            row.deviceId,
            row.candidateId,
            Math.round(row.impactAt),
            row.lane,
            row.placement,
            row.rangeG,
            row.bootId,
            row.sequence,
            row.score,
            row.model,
            row.threshold,
            row.decided,
            row.afterwards,
            bytesOf(row.features),
            row.window && bytesOf(row.window),
          );
          size.rows++;
          size.bytes += rowBytes + row.features.byteLength + (row.window?.byteLength ?? 0);
        }
        return bound(bounds);
      });
    },
    devices: () =>
      need()
        .prepare("SELECT DISTINCT device FROM candidate")
        .all()
        .map(({ device }) => String(device)),
    forget(deviceIds) {
      const forgotten = transaction(() => {
        const remove = need().prepare("DELETE FROM candidate WHERE device = ?");
        return deviceIds.reduce((sum, deviceId) => sum + Number(remove.run(deviceId).changes), 0);
      });
      if (forgotten > 0 || !isClean) overwrite();
    },
    prune(from, to) {
      const { changes } = need()
        .prepare("DELETE FROM candidate WHERE impact_at < ? OR impact_at > ?")
        .run(Math.round(from), Math.round(to));
      if (changes > 0 || !isClean) overwrite();
    },
  };
}
