import { z } from "zod";
import { NewToken, TokenName } from "../../registry/access-tokens.ts";
import { Units, UserName } from "../../registry/users.ts";
import type { ListedUser, SessionRow, TokenRow } from "../../store/store.ts";
import { Permission, Role } from "../roles.ts";

const wallMs = z.number().int();
const password = z.string().min(1).max(200);

export const AccountView = z
  .object({
    name: z.string(),
    role: Role,
    units: z
      .array(z.string())
      .nullable()
      .meta({ description: "Home-care units whose residents they may see; null: all" }),
    state: z
      .enum(["open", "invited", "shut-off"])
      .meta({ description: "`invited`: its person has not chosen a password yet" }),
    addedAt: wallMs.nullable(),
    codeUntil: wallMs
      .nullable()
      .meta({ description: "Until when a code to choose a password is good; null: none is out" }),
    tokens: z.number().int().meta({ description: "How many programs have a token of theirs" }),
    isOwn: z.boolean(),
  })
  .meta({ id: "AccountView" });
export type AccountView = z.infer<typeof AccountView>;

export const AccountList = z
  .object({
    accounts: z.array(AccountView),
    units: z.array(z.string()).meta({ description: "Units that whoever asks may give" }),
  })
  .meta({ id: "AccountList" });
export type AccountList = z.infer<typeof AccountList>;

export const NewAccount = z.strictObject({ name: UserName, role: Role, units: Units }).meta({ id: "NewAccount" });
export const AccountChange = z.strictObject({ role: Role, units: Units }).meta({ id: "AccountChange" });

export const CodeView = z
  .object({
    name: z.string(),
    code: z.string().meta({ description: "Told now and never again: digits, to be read out to the account's person" }),
    until: wallMs,
  })
  .meta({ id: "OneTimeCode" });
export type CodeView = z.infer<typeof CodeView>;

export const TokenView = z
  .object({
    name: TokenName,
    account: z.string().meta({ description: "Whose it is" }),
    scopes: z.array(Permission),
    madeAt: wallMs,
    until: wallMs,
    usedAt: wallMs.nullable().meta({ description: "To a few minutes; null: never" }),
  })
  .meta({ id: "TokenView" });
export type TokenView = z.infer<typeof TokenView>;

export const MadeToken = z
  .object({ token: z.string().meta({ description: "Told now and never again" }), view: TokenView })
  .meta({ id: "MadeToken" });
export type MadeToken = z.infer<typeof MadeToken>;

/** Whoever makes one says who they are once more: a phone left behind must not outlive its session. */
export const TokenRequest = NewToken.extend({ password }).meta({ id: "TokenRequest" });

export const SessionView = z
  .object({
    id: z.string(),
    openedAt: wallMs,
    usedAt: wallMs.meta({ description: "To a few minutes" }),
    agent: z.string().nullable().meta({ description: "What the browser says of itself" }),
    isThis: z.boolean(),
  })
  .meta({ id: "SessionView" });
export type SessionView = z.infer<typeof SessionView>;

export const OwnAccount = z
  .object({
    name: z.string(),
    role: Role,
    units: z.array(z.string()).nullable(),
    permissions: z.array(Permission),
    sessions: z.array(SessionView),
    tokens: z.array(TokenView),
  })
  .meta({ id: "OwnAccount" });
export type OwnAccount = z.infer<typeof OwnAccount>;

export const PasswordChange = z.strictObject({ present: password, password }).meta({ id: "PasswordChange" });

export function accountView(user: ListedUser, tokens: readonly TokenRow[], own: string): AccountView {
  const { name, role, units, addedAt, codeUntil, isOpen, hasPassword } = user;
  return {
    ...{ name, role, addedAt, codeUntil },
    units: units && [...units],
    state: !isOpen ? "shut-off" : hasPassword ? "open" : "invited",
    tokens: tokens.filter((token) => token.account.name === name).length,
    isOwn: name === own,
  };
}

export function tokenView({ name, account, scopes, madeAt, until, usedAt }: TokenRow): TokenView {
  return { name, account: account.name, scopes: [...scopes], madeAt, until, usedAt };
}

export function sessionView({ id, openedAt, usedAt, agent }: SessionRow, own: string): SessionView {
  return { id, openedAt, usedAt, agent, isThis: id === own };
}
