import { appendAct } from "./acts.ts";
import type { Database } from "./database.ts";
import type { FollowUpRow, FollowUpStore } from "./store.ts";

export function followUpStore(db: Database): FollowUpStore {
  return {
    list: async (closedSince) =>
      db.all<FollowUpRow>(
        `SELECT episode_id AS episodeId, kind, follow_ups.at, by FROM follow_ups JOIN episodes ON episodes.id = episode_id
         WHERE closed_at >= ? ORDER BY follow_ups.at`,
        closedSince,
      ),
    tick: async ({ episodeId, kind }, act) =>
      db.transaction(() => {
        const done = db.run(
          "INSERT INTO follow_ups (episode_id, kind, at, by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
          episodeId,
          kind,
          act.at,
          act.by,
        );
        if (done > 0) appendAct(db, { ...act, act: "follow-up-done", subject: episodeId, detail: { kind } });
        return done > 0;
      }),
    untick: async ({ episodeId, kind }, act) =>
      db.transaction(() => {
        const undone = db.run("DELETE FROM follow_ups WHERE episode_id = ? AND kind = ?", episodeId, kind);
        if (undone > 0) appendAct(db, { ...act, act: "follow-up-not-done", subject: episodeId, detail: { kind } });
        return undone > 0;
      }),
  };
}
