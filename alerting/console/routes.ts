import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Answered, Idempotency } from "./idempotency.ts";
import { problemJson, problemOf, problemType, Refusal, readAs, sendProblem } from "./problems.ts";
import { type Account, may, type Permission } from "./roles.ts";
import type { Session } from "./sessions.ts";

/** One address of the API: what it takes, what it answers and who may. The OpenAPI document is made from these. */
export interface RouteSpec {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Under /api/v1, with `:name` for each of `params`. */
  url: string;
  tag: string;
  summary: string;
  /** `anybody`: no login; `account`: whoever is logged in; `session`: a person who is, and no program. */
  needs: Permission | "account" | "session" | "anybody";
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Null: 204, nothing. `stream`: server-sent events. What is not in the schema is not sent. */
  answer: z.ZodType | "stream" | null;
  /** Of an answer that is text and no JSON: its media type. */
  media?: string;
  /** Codes of the problems it may answer with, beside those that any address may. */
  problems?: readonly string[];
  /** It may end somebody's sessions or tokens: they are let in no more when it answers. */
  endsAccess?: true;
  /** It takes the own password: who tries too often is refused, as at the login. */
  isGuessable?: true;
}

type Read<T> = T extends z.ZodType ? z.output<T> : undefined;

export interface Asked<S extends RouteSpec> {
  params: Read<S["params"]>;
  query: Read<S["query"]>;
  body: Read<S["body"]>;
  /** Whoever asks; of an address for anybody it throws where nobody is logged in. */
  account: Account;
  /** What they were let in by. Throws as `account` does. */
  session: Session;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Answer<S extends RouteSpec> = S["answer"] extends z.ZodType ? z.input<S["answer"]> : unknown;

/** Where addresses are put up. */
export interface ConsoleApi {
  /** A handler throws a `Refusal` for what cannot be done; see `problems.ts`. */
  route<const S extends RouteSpec>(spec: S, handle: (asked: Asked<S>) => Answer<S> | Promise<Answer<S>>): void;
  readonly specs: readonly RouteSpec[];
}

/** A part of the API: puts its addresses up. */
export type ConsoleArea = (api: ConsoleApi) => void;

/** What stands before every address. */
export interface Doors {
  /** Who is behind a request, or null where nobody is logged in. */
  whoAsks(request: FastifyRequest): Session | null;
  /** @throws {Refusal} where there were too many guesses at this name from that address. */
  throttle(request: FastifyRequest, name: string): Promise<void>;
  /** Looks who is let in no more. */
  recheck(): Promise<void>;
  idempotency: Idempotency;
}

const longestBody = 64 * 1024;
export const idempotencyHeader = "idempotency-key";

export function createConsoleApi(app: FastifyInstance, { whoAsks, throttle, recheck, idempotency }: Doors): ConsoleApi {
  const specs: RouteSpec[] = [];
  return {
    specs,
    route(spec, handle) {
      specs.push(spec);
      app.route({
        method: spec.method,
        url: spec.url,
        bodyLimit: longestBody,
        async handler(request, reply) {
          const session = spec.needs === "anybody" ? null : whoAsks(request);
          if (spec.needs !== "anybody") {
            if (!session) return sendProblem(reply, 401, "no-session", "Log in first");
            refuseWhoMayNot(session, spec);
          }
          if (spec.isGuessable && session) await throttle(request, session.user.name);
          const read = <T extends z.ZodType | undefined>(schema: T, value: unknown, what: string) =>
            schema && readAs(schema, value, what);
          const known = <T>(value: T | undefined): T => {
            if (value === undefined) throw new Error("nobody is logged in here");
            return value;
          };
          const asked = {
            params: read(spec.params, request.params, "address"),
            query: read(spec.query, request.query, "query"),
            body: read(spec.body, request.body, "body"),
            get account() {
              return known(session?.user);
            },
            get session() {
              return known(session ?? undefined);
            },
            request,
            reply,
          };
          async function done() {
            const answer = await handle(asked as Parameters<typeof handle>[0]);
            if (spec.endsAccess) await recheck();
            return answer;
          }
          if (spec.answer === "stream") return done();

          async function told(): Promise<Answered> {
            const answer = await done();
            if (spec.answer === null) return { status: 204, type: null, body: null };
            const read = (spec.answer as z.ZodType).parse(answer);
            if (spec.media) return { status: 200, type: `${spec.media}; charset=utf-8`, body: String(read) };
            return { status: 200, type: "application/json; charset=utf-8", body: JSON.stringify(read) };
          }

          const key = spec.method === "GET" ? undefined : request.headers[idempotencyHeader];
          // Whoever has no account has nothing by which their key could be told from another's.
          if (key === undefined || !session) return send(reply, await told());
          const what = JSON.stringify([request.method, request.url, request.body ?? null]);
          const answered = await idempotency.once(String(key), session.user.name, what, () =>
            told().catch((error: unknown) => {
              const problem = problemOf(error, request);
              return { status: problem.status, type: problemType, body: problemJson(problem) };
            }),
          );
          if (answered.isAgain) reply.header("idempotency-replayed", "true");
          return send(reply, answered);
        },
      });
    },
  };
}

function refuseWhoMayNot({ kind, user }: Session, { needs }: RouteSpec): void {
  if (needs === "account" || needs === "anybody") return;
  if (needs === "session") {
    if (kind === "token") throw new Refusal(403, "not-allowed", "This is for people who are logged in, not for tokens");
    return;
  }
  if (may(user, needs)) return;
  const who = kind === "token" ? "token" : `role ${user.role}`;
  throw new Refusal(403, "not-allowed", `This takes ${needs}, which the ${who} has not`);
}

function send(reply: FastifyReply, { status, type, body }: Answered): FastifyReply {
  if (type !== null) reply.type(type);
  return reply.code(status).send(body ?? undefined);
}
