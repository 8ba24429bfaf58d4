import type { Purpose } from "../episode-state.ts";
import { commitStep, followClock } from "./commit-step.ts";
import type { Database } from "./database.ts";
import { holdersOf } from "./holders.ts";
import type { Keyring } from "./keyring.ts";
import { readLog, verifyLog } from "./log.ts";
import type { EpisodeStore } from "./store.ts";
import { readDetection, readState } from "./upcast.ts";

interface StateRow {
  state: string;
}
interface DueDatabaseRow {
  episode_id: string;
  purpose: Purpose;
  at: number;
}

const stateOf = (row: StateRow | undefined) => (row ? readState(row.state) : null);
const dueOf = (row: DueDatabaseRow) => ({ episodeId: row.episode_id, purpose: row.purpose, at: row.at });

/** An erased episode is not there any more, but for its log and what keeps a late message from opening it again. */
export function episodeStore(db: Database, keyring: Keyring): EpisodeStore {
  return {
    commitStep: async (change) => commitStep(db, keyring, change),
    followClock: async (changes, shift) => followClock(db, keyring, changes, shift),
    episode: async (id) => stateOf(db.get("SELECT state FROM episodes WHERE id = ? AND erasure_id IS NULL", id)),
    openEpisode: async (dwelling, test) =>
      stateOf(
        db.get(
          "SELECT state FROM episodes WHERE dwelling = ? AND test = ? AND closed_at IS NULL",
          dwelling,
          test ? 1 : 0,
        ),
      ),
    episodesSince: async (closedSince) =>
      db
        .all<StateRow>(
          "SELECT state FROM episodes WHERE (closed_at IS NULL OR closed_at >= ?) AND erasure_id IS NULL ORDER BY opened_at",
          closedSince,
        )
        .map((row) => readState(row.state)),
    episodesOf: async (dwellingId, limit) =>
      db
        .all<StateRow>(
          `SELECT state FROM episodes WHERE dwelling IN (SELECT value FROM json_each(?)) AND erasure_id IS NULL
           ORDER BY opened_at DESC, rowid DESC LIMIT ?`,
          JSON.stringify(holdersOf(db, dwellingId)),
          limit,
        )
        .map((row) => readState(row.state)),
    closedBefore: async (openedBefore, limit) =>
      db
        .all<StateRow>(
          `SELECT state FROM episodes WHERE closed_at IS NOT NULL AND erasure_id IS NULL AND opened_at < ?
             AND opened_at >= COALESCE((SELECT opened_at FROM episodes
               WHERE closed_at IS NOT NULL AND erasure_id IS NULL AND opened_at < ? ORDER BY opened_at DESC LIMIT 1 OFFSET ?), 0)
           ORDER BY opened_at DESC, id`,
          openedBefore,
          openedBefore,
          limit - 1,
        )
        .map((row) => readState(row.state)),
    usedCodes: async (closedSince) =>
      db
        .all<{ code: string; closed_at: number | null }>(
          "SELECT code, closed_at FROM episodes WHERE closed_at IS NULL OR closed_at >= ?",
          closedSince,
        )
        .map((row) => ({ code: row.code, closedAt: row.closed_at })),
    episodeOfDetection: async (detectionId) =>
      db.get<{ episode_id: string }>("SELECT episode_id FROM detections WHERE id = ?", detectionId)?.episode_id ?? null,
    detection: async (id) => {
      const row = db.get<{ body: string }>("SELECT body FROM detections WHERE id = ?", id);
      return row?.body ? readDetection(row.body) : null;
    },
    detectionsOf: async (deviceId) =>
      db
        .all<{ body: string; state: string }>(
          `SELECT body, state FROM detections JOIN episodes ON episodes.id = episode_id
           WHERE device_id = ? AND erasure_id IS NULL AND body <> '' ORDER BY received_at, detections.rowid`,
          deviceId,
        )
        .map(({ body, state }) => ({ detection: readDetection(body), episode: readState(state) })),
    detectionsIn: async (episodeId, limit) =>
      db
        .all<{ body: string }>(
          `SELECT body FROM detections WHERE episode_id = ? AND body <> '' AND (
             rowid = (SELECT MIN(rowid) FROM detections WHERE episode_id = ?)
             OR rowid IN (SELECT rowid FROM detections WHERE episode_id = ? ORDER BY rowid DESC LIMIT ?)) ORDER BY rowid`,
          episodeId,
          episodeId,
          episodeId,
          limit - 1,
        )
        .map(({ body }) => readDetection(body)),
    log: async (episodeId) => readLog(db, keyring, episodeId),
    verifyLog: async () => {
      const { entries, brokenAt } = verifyLog(db);
      return { entries, brokenAt };
    },
    dueBefore: async (at, limit) => {
      // Asked after each commit, and mostly nothing is due.
      if (!db.get("SELECT 1 FROM due WHERE at <= ? LIMIT 1", at)) return [];
      return db.all<DueDatabaseRow>("SELECT * FROM due WHERE at <= ? ORDER BY at LIMIT ?", at, limit).map(dueOf);
    },
    dueOf: async (episodeId) => db.all<DueDatabaseRow>("SELECT * FROM due WHERE episode_id = ?", episodeId).map(dueOf),
    earliestDue: async () => db.get<{ at: number | null }>("SELECT MIN(at) AS at FROM due")?.at ?? null,
  };
}
