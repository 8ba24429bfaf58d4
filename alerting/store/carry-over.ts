import { carryAccess } from "./access-carry-over.ts";
import { appendAct } from "./acts.ts";
import { type Change, raiseVersion, recordChanges, versionOf } from "./control.ts";
import { type Database, hasTable, openAsItIs, openDatabase } from "./database.ts";
import { createKeyring } from "./keyring.ts";
import { appendLog, type LogRow, openEntry } from "./log.ts";
import type { MasterKeySource } from "./master-key-file.ts";
import { putInStore } from "./operation.ts";
import type { Act, AuditEntry } from "./store.ts";
import { putConsent } from "./watching.ts";

/** What went over from the store that was replaced into the backup, and what did not. */
export interface CarriedOver {
  /** Episodes that began, went on or ended since the backup. */
  episodes: number;
  /** Of these, open now. */
  open: number;
  /** Devices that were revoked since, and stay so. */
  revoked: string[];
  /** Keys of dwellings whose consent was withdrawn since, and stays so. */
  withdrawn: string[];
  /** Devices that left their dwelling since: they are in store, and raise no alarm at their old address. */
  moved: string[];
  /** Keys of dwellings that were erased since: they are in the backup, and must be erased again. */
  eraseAgain: string[];
  /** Devices that the backup does not know, or knows with an earlier secret: they cannot come in. */
  unknownDevices: string[];
  /** Accounts that were shut off or removed since, and let nobody in. */
  shutOff: string[];
}

export interface CarryOverOptions {
  /** A copy of the backup's database; it becomes the store. */
  backup: string;
  /** The store until now; null where there is none, or it is given up. */
  present: string | null;
  masterKey: MasterKeySource;
  act: Act;
  /** When the backup was made, ISO, for the history. */
  madeAt: string;
}

/** So many changes of the register at most are made between a backup and the loss of the store: gateways may have heard of them. */
const unseenChanges = 10_000;

/**
 * Makes a backup the store: brings it to this version's schema and takes over from the present store every episode that began or changed since, whole, with
 * its deadlines, texts and log, so that no alarm is lost or called out anew; who is on call and which phones are dead; revocations and withdrawn consents.
 * The register, accounts and residents are the backup's. All or nothing.
 * @throws where the backup needs another master key, or the present store cannot be read.
 */
export function carryOver({ backup, present, masterKey, act, madeAt }: CarryOverOptions): CarriedOver {
  const db = openDatabase(backup);
  const from = present === null ? null : openAsItIs(present);
  try {
    const keyring = createKeyring(db, masterKey, () => {});
    keyring.open();
    return db.transaction(() => {
      db.run("PRAGMA defer_foreign_keys = ON");
      const carried = from ? takeFrom(from) : nothing();
      const shutOff = carryAccess(db, from, act);
      const seen = from?.get<{ version: number }>("SELECT version FROM control")?.version;
      // Higher than any version that a gateway may hold: none takes what it has for what is wanted now.
      raiseVersion(db, seen ?? versionOf(db) + unseenChanges);
      const changes: Change[] = [{ part: "registry", what: `restored from the backup of ${madeAt}` }];
      for (const deviceId of carried.revoked) changes.push({ part: "revocations", deviceId, what: "revoked" });
      recordChanges(db, act, changes);
      appendAct(db, {
        ...act,
        via: "cli",
        act: "store-restored",
        subject: null,
        detail: { madeAt, episodes: carried.episodes },
      });
      return { ...carried, shutOff };
    });

    function takeFrom(from: Database): Omit<CarriedOver, "shutOff"> {
      const fromKeyring = createKeyring(from, masterKey, () => {});
      const ids = changedEpisodes(db, from);
      let open = 0;
      // Those that were closed first: an open one may be of the same dwelling, or have the code of one that is closed since.
      const rows = ids
        .map((id) => rowsOf(from, "episodes", "id = ?", id)[0] as Row)
        .sort((a, b) => Number(a.closed_at === null) - Number(b.closed_at === null));
      for (const row of rows) {
        const id = String(row.id);
        if (row.closed_at === null) open++;
        put(db, "episodes", row);
        db.run("DELETE FROM due WHERE episode_id = ?", id);
        for (const table of ["due", "detections", "pages", "replies"]) takeRows(db, from, table, "episode_id = ?", id);
        takeSends(db, from, "episode_id = ?", id);
        const kept = db.get<{ n: number }>("SELECT COUNT(*) AS n FROM episode_log WHERE episode_id = ?", id)?.n ?? 0;
        const entries = from.all<LogRow>("SELECT * FROM episode_log WHERE episode_id = ? ORDER BY seq", id);
        for (const entry of entries.slice(kept)) {
          const input = openEntry(fromKeyring, entry);
          if (input) appendLog(db, keyring, { id, dwelling: String(row.dwelling) }, entry.at, input);
        }
      }
      // Texts about no episode: answers to codes that nobody has, and the like.
      for (const table of ["pages", "replies"]) takeRows(db, from, table, "episode_id IS NULL");
      takeSends(db, from, "episode_id IS NULL");
      for (const table of ["contacts", "gateways"]) {
        db.run(`DELETE FROM ${table}`);
        takeRows(db, from, table);
      }
      for (const table of ["rota_changes", "rota_sign_ons"]) {
        const last = db.get<{ id: number | null }>(`SELECT MAX(id) AS id FROM ${table}`)?.id ?? 0;
        takeRows(db, from, table, "id > ?", last);
      }
      // A tick that was taken back since is not in the present store.
      if (hasTable(from, "follow_ups")) {
        db.run("DELETE FROM follow_ups");
        takeRows(db, from, "follow_ups", "episode_id IN (SELECT id FROM episodes WHERE erasure_id IS NULL)");
      }
      takeOutages(db, from);
      takeActs(db, from);
      return { episodes: ids.length, open, ...takeRestrictions(db, from, act) };
    }
  } finally {
    from?.close();
    db.compact();
    db.close();
  }
}

type Value = string | number | bigint | null | Uint8Array;
type Row = Record<string, Value>;

const nothing = (): Omit<CarriedOver, "shutOff"> => ({
  episodes: 0,
  open: 0,
  revoked: [],
  withdrawn: [],
  moved: [],
  eraseAgain: [],
  unknownDevices: [],
});

function rowsOf(db: Database, table: string, where = "TRUE", ...values: Value[]): Row[] {
  return db.all<Row>(`SELECT * FROM ${table} WHERE ${where}`, ...values);
}

function takeRows(db: Database, from: Database, table: string, where?: string, ...values: Value[]): void {
  for (const row of rowsOf(from, table, where, ...values)) put(db, table, row);
}

/** What was wrong and when, for the ledger of blind time and for open technical alarms: facts, which the present store knows better. */
function takeOutages(db: Database, from: Database): void {
  const all = ["service_beat", "service_gaps", "gateway_outages", "device_troubles"];
  const ofDevices = ["device_outages", "device_gateways"];
  const ofDwellings = ["pause_history", "blind_time_told"];
  for (const table of [...all, ...ofDevices, ...ofDwellings]) {
    if (!hasTable(from, table)) continue;
    db.run(`DELETE FROM ${table}`);
    for (const row of rowsOf(from, table)) {
      const isKnown =
        (!ofDevices.includes(table) || isThere(db, "devices", row.device_id)) &&
        (!ofDwellings.includes(table) || isThere(db, "dwellings", row.dwelling_id));
      if (isKnown) put(db, table, row);
    }
  }
}

const isThere = (db: Database, table: string, id: Value | undefined) =>
  db.get(`SELECT 1 FROM ${table} WHERE id = ?`, id ?? null) !== undefined;

/** Attempts and receipts of the texts that `where` chooses. */
function takeSends(db: Database, from: Database, where: string, ...values: Value[]): void {
  for (const { id } of from.all<{ id: string }>(`SELECT id FROM pages WHERE ${where}`, ...values)) {
    db.run("DELETE FROM attempts WHERE page_id = ?", id);
    // Their own numbers may be others' in the backup.
    for (const { id: _, ...attempt } of rowsOf(from, "attempts", "page_id = ?", id)) put(db, "attempts", attempt);
    takeRows(db, from, "receipts", "page_id = ?", id);
  }
}

/** Look-ups and other acts since the two logs went apart, at the end of the backup's. */
function takeActs(db: Database, from: Database): void {
  const read = (one: Database) =>
    one.all<{ at: number; body: string; hash: string }>("SELECT at, body, hash FROM audit_log ORDER BY seq");
  const [kept, now] = [read(db), read(from)];
  const apart = now.findIndex(({ hash }, i) => kept[i]?.hash !== hash);
  if (apart < 0) return;
  for (const { at, body } of now.slice(apart)) appendAct(db, { ...(JSON.parse(body) as Omit<AuditEntry, "at">), at });
}

/** Puts a row in the place of one with the same key; columns that a newer version has added are left out. */
function put(db: Database, table: string, row: Row): void {
  const known = new Set(
    db.all<{ name: string }>("SELECT name FROM pragma_table_info(?)", table).map(({ name }) => name),
  );
  const columns = Object.keys(row).filter((column) => known.has(column));
  const places = columns.map(() => "?").join(", ");
  const values = columns.map((column) => row[column] ?? null);
  if (table !== "episodes" && table !== "pages" && table !== "detections") {
    db.run(`INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${places})`, ...values);
    return;
  }
  // Replaced where it stands: others refer to it.
  const set = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  db.run(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places}) ON CONFLICT (id) DO UPDATE SET ${set}`,
    ...values,
  );
}

/** Episodes of the present store that the backup lacks or has at an earlier step; erased ones are left as they are. */
function changedEpisodes(db: Database, from: Database): string[] {
  const steps = (one: Database) =>
    new Map(
      one
        .all<{ id: string; n: number }>("SELECT episode_id AS id, COUNT(*) AS n FROM episode_log GROUP BY episode_id")
        .map(({ id, n }) => [id, n]),
    );
  const [kept, now] = [steps(db), steps(from)];
  return from
    .all<{ id: string }>("SELECT id FROM episodes WHERE erasure_id IS NULL ORDER BY opened_at")
    .map(({ id }) => id)
    .filter((id) => (now.get(id) ?? 0) > (kept.get(id) ?? 0));
}

/** What may not come back with a backup: a stolen device, a consent that was withdrawn. */
function takeRestrictions(db: Database, from: Database, act: Act): Omit<CarriedOver, "episodes" | "open" | "shutOff"> {
  const revoked = from
    .all<{ id: string }>("SELECT id FROM devices WHERE revoked = 1")
    .map(({ id }) => id)
    .filter((id) => db.run("UPDATE devices SET revoked = 1 WHERE id = ? AND revoked = 0", id) > 0);
  const aliasOf = (id: string) => db.get<{ alias: string }>("SELECT alias FROM dwellings WHERE id = ?", id)?.alias;
  const withdrawn = from
    .all<{ id: string; at: number; by: string }>(
      "SELECT dwelling_id AS id, at, by FROM consents WHERE state = 'withdrawn'",
    )
    .flatMap(({ id, at, by }) => {
      const alias = aliasOf(id);
      return alias !== undefined && putConsent(db, id, "withdrawn", { at, by }) ? [alias] : [];
    });
  const moved = from
    .all<{ id: string; dwelling: string | null }>("SELECT id, dwelling_id AS dwelling FROM devices WHERE revoked = 0")
    .filter(({ id, dwelling }) => {
      const was = db.get<{ dwelling: string | null }>(
        "SELECT dwelling_id AS dwelling FROM devices WHERE id = ?",
        id,
      )?.dwelling;
      return was != null && was !== dwelling && putInStore(db, id, { ...act, by: act.by ?? "restore" });
    })
    .map(({ id }) => id);
  const eraseAgain = from
    .all<{ id: string }>("SELECT DISTINCT dwelling_id AS id FROM erasures")
    .filter(({ id }) => !db.get("SELECT 1 FROM erasures WHERE dwelling_id = ?", id))
    .flatMap(({ id }) => aliasOf(id) ?? []);
  const hashes = new Map(
    db
      .all<{ id: string; hash: string }>("SELECT id, secret_hash AS hash FROM devices WHERE revoked = 0")
      .map(({ id, hash }) => [id, hash]),
  );
  const unknownDevices = from
    .all<{ id: string; hash: string }>("SELECT id, secret_hash AS hash FROM devices WHERE revoked = 0 ORDER BY id")
    .filter(({ id, hash }) => hashes.get(id) !== hash)
    .map(({ id }) => id);
  return { revoked, withdrawn, moved, eraseAgain, unknownDevices };
}
