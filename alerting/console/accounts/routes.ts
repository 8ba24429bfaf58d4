import { z } from "zod";
import type { Clock } from "../../../firmware-contracts/clock.ts";
import type { AccessTokens } from "../../registry/access-tokens.ts";
import { tokenPrefix, type Users } from "../../registry/users.ts";
import type { ListedUser, TokenRow } from "../../store/store.ts";
import { notFound, Refusal } from "../problems.ts";
import type { Account } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import {
  AccountChange,
  AccountList,
  AccountView,
  accountView,
  CodeView,
  NewAccount,
  TokenView,
  tokenView,
} from "./api.ts";
import { mayGiveUnits, mayManage } from "./management.ts";
import { accountProblems, refusingAccounts } from "./refusals.ts";

const tag = "Accounts";
const needs = "accounts.write";
const params = z.object({ name: z.string() });

export interface AccountParts {
  users: Users;
  tokens: AccessTokens;
  /** Units that dwellings are in. */
  units(): Promise<string[]>;
  clock: Clock;
}

/** Good now: neither revoked nor at its end. */
export const isGood = ({ revokedAt, until }: TokenRow, clock: Clock) => revokedAt === null && until > clock.wallNow();

/** Accounts, for whoever manages them. Nobody manages their own, so that there is always one left who may; and nobody gives more than they have. */
export function accountsArea({ users, tokens, units, clock }: AccountParts): ConsoleArea {
  const goodTokens = async () => (await tokens.list()).filter((token) => isGood(token, clock));

  async function managed(manager: Account, name: string): Promise<ListedUser> {
    const account = await users.find(name);
    if (!account || !mayManage(manager, account)) throw notFound("account");
    return account;
  }

  async function other(manager: Account, name: string): Promise<ListedUser> {
    const account = await managed(manager, name);
    if (account.name === (await ownerOf(manager))) {
      throw new Refusal(409, "own-account", "Nobody changes their own account here: ask another manager");
    }
    return account;
  }

  /** A token acts for its maker, and does not change them either. */
  async function ownerOf({ name }: Account): Promise<string> {
    if (!name.startsWith(tokenPrefix)) return name;
    const token = name.slice(tokenPrefix.length);
    return (await tokens.list()).find((one) => one.name === token)?.account.name ?? name;
  }

  function refuseTooMuch(manager: Account, asked: readonly string[] | null): void {
    if (mayGiveUnits(manager, asked)) return;
    throw new Refusal(403, "not-your-units", "You give units that are your own, and not all of them");
  }

  const viewOf = async (name: string, own: string): Promise<AccountView> => {
    const user = await users.find(name);
    if (!user) throw notFound("account");
    return accountView(user, await goodTokens(), own);
  };

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/accounts",
        tag,
        summary: "Accounts that whoever asks may manage, and their own",
        needs,
        answer: AccountList,
      },
      async ({ account }) => {
        const good = await goodTokens();
        const own = await ownerOf(account);
        const all = await users.list();
        const shown = all.filter((user) => mayManage(account, user) || user.name === own);
        const known = new Set([
          ...(await units()),
          ...all.flatMap((user) => user.units ?? []),
          ...(account.units ?? []),
        ]);
        return {
          accounts: shown.map((user) => accountView(user, good, own)),
          units: [...known].filter((unit) => mayGiveUnits(account, [unit])).sort(),
        };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/accounts",
        tag,
        summary: "Add an account; answers the code by which its person chooses a password, within 24 h",
        needs,
        body: NewAccount,
        answer: CodeView,
        problems: [...accountProblems, "not-your-units"],
      },
      async ({ account, body }) => {
        refuseTooMuch(account, body.units);
        const code = await refusingAccounts(() => users.invite(body, account.name));
        return { name: body.name, ...code };
      },
    );
    api.route(
      {
        method: "PUT",
        url: "/accounts/:name",
        tag,
        summary:
          "Give an account another role or other units; whoever is logged in by it, and its tokens, are out at once",
        needs,
        params,
        body: AccountChange,
        answer: AccountView,
        problems: [...accountProblems, "not-your-units", "own-account"],
        endsAccess: true,
      },
      async ({ account, params, body }) => {
        const { name } = await other(account, params.name);
        refuseTooMuch(account, body.units);
        await refusingAccounts(() => users.change({ name, ...body }, account.name));
        return viewOf(name, account.name);
      },
    );
    api.route(
      {
        method: "POST",
        url: "/accounts/:name/code",
        tag,
        summary:
          "A one-time code by which its person chooses a password, within an hour; where they never had one, 24 h",
        needs,
        params,
        answer: CodeView,
        problems: ["shut-off", "own-account"],
      },
      async ({ account, params }) => {
        const { name } = await other(account, params.name);
        return { name, ...(await refusingAccounts(() => users.newCode(name, account.name))) };
      },
    );
    for (const [url, isOpen, summary] of [
      [
        "/accounts/:name/shut-off",
        false,
        "Shut an account off; whoever is logged in by it, and its tokens, are out at once",
      ],
      ["/accounts/:name/open", true, "Open an account that was shut off; its tokens stay revoked"],
    ] as const) {
      api.route(
        {
          ...{ method: "POST", url, tag, summary, needs, params },
          answer: AccountView,
          problems: ["own-account"],
          endsAccess: true,
        },
        async ({ account, params }) => {
          const { name } = await other(account, params.name);
          await refusingAccounts(() => users.setOpen(name, isOpen, account.name));
          return viewOf(name, account.name);
        },
      );
    }
    api.route(
      {
        method: "DELETE",
        url: "/accounts/:name",
        tag,
        summary: "Remove an account; whoever is logged in by it, and its tokens, are out at once",
        needs,
        params,
        answer: null,
        problems: ["own-account"],
        endsAccess: true,
      },
      async ({ account, params }) => {
        const { name } = await other(account, params.name);
        await refusingAccounts(() => users.remove(name, account.name));
      },
    );
    api.route(
      {
        method: "GET",
        url: "/tokens",
        tag,
        summary: "Tokens of programs, of accounts that whoever asks may manage",
        needs,
        answer: z.array(TokenView),
      },
      async ({ account }) => (await goodTokens()).filter((token) => mayManage(account, token.account)).map(tokenView),
    );
    api.route(
      {
        method: "DELETE",
        url: "/tokens/:name",
        tag,
        summary: "Revoke a token; its program is out at once",
        needs,
        params,
        answer: null,
        endsAccess: true,
      },
      async ({ account, params: { name } }) => {
        const token = (await goodTokens()).find((one) => one.name.toLowerCase() === name.toLowerCase());
        if (!token || !mayManage(account, token.account)) throw notFound("token");
        await refusingAccounts(() => tokens.revoke(name, account.name));
      },
    );
  };
}
