import { appendAct } from "./acts.ts";
import { followRecords } from "./consent-records.ts";
import { recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import type { DoneAct, Resident, ResidentStore } from "./store.ts";

interface Row {
  id: string;
  added_at: number;
  key_id: number;
  sealed: string;
}

type StoredResident = Omit<Resident, "flags"> & Partial<Pick<Resident, "flags">>;

const placeOf = (id: string) => ({ table: "residents", row: id, column: "sealed" });

/** Where a second resident comes in, gateways are told that nobody lives alone there. */
function noteSecond(db: Database, dwellingId: string, act: DoneAct): void {
  const { n } = db.get<{ n: number }>("SELECT COUNT(*) AS n FROM residents WHERE dwelling_id = ?", dwellingId) ?? {
    n: 0,
  };
  if (n < 2) return;
  if (n === 2) recordChanges(db, act, [{ part: "registry", dwellingId, what: "household: two residents" }]);
  followRecords(db, dwellingId, act);
}

/** Residents, sealed with their dwelling's key: their plain text never reaches the disk. */
export function residentStore(db: Database, keyring: Keyring): ResidentStore {
  return {
    put: async (dwellingId, id, resident, replaces, act) =>
      db.transaction(() => {
        if (replaces !== null) {
          const gone = db.run("DELETE FROM residents WHERE id = ? AND dwelling_id = ?", replaces, dwellingId);
          if (gone === 0) return false;
        }
        const { keyId, text } = keyring.seal(dwellingId, JSON.stringify(resident), placeOf(id), act.at);
        db.run(
          "INSERT INTO residents (id, dwelling_id, added_at, key_id, sealed) VALUES (?, ?, ?, ?, ?)",
          id,
          dwellingId,
          act.at,
          keyId,
          text,
        );
        if (replaces === null) noteSecond(db, dwellingId, act);
        const what = replaces === null ? "resident-added" : "resident-changed";
        appendAct(db, { ...act, act: what, subject: dwellingId, detail: { resident: id } });
        return true;
      }),
    lookUp: async (dwellingId, act, context = {}) =>
      db.transaction(() => {
        const rows = db.all<Row>("SELECT * FROM residents WHERE dwelling_id = ? ORDER BY added_at, id", dwellingId);
        const detail = { residents: rows.length, ...context };
        appendAct(db, { ...act, act: "resident-shown", subject: dwellingId, detail });
        return rows.flatMap(({ id, added_at, key_id, sealed }) => {
          const opened = keyring.unseal({ keyId: key_id, text: sealed }, placeOf(id));
          // Of before there were flags: none.
          return opened === null
            ? []
            : [{ id, addedAt: added_at, flags: [], ...(JSON.parse(opened) as StoredResident) }];
        });
      }),
    counts: async () =>
      db.all<{ dwellingId: string; residents: number }>(
        "SELECT dwelling_id AS dwellingId, COUNT(*) AS residents FROM residents GROUP BY dwelling_id",
      ),
  };
}
