import type { Database } from "./database.ts";
import type { ContactStore, LostContact } from "./store.ts";

/** Within a transaction of the caller. `lost` is why, null where the phone can be reached again. */
export function putContact(db: Database, responderId: string, lost: string | null, at: number): void {
  if (lost === null) db.run("DELETE FROM contacts WHERE responder_id = ?", responderId);
  else {
    db.run(
      "INSERT INTO contacts (responder_id, reason, since) VALUES (?, ?, ?) ON CONFLICT (responder_id) DO NOTHING",
      responderId,
      lost,
      at,
    );
  }
}

export function contactStore(db: Database): ContactStore {
  return {
    lost: async () =>
      db.all<LostContact>("SELECT responder_id AS responderId, reason, since FROM contacts ORDER BY responder_id"),
    put: async (responderId, lost, at) => putContact(db, responderId, lost, at),
  };
}
