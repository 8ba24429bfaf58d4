import { appendAct } from "./acts.ts";
import {
  lackingConsents,
  putConsentRecord,
  recordedConsents,
  showConsents,
  withdrawConsent,
} from "./consent-records.ts";
import { recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import type { DoneAct, PauseRow, WatchStore } from "./store.ts";

/** Consents and pauses, by dwelling. */
export function watchStore(db: Database, keyring: Keyring): WatchStore {
  return {
    consents: async () => recordedConsents(db),
    putConsent: async (dwellingId, state, act) =>
      db.transaction(() => {
        const isNews = putConsent(db, dwellingId, state, act);
        if (isNews) recordChanges(db, act, [{ part: "consents", dwellingId, what: state }]);
        return isNews;
      }),
    recordConsent: async (dwellingId, given, act) =>
      db.transaction(() => putConsentRecord(db, keyring, dwellingId, given, act)),
    withdrawConsent: async (dwellingId, whose, act) =>
      db.transaction(() => withdrawConsent(db, dwellingId, whose, act)),
    lackingConsents: async (dwellingId) => lackingConsents(db, dwellingId),
    reviewsDue: async (at) =>
      db.get<{ n: number }>("SELECT COUNT(*) AS n FROM consent_records WHERE ended_at IS NULL AND review_at <= ?", at)
        ?.n ?? 0,
    showConsents: async (dwellingId, act) => db.transaction(() => showConsents(db, keyring, dwellingId, act)),
    pauses: async (at) =>
      db.all<PauseRow>(
        `SELECT dwellings.id AS dwellingId, alias, unit, from_at AS "from", until_at AS until, reason, by
         FROM pauses JOIN dwellings ON dwellings.id = pauses.dwelling_id WHERE until_at > ? ORDER BY until_at`,
        at,
      ),
    putPause: async (dwellingId, { from, until, reason }, act, source) =>
      db.transaction(() => {
        if (source !== undefined && db.get("SELECT 1 FROM pause_history WHERE source = ?", source)) return false;
        endInHistory(db, dwellingId, act);
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
        db.run(
          "INSERT INTO pause_history (dwelling_id, from_at, until_at, reason, by, via, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
          dwellingId,
          from,
          until,
          reason,
          act.by,
          act.via,
          source ?? null,
        );
        const what = `until ${new Date(until).toISOString()}, ${reason}`;
        recordChanges(db, act, [{ part: "pauses", dwellingId, what }]);
        appendAct(db, { ...actOnly(act), act: "pause-begun", subject: dwellingId, detail: { from, until, reason } });
        return true;
      }),
    hasPauseBegunBy: async (source) => db.get("SELECT 1 FROM pause_history WHERE source = ?", source) !== undefined,
    endPause: async (dwellingId, act) =>
      db.transaction(() => {
        const wasRunning = db.run("DELETE FROM pauses WHERE dwelling_id = ? AND until_at > ?", dwellingId, act.at) > 0;
        if (!wasRunning) return false;
        endInHistory(db, dwellingId, act);
        recordChanges(db, act, [{ part: "pauses", dwellingId, what: "ended before its time" }]);
        appendAct(db, { ...actOnly(act), act: "pause-ended", subject: dwellingId });
        return true;
      }),
  };
}

const actOnly = ({ at, by, via }: DoneAct): DoneAct => ({ at, by, via });

/** Those that are not over end now. */
function endInHistory(db: Database, dwellingId: string, { at, by }: DoneAct): void {
  db.run(
    "UPDATE pause_history SET ended_at = ?, ended_by = ? WHERE dwelling_id = ? AND until_at > ? AND ended_at IS NULL",
    at,
    by,
    dwellingId,
    at,
  );
}

/**
 * For all who live there at once, as somebody vouches, or withdraws for one of them. Within a transaction of the caller, who records it.
 * Returns whether it is news.
 */
export function putConsent(
  db: Database,
  dwellingId: string,
  state: "given" | "withdrawn",
  { at, by }: { at: number; by: string | null },
): boolean {
  const changed = db.run(
    `INSERT INTO consents (dwelling_id, state, at, by) VALUES (?, ?, ?, ?)
     ON CONFLICT (dwelling_id) DO UPDATE SET state = excluded.state, at = excluded.at, by = excluded.by, recorded = 0
     WHERE state <> excluded.state`,
    dwellingId,
    state,
    at,
    by,
  );
  return changed > 0;
}
