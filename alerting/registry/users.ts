import { z } from "zod";
import { hashSecret, newSecret, verifySecret } from "../../firmware-contracts/secret.ts";
import type { ConsoleUser } from "../console/api.ts";
import type { Store } from "../store/store.ts";

const NewUser = z.object({
  name: z.string().trim().min(1, "give a name").max(60, "at most 60 characters"),
  password: z.string().min(12, "use at least 12 characters; a few words in a row are easy to remember").max(200),
  role: z.enum(["operator", "responder"]),
});

/** Accounts of the console. */
export interface Users {
  /** Adds an account, or gives it a new password and role. @throws with the mend. */
  addUser(name: string, password: string, role: ConsoleUser["role"]): Promise<void>;
  list(): Promise<ConsoleUser[]>;
  /** @throws where there is no such account. */
  remove(name: string): Promise<void>;
  /** The account with this password, or null; an unknown name takes as long as a wrong password. */
  verify(name: string, password: string): Promise<ConsoleUser | null>;
}

export function createUsers(store: () => Store): Users {
  let decoy: Promise<string> | null = null;
  return {
    async addUser(name, password, role) {
      const checked = NewUser.safeParse({ name, password, role });
      if (!checked.success) {
        throw new Error(checked.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
      }
      const user = checked.data;
      const passwordHash = await hashSecret(user.password, "password");
      await store().users.putUser({ name: user.name, role: user.role, passwordHash });
    },
    list: () => store().users.users(),
    async remove(name) {
      if (!(await store().users.removeUser(name))) throw new Error(`no account has the name ${name}`);
    },
    async verify(name, password) {
      const user = await store().users.user(name);
      decoy ??= hashSecret(newSecret(), "password");
      const matches = await verifySecret(password, user?.passwordHash ?? (await decoy));
      return user && matches ? { name: user.name, role: user.role } : null;
    },
  };
}
