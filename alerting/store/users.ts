import { blankAnswers, endAccess, endSessions } from "./access.ts";
import { appendAct } from "./acts.ts";
import type { Database } from "./database.ts";
import type { DoneAct, ListedUser, UserRow, UserStore } from "./store.ts";

interface Row {
  name: string;
  role: UserRow["role"];
  units: string | null;
  password_hash: string | null;
  added_at: number | null;
  shut_off_at: number | null;
  code_hash: string | null;
  code_until: number | null;
  code_tries: number;
}

const listed = (row: Row): ListedUser => ({
  name: row.name,
  role: row.role,
  units: row.units === null ? null : (JSON.parse(row.units) as string[]),
  addedAt: row.added_at,
  isOpen: row.shut_off_at === null,
  hasPassword: row.password_hash !== null,
  codeUntil: row.code_until,
});
const written = (units: readonly string[] | null) => (units === null ? null : JSON.stringify(units));
const noCode = "code_hash = NULL, code_until = NULL, code_tries = 0";

export function userStore(db: Database): UserStore {
  const rowOf = (name: string) => db.get<Row>("SELECT * FROM accounts WHERE name = ?", name);

  function note(act: DoneAct, what: string, account: string, detail: Record<string, string> = {}): void {
    appendAct(db, { ...act, act: what, subject: null, detail: { account, ...detail } });
  }
  const told = ({ role, units }: { role: string; units: readonly string[] | null }) => ({
    role,
    units: units === null ? "all" : units.join(", "),
  });

  /** Does `work` where there is such an account; its name is the one in the register, however it was written. */
  const changing = (name: string, work: (row: Row) => boolean) =>
    db.transaction(() => {
      const row = rowOf(name);
      return row !== undefined && work(row);
    });

  return {
    user: async (name) => {
      const row = rowOf(name);
      if (!row) return null;
      const { code_hash: hash, code_until: until, code_tries: tries } = row;
      const code = hash === null || until === null ? null : { hash, until, tries };
      return { ...listed(row), passwordHash: row.password_hash, code };
    },
    users: async () => db.all<Row>("SELECT * FROM accounts ORDER BY name").map(listed),
    addUser: async ({ name, role, units, code }, act) =>
      db.transaction(() => {
        if (rowOf(name)) return false;
        db.run(
          "INSERT INTO accounts (name, role, units, added_at, code_hash, code_until) VALUES (?, ?, ?, ?, ?, ?)",
          ...[name, role, written(units), act.at, code.hash, code.until],
        );
        note(act, "account-added", name, told({ role, units }));
        return true;
      }),
    putUser: async ({ name, role, units, passwordHash }, act) =>
      db.transaction(() => {
        const was = rowOf(name);
        db.run(
          `INSERT INTO accounts (name, role, units, password_hash, added_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET role = excluded.role, units = excluded.units, password_hash = excluded.password_hash,
             shut_off_at = NULL, ${noCode}`,
          ...[name, role, written(units), passwordHash, act.at],
        );
        if (was) endAccess(db, was.name, act);
        note(act, was ? "account-replaced" : "account-added", was?.name ?? name, told({ role, units }));
      }),
    changeUser: async ({ name, role, units }, act) =>
      changing(name, (row) => {
        db.run("UPDATE accounts SET role = ?, units = ? WHERE name = ?", role, written(units), name);
        endAccess(db, row.name, act);
        note(act, "account-changed", row.name, told({ role, units }));
        return true;
      }),
    openUser: async (name, isOpen, act) =>
      changing(name, (row) => {
        db.run(`UPDATE accounts SET shut_off_at = ?, ${noCode} WHERE name = ?`, isOpen ? null : act.at, name);
        if (!isOpen) endAccess(db, row.name, act);
        note(act, isOpen ? "account-opened" : "account-shut-off", row.name);
        return true;
      }),
    removeUser: async (name, act) =>
      changing(name, (row) => {
        db.run("DELETE FROM accounts WHERE name = ?", name);
        endAccess(db, row.name, act);
        note(act, "account-removed", row.name);
        return true;
      }),
    putCode: async (name, { hash, until }, act) =>
      changing(name, (row) => {
        if (row.shut_off_at !== null) return false;
        db.run("UPDATE accounts SET code_hash = ?, code_until = ?, code_tries = 0 WHERE name = ?", hash, until, name);
        note(act, "account-code-given", row.name);
        return true;
      }),
    codeTried: async (name) =>
      void db.run("UPDATE accounts SET code_tries = code_tries + 1 WHERE name = ? AND code_hash IS NOT NULL", name),
    passwordByCode: async (name, codeHash, passwordHash, act) =>
      changing(name, (row) => {
        if (row.code_hash !== codeHash || row.shut_off_at !== null) return false;
        db.run(`UPDATE accounts SET password_hash = ?, ${noCode} WHERE name = ?`, passwordHash, name);
        endSessions(db, row.name);
        note(act, "password-chosen", row.name);
        return true;
      }),
    changePassword: async (name, { was, to, kept }, act) =>
      changing(name, (row) => {
        if (row.password_hash !== was || row.shut_off_at !== null) return false;
        // A code that is out was for whoever had forgotten it.
        db.run(`UPDATE accounts SET password_hash = ?, ${noCode} WHERE name = ?`, to, name);
        endSessions(db, row.name, kept);
        blankAnswers(db, row.name);
        note(act, "password-changed", row.name);
        return true;
      }),
  };
}
