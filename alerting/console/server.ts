import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyCookie, { type CookieSerializeOptions } from "@fastify/cookie";
import fastifyHelmet from "@fastify/helmet";
import fastifyRateLimit from "@fastify/rate-limit";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { type ConsoleBackend, SessionMessage } from "./api.ts";
import { compressAnswer } from "./compression.ts";
import { episodesArea } from "./episodes.ts";
import { createEventStreams } from "./event-streams.ts";
import { handleError, Refusal, sendProblem } from "./problems.ts";
import { type Account, permissionsOf } from "./roles.ts";
import { type ConsoleArea, createConsoleApi } from "./routes.ts";
import { createSessions, type Session, type Sessions, sessionMs } from "./sessions.ts";

export interface ConsoleOptions {
  backend: ConsoleBackend;
  clock: Clock;
  /** True wherever the page is served over HTTPS; false only for plain HTTP on this machine. */
  secureCookies: boolean;
  /** The page's language until a person has chosen one. */
  language: "sv" | "en";
  /** Further parts of the API. */
  areas?: readonly ConsoleArea[];
  /** Folder of the built page; beside this file unless told. */
  page?: string;
}

/** The header that a page of another origin can't send without being asked about it first. */
export const ownPageHeader = "x-fallvakt-console";

const LoginBody = z
  .object({ name: z.string().trim().min(1).max(100), password: z.string().min(1).max(200) })
  .meta({ id: "Login" });

/**
 * The console: the page at `/`, its files under `/assets/` and its API under `/api/v1`.
 * Register it as a plugin of its own, so that its headers, cookies and limits touch nobody else's routes; what is no route of anybody's it answers.
 */
export async function consolePlugin(app: FastifyInstance, options: ConsoleOptions): Promise<void> {
  const sessions = createSessions(options.clock);
  await app.register(fastifyHelmet, securityHeaders(options.secureCookies));
  await app.register(fastifyCookie);
  await app.register(fastifyRateLimit, { global: false });
  app.setErrorHandler(handleError);
  // Of the whole server: what is no address of anybody's answers with the strict headers as well.
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, "not-found", "There is no such address"));
  const page = options.page ?? fileURLToPath(new URL("./web/dist/", import.meta.url));
  await app.register((files) => pagePlugin(files, page));
  await app.register((api) => apiPlugin(api, options, sessions), { prefix: "/api/v1" });
}

function securityHeaders(https: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: https,
    referrerPolicy: { policy: "no-referrer" as const },
  };
}

/** The built page. Asked for at each request, so that a page built after the start is found. */
async function pagePlugin(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(folder, "assets"),
    prefix: "/assets/",
    // The names hold a hash of the content.
    immutable: true,
    maxAge: "365d",
    preCompressed: true,
    // Its warning about a missing folder would name no mend; the page below does.
    logLevel: "error",
  });
  app.get("/", (_request, reply) => {
    reply.header("cache-control", "no-cache");
    if (existsSync(join(folder, "index.html"))) {
      return reply.sendFile("index.html", folder, { cacheControl: false });
    }
    return reply
      .code(503)
      .type("text/plain; charset=utf-8")
      .send(
        "Fallvakt: konsolens sida är inte byggd. Kör: npm run build:console\n" +
          "Fallvakt: the console's page has not been built. Run: npm run build:console\n" +
          "(Larm går ut som vanligt. / Alarms are paged as usual.)\n",
      );
  });
}

async function apiPlugin(app: FastifyInstance, options: ConsoleOptions, sessions: Sessions): Promise<void> {
  const { backend, clock } = options;
  // The prefix makes a browser refuse the cookie unless it is Secure, of this host and of the whole of it.
  const cookieName = options.secureCookies ? "__Host-fallvakt" : "fallvakt";
  const cookie: CookieSerializeOptions = {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: options.secureCookies,
    maxAge: sessionMs / 1000,
  };

  function currentSession(request: FastifyRequest, reply: FastifyReply): Session | null {
    const token = request.cookies[cookieName];
    const session = sessions.use(token);
    // The browser's end of the session moves with ours.
    if (session && token) reply.setCookie(cookieName, token, cookie);
    return session;
  }

  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  app.addHook("onRequest", refuseOtherSites);
  app.addHook("onSend", compressAnswer);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, "not-found", "There is no such address"));

  // By name and address for guessing at one account, by address for guessing at many: nobody can lock a colleague out from elsewhere.
  const perName = app.createRateLimit({
    max: 10,
    timeWindow: 60_000,
    keyGenerator: (request) => `${request.ip} ${LoginBody.safeParse(request.body).data?.name ?? ""}`,
  });
  const perAddress = app.createRateLimit({ max: 60, timeWindow: 60_000 });
  const streams = createEventStreams(backend, clock, sessions.isAlive, app.log);
  // Before the server waits for its connections to end: these never would by themselves.
  app.addHook("preClose", async () => streams.close());

  const told = (account: Account | null): SessionMessage => ({
    user: account && {
      ...account,
      units: account.units && [...account.units],
      permissions: [...permissionsOf(account)],
    },
    language: options.language,
  });

  const api = createConsoleApi(app, (request, reply) => currentSession(request, reply)?.user ?? null);

  api.route(
    {
      method: "POST",
      url: "/session",
      tag: "Session",
      summary: "Log in",
      needs: "anybody",
      body: LoginBody,
      answer: SessionMessage,
      problems: ["wrong-login", "too-many"],
    },
    async ({ body, request, reply }) => {
      for (const check of [perAddress, perName]) {
        const limit = await check(request);
        if (!limit.isAllowed && limit.isExceeded) {
          reply.header("retry-after", limit.ttlInSeconds);
          throw new Refusal(429, "too-many", "Too many attempts to log in; wait a minute");
        }
      }
      const user = await backend.verifyUser(body.name, body.password);
      if (!user) throw new Refusal(401, "wrong-login", "Unknown name or wrong password");
      sessions.close(request.cookies[cookieName]);
      reply.setCookie(cookieName, sessions.open(user), cookie);
      return told(user);
    },
  );

  api.route(
    {
      method: "GET",
      url: "/session",
      tag: "Session",
      // The page asks whether anybody is logged in, and which language to ask for the password in.
      summary: "Who is logged in, if anybody, and the service's language",
      needs: "anybody",
      answer: SessionMessage,
    },
    ({ request, reply }) => told(currentSession(request, reply)?.user ?? null),
  );

  api.route(
    { method: "DELETE", url: "/session", tag: "Session", summary: "Log out", needs: "account", answer: null },
    ({ request, reply }) => {
      const session = sessions.close(request.cookies[cookieName]);
      if (session) streams.endOf(session);
      reply.clearCookie(cookieName, { ...cookie, maxAge: undefined });
    },
  );

  api.route(
    {
      method: "GET",
      url: "/events",
      tag: "Episodes",
      summary:
        "The board as it changes: `board` first, then `episode` at each change, `heartbeat` every 2 s, `session-ended`",
      needs: "episodes.read",
      answer: "stream",
    },
    ({ request, reply }) =>
      reply
        .type("text/event-stream; charset=utf-8")
        .header("x-accel-buffering", "no")
        .send(streams.open(currentSession(request, reply)!)),
  );

  episodesArea(backend, clock)(api);
  for (const area of options.areas ?? []) area(api);

  // Last, so that it has them all. Made when it is first asked for: few ask.
  let document: Promise<object> | null = null;
  app.get("/openapi.json", async () => {
    document ??= import("./openapi.ts").then(({ openApiDocument }) => openApiDocument(api.specs));
    return document;
  });
}

/** Beside the cookie's SameSite=Strict: whatever changes something must carry our header and come from our own page. */
async function refuseOtherSites(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const { origin } = request.headers;
  const fromOwnPage = origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.host);
  if (fromOwnPage && request.headers[ownPageHeader] !== undefined) return undefined;
  return sendProblem(
    reply,
    403,
    "other-site",
    fromOwnPage ? `The header ${ownPageHeader} is missing` : "The request comes from a page of another address",
  );
}
