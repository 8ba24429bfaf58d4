import { appendAct } from "./acts.ts";
import { type Database, hasTable } from "./database.ts";
import type { Act } from "./store.ts";

interface Session {
  id: string;
  token_hash: string;
  account: string;
  role: string;
  units: string | null;
  opened_at: number;
  used_at: number;
  agent: string | null;
}
interface Answer {
  id: string;
  account: string;
  fingerprint: string;
  sealed: string | null;
  at: number;
}

/**
 * After a restore nobody comes in who was shut out since the backup: accounts that were shut off or removed stay shut off, tokens revoked, codes are gone.
 * Who is logged in stays so where the account is the same in both. Returns the accounts that were shut off; inside the caller's transaction.
 */
export function carryAccess(db: Database, from: Database | null, act: Act): string[] {
  // Which of these were used since, and which sessions ended, nobody knows without the present store.
  db.run("UPDATE accounts SET code_hash = NULL, code_until = NULL, code_tries = 0");
  db.run("DELETE FROM sessions");
  db.run("DELETE FROM answers");
  if (!from || !hasTable(from, "accounts")) return [];
  const opened = (one: Database) =>
    one.all<{ name: string }>("SELECT name FROM accounts WHERE shut_off_at IS NULL").map(({ name }) => name);
  const now = new Set(opened(from).map((name) => name.toLowerCase()));
  const shutOff = opened(db).filter((name) => !now.has(name.toLowerCase()));
  for (const account of shutOff) {
    db.run("UPDATE accounts SET shut_off_at = ? WHERE name = ?", act.at, account);
    appendAct(db, { ...act, via: "cli", act: "account-shut-off", subject: null, detail: { account } });
  }
  const good = (one: Database) =>
    one.all<{ name: string }>("SELECT name FROM access_tokens WHERE revoked_at IS NULL").map(({ name }) => name);
  const goodNow = new Set(good(from));
  for (const token of good(db).filter((name) => !goodNow.has(name))) {
    db.run("UPDATE access_tokens SET revoked_at = ? WHERE name = ?", act.at, token);
    appendAct(db, { ...act, via: "cli", act: "token-revoked", subject: null, detail: { token } });
  }
  for (const session of from.all<Session>("SELECT * FROM sessions")) {
    const { id, token_hash, account, role, units, opened_at, used_at, agent } = session;
    db.run(
      `INSERT INTO sessions (id, token_hash, account, role, units, opened_at, used_at, agent) SELECT ?, ?, ?, ?, ?, ?, ?, ?
       WHERE EXISTS (SELECT 1 FROM accounts WHERE name = ? AND role = ? AND units IS ? AND shut_off_at IS NULL)`,
      ...[id, token_hash, account, role, units, opened_at, used_at, agent, account, role, units],
    );
  }
  // What was done since stays done: nobody's second try does it again.
  for (const { id, account, fingerprint, sealed, at } of from.all<Answer>("SELECT * FROM answers")) {
    db.run(
      "INSERT INTO answers (id, account, fingerprint, sealed, at) VALUES (?, ?, ?, ?, ?)",
      ...[id, account, fingerprint, sealed, at],
    );
  }
  return shutOff;
}
