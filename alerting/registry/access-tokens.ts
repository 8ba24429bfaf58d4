import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { type Account, Permission, permissionsOf } from "../console/roles.ts";
import { hashOf } from "../console/sessions.ts";
import { newToken } from "../console/tokens.ts";
import type { DoneAct, Store, TokenRow, Via } from "../store/store.ts";
import { actOf } from "./acting.ts";
import { AccountRefused } from "./users.ts";

const dayMs = 86_400_000;

/** What a token is called: it stands in the audit log wherever the token was at work, and is never given twice. */
export const TokenName = z
  .string()
  .trim()
  .regex(/^[a-z0-9][a-z0-9-]{1,39}$/i, "2 to 40 letters a to z, digits and hyphens")
  .meta({ description: "2 to 40 letters a to z, digits and hyphens; stands in the audit log as `token:name`" });

export const NewToken = z
  .strictObject({
    name: TokenName,
    scopes: z
      .array(Permission)
      .min(1, "name one at least")
      .meta({ description: "What it may do: of what its maker may" }),
    days: z.number().int().min(1).max(366).default(90).meta({ description: "How long it is good" }),
  })
  .meta({ id: "NewToken" });
export type NewToken = z.input<typeof NewToken>;

/** Tokens of programs: what an account may, as far as their scopes go, in its units, until a day. */
export interface AccessTokens {
  /** The token is told here and never again. @throws {AccountRefused} */
  add(account: Account, token: NewToken, by?: string): Promise<{ token: string; row: TokenRow }>;
  list(): Promise<TokenRow[]>;
  /** @throws {AccountRefused} where none that is good has the name. */
  revoke(name: string, by?: string): Promise<void>;
}

export function createAccessTokens(store: () => Store, clock: Clock, via: Via = "cli"): AccessTokens {
  const done = (by: string | undefined): DoneAct => ({ ...actOf(clock, by), via });
  return {
    async add({ name: maker, role, units }, asked, by) {
      const read = NewToken.safeParse(asked);
      if (!read.success) {
        const wrong = read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
        throw new AccountRefused("invalid-account", wrong);
      }
      const { name, days } = read.data;
      const scopes = [...new Set(read.data.scopes)];
      const account = { name: maker, role, units };
      const lacking = scopes.filter((scope) => !permissionsOf(account).includes(scope));
      if (lacking.length > 0) {
        throw new AccountRefused("scope-not-held", `the role ${role} has not: ${lacking.join(", ")}`);
      }
      const act = done(by);
      const token = newToken();
      const row = {
        name,
        account,
        scopes,
        madeAt: act.at,
        until: act.at + days * dayMs,
        usedAt: null,
        revokedAt: null,
      };
      if (!(await store().access.addToken({ ...row, tokenHash: hashOf(token) }, act))) {
        throw new AccountRefused("name-taken", `a token has, or had, the name ${name}; choose another`);
      }
      return { token, row };
    },
    list: () => store().access.tokens(),
    async revoke(name, by) {
      if (await store().access.revokeToken(name, done(by))) return;
      throw new AccountRefused("no-account", `no token that is good has the name ${name}`);
    },
  };
}
