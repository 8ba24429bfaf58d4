import type { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { WelfareEvent } from "../../firmware-contracts/intake.ts";
import { createKeptTables, type Kept, type KeptChanges, openKeptTables } from "./kept-tables.ts";

const names = { state: "welfare", key: "dwelling", events: "welfare_event" };

/** What is to be kept of dwellings together. */
export interface WelfareChanges extends KeptChanges<WelfareEvent> {
  /** Until when the gateway has listened, in steady time. */
  heardUntil: WallMs;
}

/** What is known of dwellings, and what is told of them. */
export interface WelfareTables {
  /** Commits all or none. */
  putWelfare(changes: WelfareChanges): void;
  readWelfare(): { kept: Kept[]; heardUntil: WallMs | null };
  /** Not yet delivered, oldest first, each as the JSON that was committed. */
  waitingWelfare(limit: number): string[];
  welfareDelivered(ids: readonly string[], at: WallMs): void;
  countWelfare(): number;
}

/** Makes the tables, and forgets what was delivered before `forgetBefore`. */
export function openWelfareTables(database: DatabaseSync, forgetBefore: WallMs): void {
  openKeptTables(database, names, forgetBefore);
  database.exec(
    "CREATE TABLE IF NOT EXISTS heard (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL) STRICT;",
  );
}

export function createWelfareTables(
  transaction: (work: (database: DatabaseSync) => void) => void,
  database: () => DatabaseSync,
): WelfareTables {
  const tables = createKeptTables<WelfareEvent>(names, transaction, database);
  return {
    putWelfare(changes) {
      transaction((main) => {
        tables.put(main, changes);
        main
          .prepare(
            "INSERT INTO heard (one, until) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET until = excluded.until",
          )
          .run(Math.round(changes.heardUntil));
      });
    },
    readWelfare() {
      const heard = database().prepare("SELECT until FROM heard").get();
      return { kept: tables.read(), heardUntil: heard ? Number(heard.until) : null };
    },
    waitingWelfare: tables.waiting,
    welfareDelivered: tables.delivered,
    countWelfare: tables.count,
  };
}
