import type { Permission, Role } from "../console/roles.ts";
import { appendAct } from "./acts.ts";
import type { Database } from "./database.ts";
import type { AccessStore, BegunAnswer, DoneAct, SessionRow, TokenRow } from "./store.ts";

/** Answers that are kept for one account, and for all. */
const mostAnswers = { ofAccount: 1_000, ofAll: 20_000 };

interface OfAccount {
  account: string;
  role: Role;
  units: string | null;
}
interface Session extends OfAccount {
  id: string;
  opened_at: number;
  used_at: number;
  agent: string | null;
}
interface Token extends OfAccount {
  name: string;
  scopes: string;
  made_at: number;
  until_at: number;
  used_at: number | null;
  revoked_at: number | null;
}

const accountOf = ({ account, role, units }: OfAccount) => ({
  name: account,
  role,
  units: units === null ? null : (JSON.parse(units) as string[]),
});
const sessionOf = (row: Session): SessionRow => ({
  id: row.id,
  account: accountOf(row),
  openedAt: row.opened_at,
  usedAt: row.used_at,
  agent: row.agent,
});
const tokenOf = (row: Token): TokenRow => ({
  name: row.name,
  account: accountOf(row),
  scopes: JSON.parse(row.scopes) as Permission[],
  madeAt: row.made_at,
  until: row.until_at,
  usedAt: row.used_at,
  revokedAt: row.revoked_at,
});
const written = (units: readonly string[] | null) => (units === null ? null : JSON.stringify(units));

/** Ends an account's sessions, but `kept`; inside the caller's transaction. */
export function endSessions(db: Database, account: string, kept = ""): void {
  db.run("DELETE FROM sessions WHERE account = ? AND id <> ?", account, kept);
}

/** What an account was answered may be more than it may see now: only that it asked is kept. */
export function blankAnswers(db: Database, account: string): void {
  db.run("UPDATE answers SET sealed = NULL WHERE account = ?", account);
}

/** Ends all that an account has been let in by; inside the caller's transaction. */
export function endAccess(db: Database, account: string, act: DoneAct): void {
  endSessions(db, account);
  blankAnswers(db, account);
  const tokens = db.all<{ name: string }>(
    "SELECT name FROM access_tokens WHERE account = ? AND revoked_at IS NULL",
    account,
  );
  for (const { name } of tokens) revoke(db, name, act);
}

function revoke(db: Database, name: string, act: DoneAct): boolean {
  const row = db.get<Token>("SELECT * FROM access_tokens WHERE name = ? AND revoked_at IS NULL", name);
  if (!row) return false;
  db.run("UPDATE access_tokens SET revoked_at = ? WHERE name = ?", act.at, row.name);
  blankAnswers(db, `token:${row.name}`);
  appendAct(db, { ...act, act: "token-revoked", subject: null, detail: { token: row.name, account: row.account } });
  return true;
}

export function accessStore(db: Database): AccessStore {
  return {
    putSession: async ({ id, tokenHash, account, openedAt, usedAt, agent }, unusedBefore, most) =>
      db.transaction(() => {
        db.run("DELETE FROM sessions WHERE used_at < ?", unusedBefore);
        db.run(
          "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
          most - 1,
        );
        db.run(
          "INSERT INTO sessions (id, token_hash, account, role, units, opened_at, used_at, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          ...[id, tokenHash, account.name, account.role, written(account.units), openedAt, usedAt, agent],
        );
      }),
    sessionOf: async (hash) => {
      const row = db.get<Session>("SELECT * FROM sessions WHERE token_hash = ?", hash);
      return row ? sessionOf(row) : null;
    },
    sessionsOf: async (account) =>
      db.all<Session>("SELECT * FROM sessions WHERE account = ? ORDER BY used_at DESC", account).map(sessionOf),
    liveSessions: async (ids) =>
      db
        .all<{ id: string }>(
          "SELECT id FROM sessions WHERE id IN (SELECT value FROM json_each(?))",
          JSON.stringify(ids),
        )
        .map(({ id }) => id),
    used: async (sessions, tokens) =>
      db.transaction(() => {
        for (const [id, at] of Object.entries(sessions)) db.run("UPDATE sessions SET used_at = ? WHERE id = ?", at, id);
        for (const [name, at] of Object.entries(tokens)) {
          db.run("UPDATE access_tokens SET used_at = ? WHERE name = ?", at, name);
        }
      }),
    endSession: async (id, account) => db.run("DELETE FROM sessions WHERE id = ? AND account = ?", id, account) > 0,

    addToken: async ({ name, tokenHash, account, scopes, madeAt, until }, act) =>
      db.transaction(() => {
        if (db.get("SELECT 1 FROM access_tokens WHERE name = ?", name)) return false;
        db.run(
          `INSERT INTO access_tokens (name, token_hash, account, role, units, scopes, made_at, until_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          ...[name, tokenHash, account.name, account.role, written(account.units), JSON.stringify(scopes)],
          ...[madeAt, until],
        );
        const detail = { token: name, account: account.name, scopes: scopes.join(" "), until };
        appendAct(db, { ...act, act: "token-made", subject: null, detail });
        return true;
      }),
    tokenOf: async (hash) => {
      const row = db.get<Token>("SELECT * FROM access_tokens WHERE token_hash = ?", hash);
      return row ? tokenOf(row) : null;
    },
    tokens: async () => db.all<Token>("SELECT * FROM access_tokens ORDER BY revoked_at IS NOT NULL, name").map(tokenOf),
    revokeToken: async (name, act) => db.transaction(() => revoke(db, name, act)),

    beginAnswer: async ({ id, account, fingerprint, at }, before) =>
      db.transaction(() => {
        const begun = db.get<BegunAnswer & { at: number }>(
          "SELECT fingerprint, sealed, at FROM answers WHERE id = ?",
          id,
        );
        if (begun && begun.at >= before) return { fingerprint: begun.fingerprint, sealed: begun.sealed };
        db.run("DELETE FROM answers WHERE at < ?", before);
        const oldest = "DELETE FROM answers WHERE id IN (SELECT id FROM answers";
        db.run(`${oldest} WHERE account = ? ORDER BY at DESC LIMIT -1 OFFSET ?)`, account, mostAnswers.ofAccount - 1);
        db.run(`${oldest} ORDER BY at DESC LIMIT -1 OFFSET ?)`, mostAnswers.ofAll - 1);
        db.run("INSERT INTO answers (id, account, fingerprint, at) VALUES (?, ?, ?, ?)", id, account, fingerprint, at);
        return null;
      }),
    keepAnswer: async (id, sealed) => void db.run("UPDATE answers SET sealed = ? WHERE id = ?", sealed, id),
  };
}
