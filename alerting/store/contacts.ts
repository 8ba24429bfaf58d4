import type { Database } from "./database.ts";
import type { ContactChange, ContactStore, LostContact } from "./store.ts";

/** Within a transaction of the caller. */
export function putContact(db: Database, { responderId, lost, phone }: ContactChange, at: number): void {
  if (lost === null) db.run("DELETE FROM contacts WHERE responder_id = ?", responderId);
  else {
    db.run(
      "INSERT INTO contacts (responder_id, reason, since, phone) VALUES (?, ?, ?, ?) ON CONFLICT (responder_id) DO NOTHING",
      responderId,
      lost,
      at,
      phone,
    );
  }
}

export function contactStore(db: Database): ContactStore {
  return {
    lost: async () =>
      db.all<LostContact>(
        "SELECT responder_id AS responderId, reason, since, phone FROM contacts ORDER BY responder_id",
      ),
    put: async (contact, at) => putContact(db, contact, at),
  };
}
