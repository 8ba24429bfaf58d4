import type { EpisodeStatus } from "../../alerting/console/api.ts";
import type { EpisodeState, PagePurpose } from "../../alerting/episode-state.ts";
import type { Database } from "../../alerting/store/database.ts";

/** An open or closed episode as the oracle follows it. Times are monotonic, ms. */
export interface Watched {
  id: string;
  code: string;
  dwelling: string;
  test: boolean;
  kind: EpisodeState["facts"]["kind"];
  state: EpisodeState;
  openedAt: number;
  status: EpisodeStatus;
  statusSince: number;
  /** Since when whoever has it has it. */
  takenSince: number;
  /** When the last page that asks to be taken was begun to be sent; null before the first. */
  calledAt: number | null;
  remindedAt: number;
  /** When each operator was last told that nobody has it. */
  operatorsTold: Map<string, number>;
  /** Who was called to help whoever is there, and not told since that nobody need come. */
  called: Set<string>;
  /** Whose reply or press was the last thing that moved it; null where that was neither, or one that took another back. */
  movedBy: string | null;
  /** Since when nobody has moved between taken, on the way and there. */
  setOffSince: number;
  /** When others were last called to help whoever asked. */
  backupAt: number;
  /** When the last step was paged, and which of its texts a phone has. */
  batchAt: number;
  delivered: Set<string>;
  /** Pages of the last step that was paged, and those of them that will not arrive. */
  batch: Map<string, string>;
  failed: Set<string>;
  declined: Set<string>;
  /** Past the last step: operators were told after the last batch. */
  betweenRounds: boolean;
  /** Who said that they are there. */
  present: Set<string>;
  due: Map<string, Deadline>;
}

export interface Deadline {
  /** Wall ms as it stands in the store. */
  at: number;
  /** When that is by the monotonic clock, as it was when the deadline was set. */
  falls: number;
  setAt: number;
}

export interface WaitingPage {
  id: string;
  episodeId: string | null;
  purpose: PagePurpose;
  status: "pending" | "sending";
  notBefore: number;
  /** When it is to be begun (pending) or was (sending). */
  since: number;
}

/** What is asked of the store, by SQL and past the code that is tried. */
export function readStore(db: Database) {
  return {
    openWithoutDeadline: () =>
      db.all<{ id: string }>(
        "SELECT id FROM episodes WHERE closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM due WHERE episode_id = id)",
      ),
    closedWithDeadline: () =>
      db.all<{ id: string }>(
        "SELECT episode_id AS id FROM due JOIN episodes ON id = episode_id WHERE closed_at IS NOT NULL",
      ),
    episode: (id: string) =>
      db.get<{ status: EpisodeStatus; closed_at: number | null; code: string; dwelling: string; state: string }>(
        "SELECT status, closed_at, code, dwelling, state FROM episodes WHERE id = ?",
        id,
      ),
    openEpisodes: () =>
      db.all<{ id: string; code: string; dwelling: string; test: number }>(
        "SELECT id, code, dwelling, test FROM episodes WHERE closed_at IS NULL",
      ),
    due: (episodeId: string) =>
      db.all<{ purpose: string; at: number }>("SELECT purpose, at FROM due WHERE episode_id = ?", episodeId),
    waitingPages: () =>
      db.all<{
        id: string;
        episode_id: string | null;
        purpose: PagePurpose;
        status: "pending" | "sending";
        not_before: number;
      }>(
        `SELECT id, episode_id, purpose, status, not_before FROM pages WHERE status = 'pending'
         UNION ALL SELECT id, episode_id, purpose, status, not_before FROM pages WHERE status = 'sending'`,
      ),
    page: (id: string) =>
      db.get<{ episode_id: string | null; responder_id: string; purpose: PagePurpose; status: string; body: string }>(
        "SELECT episode_id, responder_id, purpose, status, body FROM pages WHERE id = ?",
        id,
      ),
    wasPaged: (episodeId: string, responderId: string) =>
      db.get("SELECT 1 FROM pages WHERE episode_id = ? AND responder_id = ?", episodeId, responderId) !== undefined,
    episodeOfDetection: (id: string) =>
      db.all<{ episode_id: string }>("SELECT episode_id FROM detections WHERE id = ?", id),
    earliestWork: () =>
      db.get<{ at: number | null }>(
        `SELECT MIN(at) AS at FROM (SELECT MIN(at) AS at FROM due
         UNION ALL SELECT MIN(not_before) FROM pages WHERE status = 'pending')`,
      )?.at ?? null,
    unknownCodes: (responderId: string, since: number) =>
      db.get<{ n: number }>(
        "SELECT COUNT(*) AS n FROM replies WHERE responder_id = ? AND effect IN ('unknown-code', 'unanswered') AND at >= ?",
        responderId,
        since,
      )?.n ?? 0,
  };
}
export type StoreReader = ReturnType<typeof readStore>;
