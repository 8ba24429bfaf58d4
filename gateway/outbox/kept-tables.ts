import type { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";

/** What a state machine knows of one dwelling or device, as it lies on the disk. */
export interface Kept {
  /** The dwelling's or device's. */
  id: string;
  body: string;
}

/** What is to be kept together. */
export interface KeptChanges<Event> {
  /** As they are now. */
  kept: readonly Kept[];
  /** Of these nothing is to be kept. */
  gone: readonly string[];
  /** To be told to alerting. */
  events: readonly Event[];
}

/** What is known, and what is told of it: in `gateway.sqlite`, so that a commit is on the disk when it returns. */
export interface KeptTables<Event> {
  /** Within a transaction of the caller. An event whose id is known already, delivered or not, changes nothing. */
  put(database: DatabaseSync, changes: KeptChanges<Event>): void;
  read(): Kept[];
  /** Not yet delivered, oldest first, each as the JSON that was committed. */
  waiting(limit: number): string[];
  delivered(ids: readonly string[], at: WallMs): void;
  count(): number;
}

/** The names of the two tables, and of the column that names a dwelling or device. */
export interface KeptNames {
  state: string;
  key: string;
  events: string;
}

/** Makes the tables, and forgets what was delivered before `forgetBefore`. */
export function openKeptTables(database: DatabaseSync, { state, key, events }: KeptNames, forgetBefore: WallMs): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS ${state} (${key} TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS ${events} (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, deliveredAt INTEGER) STRICT;`);
  database.prepare(`DELETE FROM ${events} WHERE deliveredAt < ?`).run(forgetBefore);
}

export function createKeptTables<Event extends { id: string }>(
  { state, key, events: table }: KeptNames,
  transaction: (work: (database: DatabaseSync) => void) => void,
  database: () => DatabaseSync,
): KeptTables<Event> {
  return {
    put(main, { kept, gone, events }) {
      const put = main.prepare(
        `INSERT INTO ${state} (${key}, body) VALUES (?, ?) ON CONFLICT (${key}) DO UPDATE SET body = excluded.body`,
      );
      for (const { id, body } of kept) put.run(id, body);
      const forget = main.prepare(`DELETE FROM ${state} WHERE ${key} = ?`);
      for (const id of gone) forget.run(id);
      const add = main.prepare(`INSERT INTO ${table} (id, body) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`);
      for (const event of events) add.run(event.id, JSON.stringify(event));
    },
    read() {
      const rows = database().prepare(`SELECT ${key} AS id, body FROM ${state}`).all();
      return rows.map((row) => ({ id: String(row.id), body: String(row.body) }));
    },
    waiting(limit) {
      const rows = database()
        .prepare(`SELECT body FROM ${table} WHERE deliveredAt IS NULL ORDER BY number LIMIT ?`)
        .all(limit);
      return rows.map((row) => String(row.body));
    },
    delivered(ids, at) {
      transaction((main) => {
        const mark = main.prepare(`UPDATE ${table} SET deliveredAt = ?, body = '' WHERE id = ?`);
        for (const id of ids) mark.run(Math.round(at), id);
      });
    },
    count: () => Number(database().prepare(`SELECT count(*) n FROM ${table} WHERE deliveredAt IS NULL`).get()?.n ?? 0),
  };
}
