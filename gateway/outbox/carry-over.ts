import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSupervisionTables } from "./supervision-tables.ts";

/** The gateway's store, beside its journal. */
export const gatewayStoreFile = "gateway.sqlite";

/** What is on its way to alerting, or was told and must not be told again. Each has an id that is known however often it comes. */
const kept = [
  ["detection", "id, body, keptAt, deliveredAt"],
  ["fall_update", "id, detectionId, body, deliveredAt"],
  ["welfare_event", "id, body, deliveredAt"],
  ["supervision_event", "id, body, deliveredAt"],
] as const;

/** Whether a gateway could go on with the store in this folder: it is there, whole, and of a schema that this version reads. */
export function isUsable(folder: string): boolean {
  const path = join(folder, gatewayStoreFile);
  if (!existsSync(path)) return false;
  try {
    const file = new DatabaseSync(path);
    try {
      const { integrity_check: result } = file.prepare("PRAGMA integrity_check").get() as { integrity_check: string };
      if (result !== "ok") return false;
      // Each column that is written is asked for.
      for (const [table, columns] of kept)
        if (has(file, table)) file.prepare(`SELECT ${columns} FROM ${table} LIMIT 1`).all();
      file.prepare("SELECT body FROM control").all();
      return true;
    } finally {
      file.close();
    }
  } catch {
    return false;
  }
}

/** A store of an earlier version has none of what came after it. */
const has = (file: DatabaseSync, table: string) =>
  file.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined;

/**
 * Takes over into a backup's copy what the present store still has to tell, and what it has told. Of a damaged store what can be read.
 * @returns how many that wait, or null where nothing could be read.
 */
export function carryOver(backup: string, present: string): number | null {
  let from: DatabaseSync;
  try {
    from = new DatabaseSync(present, { readOnly: true });
  } catch {
    return null;
  }
  const to = new DatabaseSync(backup);
  try {
    to.exec("PRAGMA synchronous = FULL; BEGIN");
    let waiting = 0;
    openSupervisionTables(to, 0);
    for (const [table, columns] of kept) {
      if (!has(from, table)) continue;
      const names = columns.split(", ");
      const put = to.prepare(
        `INSERT INTO ${table} (${columns}) VALUES (${names.map(() => "?").join(", ")})
         ON CONFLICT (id) DO UPDATE SET deliveredAt = COALESCE(excluded.deliveredAt, deliveredAt)`,
      );
      for (const row of from.prepare(`SELECT ${columns} FROM ${table} ORDER BY number`).iterate()) {
        put.run(...names.map((name) => row[name] ?? null));
        if (row.deliveredAt === null) waiting++;
      }
    }
    to.exec("COMMIT");
    return waiting;
  } catch {
    if (to.isTransaction) to.exec("ROLLBACK");
    return null;
  } finally {
    from.close();
    to.close();
  }
}
