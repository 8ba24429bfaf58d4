import type { Database } from "./database.ts";
import type { UserRow, UserStore } from "./store.ts";

interface Row {
  name: string;
  role: UserRow["role"];
  units: string | null;
  password_hash: string;
}

const accountOf = ({ name, role, units }: Row) => ({
  name,
  role,
  units: units === null ? null : (JSON.parse(units) as string[]),
});

export function userStore(db: Database): UserStore {
  return {
    user: async (name) => {
      const row = db.get<Row>("SELECT * FROM users WHERE name = ?", name);
      return row ? { ...accountOf(row), passwordHash: row.password_hash } : null;
    },
    users: async () => db.all<Row>("SELECT * FROM users ORDER BY name").map(accountOf),
    putUser: async ({ name, role, units, passwordHash }) =>
      void db.run(
        `INSERT INTO users (name, role, units, password_hash) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role, units = excluded.units, password_hash = excluded.password_hash`,
        name,
        role,
        units === null ? null : JSON.stringify(units),
        passwordHash,
      ),
    removeUser: async (name) => db.run("DELETE FROM users WHERE name = ?", name) > 0,
  };
}
