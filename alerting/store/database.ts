import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { migrations } from "./migrations.ts";

/** A SQLite file with prepared statements kept and transactions that hold or leave nothing. */
export interface Database {
  run(sql: string, ...values: SQLInputValue[]): number;
  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined;
  all<T>(sql: string, ...values: SQLInputValue[]): T[];
  each<T>(sql: string, ...values: SQLInputValue[]): Iterable<T>;
  /** Runs `work` as one transaction. Where it throws, nothing has changed. */
  transaction<T>(work: () => T): T;
  /** Writes the file anew without what was deleted, and empties the WAL. False where others were at work in it: try again. */
  compact(): boolean;
  close(): void;
}

/** A writer of another process (`fallvakt device add` beside a running service) is waited for this long, ms; nothing else happens meanwhile. */
const busyMs = 1_000;
const sqliteBusy = 5;
const everywhere = "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;";
/** An empty database of this version's schema, once it was made. */
let emptyImage: Uint8Array | null = null;

/**
 * Opens the file, makes it where missing, and brings it to the newest schema.
 * @throws where it was written by a newer version, or cannot be opened.
 */
export function openDatabase(path: string): Database {
  const file = new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true });
  // With synchronous=NORMAL a power cut can take commits back that were acknowledged to a gateway. With secure_delete what is replaced is overwritten.
  file.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${everywhere}`);
  migrate(file, path);
  return withStatements(file);
}

/** An empty database in memory, for as long as it is open. The schema is made once a process and copied: a simulation opens thousands. */
export function openInMemory(): Database {
  const path = ":memory:";
  const file = new DatabaseSync(path, { enableForeignKeyConstraints: true });
  if (emptyImage) file.deserialize(emptyImage);
  else {
    migrate(file, path);
    emptyImage = file.serialize();
  }
  file.exec(everywhere);
  return withStatements(file);
}

/** Opens the file without changing it; null where its schema is not this version's. @throws where it cannot be opened. */
export function openForReading(path: string): Database | null {
  const file = new DatabaseSync(path, { timeout: busyMs, readOnly: true });
  const { user_version: version } = file.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version === migrations.length) return withStatements(file);
  file.close();
  return null;
}

/** Opens a file that is there as it is, whichever version wrote it: for what is read out of it. */
export function openAsItIs(path: string): Database {
  return withStatements(new DatabaseSync(path, { timeout: busyMs, readOnly: true }));
}

/** Whether a table is there: the file may be of an earlier version. */
export const hasTable = (db: Database, table: string) =>
  db.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table) !== undefined;

function withStatements(file: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string) => {
    const kept = statements.get(sql) ?? file.prepare(sql);
    statements.set(sql, kept);
    return kept;
  };
  return {
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    get: <T>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as T[],
    each: <T>(sql: string, ...values: SQLInputValue[]) => prepare(sql).iterate(...values) as Iterable<T>,
    transaction(work) {
      prepare("BEGIN IMMEDIATE").run();
      try {
        const result = work();
        prepare("COMMIT").run();
        return result;
      } catch (error) {
        if (file.isTransaction) file.exec("ROLLBACK");
        throw error;
      }
    },
    compact() {
      try {
        file.exec("VACUUM");
      } catch (error) {
        if ((error as { errcode?: number }).errcode === sqliteBusy) return false;
        throw error;
      }
      const { busy } = file.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
      return busy === 0;
    },
    close: () => file.close(),
  };
}

function migrate(file: DatabaseSync, path: string): void {
  // Immediate: of two that start at once, the second waits and finds the work done.
  file.exec("BEGIN IMMEDIATE");
  try {
    const { user_version: version } = file.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > migrations.length) {
      throw new Error(
        `${path} has schema ${version}, and this version of Fallvakt knows ${migrations.length}. Start the newer version, or restore the backup made before the upgrade.`,
      );
    }
    for (const sql of migrations.slice(version)) file.exec(sql);
    file.exec(`PRAGMA user_version = ${migrations.length}`);
    file.exec("COMMIT");
  } catch (error) {
    if (file.isTransaction) file.exec("ROLLBACK");
    throw error;
  }
}
