import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { createGeneratedBackend, operator } from "../../test/console/generated-board.ts";
import { createDwellings } from "../registry/dwellings.ts";
import { createRegistry } from "../registry/registry.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { pausesArea } from "./pauses.ts";
import type { Account } from "./roles.ts";
import { consolePlugin } from "./server.ts";

const clock = systemClock();
let dataDir: string;
let store: Store;
let app: FastifyInstance;
let role: Account["role"];
let units: Account["units"];
let url: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-pauses-"));
  store = openSqliteStore(dataDir);
  role = "operator";
  units = null;
  await createRegistry(() => store, clock).addDevice({ deviceId: "watch-1", placement: "wrist", key: "38" });
  const generated = createGeneratedBackend(clock, []);
  const verifyUser = async (name: string): Promise<Account> => ({ name, role, units });
  app = Fastify({ forceCloseConnections: true });
  const dwellings = createDwellings(() => store, clock, "console");
  await app.register(consolePlugin, {
    ...{ backend: { ...generated, verifyUser }, clock, areas: [pausesArea(dwellings)] },
    ...{ secureCookies: false, language: "sv" as const },
  });
  url = await app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(async () => {
  await app.close();
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };

async function login(): Promise<string> {
  const body = JSON.stringify({ name: "eva", password: operator.password });
  const answer = await fetch(`${url}/api/v1/session`, { method: "POST", headers, body });
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

async function post(path: string, cookie: string, body: unknown) {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method: "POST",
    headers: { ...headers, cookie },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

test("an operator pauses a dwelling until a return, sees it, and ends it; both acts are in the audit log by account", async () => {
  const cookie = await login();
  const until = clock.wallNow() + 5 * 86_400_000;
  const begun = await post("pauses", cookie, { key: "38", reason: "hospital", until });
  expect(begun).toMatchObject({ status: 200, body: { key: "38", reason: "hospital", until, by: "eva" } });
  const listed = await fetch(`${url}/api/v1/pauses`, { headers: { cookie } });
  expect(await listed.json()).toMatchObject([{ key: "38", reason: "hospital" }]);
  expect(await post("pauses/end", cookie, { key: "38" })).toMatchObject({ status: 200, body: { ended: true } });
  expect(await post("pauses/end", cookie, { key: "38" })).toMatchObject({ body: { ended: false } });
  const acts = (await store.audit.entries("acts", 0, 10)).map(({ act }) => [act?.act, act?.by, act?.via]);
  expect(acts).toEqual([
    ["pause-begun", "eva", "console"],
    ["pause-ended", "eva", "console"],
  ]);
});

test("a responder pauses for a visit's length, for nothing longer and no stay elsewhere, and ends what runs", async () => {
  role = "responder";
  const cookie = await login();
  const staff = { key: "38", reason: "staff-in-dwelling" };
  expect((await post("pauses", cookie, { ...staff, minutes: 45 })).status).toBe(200);
  const tooMuch = [
    { ...staff, minutes: 241 },
    { ...staff, until: clock.wallNow() + 60_000 },
    { key: "38", reason: "hospital", minutes: 30 },
  ];
  for (const body of tooMuch) {
    expect(await post("pauses", cookie, body)).toMatchObject({ status: 403, body: { code: "not-allowed" } });
  }
  expect((await post("pauses/end", cookie, { key: "38" })).body).toEqual({ ended: true });
});

test("what cannot be is refused with the mend, and nobody pauses without a session", async () => {
  const cookie = await login();
  const none = await post("pauses", cookie, { key: "99", reason: "visit", minutes: 5 });
  expect(none).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/no dwelling has the key 99/) } });
  const long = await post("pauses", cookie, { key: "38", reason: "hospital", minutes: 50_000 });
  expect(long).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/30 days/) } });
  expect((await post("pauses", cookie, { key: "38", reason: "sleep", minutes: 5 })).status).toBe(400);
  expect((await post("pauses", "", { key: "38", reason: "visit", minutes: 5 })).status).toBe(401);
  expect(await createDwellings(() => store, clock).pauses()).toEqual([]);
});
