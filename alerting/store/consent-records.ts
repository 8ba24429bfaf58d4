import { randomUUID } from "node:crypto";
import { appendAct } from "./acts.ts";
import { recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import type {
  Act,
  ConsentLack,
  ConsentPerson,
  ConsentRow,
  ConsentWhose,
  DoneAct,
  GivenConsent,
  ShownConsent,
} from "./store.ts";

interface RecordRow {
  id: string;
  person: ConsentPerson;
  given_at: number;
  review_at: number;
  by: string;
  key_id: number;
  sealed: string;
}

type Sealed = Pick<GivenConsent, "giver" | "how">;

const placeOf = (id: string) => ({ table: "consent_records", row: id, column: "sealed" });

const inForce = (db: Database, dwellingId: string) =>
  db.all<RecordRow>(
    "SELECT * FROM consent_records WHERE dwelling_id = ? AND ended_at IS NULL ORDER BY given_at, id",
    dwellingId,
  );

/** One row for each dwelling; who gave it stays sealed. */
export function recordedConsents(db: Database): ConsentRow[] {
  return db
    .all<Omit<ConsentRow, "isRecorded"> & { recorded: number }>(
      `SELECT dwellings.id AS dwellingId, alias, unit, COALESCE(state, 'missing') AS state, at, by, COALESCE(recorded, 0) AS recorded,
         (SELECT COUNT(*) FROM consent_records WHERE dwelling_id = dwellings.id AND ended_at IS NULL) AS records,
         (SELECT MIN(review_at) FROM consent_records WHERE dwelling_id = dwellings.id AND ended_at IS NULL) AS reviewAt
       FROM dwellings LEFT JOIN consents ON consents.dwelling_id = dwellings.id ORDER BY unit, alias`,
    )
    .map(({ recorded, ...row }) => ({ ...row, isRecorded: recorded === 1 }));
}

/** Whose consent is lacking: nobody's where the list is empty. */
export function lackingConsents(db: Database, dwellingId: string): ConsentLack[] {
  const home = db.get<{ household: "alone" | "shared" | null; residents: number }>(
    `SELECT household, (SELECT COUNT(*) FROM residents WHERE dwelling_id = dwellings.id) AS residents FROM dwellings WHERE id = ?`,
    dwellingId,
  );
  if (!home) return ["resident"];
  const persons = inForce(db, dwellingId).map(({ person }) => person);
  const lacking: ConsentLack[] = persons.includes("resident") ? [] : ["resident"];
  const people = Math.max(home.residents, home.household === "shared" ? 2 : 1);
  if (home.household === null && home.residents < 2) lacking.push("household");
  else if (people > 1 && persons.length - (persons.includes("resident") ? 1 : 0) < people - 1) lacking.push("other");
  return lacking;
}

/**
 * Brings a dwelling's state to what the records say. Where somebody has vouched for all, what is lacking changes nothing: it silences nobody.
 * Within a transaction of the caller. Returns what is lacking.
 */
export function followRecords(db: Database, dwellingId: string, act: Act): ConsentLack[] {
  const lacking = lackingConsents(db, dwellingId);
  const now = db.get<{ state: "given" | "withdrawn"; recorded: number }>(
    "SELECT state, recorded FROM consents WHERE dwelling_id = ?",
    dwellingId,
  );
  if (lacking.length === 0 && !(now?.state === "given" && now.recorded === 1)) {
    db.run(
      `INSERT INTO consents (dwelling_id, state, at, by, recorded) VALUES (?, 'given', ?, ?, 1)
       ON CONFLICT (dwelling_id) DO UPDATE SET state = 'given', at = excluded.at, by = excluded.by, recorded = 1`,
      dwellingId,
      act.at,
      act.by,
    );
    if (now?.state !== "given") recordChanges(db, act, [{ part: "consents", dwellingId, what: "given" }]);
  }
  if (lacking.length > 0 && now?.state === "given" && now.recorded === 1) {
    db.run("DELETE FROM consents WHERE dwelling_id = ?", dwellingId);
    recordChanges(db, act, [{ part: "consents", dwellingId, what: `missing: ${lacking.join(", ")}` }]);
  }
  return lacking;
}

function unseal(keyring: Keyring, { id, key_id: keyId, sealed }: RecordRow): Sealed | null {
  const opened = keyring.unseal({ keyId, text: sealed }, placeOf(id));
  return opened === null ? null : (JSON.parse(opened) as Sealed);
}

const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();

/** Puts one person's consent on record, in the place of what the same person gave before. */
export function putConsentRecord(
  db: Database,
  keyring: Keyring,
  dwellingId: string,
  given: GivenConsent,
  act: DoneAct & { by: string },
): { id: string; lacking: ConsentLack[] } {
  for (const row of inForce(db, dwellingId)) {
    if (row.person === given.person && same(unseal(keyring, row)?.giver ?? "", given.giver)) end(db, [row], act);
  }
  const id = `c${randomUUID().replaceAll("-", "").slice(0, 12)}`;
  const { giver, how, person, givenAt, reviewAt } = given;
  const { keyId, text } = keyring.seal(dwellingId, JSON.stringify({ giver, how }), placeOf(id), act.at);
  db.run(
    "INSERT INTO consent_records (id, dwelling_id, person, given_at, review_at, recorded_at, by, key_id, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    id,
    dwellingId,
    person,
    givenAt,
    reviewAt,
    act.at,
    act.by,
    keyId,
    text,
  );
  appendAct(db, { ...act, act: "consent-recorded", subject: dwellingId, detail: { consent: id, person } });
  return { id, lacking: followRecords(db, dwellingId, act) };
}

function end(db: Database, rows: readonly RecordRow[], act: Act): void {
  for (const { id } of rows) {
    db.run("UPDATE consent_records SET ended_at = ?, ended_by = ? WHERE id = ?", act.at, act.by, id);
  }
}

/** Of one person, of one kind of person, or of all (null). Whoever was vouched for withdraws too. Returns whether it is news. */
export function withdrawConsent(
  db: Database,
  dwellingId: string,
  whose: ConsentWhose | null,
  act: DoneAct & { by: string },
): boolean {
  const isTheirs = ({ id, person }: RecordRow) =>
    whose === null || (typeof whose === "string" ? person === whose : id === whose.id);
  const ended = inForce(db, dwellingId).filter(isTheirs);
  if (typeof whose === "object" && whose !== null && ended.length === 0) {
    throw new Error("that consent is not on record, or was withdrawn already");
  }
  end(db, ended, act);
  const changed = db.run(
    `INSERT INTO consents (dwelling_id, state, at, by) VALUES (?, 'withdrawn', ?, ?)
     ON CONFLICT (dwelling_id) DO UPDATE SET state = 'withdrawn', at = excluded.at, by = excluded.by, recorded = 0 WHERE state <> 'withdrawn'`,
    dwellingId,
    act.at,
    act.by,
  );
  if (changed > 0) recordChanges(db, act, [{ part: "consents", dwellingId, what: "withdrawn" }]);
  if (changed > 0 || ended.length > 0) {
    appendAct(db, { ...act, act: "consent-withdrawn", subject: dwellingId, detail: { records: ended.length } });
  }
  return changed > 0;
}

/** Opens who gave their consent. The look-up is in the audit log before it is answered. */
export function showConsents(db: Database, keyring: Keyring, dwellingId: string, act: DoneAct): ShownConsent[] {
  const rows = inForce(db, dwellingId);
  appendAct(db, { ...act, act: "consent-shown", subject: dwellingId, detail: { consents: rows.length } });
  return rows.flatMap((row) => {
    const opened = unseal(keyring, row);
    const { id, person, given_at: givenAt, review_at: reviewAt, by } = row;
    return opened ? [{ id, person, givenAt, reviewAt, by, ...opened }] : [];
  });
}
