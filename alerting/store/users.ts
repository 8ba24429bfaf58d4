import type { Database } from "./database.ts";
import type { UserRow, UserStore } from "./store.ts";

interface Row {
  name: string;
  role: UserRow["role"];
  password_hash: string;
}

export function userStore(db: Database): UserStore {
  return {
    user: async (name) => {
      const row = db.get<Row>("SELECT * FROM users WHERE name = ?", name);
      return row ? { name: row.name, role: row.role, passwordHash: row.password_hash } : null;
    },
    users: async () => db.all<Row>("SELECT * FROM users ORDER BY name").map(({ name, role }) => ({ name, role })),
    putUser: async ({ name, role, passwordHash }) =>
      void db.run(
        `INSERT INTO users (name, role, password_hash) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash`,
        name,
        role,
        passwordHash,
      ),
    removeUser: async (name) => db.run("DELETE FROM users WHERE name = ?", name) > 0,
  };
}
