import { randomBytes } from "node:crypto";
import { appendAct } from "./acts.ts";
import { type Change, recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import { holdersOf } from "./holders.ts";
import type { Keyring } from "./keyring.ts";
import type { DoneAct, Dwelling, Erasure, ErasureStore, Forgotten, Traces } from "./store.ts";
import { putConsent } from "./watching.ts";

interface Row {
  id: number;
  dwelling_id: string;
  traces: string | null;
  by: string;
  begun_at: number;
}

const erasureOf = (row: Row): Erasure => ({
  id: row.id,
  dwellingId: row.dwelling_id,
  by: row.by,
  begunAt: row.begun_at,
  traces: row.traces === null ? null : (JSON.parse(row.traces) as Traces),
});

const unfinished = (db: Database) =>
  db.all<Row>("SELECT * FROM erasures WHERE finished_at IS NULL ORDER BY id").map(erasureOf);

function openEpisodes(db: Database, dwellingId: string): number {
  const counts = holdersOf(db, dwellingId).map(
    (holder) =>
      db.get<{ n: number }>("SELECT COUNT(*) AS n FROM episodes WHERE dwelling = ? AND closed_at IS NULL", holder)?.n ??
      0,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function tracesOf(db: Database, dwelling: Dwelling): Traces {
  const twin = db.get(
    "SELECT 1 FROM dwellings WHERE alias = ? COLLATE NOCASE AND id <> ?",
    dwelling.alias,
    dwelling.id,
  );
  return {
    dwellingId: dwelling.id,
    alias: dwelling.alias,
    isShared: twin !== undefined,
    devices: db.all<{ id: string }>("SELECT id FROM devices WHERE dwelling_id = ?", dwelling.id).map(({ id }) => id),
    episodes: holdersOf(db, dwelling.id).flatMap((holder) =>
      db.all<{ id: string; from: number; to: number }>(
        'SELECT id, opened_at AS "from", COALESCE(closed_at, opened_at) AS "to" FROM episodes WHERE dwelling = ?',
        holder,
      ),
    ),
  };
}

function begin(db: Database, dwellingId: string, act: DoneAct & { by: string }): Erasure {
  const known = unfinished(db).find((one) => one.dwellingId === dwellingId);
  if (known) return known;
  const dwelling = db.get<Dwelling>("SELECT id, alias, unit, area, room FROM dwellings WHERE id = ?", dwellingId);
  if (!dwelling) throw new Error(`there is no dwelling ${dwellingId}`);
  const traces = tracesOf(db, dwelling);
  const revoked = traces.devices.filter(
    (id) => db.run("UPDATE devices SET revoked = 1, revoked_at = ? WHERE id = ? AND revoked = 0", act.at, id) > 0,
  );
  const changes: Change[] = revoked.map((deviceId) => ({ part: "revocations", deviceId, dwellingId, what: "revoked" }));
  if (putConsent(db, dwellingId, "withdrawn", act)) changes.push({ part: "consents", dwellingId, what: "withdrawn" });
  if (changes.length > 0) recordChanges(db, act, changes);
  db.run(
    "INSERT INTO erasures (dwelling_id, traces, by, begun_at) VALUES (?, ?, ?, ?)",
    dwellingId,
    JSON.stringify(traces),
    act.by,
    act.at,
  );
  appendAct(db, { ...act, act: "erasure-begun", subject: dwellingId });
  const begun = unfinished(db).find((one) => one.dwellingId === dwellingId);
  if (!begun) throw new Error("the erasure was not written down");
  return begun;
}

/** What is left: rows that keep a late message from opening an episode again, and the log, which nobody can read any more. */
function forget(db: Database, keyring: Keyring, erasureId: number, at: number): Forgotten | null {
  const row = db.get<Row>("SELECT * FROM erasures WHERE id = ?", erasureId);
  if (!row) throw new Error(`there is no erasure ${erasureId}`);
  const { dwelling_id: dwellingId } = row;
  if (openEpisodes(db, dwellingId) > 0) return null;
  const done: Forgotten = { keys: 0, residents: 0, devices: 0, episodes: 0, unsealedEntries: 0 };
  for (const holder of holdersOf(db, dwellingId)) {
    done.keys += keyring.destroy(holder, at);
    const ofHolder = "episode_id IN (SELECT id FROM episodes WHERE dwelling = ?)";
    db.run(
      `UPDATE pages SET body = '', status = CASE WHEN status IN ('pending', 'sending') THEN 'withdrawn' ELSE status END WHERE ${ofHolder}`,
      holder,
    );
    db.run(`UPDATE detections SET body = '' WHERE ${ofHolder}`, holder);
    db.run(`UPDATE replies SET letter = NULL WHERE ${ofHolder}`, holder);
    for (const table of ["due", "follow_ups"]) db.run(`DELETE FROM ${table} WHERE ${ofHolder}`, holder);
    done.episodes += db.run("UPDATE episodes SET state = 'null', erasure_id = ? WHERE dwelling = ?", erasureId, holder);
    done.unsealedEntries +=
      db.get<{ n: number }>(`SELECT COUNT(*) AS n FROM episode_log WHERE key_id IS NULL AND ${ofHolder}`, holder)?.n ??
      0;
  }
  done.residents = db.run("DELETE FROM residents WHERE dwelling_id = ?", dwellingId);
  for (const table of [
    "pauses",
    "pause_history",
    "blind_time_told",
    "consent_records",
    "operation_changes",
    "operation_tests",
  ]) {
    db.run(`DELETE FROM ${table} WHERE dwelling_id = ?`, dwellingId);
  }
  for (const table of ["device_outages", "device_gateways", "device_troubles"]) {
    db.run(`DELETE FROM ${table} WHERE device_id IN (SELECT id FROM devices WHERE dwelling_id = ?)`, dwellingId);
  }
  db.run(
    "DELETE FROM threshold_versions WHERE device_id IN (SELECT id FROM devices WHERE dwelling_id = ?)",
    dwellingId,
  );
  done.devices = db.run(
    `UPDATE devices SET room = NULL, last_seen_at = NULL, online = NULL, battery = NULL, threshold = NULL, leads_out = 0,
       first_heard_at = NULL, tells_presence = 0, staff_tag = 0,
       previous_secret_hash = NULL, previous_secret_until = NULL, secret_since = NULL WHERE dwelling_id = ?`,
    dwellingId,
  );
  db.run(
    `UPDATE dwellings SET alias = ?, unit = NULL, area = NULL, room = NULL, arrive_minutes = NULL, household = NULL WHERE id = ?
       AND NOT EXISTS (SELECT 1 FROM erasures WHERE dwelling_id = dwellings.id AND erased_at IS NOT NULL)`,
    `erased-${randomBytes(6).toString("hex")}`,
    dwellingId,
  );
  db.run("UPDATE erasures SET erased_at = ? WHERE id = ?", at, erasureId);
  appendAct(db, { at, by: row.by, via: "cli", act: "erased", subject: dwellingId, detail: { ...done } });
  return done;
}

export function erasureStore(db: Database, keyring: Keyring): ErasureStore {
  return {
    unfinished: async () => unfinished(db),
    openEpisodes: async (dwellingId) => openEpisodes(db, dwellingId),
    begin: async (dwellingId, act) => db.transaction(() => begin(db, dwellingId, act)),
    forget: async (erasureId, at) => db.transaction(() => forget(db, keyring, erasureId, at)),
    dropTraces: async (erasureId) => void db.run("UPDATE erasures SET traces = NULL WHERE id = ?", erasureId),
    compact: async () => db.compact(),
    finish: async (erasureId, at) => void db.run("UPDATE erasures SET finished_at = ? WHERE id = ?", at, erasureId),
    erasedAfter: async (erasureId) => {
      const rows = db.all<{ id: string; erasure_id: number }>(
        "SELECT id, erasure_id FROM episodes WHERE erasure_id > ?",
        erasureId,
      );
      // The keys that another process destroyed are not to stay in memory here.
      if (rows.length > 0) keyring.forget();
      return {
        upTo: Math.max(erasureId, ...rows.map((row) => row.erasure_id)),
        episodes: rows.map(({ id }) => id),
      };
    },
  };
}
