import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { UserName } from "../registry/users.ts";
import { refusingAccounts } from "./accounts/refusals.ts";
import { type ConsoleBackend, SessionMessage } from "./api.ts";
import { Refusal } from "./problems.ts";
import type { Account } from "./roles.ts";
import type { ConsoleApi } from "./routes.ts";

/** What a way of logging in is given. */
export interface Entrance {
  /** Opens a session for whoever it is and sets its cookie. However they were known: from here on nobody asks. */
  letIn(account: Account, request: FastifyRequest, reply: FastifyReply): Promise<SessionMessage>;
  /** Stops guessing. @throws {Refusal} where that address has tried too often, by this name or by many. */
  throttle(request: FastifyRequest, name: string): Promise<void>;
}

/**
 * A way of finding out who somebody is. It puts up addresses of its own and lets in whom it knows. Passwords are one; OpenID Connect would be another, with an
 * address that sends the browser to its provider and one to which it comes back.
 */
export type IdentityProvider = (api: ConsoleApi, entrance: Entrance) => void;

export const LoginBody = z
  .object({ name: z.string().trim().min(1).max(100), password: z.string().min(1).max(200) })
  .meta({ id: "Login" });

/** How a person with a one-time code chooses their password. How long it must be is told as a problem of its own. */
export const ChosenPassword = z
  .strictObject({
    name: UserName,
    code: z.string().trim().min(1).max(60).meta({ description: "As it was read out; spaces don't matter" }),
    password: z.string().min(1).max(200).meta({ description: "The new one, 12 characters at least" }),
  })
  .meta({ id: "ChosenPassword" });

const tag = "Session";

/** Names and passwords of our own accounts: also the way in when another provider is out of reach. */
export function passwordIdentity(backend: Pick<ConsoleBackend, "verifyUser" | "choosePassword">): IdentityProvider {
  return (api, { letIn, throttle }) => {
    api.route(
      {
        method: "POST",
        url: "/session",
        tag,
        summary: "Log in",
        needs: "anybody",
        body: LoginBody,
        answer: SessionMessage,
        problems: ["wrong-login", "too-many"],
      },
      async ({ body, request, reply }) => {
        await throttle(request, body.name);
        const account = await backend.verifyUser(body.name, body.password);
        if (!account) throw new Refusal(401, "wrong-login", "Unknown name or wrong password");
        return letIn(account, request, reply);
      },
    );
    api.route(
      {
        method: "POST",
        url: "/session/password",
        tag,
        summary: "Choose a password by a one-time code, and log in",
        needs: "anybody",
        body: ChosenPassword,
        answer: SessionMessage,
        problems: ["wrong-code", "weak-password", "too-many"],
        endsAccess: true,
      },
      async ({ body, request, reply }) => {
        await throttle(request, body.name);
        const { name, code, password } = body;
        const account = await refusingAccounts(async () => backend.choosePassword?.(name, code, password) ?? null);
        if (!account) throw new Refusal(401, "wrong-code", "Unknown name, or a code that is wrong, used or too old");
        return letIn(account, request, reply);
      },
    );
  };
}
