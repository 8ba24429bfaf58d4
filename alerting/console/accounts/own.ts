import { z } from "zod";
import type { Clock } from "../../../firmware-contracts/clock.ts";
import type { AccessTokens } from "../../registry/access-tokens.ts";
import type { Users } from "../../registry/users.ts";
import type { AccessStore } from "../../store/store.ts";
import { notFound, Refusal } from "../problems.ts";
import { permissionsOf } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { sessionMs } from "../sessions.ts";
import { MadeToken, OwnAccount, PasswordChange, sessionView, TokenRequest, tokenView } from "./api.ts";
import { accountProblems, refusingAccounts } from "./refusals.ts";
import { isGood } from "./routes.ts";

const tag = "Own account";
/** By a person in their own session: a program changes nobody's password and makes no further tokens. */
const needs = "session";

export interface OwnAccountParts {
  users: Users;
  tokens: AccessTokens;
  access: () => AccessStore;
  clock: Clock;
}

/** What everybody may do about their own account. */
export function ownAccountArea({ users, tokens, access, clock }: OwnAccountParts): ConsoleArea {
  const tokensOf = async (name: string) =>
    (await tokens.list()).filter((token) => token.account.name === name && isGood(token, clock));

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/account",
        tag,
        summary: "The own account: where it is logged in, and its tokens",
        needs,
        answer: OwnAccount,
      },
      async ({ account, session }) => {
        const inUse = (await access().sessionsOf(account.name)).filter(
          ({ id, usedAt }) => id === session.id || usedAt + sessionMs > clock.wallNow(),
        );
        return {
          ...{ name: account.name, role: account.role },
          units: account.units && [...account.units],
          permissions: [...permissionsOf(account)],
          sessions: inUse.map((row) => sessionView(row, session.id)),
          tokens: (await tokensOf(account.name)).map(tokenView),
        };
      },
    );
    api.route(
      {
        method: "PUT",
        url: "/account/password",
        tag,
        summary: "Change the own password; the other sessions end",
        needs,
        body: PasswordChange,
        answer: null,
        problems: ["wrong-password", "weak-password", "too-many"],
        isGuessable: true,
        endsAccess: true,
      },
      async ({ account, session, body }) => {
        const isChanged = await refusingAccounts(() =>
          users.changePassword(account.name, body.present, body.password, session.id),
        );
        if (!isChanged) throw wrongPassword();
      },
    );
    api.route(
      {
        method: "DELETE",
        url: "/account/sessions/:id",
        tag,
        summary: "End another of the own sessions",
        needs,
        params: z.object({ id: z.string() }),
        answer: null,
        endsAccess: true,
      },
      async ({ account, params: { id } }) => {
        if (!(await access().endSession(id, account.name))) throw notFound("session");
      },
    );
    api.route(
      {
        method: "POST",
        url: "/account/sessions/end-others",
        tag,
        summary: "End all other own sessions",
        needs,
        answer: z.object({ ended: z.number().int() }),
        endsAccess: true,
      },
      async ({ account, session }) => {
        let ended = 0;
        for (const { id } of await access().sessionsOf(account.name)) {
          if (id !== session.id && (await access().endSession(id, account.name))) ended++;
        }
        return { ended };
      },
    );
    api.route(
      {
        method: "POST",
        url: "/account/tokens",
        tag,
        summary: "Make a token for a program: of what the own account may; it is told once",
        needs,
        body: TokenRequest,
        answer: MadeToken,
        problems: [...accountProblems, "wrong-password", "too-many"],
        isGuessable: true,
      },
      async ({ account, body: { password, ...token } }) => {
        if (!(await users.verify(account.name, password))) throw wrongPassword();
        const made = await refusingAccounts(() => tokens.add(account, token, account.name));
        return { token: made.token, view: tokenView(made.row) };
      },
    );
    api.route(
      {
        method: "DELETE",
        url: "/account/tokens/:name",
        tag,
        summary: "Revoke one of the own tokens; its program is out at once",
        needs,
        params: z.object({ name: z.string() }),
        answer: null,
        endsAccess: true,
      },
      async ({ account, params: { name } }) => {
        const own = await tokensOf(account.name);
        if (!own.some((token) => token.name.toLowerCase() === name.toLowerCase())) throw notFound("token");
        await refusingAccounts(() => tokens.revoke(name, account.name));
      },
    );
  };
}

const wrongPassword = () => new Refusal(403, "wrong-password", "That is not your present password");
