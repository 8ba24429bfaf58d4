import type { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import { WelfareEvent } from "../../firmware-contracts/intake.ts";
import type { KeptWelfare } from "../presence/kept-welfare.ts";

/** What is to be kept together. */
export interface WelfareChanges {
  /** Dwellings as they are now. */
  kept: readonly KeptWelfare[];
  /** Dwellings of which nothing is to be kept. */
  gone: readonly string[];
  /** Until when the gateway has listened, in steady time. */
  heardUntil: WallMs;
  /** To be told to alerting. */
  events: readonly WelfareEvent[];
}

/** What is known of dwellings, and what is told of them: in `gateway.sqlite`, so that a commit is on the disk when it returns. */
export interface WelfareTables {
  /** Commits all or none. An event whose id is known already, delivered or not, changes nothing. */
  putWelfare(changes: WelfareChanges): void;
  readWelfare(): { kept: KeptWelfare[]; heardUntil: WallMs | null };
  /** Not yet delivered, oldest first. */
  waitingWelfare(limit: number): WelfareEvent[];
  welfareDelivered(ids: readonly string[], at: WallMs): void;
  countWelfare(): number;
}

/** Makes the tables, and forgets what was delivered before `forgetBefore`. */
export function openWelfareTables(database: DatabaseSync, forgetBefore: WallMs): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS welfare (dwelling TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS heard (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS welfare_event (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, deliveredAt INTEGER) STRICT;`);
  database.prepare("DELETE FROM welfare_event WHERE deliveredAt < ?").run(forgetBefore);
}

export function createWelfareTables(
  transaction: (work: (database: DatabaseSync) => void) => void,
  database: () => DatabaseSync,
): WelfareTables {
  return {
    putWelfare({ kept, gone, heardUntil, events }) {
      transaction((main) => {
        const put = main.prepare(
          "INSERT INTO welfare (dwelling, body) VALUES (?, ?) ON CONFLICT (dwelling) DO UPDATE SET body = excluded.body",
        );
        for (const { dwelling, body } of kept) put.run(dwelling, body);
        const forget = main.prepare("DELETE FROM welfare WHERE dwelling = ?");
        for (const dwelling of gone) forget.run(dwelling);
        main
          .prepare(
            "INSERT INTO heard (one, until) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET until = excluded.until",
          )
          .run(Math.round(heardUntil));
        const add = main.prepare("INSERT INTO welfare_event (id, body) VALUES (?, ?) ON CONFLICT (id) DO NOTHING");
        for (const event of events) add.run(event.id, JSON.stringify(event));
      });
    },
    readWelfare() {
      const rows = database().prepare("SELECT dwelling, body FROM welfare").all();
      const heard = database().prepare("SELECT until FROM heard").get();
      return {
        kept: rows.map((row) => ({ dwelling: String(row.dwelling), body: String(row.body) })),
        heardUntil: heard ? Number(heard.until) : null,
      };
    },
    waitingWelfare(limit) {
      const rows = database()
        .prepare("SELECT body FROM welfare_event WHERE deliveredAt IS NULL ORDER BY number LIMIT ?")
        .all(limit);
      return rows.map((row) => WelfareEvent.parse(JSON.parse(String(row.body))));
    },
    welfareDelivered(ids, at) {
      transaction((main) => {
        const mark = main.prepare("UPDATE welfare_event SET deliveredAt = ?, body = '' WHERE id = ?");
        for (const id of ids) mark.run(Math.round(at), id);
      });
    },
    countWelfare: () =>
      Number(database().prepare("SELECT count(*) n FROM welfare_event WHERE deliveredAt IS NULL").get()?.n ?? 0),
  };
}
