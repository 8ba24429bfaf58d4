import { recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { ConsentRow, PauseRow, WatchStore } from "./store.ts";

/** Consents and pauses, by dwelling. */
export function watchStore(db: Database): WatchStore {
  return {
    consents: async () =>
      db.all<ConsentRow>(
        `SELECT dwellings.id AS dwellingId, alias, unit, COALESCE(state, 'missing') AS state, at, by
         FROM dwellings LEFT JOIN consents ON consents.dwelling_id = dwellings.id ORDER BY unit, alias`,
      ),
    putConsent: async (dwellingId, state, act) =>
      db.transaction(() => {
        const isNews = putConsent(db, dwellingId, state, act);
        if (isNews) recordChanges(db, act, [{ part: "consents", dwellingId, what: state }]);
        return isNews;
      }),
    pauses: async (at) =>
      db.all<PauseRow>(
        `SELECT dwellings.id AS dwellingId, alias, unit, from_at AS "from", until_at AS until, reason, by
         FROM pauses JOIN dwellings ON dwellings.id = pauses.dwelling_id WHERE until_at > ? ORDER BY until_at`,
        at,
      ),
    putPause: async (dwellingId, { from, until, reason }, act) =>
      db.transaction(() => {
        db.run(
          `INSERT INTO pauses (dwelling_id, from_at, until_at, reason, by) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (dwelling_id) DO UPDATE SET from_at = excluded.from_at, until_at = excluded.until_at,
             reason = excluded.reason, by = excluded.by`,
          dwellingId,
          from,
          until,
          reason,
          act.by,
        );
        const what = `until ${new Date(until).toISOString()}, ${reason}`;
        recordChanges(db, act, [{ part: "pauses", dwellingId, what }]);
      }),
    endPause: async (dwellingId, act) =>
      db.transaction(() => {
        const wasRunning = db.run("DELETE FROM pauses WHERE dwelling_id = ? AND until_at > ?", dwellingId, act.at) > 0;
        if (wasRunning) recordChanges(db, act, [{ part: "pauses", dwellingId, what: "ended before its time" }]);
        return wasRunning;
      }),
  };
}

/** Within a transaction of the caller, who records it. Returns whether it is news. */
export function putConsent(
  db: Database,
  dwellingId: string,
  state: "given" | "withdrawn",
  { at, by }: { at: number; by: string | null },
): boolean {
  const changed = db.run(
    `INSERT INTO consents (dwelling_id, state, at, by) VALUES (?, ?, ?, ?)
     ON CONFLICT (dwelling_id) DO UPDATE SET state = excluded.state, at = excluded.at, by = excluded.by
     WHERE state <> excluded.state`,
    dwellingId,
    state,
    at,
    by,
  );
  return changed > 0;
}
