import type { EpisodeState } from "../episode-state.ts";
import { type ActRow, appendAct, hashOfAct } from "./acts.ts";
import { type ChainCheck, checkChain, digestOf } from "./chain.ts";
import type { Database } from "./database.ts";
import { episodeStore } from "./episodes.ts";
import type { Keyring } from "./keyring.ts";
import { digestOfRow, type LogRow, openEntry, verifyLog } from "./log.ts";
import { lookUps } from "./look-ups.ts";
import { pageStore } from "./pages.ts";
import type { AttemptRow, AuditEntry, AuditStore, DoneAct, IncidentRecord, LogEntry } from "./store.ts";
import { readDetection, readState } from "./upcast.ts";

function actOf(body: string): Omit<AuditEntry, "at"> {
  const { salt: _salt, ...act } = JSON.parse(body) as Omit<AuditEntry, "at"> & { salt: string };
  return act;
}

const verifyActs = (db: Database): ChainCheck =>
  checkChain(db.each<ActRow>("SELECT * FROM audit_log ORDER BY seq"), hashOfAct);

/** State and log by one statement, so that nothing comes between them. */
function replayable(db: Database, keyring: Keyring, id: string): { state: EpisodeState; log: LogEntry[] } | null {
  const rows = db.all<LogRow & { state: string }>(
    `SELECT episode_log.*, episodes.state FROM episode_log JOIN episodes ON episodes.id = episode_id
     WHERE episode_id = ? AND erasure_id IS NULL ORDER BY seq`,
    id,
  );
  const [first] = rows;
  if (!first) return null;
  const log = rows.flatMap((row) => {
    const input = openEntry(keyring, row);
    return input === null ? [] : [{ seq: row.seq, episodeId: row.episode_id, at: row.at, input, hash: row.hash }];
  });
  return { state: readState(first.state), log };
}

async function incident(db: Database, keyring: Keyring, id: string): Promise<IncidentRecord | null> {
  const kept = replayable(db, keyring, id);
  if (!kept) return null;
  const ofPages = "WHERE page_id IN (SELECT id FROM pages WHERE episode_id = ?)";
  return {
    ...kept,
    pages: await pageStore(db).pagesOf(id),
    attempts: db.all<AttemptRow>(
      `SELECT page_id AS pageId, started_at AS startedAt, ended_at AS endedAt, outcome, provider_id AS providerId, reason
       FROM attempts ${ofPages} ORDER BY id`,
      id,
    ),
    receipts: db.all(
      `SELECT page_id AS pageId, provider_id AS providerId, status, error_code AS errorCode, at FROM receipts ${ofPages} ORDER BY at`,
      id,
    ),
    replies: db.all(
      "SELECT provider_id AS providerId, responder_id AS responderId, letter, effect, at FROM replies WHERE episode_id = ? ORDER BY at",
      id,
    ),
    detections: db
      .all<{ body: string }>("SELECT body FROM detections WHERE episode_id = ? ORDER BY rowid", id)
      .map(({ body }) => readDetection(body)),
    due: await episodeStore(db, keyring).dueOf(id),
  };
}

export function auditStore(db: Database, keyring: Keyring): AuditStore {
  return {
    append: async (entry) => db.transaction(() => appendAct(db, entry)),
    verify: async (chain) => (chain === "episodes" ? verifyLog(db) : verifyActs(db)),
    entries: async (chain, seq, limit) => {
      if (chain === "acts") {
        return db.all<ActRow>("SELECT * FROM audit_log WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit).map((row) => ({
          chain,
          seq: row.seq,
          at: row.at,
          subject: "",
          hash: row.hash,
          digest: digestOf(row.body),
          input: null,
          act: actOf(row.body),
        }));
      }
      return db.all<LogRow>("SELECT * FROM episode_log WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit).map((row) => ({
        chain,
        seq: row.seq,
        at: row.at,
        subject: row.episode_id,
        hash: row.hash,
        digest: digestOfRow(row),
        input: openEntry(keyring, row),
        act: null,
      }));
    },
    lookUps: async (from, until, marginMs) => lookUps(db, from, until, marginMs),
    episodes: async () =>
      db
        .all<{ id: string; code: string; erasure_id: number | null }>(
          "SELECT id, code, erasure_id FROM episodes ORDER BY opened_at, rowid",
        )
        .map(({ id, code, erasure_id }) => ({ id, code, isErased: erasure_id !== null })),
    replayable: async (id) => replayable(db, keyring, id),
    incident: (id) => incident(db, keyring, id),
  };
}

/** Rotates the master key, which is an act too. */
export function rotateKeys(db: Database, keyring: Keyring, act: DoneAct): number {
  const count = keyring.rotate();
  db.transaction(() => appendAct(db, { ...act, act: "master-key-rotated", subject: null, detail: { keys: count } }));
  return count;
}
