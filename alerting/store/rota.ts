import type { ChangeBody, MadeChange } from "../rota/changes.ts";
import type { RotaHistoryLine, RotaStore } from "../rota/rota-store.ts";
import type { SignOnRow } from "../rota/sign-ons.ts";
import { appendAct } from "./acts.ts";
import type { Database } from "./database.ts";

interface ChangeRow {
  id: number;
  rota_id: string;
  body: string;
  withdraws: number | null;
  at: number;
  by: string | null;
}

export function rotaStore(db: Database): RotaStore {
  return {
    changes: async (since) => changesSince(db, since),
    addChange: async (rotaId, change, span, act) =>
      db.transaction(() => {
        db.run(
          "INSERT INTO rota_changes (rota_id, kind, from_at, until_at, body, at, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
          rotaId,
          change.kind,
          span.from,
          span.until,
          JSON.stringify(change),
          act.at,
          act.by,
        );
        const id = db.get<{ id: number }>("SELECT last_insert_rowid() AS id")?.id ?? 0;
        appendAct(db, {
          ...act,
          act: "rota-changed",
          subject: null,
          detail: { rota: rotaId, change: id, kind: change.kind },
        });
        return id;
      }),
    withdrawChange: async (changeId, act) =>
      db.transaction(() => {
        const withdrawn = db.run(
          `INSERT INTO rota_changes (rota_id, kind, from_at, until_at, body, withdraws, at, by)
         SELECT rota_id, 'withdrawal', from_at, until_at, '{}', id, ?, ? FROM rota_changes AS change
         WHERE id = ? AND kind <> 'withdrawal' AND NOT EXISTS (SELECT 1 FROM rota_changes WHERE withdraws = change.id)`,
          act.at,
          act.by,
          changeId,
        );
        if (withdrawn > 0)
          appendAct(db, { ...act, act: "rota-change-withdrawn", subject: null, detail: { change: changeId } });
        return withdrawn > 0;
      }),
    history: async (rotaId) =>
      db
        .all<ChangeRow>("SELECT * FROM rota_changes WHERE rota_id = ? ORDER BY id", rotaId)
        .map(({ id, rota_id, at, by, body, withdraws }) => ({
          id,
          rotaId: rota_id,
          at,
          by,
          change: withdraws === null ? bodyOf(body) : { kind: "withdrawal", withdraws },
        })) satisfies RotaHistoryLine[],
    signOns: async (since) =>
      db.all<SignOnRow>(
        `SELECT rota_id AS rotaId, responder_id AS responderId, starts_at AS startsAt, kind, at, via, crew, by
         FROM rota_sign_ons WHERE starts_at >= ? ORDER BY id`,
        since,
      ),
    addSignOns: async (rows) =>
      db.transaction(() => {
        for (const row of rows) insertSignOn(db, row);
      }),
    forgetCrews: async (before) =>
      db.run("UPDATE rota_sign_ons SET crew = NULL WHERE starts_at < ? AND crew IS NOT NULL", before),
  };
}

/** Those that touch a time at or after `since`, in the order in which they were made. */
export function changesSince(db: Database, since: number): MadeChange[] {
  return db
    .all<Omit<ChangeRow, "withdraws"> & { withdrawn_at: number | null }>(
      `SELECT made.id, made.rota_id, made.body, made.at, made.by, ended.at AS withdrawn_at
       FROM rota_changes AS made LEFT JOIN rota_changes AS ended ON ended.withdraws = made.id
       WHERE made.kind <> 'withdrawal' AND made.until_at > ? ORDER BY made.id`,
      since,
    )
    .map(({ id, rota_id, body, at, by, withdrawn_at }) => ({
      ...bodyOf(body),
      id,
      rotaId: rota_id,
      withdrawnAt: withdrawn_at,
      madeAt: at,
      madeBy: by,
    }));
}

const bodyOf = (body: string) => JSON.parse(body) as ChangeBody;

function insertSignOn(db: Database, row: SignOnRow): void {
  db.run(
    `INSERT INTO rota_sign_ons (rota_id, responder_id, starts_at, kind, at, via, crew, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    row.rotaId,
    row.responderId,
    row.startsAt,
    row.kind,
    row.at,
    row.via,
    row.crew,
    row.by,
  );
}
