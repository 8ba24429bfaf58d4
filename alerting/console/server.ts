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
import { accessStore } from "../store/access.ts";
import { openInMemory } from "../store/database.ts";
import type { AccessStore } from "../store/store.ts";
import { type ConsoleBackend, SessionMessage } from "./api.ts";
import { compressAnswer } from "./compression.ts";
import { episodesArea } from "./episodes.ts";
import { createEventStreams } from "./event-streams.ts";
import { createIdempotency } from "./idempotency.ts";
import { type Entrance, type IdentityProvider, passwordIdentity } from "./identity.ts";
import { handleError, Refusal, sendProblem } from "./problems.ts";
import { type Account, permissionsOf } from "./roles.ts";
import { type ConsoleArea, createConsoleApi } from "./routes.ts";
import { createSessions, type Session, type Sessions, sessionMs } from "./sessions.ts";
import { bearerIn } from "./tokens.ts";

export interface ConsoleOptions {
  backend: ConsoleBackend;
  clock: Clock;
  /** True wherever the page is served over HTTPS; false only for plain HTTP on this machine. */
  secureCookies: boolean;
  /** The page's language until a person has chosen one. */
  language: "sv" | "en";
  /** Further parts of the API. */
  areas?: readonly ConsoleArea[];
  /** Where sessions, tokens and answers are kept; left out: in memory, for trials of the page alone. */
  access?: () => AccessStore;
  /** Ways of logging in, beside passwords. */
  identity?: readonly IdentityProvider[];
  /** Requests a minute: of an account, and of an address from which nobody is logged in. */
  limits?: { account: number; address: number };
  /** Folder of the built page; beside this file unless told. */
  page?: string;
}

/** Far above what people and their pages need: a page asks at most a few times a second. */
const generousLimits = { account: 1200, address: 600 };

/** The header that a page of another origin can't send without being asked about it first. `poll`: the page asks by itself, which moves no session's end. */
export const ownPageHeader = "x-fallvakt-console";

/**
 * The console: the page at `/`, its files under `/assets/` and its API under `/api/v1`.
 * Register it as a plugin of its own, so that its headers, cookies and limits touch nobody else's routes; what is no route of anybody's it answers.
 */
export async function consolePlugin(app: FastifyInstance, options: ConsoleOptions): Promise<void> {
  let own: AccessStore | null = null;
  const access = options.access ?? (() => (own ??= accessStore(openInMemory())));
  const sessions = createSessions(access, options.clock, app.log);
  await app.register(fastifyHelmet, securityHeaders(options.secureCookies));
  await app.register(fastifyCookie);
  await app.register(fastifyRateLimit, { global: false });
  app.setErrorHandler(handleError);
  // Of the whole server: what is no address of anybody's answers with the strict headers as well.
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, "not-found", "There is no such address"));
  const page = options.page ?? fileURLToPath(new URL("./web/dist/", import.meta.url));
  await app.register((files) => pagePlugin(files, page));
  await app.register((api) => apiPlugin(api, options, access, sessions), { prefix: "/api/v1" });
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

async function apiPlugin(
  app: FastifyInstance,
  options: ConsoleOptions,
  access: () => AccessStore,
  sessions: Sessions,
): Promise<void> {
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
  const callers = new WeakMap<FastifyRequest, Session>();
  const whoAsks = (request: FastifyRequest) => callers.get(request) ?? null;
  /** Whose password a request tries. */
  const tried = new WeakMap<FastifyRequest, string>();

  const limits = options.limits ?? generousLimits;
  const perAccount = limiter(app, limits.account, (request) => whoAsks(request)?.user.name.toLowerCase() ?? "");
  const perAddress = limiter(app, limits.address);
  // By name and address for guessing at one account, by address for guessing at many: nobody can lock a colleague out from elsewhere.
  const loginsPerName = limiter(app, 10, (request) => `${request.ip} ${tried.get(request) ?? ""}`);
  const loginsPerAddress = limiter(app, 60);

  /** Finds out who asks. Where a bearer token is shown, no cookie is looked at. */
  async function findCaller(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const bearer = bearerIn(request.headers.authorization);
    const shown = bearer ?? request.cookies[cookieName];
    // Whoever guesses at tokens asks no store without end.
    if (!sessions.isKnown(shown)) await perAddress(request);
    const byItself = request.method === "GET" && request.headers[ownPageHeader] === "poll";
    const session = await sessions.use(bearer === null ? "session" : "token", shown, byItself);
    if (!session) return;
    callers.set(request, session);
    await perAccount(request);
    // The browser's end of the session moves with ours.
    if (bearer === null && shown && !byItself) reply.setCookie(cookieName, shown, cookie);
  }

  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  app.addHook("onRequest", refuseOtherSites);
  app.addHook("onSend", compressAnswer);
  app.addHook("onRequest", findCaller);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, "not-found", "There is no such address"));

  const streams = createEventStreams(backend, clock, sessions.isAlive, app.log, sessions.hasEnded);
  // Before the server waits for its connections to end: these never would by themselves.
  app.addHook("preClose", async () => streams.close());
  app.addHook("onClose", async () => {
    await sessions.flush().catch((err: unknown) => app.log.error({ err }, "when sessions were used could not be kept"));
  });

  const told = (account: Account | null): SessionMessage => ({
    user: account && {
      ...{ name: account.name, role: account.role },
      units: account.units && [...account.units],
      permissions: [...permissionsOf(account)],
    },
    language: options.language,
  });

  const entrance: Entrance = {
    async throttle(request, name) {
      tried.set(request, name.trim().toLowerCase());
      for (const check of [loginsPerAddress, loginsPerName]) {
        await check(request, "Too many attempts to log in; wait a minute");
      }
    },
    async letIn(account, request, reply) {
      if (request.headers.authorization !== undefined) {
        throw new Refusal(400, "invalid", "Log in without the header Authorization: a token needs no session");
      }
      await sessions.close(request.cookies[cookieName]);
      reply.setCookie(cookieName, await sessions.open(account, request.headers["user-agent"] ?? null), cookie);
      return told(account);
    },
  };

  const api = createConsoleApi(app, {
    whoAsks,
    throttle: entrance.throttle,
    recheck: () => sessions.recheck(),
    idempotency: createIdempotency(access, clock),
  });

  for (const provider of [passwordIdentity(backend), ...(options.identity ?? [])]) provider(api, entrance);

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
    ({ request }) => told(whoAsks(request)?.user ?? null),
  );

  api.route(
    { method: "DELETE", url: "/session", tag: "Session", summary: "Log out", needs: "session", answer: null },
    async ({ request, reply }) => {
      const session = await sessions.close(request.cookies[cookieName]);
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
    ({ session, reply }) =>
      reply.type("text/event-stream; charset=utf-8").header("x-accel-buffering", "no").send(streams.open(session)),
  );

  episodesArea(backend, clock)(api);
  for (const area of options.areas ?? []) area(api);

  // Made when it is first asked for: few ask.
  let document: Promise<Record<string, unknown>> | null = null;
  api.route(
    {
      method: "GET",
      url: "/openapi.json",
      tag: "Description",
      summary: "This description",
      needs: "anybody",
      answer: z.record(z.string(), z.unknown()),
    },
    () => {
      document ??= import("./openapi.ts").then(({ openApiDocument }) => openApiDocument(api.specs));
      return document;
    },
  );
}

type Limiter = (request: FastifyRequest, detail?: string) => Promise<void>;

/** So many requests a minute for each key; by address unless told. */
function limiter(app: FastifyInstance, max: number, keyGenerator?: (request: FastifyRequest) => string): Limiter {
  const check = app.createRateLimit({ max, timeWindow: 60_000, ...(keyGenerator && { keyGenerator }) });
  return async (request, detail = "Too many requests; wait a little") => {
    const limit = await check(request);
    if (!limit.isAllowed && limit.isExceeded) throw new Refusal(429, "too-many", detail, limit.ttlInSeconds);
  };
}

/** Beside the cookie's SameSite=Strict: whatever changes something must carry our header and come from our own page. */
async function refuseOtherSites(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  // No page of another site can send this header unasked, and with it no cookie is looked at.
  if (bearerIn(request.headers.authorization) !== null) return undefined;
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
