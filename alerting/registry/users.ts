import { z } from "zod";
import { hashSecret, newSecret, verifySecret } from "../../firmware-contracts/secret.ts";
import { type Account, Role } from "../console/roles.ts";
import type { Store } from "../store/store.ts";

const NewUser = z.object({
  name: z.string().trim().min(1, "give a name").max(60, "at most 60 characters"),
  password: z.string().min(12, "use at least 12 characters; a few words in a row are easy to remember").max(200),
  role: Role,
  units: z.array(z.string().trim().min(1).max(60)).min(1, "name a unit, or leave them out for all").nullable(),
});

/** Accounts of the console. */
export interface Users {
  /** Adds an account, or gives it a new password, role and units (null: all of them). @throws with the mend. */
  addUser(name: string, password: string, role: Role, units?: readonly string[] | null): Promise<void>;
  list(): Promise<Account[]>;
  /** @throws where there is no such account. */
  remove(name: string): Promise<void>;
  /** The account with this password, or null; an unknown name takes as long as a wrong password. */
  verify(name: string, password: string): Promise<Account | null>;
}

export function createUsers(store: () => Store): Users {
  let decoy: Promise<string> | null = null;
  return {
    async addUser(name, password, role, units = null) {
      const checked = NewUser.safeParse({ name, password, role, units });
      if (!checked.success) {
        throw new Error(checked.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
      }
      const user = checked.data;
      const passwordHash = await hashSecret(user.password, "password");
      await store().users.putUser({ name: user.name, role: user.role, units: user.units, passwordHash });
    },
    list: () => store().users.users(),
    async remove(name) {
      if (!(await store().users.removeUser(name))) throw new Error(`no account has the name ${name}`);
    },
    async verify(name, password) {
      const user = await store().users.user(name);
      decoy ??= hashSecret(newSecret(), "password");
      const matches = await verifySecret(password, user?.passwordHash ?? (await decoy));
      return user && matches ? { name: user.name, role: user.role, units: user.units } : null;
    },
  };
}
