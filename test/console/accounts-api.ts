import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { ownAccountArea } from "../../alerting/console/accounts/own.ts";
import { accountsArea } from "../../alerting/console/accounts/routes.ts";
import type { Account } from "../../alerting/console/roles.ts";
import type { ConsoleArea } from "../../alerting/console/routes.ts";
import { consolePlugin } from "../../alerting/console/server.ts";
import { createAccessTokens } from "../../alerting/registry/access-tokens.ts";
import { createUsers, type Users } from "../../alerting/registry/users.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import type { Store } from "../../alerting/store/store.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import { createGeneratedBackend, generatedFall } from "./generated-board.ts";

export const password = "fyra ord i en rad";
/** Lets an account in without the work that a password takes. */
const quick = "without the work of a password";
export const manager = { name: "Mona", role: "manager", units: null } as const;
export const unitManager = { name: "Ulla", role: "manager", units: ["Gustavsberg", "Hemmesta"] } as const;
export const patrol = { name: "Rut", role: "responder", units: ["Gustavsberg"] } as const;
export const otherPatrol = { name: "Bo", role: "responder", units: ["Ingarö"] } as const;
export const operator = { name: "Maria", role: "operator", units: null } as const;

export interface Told {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
  body: any;
  headers: Headers;
}

export const cookieOf = ({ headers }: Told) => headers.getSetCookie()[0]?.split(";")[0] ?? "";

/** For each test of a file the console's API over a store of its own with these accounts, and a clock that can be set. */
export function useApi() {
  const real = systemClock();
  let ahead: { wall: number; monotonic: number };
  const clock: Clock = {
    ...real,
    wallNow: () => real.wallNow() + ahead.wall,
    monotonicNow: () => real.monotonicNow() + ahead.monotonic,
  };
  /** A store with the accounts, which each test gets a copy of. */
  let prepared: string;
  let dataDir: string;
  let store: Store;
  let users: Users;
  let app: FastifyInstance;
  let url: string;
  /** How often the work of `/count` was done. */
  let counted: number;

  const counting: ConsoleArea = (api) => {
    const spec = {
      method: "POST",
      url: "/count",
      tag: "Test",
      summary: "counts",
      needs: "account",
      answer: null,
    } as const;
    api.route(spec, async () => {
      counted++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
  };

  async function start(limits?: { account: number; address: number }): Promise<void> {
    store = openSqliteStore(dataDir);
    users = createUsers(() => store, clock, "console");
    const tokens = createAccessTokens(() => store, clock, "console");
    const units = async () => ["Gustavsberg", "Hemmesta", "Ingarö"];
    const access = () => store.access;
    app = Fastify({ forceCloseConnections: true });
    await app.register(consolePlugin, {
      backend: {
        ...createGeneratedBackend(clock, [generatedFall(clock.wallNow(), 3)]),
        async verifyUser(name, given) {
          if (given !== quick) return users.verify(name, given);
          const user = await users.find(name);
          return user && { name: user.name, role: user.role, units: user.units };
        },
        choosePassword: users.choosePassword,
      },
      ...{ clock, access, secureCookies: false, language: "sv" as const, ...(limits && { limits }) },
      areas: [
        accountsArea({ users, tokens, units, clock }),
        ownAccountArea({ users, tokens, access, clock }),
        counting,
      ],
    });
    url = await app.listen({ port: 0, host: "127.0.0.1" });
  }

  async function stop(): Promise<void> {
    await app.close();
    await store.close();
  }

  async function restart(limits?: { account: number; address: number }): Promise<void> {
    await stop();
    await start(limits);
  }

  beforeAll(async () => {
    prepared = mkdtempSync(join(tmpdir(), "alerting-accounts-"));
    const accounts = openSqliteStore(prepared);
    for (const { name, role, units } of [manager, unitManager, patrol, otherPatrol, operator]) {
      await createUsers(() => accounts, real, "cli").addUser(name, password, role, units);
    }
    await accounts.close();
  });
  afterAll(() => rmSync(prepared, { recursive: true, force: true }));
  beforeEach(async () => {
    ahead = { wall: 0, monotonic: 0 };
    counted = 0;
    dataDir = mkdtempSync(join(tmpdir(), "alerting-accounts-"));
    cpSync(prepared, dataDir, { recursive: true });
    await start();
  });
  afterEach(async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Asks with these headers; a text in `as` is a cookie. */
  async function ask(as: string | Record<string, string>, call: string, body?: unknown): Promise<Told> {
    const [method = "", path = ""] = call.split(" ");
    const headers: Record<string, string> =
      typeof as === "string" ? { cookie: as, "x-fallvakt-console": "1" } : { ...as };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null, headers: answer.headers };
  }

  async function logIn({ name }: Pick<Account, "name">, by = quick): Promise<string> {
    const answer = await ask("", "POST session", { name, password: by });
    expect(answer.status).toBe(200);
    return cookieOf(answer);
  }

  /** The audit log. */
  async function acts() {
    return (await store.audit.entries("acts", 0, 1000)).map(({ act }) => act);
  }

  return {
    clock,
    ask,
    logIn,
    acts,
    start,
    stop,
    restart,
    get ahead() {
      return ahead;
    },
    get counted() {
      return counted;
    },
    get dataDir() {
      return dataDir;
    },
    get store() {
      return store;
    },
    get users() {
      return users;
    },
    get app() {
      return app;
    },
    get url() {
      return url;
    },
  };
}
