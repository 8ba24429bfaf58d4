import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../firmware-contracts/clock.ts";
import { createGeneratedBackend, generatedFall } from "../../../test/console/generated-board.ts";
import { createAccessTokens } from "../../registry/access-tokens.ts";
import { createUsers, type Users } from "../../registry/users.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { type Account, Role } from "../roles.ts";
import type { ConsoleArea } from "../routes.ts";
import { consolePlugin } from "../server.ts";
import { ownAccountArea } from "./own.ts";
import { accountsArea } from "./routes.ts";

const password = "fyra ord i en rad";
/** Lets an account in without the work that a password takes. */
const quick = "without the work of a password";
const manager = { name: "Mona", role: "manager", units: null } as const;
const unitManager = { name: "Ulla", role: "manager", units: ["Gustavsberg", "Hemmesta"] } as const;
const patrol = { name: "Rut", role: "responder", units: ["Gustavsberg"] } as const;
const otherPatrol = { name: "Bo", role: "responder", units: ["Ingarö"] } as const;
const operator = { name: "Maria", role: "operator", units: null } as const;

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
    areas: [accountsArea({ users, tokens, units, clock }), ownAccountArea({ users, tokens, access, clock }), counting],
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

interface Told {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
  body: any;
  headers: Headers;
}

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

const cookieOf = ({ headers }: Told) => headers.getSetCookie()[0]?.split(";")[0] ?? "";

async function logIn({ name }: Pick<Account, "name">, by = quick): Promise<string> {
  const answer = await ask("", "POST session", { name, password: by });
  expect(answer.status).toBe(200);
  return cookieOf(answer);
}

/** The audit log. */
async function acts() {
  return (await store.audit.entries("acts", 0, 1000)).map(({ act }) => act);
}

describe("an account", () => {
  test("is added without a password; its person chooses one by the code, once, and may what its role may", async () => {
    const mona = await logIn(manager);
    const invited = await ask(mona, "POST accounts", { name: "Nils", role: "responder", units: ["Gustavsberg"] });
    expect(invited).toMatchObject({
      status: 200,
      body: { name: "Nils", code: expect.stringMatching(/^\d{4} \d{4} \d{4}$/) },
    });
    const { code, until } = invited.body;
    expect(until - clock.wallNow()).toBeLessThanOrEqual(24 * 3600_000);
    expect((await ask("", "POST session", { name: "Nils", password: code })).status).toBe(401);

    const choose = (body: object) => ask("", "POST session/password", { name: "nils", code, password, ...body });
    expect(await choose({ password: "kort" })).toMatchObject({ status: 422, body: { code: "weak-password" } });
    expect(await choose({ code: "1234 5678 9012" })).toMatchObject({ status: 401, body: { code: "wrong-code" } });
    const chosen = await choose({ code: code.replaceAll(" ", "") });
    expect(chosen).toMatchObject({ status: 200, body: { user: { name: "Nils", role: "responder" } } });
    expect((await ask(cookieOf(chosen), "GET episodes")).status).toBe(200);
    expect(await ask(cookieOf(chosen), "GET accounts")).toMatchObject({ status: 403, body: { code: "not-allowed" } });
    expect(await choose({})).toMatchObject({ status: 401, body: { code: "wrong-code" } });
    expect((await ask("", "POST session", { name: "Nils", password })).status).toBe(200);

    const listed = (await ask(mona, "GET accounts")).body.accounts.find(({ name }: Account) => name === "Nils");
    expect(listed).toMatchObject({ state: "open", units: ["Gustavsberg"], codeUntil: null, isOwn: false });
    expect(await ask(mona, "POST accounts", { name: "nils", role: "auditor", units: null })).toMatchObject({
      status: 409,
      body: { code: "name-taken" },
    });
    expect((await acts()).slice(-2)).toMatchObject([
      {
        by: "Mona",
        via: "console",
        act: "account-added",
        detail: { account: "Nils", role: "responder", units: "Gustavsberg" },
      },
      { by: "Nils", act: "password-chosen" },
    ]);
    const kept = JSON.stringify(await store.users.user("Nils"));
    for (const secret of [code, code.replaceAll(" ", ""), password]) expect(kept).not.toContain(secret);
  });

  test("a code is too old after its time, and good no more after twenty wrong tries", async () => {
    const { code } = await users.newCode(patrol.name, "Mona");
    ahead.wall = 3600_000 + 1;
    expect(await users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    // Set back, the clock makes it no better than it was.
    ahead.wall = -24 * 3600_000;
    expect(await users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    ahead.wall = 0;
    for (let tries = 0; tries < 20; tries++) await store.users.codeTried(patrol.name);
    expect(await users.choosePassword(patrol.name, code, "en annan rad ord")).toBeNull();
    expect(await users.verify(patrol.name, password)).toMatchObject({ name: "Rut" });
    const again = await users.newCode(patrol.name, "Mona");
    // Two at once: one is first.
    const both = ["en annan rad ord", "en tredje rad med ord"].map((chosen) =>
      users.choosePassword(patrol.name, again.code, chosen),
    );
    expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
    expect(await users.verify(patrol.name, password)).toBeNull();
  });

  test("guessing at a code is stopped as at a password", async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 11; guess++) {
      const body = { name: "Rut", code: `${guess}`.padStart(12, "0"), password };
      const answer = await ask("", "POST session/password", body);
      statuses.push(answer.status);
      if (answer.status === 429) expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
  });

  test.each<[string, (mona: string) => Promise<Told>]>([
    ["changed", (mona) => ask(mona, "PUT accounts/Rut", { role: "installer", units: ["Gustavsberg"] })],
    ["shut off", (mona) => ask(mona, "POST accounts/rut/shut-off")],
    ["removed", (mona) => ask(mona, "DELETE accounts/Rut")],
  ])("%s, its sessions, streams and tokens end at once", async (_what, change) => {
    const mona = await logIn(manager);
    const rut = await logIn(patrol);
    const made = await ask(rut, "POST account/tokens", { name: "tavla", scopes: ["episodes.read"], password });
    const bearer = { authorization: `Bearer ${made.body.token}` };
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    const stream = await fetch(`${url}/api/v1/events`, { headers: { cookie: rut } });
    const streamed = stream.text();
    expect((await change(mona)).status).toBeLessThan(300);
    expect((await ask(rut, "GET episodes")).status).toBe(401);
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    expect(await streamed).toContain("event: session-ended");
  });

  test("shut off, nobody logs in by it, by password or code; opened again, its password is as it was", async () => {
    const mona = await logIn(manager);
    const { body } = await ask(mona, "POST accounts/Rut/code");
    expect((await ask(mona, "POST accounts/Rut/shut-off")).body).toMatchObject({ state: "shut-off" });
    expect((await ask("", "POST session", { name: "Rut", password })).status).toBe(401);
    expect((await ask("", "POST session/password", { ...body, until: undefined, password })).status).toBe(401);
    expect(await ask(mona, "POST accounts/Rut/code")).toMatchObject({ status: 409, body: { code: "shut-off" } });
    expect((await ask(mona, "POST accounts/Rut/open")).body).toMatchObject({ state: "open" });
    await logIn(patrol);
  });

  test("a manager of units manages and gives these alone, and nobody their own account", async () => {
    const ulla = await logIn(unitManager);
    const { accounts, units } = (await ask(ulla, "GET accounts")).body;
    expect(accounts.map(({ name }: Account) => name)).toEqual(["Rut", "Ulla"]);
    expect(units).toEqual(["Gustavsberg", "Hemmesta"]);
    // What is another's looks as what isn't there.
    const missing = await ask(ulla, "DELETE accounts/Nobody");
    for (const name of ["Bo", "Mona", "Maria"]) {
      for (const [call, body] of [
        [`PUT accounts/${name}`, { role: "responder", units: ["Hemmesta"] }],
        [`POST accounts/${name}/code`],
        [`POST accounts/${name}/shut-off`],
        [`POST accounts/${name}/open`],
        [`DELETE accounts/${name}`],
      ] as const) {
        const answer = await ask(ulla, call, body);
        expect([answer.status, answer.body], call).toEqual([404, missing.body]);
      }
    }
    for (const given of [null, ["Ingarö"], ["Hemmesta", "Ingarö"]]) {
      const tooMuch = { status: 403, body: { code: "not-your-units" } };
      expect(await ask(ulla, "POST accounts", { name: "X", role: "manager", units: given })).toMatchObject(tooMuch);
      expect(await ask(ulla, "PUT accounts/Rut", { role: "responder", units: given })).toMatchObject(tooMuch);
    }
    for (const call of [
      "PUT accounts/ulla",
      "DELETE accounts/Ulla",
      "POST accounts/Ulla/shut-off",
      "POST accounts/Ulla/code",
    ]) {
      const body = call.startsWith("PUT") ? { role: "manager", units: ["Hemmesta"] } : undefined;
      expect(await ask(ulla, call, body)).toMatchObject({ status: 409, body: { code: "own-account" } });
    }
    const given = await ask(ulla, "PUT accounts/Rut", { role: "responder", units: ["Hemmesta"] });
    expect(given).toMatchObject({ status: 200, body: { units: ["Hemmesta"] } });
  });

  test.each(Role.options.filter((role) => role !== "manager"))("a %s manages no account", async (role) => {
    await users.invite({ name: "Anders", role, units: null });
    const cookie = await logIn({ name: "Anders" });
    for (const call of ["GET accounts", "GET tokens", "DELETE accounts/Rut", "POST accounts/Rut/code"]) {
      expect((await ask(cookie, call)).status, call).toBe(403);
    }
  });
});

describe("the own account", () => {
  test("a password is changed by its owner, who knows the present one; the other sessions end", async () => {
    const here = await logIn(patrol);
    const there = await logIn(patrol);
    const change = (body: object) =>
      ask(here, "PUT account/password", { present: password, password: "en annan rad ord", ...body });
    expect(await change({ present: "en gissning" })).toMatchObject({ status: 403, body: { code: "wrong-password" } });
    expect(await change({ password: "kort" })).toMatchObject({ status: 422, body: { code: "weak-password" } });
    expect((await change({})).status).toBe(204);
    expect((await ask(here, "GET episodes")).status).toBe(200);
    expect((await ask(there, "GET episodes")).status).toBe(401);
    await logIn(patrol, "en annan rad ord");
    const tries = await Promise.all(Array.from({ length: 12 }, () => change({ present: "en gissning" })));
    expect(tries.map(({ status }) => status)).toContain(429);
  });

  test("own sessions are listed and ended, nobody else's", async () => {
    const here = await logIn(patrol);
    const there = await logIn(patrol);
    const bo = await logIn(otherPatrol);
    const { sessions } = (await ask(here, "GET account")).body;
    expect(sessions).toHaveLength(2);
    const other = sessions.find(({ isThis }: { isThis: boolean }) => !isThis);
    expect((await ask(bo, `DELETE account/sessions/${other.id}`)).status).toBe(404);
    expect((await ask(here, `DELETE account/sessions/${other.id}`)).status).toBe(204);
    expect((await ask(there, "GET account")).status).toBe(401);
    await logIn(patrol);
    expect((await ask(here, "POST account/sessions/end-others")).body).toEqual({ ended: 1 });
    expect((await ask(bo, "GET account")).body.sessions).toHaveLength(1);
    expect(JSON.stringify(await store.access.sessionsOf("Rut"))).not.toContain(here.split("=")[1]);
  });
});

describe("sessions", () => {
  test("one lives through a restart, and its end with it: 12 h after its last use by wall time", async () => {
    const rut = await logIn(patrol);
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    ahead.wall = 11 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    ahead.wall = 22 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    ahead.wall = 35 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("a clock that is set ends nobody's session while the service runs, and makes none longer than a new one", async () => {
    const rut = await logIn(patrol);
    ahead.wall = 5 * 24 * 3600_000;
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    await logIn(manager);
    ahead.monotonic = 3000;
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    // Set back by years, and started anew: 12 h from now, however the store has it.
    ahead.wall = -1000 * 24 * 3600_000;
    await restart();
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    ahead.monotonic += 12 * 3600_000 + 1000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("after a week a password is asked for, however much it is used", async () => {
    const rut = await logIn(patrol);
    for (let half = 0; half < 15; half++) {
      ahead.monotonic += 11 * 3600_000;
      expect((await ask(rut, "GET episodes")).status).toBe(200);
    }
    ahead.monotonic += 4 * 3600_000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });

  test("requests write nothing; when it was used is kept every few minutes for all of them, and at a stop", async () => {
    const writes: string[] = [];
    const { access } = store;
    store.access = new Proxy(access, {
      get: (target, name: keyof typeof access) => {
        if (name === "used" || name === "putSession") writes.push(name);
        return target[name];
      },
    });
    const rut = await logIn(patrol);
    for (let request = 0; request < 20; request++) await ask(rut, "GET session");
    expect(writes).toEqual(["putSession"]);
    await app.close();
    expect(writes).toEqual(["putSession", "used"]);
  });

  test("where the store cannot be read, whoever is at the board stays there", async () => {
    const rut = await logIn(patrol);
    ahead.monotonic = 60_000;
    const { access } = store;
    store.access = new Proxy(access, {
      get: () => () => Promise.reject(new Error("the disk is gone")),
    });
    expect((await ask(rut, "GET episodes")).status).toBe(200);
    expect((await ask("fallvakt=unknown", "GET episodes")).status).toBe(500);
    store.access = access;
  });

  test("what the command line ends is noticed within seconds", async () => {
    const rut = await logIn(patrol);
    const beside = openSqliteStore(dataDir);
    await createUsers(() => beside, clock, "cli").setOpen(patrol.name, false, "eva");
    await beside.close();
    ahead.monotonic = 2000;
    expect((await ask(rut, "GET episodes")).status).toBe(401);
  });
});

describe("tokens", () => {
  async function make(of: Account, scopes: string[], days?: number) {
    const made = await ask(await logIn(of), "POST account/tokens", {
      name: "larmcentral",
      scopes,
      password,
      ...(days && { days }),
    });
    return { made, bearer: { authorization: `Bearer ${made.body?.token}` } };
  }

  test("one may what its scopes say, in its maker's units, and the audit log names it", async () => {
    const { made, bearer } = await make(manager, ["episodes.read", "accounts.write"]);
    expect(made).toMatchObject({
      status: 200,
      body: { token: expect.stringMatching(/^fallvakt_[\w-]{27}$/), view: { account: "Mona" } },
    });
    // No header of ours is needed, and no cookie comes back.
    const added = await ask(bearer, "POST accounts", { name: "Nils", role: "responder", units: null });
    expect(added.status).toBe(200);
    expect(added.headers.getSetCookie()).toEqual([]);
    expect((await acts()).slice(-2)).toMatchObject([
      { by: "Mona", act: "token-made", detail: { token: "larmcentral", scopes: "episodes.read accounts.write" } },
      { by: "token:larmcentral", act: "account-added" },
    ]);
    expect(await ask(bearer, "GET session")).toMatchObject({
      body: { user: { name: "token:larmcentral", permissions: ["episodes.read", "accounts.write"] } },
    });
    expect(await ask(bearer, "GET account")).toMatchObject({ status: 403, body: { code: "not-allowed" } });
    expect(await ask(bearer, "DELETE accounts/Mona")).toMatchObject({ status: 409, body: { code: "own-account" } });
    const narrow = await ask(await logIn(patrol), "POST account/tokens", {
      name: "tavla",
      scopes: ["pauses.write"],
      password,
    });
    const refused = await ask({ authorization: `bearer ${narrow.body.token}` }, "GET episodes");
    expect(refused).toMatchObject({ status: 403, body: { code: "not-allowed" } });
  });

  test("nobody makes one for more than they may, without their password, or by a name that was used", async () => {
    expect((await make(patrol, ["accounts.write"])).made).toMatchObject({
      status: 403,
      body: { code: "scope-not-held" },
    });
    const rut = await logIn(patrol);
    const asked = { name: "tavla", scopes: ["episodes.read"], password };
    expect(await ask(rut, "POST account/tokens", { ...asked, password: "gissning" })).toMatchObject({
      status: 403,
      body: { code: "wrong-password" },
    });
    expect((await ask(rut, "POST account/tokens", asked)).status).toBe(200);
    expect((await ask(rut, "DELETE account/tokens/tavla")).status).toBe(204);
    expect(await ask(rut, "POST account/tokens", asked)).toMatchObject({ status: 409, body: { code: "name-taken" } });
  });

  test("a cookie and a token don't mix: where a token is shown, no cookie is looked at", async () => {
    const rut = await logIn(patrol);
    const { bearer } = await make(manager, ["episodes.read"]);
    for (const authorization of ["Bearer fallvakt_forged", "Bearer ", "Basic bW9uYTp4"]) {
      expect((await ask({ authorization, cookie: rut }, "GET episodes")).status).toBe(401);
    }
    const both = await ask({ ...bearer, cookie: rut }, "GET session");
    expect(both.body.user.name).toBe("token:larmcentral");
    expect(both.headers.getSetCookie()).toEqual([]);
    expect((await ask({ cookie: rut }, "POST count")).body).toMatchObject({ code: "other-site" });
    expect((await ask({ cookie: `fallvakt=${bearer.authorization.slice(7)}` }, "GET episodes")).status).toBe(401);
    expect((await ask({ authorization: `Bearer ${rut.split("=")[1]}` }, "GET episodes")).status).toBe(401);
    expect((await ask({ ...bearer }, "POST session", { name: "Rut", password })).status).toBe(400);
  });

  test("one ends at its day, by revoking, and lives through a restart until then", async () => {
    const { bearer } = await make(manager, ["episodes.read"], 1);
    await restart();
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    const ulla = await logIn(unitManager);
    expect((await ask(ulla, "GET tokens")).body).toEqual([]);
    expect((await ask(ulla, "DELETE tokens/larmcentral")).status).toBe(404);
    const mona = await logIn(manager);
    expect((await ask(mona, "GET tokens")).body).toMatchObject([{ name: "larmcentral", account: "Mona" }]);
    ahead.wall = ahead.monotonic = 24 * 3600_000;
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    ahead.wall = ahead.monotonic = 0;
    await restart();
    expect((await ask(bearer, "GET episodes")).status).toBe(200);
    expect((await ask(await logIn(manager), "DELETE tokens/larmcentral")).status).toBe(204);
    expect((await ask(bearer, "GET episodes")).status).toBe(401);
    const kept = JSON.stringify(await store.access.tokens());
    expect(kept).not.toContain(bearer.authorization.slice(-27));
  });
});

describe("idempotency keys", () => {
  const key = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const withKey = (cookie: string, idempotencyKey = key) => ({
    cookie,
    "x-fallvakt-console": "1",
    "idempotency-key": idempotencyKey,
  });
  const nils = { name: "Nils", role: "responder", units: null };

  test("asked again, it is done once and answered as it was, also after a restart", async () => {
    const mona = await logIn(manager);
    const first = await ask(withKey(mona), "POST accounts", nils);
    expect(first.status).toBe(200);
    for (const again of [
      await ask(withKey(mona), "POST accounts", nils),
      await restart().then(() => ask(withKey(mona), "POST accounts", nils)),
    ]) {
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
    }
    expect((await acts()).filter((act) => act?.detail?.account === "Nils")).toHaveLength(1);
    const other = await ask(withKey(mona), "POST accounts", { ...nils, role: "auditor" });
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency-mismatch" } });
    expect((await ask(withKey(mona), "DELETE accounts/Nils")).status).toBe(422);
    // Another's key of the same text is another key.
    const ulla = await logIn(unitManager);
    expect((await ask(withKey(ulla), "POST accounts", { ...nils, units: ["Hemmesta"] })).body).toMatchObject({
      code: "name-taken",
    });
    ahead.wall = 24 * 3600_000 + 1;
    expect((await ask(withKey(mona), "POST accounts", nils)).body).toMatchObject({ code: "name-taken" });
  });

  test("what was refused is refused again, an empty answer is empty again, and a code is sealed in the store", async () => {
    const mona = await logIn(manager);
    const taken = { ...nils, name: "Rut" };
    expect((await ask(withKey(mona), "POST accounts", taken)).status).toBe(409);
    await ask(mona, "DELETE accounts/Rut");
    const again = await ask(withKey(mona), "POST accounts", taken);
    expect(again).toMatchObject({ status: 409, body: { code: "name-taken" } });
    expect(again.headers.get("content-type")).toContain("application/problem+json");
    const second = `${key}-2`;
    expect((await ask(withKey(mona, second), "DELETE accounts/Bo")).status).toBe(204);
    expect((await ask(withKey(mona, second), "DELETE accounts/Bo")).status).toBe(204);
    const { code } = (await ask(withKey(mona, `${key}-3`), "POST accounts", nils)).body;
    await stop();
    for (const file of readdirSync(dataDir).filter((name) => name.startsWith("alerting.db"))) {
      const bytes = readFileSync(join(dataDir, file)).toString("latin1");
      for (const secret of [code, key]) expect(bytes).not.toContain(secret);
    }
    await start();
  });

  test("two at once: one does it, and both are answered", async () => {
    const rut = await logIn(patrol);
    const both = await Promise.all([1, 2].map(() => ask(withKey(rut), "POST count")));
    expect(both.map(({ status }) => status)).toEqual([204, 204]);
    expect(counted).toBe(1);
    // In quotes, as the draft has it, it is the same.
    expect((await ask(withKey(rut, `"${key}"`), "POST count")).status).toBe(204);
    expect(counted).toBe(1);
    expect((await ask(rut, "POST count")).status).toBe(204);
    expect(counted).toBe(2);
  });

  test("one that was cut off by a stop is not done again: its caller is told to look", async () => {
    const rut = await logIn(patrol);
    const { access } = store;
    store.access = new Proxy(access, {
      get: (target, name: keyof typeof access) =>
        name === "keepAnswer" ? () => Promise.reject(new Error("the disk is full")) : target[name],
    });
    expect((await ask(withKey(rut), "POST count")).status).toBe(204);
    await restart();
    expect(await ask(withKey(rut), "POST count")).toMatchObject({ status: 409, body: { code: "idempotency-unknown" } });
    expect(counted).toBe(1);
  });

  test("an account that was changed is not answered what it might see before", async () => {
    const rut = await logIn(patrol);
    expect((await ask(withKey(rut), "POST count")).status).toBe(204);
    await users.change({ name: "Rut", role: "responder", units: ["Hemmesta"] }, "Mona");
    const again = await ask(withKey(await logIn(patrol)), "POST count");
    expect(again).toMatchObject({ status: 409, body: { code: "idempotency-unknown" } });
  });

  test.each(["short", "x".repeat(129), "with a space in the middle"])("%s is no key", async (bad) => {
    const answer = await ask(withKey(await logIn(patrol), bad), "POST count");
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid" } });
    expect(counted).toBe(0);
  });
});

describe("limits", () => {
  test("an account that asks too much is told when to come again, and nobody else is held up", async () => {
    await restart({ account: 20, address: 30 });
    const rut = await logIn(patrol);
    const statuses = [];
    for (let request = 0; request < 22; request++) statuses.push((await ask(rut, "GET session")).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    const refused = await ask(rut, "GET episodes");
    expect(refused).toMatchObject({ status: 429, body: { code: "too-many" } });
    expect(refused.headers.get("content-type")).toContain("application/problem+json");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask(await logIn(otherPatrol), "GET episodes")).status).toBe(200);
  });

  test("an address from which nobody is logged in asks no store without end; who is logged in goes on", async () => {
    await restart({ account: 1000, address: 30 });
    const rut = await logIn(patrol);
    const statuses = new Set<number>();
    for (let guess = 0; guess < 40; guess++)
      statuses.add((await ask(`fallvakt=guess-${guess}`, "GET episodes")).status);
    expect([...statuses]).toEqual([401, 429]);
    expect((await ask("", "GET nowhere")).status).toBe(429);
    expect((await ask(rut, "GET episodes")).status).toBe(200);
  });
});
