import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { Refusal, readAs, sendProblem } from "./problems.ts";
import { type Account, may, type Permission } from "./roles.ts";

/** One address of the API: what it takes, what it answers and who may. The OpenAPI document is made from these. */
export interface RouteSpec {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Under /api/v1, with `:name` for each of `params`. */
  url: string;
  tag: string;
  summary: string;
  /** `anybody`: no login; `account`: whoever is logged in. */
  needs: Permission | "account" | "anybody";
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Null: 204, nothing. `stream`: server-sent events. What is not in the schema is not sent. */
  answer: z.ZodType | "stream" | null;
  /** Of an answer that is text and no JSON: its media type. */
  media?: string;
  /** Codes of the problems it may answer with, beside those that any address may. */
  problems?: readonly string[];
}

type Read<T> = T extends z.ZodType ? z.output<T> : undefined;

export interface Asked<S extends RouteSpec> {
  params: Read<S["params"]>;
  query: Read<S["query"]>;
  body: Read<S["body"]>;
  /** Whoever asks; of an address for anybody it throws where nobody is logged in. */
  account: Account;
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

const longestBody = 64 * 1024;

/** @param whoAsks the account behind a request, or null where nobody is logged in. */
export function createConsoleApi(
  app: FastifyInstance,
  whoAsks: (request: FastifyRequest, reply: FastifyReply) => Account | null,
): ConsoleApi {
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
          const account = spec.needs === "anybody" ? null : whoAsks(request, reply);
          if (spec.needs !== "anybody") {
            if (!account) return sendProblem(reply, 401, "no-session", "Log in first");
            if (spec.needs !== "account" && !may(account, spec.needs)) {
              throw new Refusal(403, "not-allowed", `This takes ${spec.needs}, which the role ${account.role} has not`);
            }
          }
          const read = <T extends z.ZodType | undefined>(schema: T, value: unknown, what: string) =>
            schema && readAs(schema, value, what);
          const asked = {
            params: read(spec.params, request.params, "address"),
            query: read(spec.query, request.query, "query"),
            body: read(spec.body, request.body, "body"),
            get account() {
              if (!account) throw new Error("nobody is logged in here");
              return account;
            },
            request,
            reply,
          };
          const answer = await handle(asked as Parameters<typeof handle>[0]);
          if (reply.sent || spec.answer === "stream") return answer;
          if (spec.answer === null) return reply.code(204).send();
          if (spec.media) reply.type(`${spec.media}; charset=utf-8`);
          return spec.answer.parse(answer);
        },
      });
    },
  };
}
