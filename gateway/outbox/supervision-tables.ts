import type { DatabaseSync } from "node:sqlite";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { SupervisionEvent } from "../../firmware-contracts/intake.ts";
import { createKeptTables, type Kept, type KeptChanges, openKeptTables } from "./kept-tables.ts";

const devices = { state: "supervision", key: "device", events: "supervision_event" };

export type SupervisionChanges = KeptChanges<SupervisionEvent>;

/** What supervision knows of devices and of dwellings' sensors, and what is told of them. */
export interface SupervisionTables {
  /** Commits all or none. */
  putSupervision(changes: SupervisionChanges): void;
  readSupervision(): Kept[];
  /** Not yet delivered, oldest first, each as the JSON that was committed. */
  waitingSupervision(limit: number): string[];
  supervisionDelivered(ids: readonly string[], at: WallMs): void;
  countSupervision(): number;
}

/** Makes the tables, and forgets what was delivered before `forgetBefore`. */
export function openSupervisionTables(database: DatabaseSync, forgetBefore: WallMs): void {
  openKeptTables(database, devices, forgetBefore);
}

export function createSupervisionTables(
  transaction: (work: (database: DatabaseSync) => void) => void,
  database: () => DatabaseSync,
): SupervisionTables {
  const tables = createKeptTables<SupervisionEvent>(devices, transaction, database);
  return {
    putSupervision: (changes) => transaction((main) => tables.put(main, changes)),
    readSupervision: tables.read,
    waitingSupervision: tables.waiting,
    supervisionDelivered: tables.delivered,
    countSupervision: tables.count,
  };
}
