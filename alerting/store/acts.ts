import { randomBytes } from "node:crypto";
import { chainBeginning, digestOf, linkHash } from "./chain.ts";
import type { Database } from "./database.ts";
import type { AuditEntry } from "./store.ts";

/** A line of the audit log. */
export interface ActRow {
  seq: number;
  at: number;
  body: string;
  hash: string;
}

/** Links a line to the one before. */
export const hashOfAct = (previous: string, { seq, at, body }: Omit<ActRow, "hash">) =>
  linkHash(previous, { seq, at, subject: "", digest: digestOf(body) });

/** Appends an act to the audit log, inside the caller's transaction. */
export function appendAct(db: Database, { at, ...act }: AuditEntry): void {
  const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1");
  const seq = (last?.seq ?? 0) + 1;
  // Salted: from its digest in an export nobody finds out by trying who did it.
  const body = JSON.stringify({ ...act, salt: randomBytes(16).toString("base64url") });
  const hash = hashOfAct(last?.hash ?? chainBeginning, { seq, at, body });
  db.run("INSERT INTO audit_log (seq, at, body, hash) VALUES (?, ?, ?, ?)", seq, at, body, hash);
}
