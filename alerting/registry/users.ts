import { randomInt } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { hashSecret, newSecret, verifySecret } from "../../firmware-contracts/secret.ts";
import { type Account, Role } from "../console/roles.ts";
import type { DoneAct, ListedUser, Store, Via } from "../store/store.ts";
import { actOf } from "./acting.ts";

/** Names of accounts and tokens never meet in a log: a token's begins so. */
export const tokenPrefix = "token:";

export const UserName = z
  .string()
  .trim()
  .min(1, "give a name")
  .max(60, "at most 60 characters")
  .regex(/^\P{C}*$/u, "letters, digits and punctuation only: it is printed in lists")
  .refine((name) => !name.toLowerCase().startsWith(tokenPrefix), `begins as a program's: ${tokenPrefix}`);
export const Password = z
  .string()
  .min(12, "use at least 12 characters; a few words in a row are easy to remember")
  .max(200, "at most 200 characters");
export const Units = z
  .array(z.string().trim().min(1).max(60))
  .min(1, "name a unit, or leave them out for all")
  .max(100)
  .nullable()
  .meta({ description: "Home-care units whose residents they may see; null: all of them" });

const hour = 3_600_000;
/** How long a code is good: somebody new may begin tomorrow, somebody who has forgotten theirs is on the phone now. */
export const codeLifeMs = { invite: 24 * hour, reset: hour };
/** Wrong tries after which a code is good no more. */
const mostTries = 20;
const codeDigits = 12;

/** Why an account cannot be as it is asked for; the message says the mend. */
export class AccountRefused extends Error {
  readonly why: "no-account" | "name-taken" | "shut-off" | "weak-password" | "invalid-account" | "scope-not-held";
  constructor(why: AccountRefused["why"], message: string) {
    super(message);
    this.why = why;
  }
}

/** A code by which its person chooses a password, once. It is told by whoever made it, and kept as a hash. */
export interface OneTimeCode {
  /** Digits in groups of four, to be read out. */
  code: string;
  until: number;
}

/** Accounts of the console. All that changes one throws an `AccountRefused` where there is no such account; `by` is for the audit log. */
export interface Users {
  /** Adds an account, or gives it a new password, role and units (null: all of them). */
  addUser(name: string, password: string, role: Role, units?: readonly string[] | null, by?: string): Promise<void>;
  /** Adds an account without a password: its person chooses one by the code. */
  invite(account: Account, by?: string): Promise<OneTimeCode>;
  /** A new code, for somebody who has forgotten their password or has not chosen one; the password until now stays good until then. */
  newCode(name: string, by?: string): Promise<OneTimeCode>;
  /** Another role or other units. Its sessions and tokens end. */
  change(account: Account, by?: string): Promise<void>;
  /** Shuts it off: its sessions and tokens end, and nobody logs in by it. Or opens it again. */
  setOpen(name: string, isOpen: boolean, by?: string): Promise<void>;
  remove(name: string, by?: string): Promise<void>;
  list(): Promise<ListedUser[]>;
  find(name: string): Promise<ListedUser | null>;
  /** The account with this password, or null; an unknown name takes as long as a wrong password. */
  verify(name: string, password: string): Promise<Account | null>;
  /** Chooses a password by a code, and says whose it is; null where name or code is wrong, or the code is used or too old. */
  choosePassword(name: string, code: string, password: string): Promise<Account | null>;
  /** By its owner, in whose session `kept` it is done; the others end. False where `present` is not the password. */
  changePassword(name: string, present: string, password: string, kept: string): Promise<boolean>;
}

export function createUsers(store: () => Store, clock: Clock, via: Via = "cli"): Users {
  let decoy: Promise<string> | null = null;
  const done = (by: string | undefined): DoneAct => ({ ...actOf(clock, by), via });
  const noAccount = (name: string) => new AccountRefused("no-account", `no account has the name ${name}`);

  /** True where `secret` made `hash`; where there is none it takes as long. */
  async function matches(secret: string, hash: string | null | undefined): Promise<boolean> {
    decoy ??= hashSecret(newSecret(), "password");
    const isSo = await verifySecret(secret, hash ?? (await decoy));
    return isSo && hash != null;
  }

  async function newCode(lifeMs: number): Promise<{ told: OneTimeCode; kept: { hash: string; until: number } }> {
    const digits = Array.from({ length: codeDigits }, () => randomInt(10)).join("");
    const until = Math.round(clock.wallNow()) + lifeMs;
    const kept = { hash: await hashSecret(digits, "password"), until };
    return { told: { code: digits.replace(/(\d{4})(?=\d)/g, "$1 "), until }, kept };
  }

  return {
    async addUser(name, password, role, units = null, by) {
      const user = {
        ...checkedAccount({ name, role, units }),
        passwordHash: await hashSecret(checked(password), "password"),
      };
      await store().users.putUser(user, done(by));
    },
    async invite(account, by) {
      const user = checkedAccount(account);
      const act = done(by);
      const { told, kept } = await newCode(codeLifeMs.invite);
      if (!(await store().users.addUser({ ...user, code: kept }, act))) {
        throw new AccountRefused("name-taken", `an account has the name ${user.name} already; choose another`);
      }
      return told;
    },
    async newCode(name, by) {
      const act = done(by);
      const user = await store().users.user(name);
      if (!user) throw noAccount(name);
      const { told, kept } = await newCode(user.hasPassword ? codeLifeMs.reset : codeLifeMs.invite);
      if (!(await store().users.putCode(name, kept, act))) {
        throw new AccountRefused("shut-off", `the account ${name} is shut off; open it first`);
      }
      return told;
    },
    async change(account, by) {
      const user = checkedAccount(account);
      if (!(await store().users.changeUser(user, done(by)))) throw noAccount(account.name);
    },
    async setOpen(name, isOpen, by) {
      if (!(await store().users.openUser(name, isOpen, done(by)))) throw noAccount(name);
    },
    async remove(name, by) {
      if (!(await store().users.removeUser(name, done(by)))) throw noAccount(name);
    },
    list: () => store().users.users(),
    async find(name) {
      const user = await store().users.user(name);
      if (!user) return null;
      const { passwordHash: _hash, code: _code, ...listed } = user;
      return listed;
    },
    async verify(name, password) {
      const user = await store().users.user(name);
      const isTheirs = await matches(password, user?.passwordHash);
      return user?.isOpen && isTheirs ? accountOf(user) : null;
    },
    async choosePassword(name, code, password) {
      const chosen = checked(password);
      const user = await store().users.user(name);
      const kept = user?.isOpen ? user.code : null;
      const left = kept ? kept.until - clock.wallNow() : 0;
      // A clock that was set back makes no code good for longer.
      const isGood = kept !== null && left > 0 && left <= codeLifeMs.invite && kept.tries < mostTries;
      const isTheirs = await matches(code.replace(/\D/g, ""), isGood ? kept.hash : null);
      if (!user || !kept || !isTheirs) {
        if (user && isGood) await store().users.codeTried(user.name);
        return null;
      }
      const hash = await hashSecret(chosen, "password");
      const isFirst = await store().users.passwordByCode(user.name, kept.hash, hash, done(user.name));
      return isFirst ? accountOf(user) : null;
    },
    async changePassword(name, present, password, kept) {
      const chosen = checked(password);
      const user = await store().users.user(name);
      if (!(await matches(present, user?.passwordHash)) || !user?.passwordHash) return false;
      const change = { was: user.passwordHash, to: await hashSecret(chosen, "password"), kept };
      return store().users.changePassword(user.name, change, done(user.name));
    },
  };
}

const accountOf = ({ name, role, units }: Account): Account => ({ name, role, units });

function checkedAccount(account: Account): Account {
  const read = z.object({ name: UserName, role: Role, units: Units }).safeParse(account);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new AccountRefused("invalid-account", wrong);
}

function checked(password: string): string {
  const read = Password.safeParse(password);
  if (read.success) return read.data;
  throw new AccountRefused("weak-password", `password: ${read.error.issues[0]?.message}`);
}
