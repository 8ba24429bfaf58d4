import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../firmware-contracts/clock.ts";
import { facts } from "../../../test/alerting/episode-play.ts";
import { keepPastFall } from "../../../test/alerting/past-episode.ts";
import { createGeneratedBackend } from "../../../test/console/generated-board.ts";
import { createEpisodeRecords } from "../../episode-records.ts";
import type { EpisodeFacts } from "../../episode-state.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Store } from "../../store/store.ts";
import type { Account } from "../roles.ts";
import { consolePlugin } from "../server.ts";
import { episodeRecordsArea } from "./routes.ts";

const day = 24 * 3_600_000;
const now = Date.UTC(2026, 10, 27, 9, 0);
const names: Record<string, string> = { p1: "Patrull 1", leader: "Gruppchef" };

let dataDir: string;
let store: Store;
let app: FastifyInstance;
let account: Account;
let cookie: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-records-"));
  store = openSqliteStore(dataDir);
  account = { name: "eva", role: "operator", units: null };
  const clock = systemClock();
  const records = createEpisodeRecords(
    () => store,
    (id) => names[id] ?? id,
  );
  const backend = { ...createGeneratedBackend(clock, []), pastEpisode: records.detail };
  app = Fastify({ forceCloseConnections: true });
  await app.register(consolePlugin, {
    backend: { ...backend, verifyUser: async () => account },
    ...{ clock, areas: [episodeRecordsArea(records)], secureCookies: false, language: "sv" as const },
  });
  await logIn(account);
});
afterEach(async () => {
  await app.close();
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function logIn(as: Account): Promise<void> {
  account = as;
  const answer = await app.inject({
    ...{ method: "POST", url: "/api/v1/session", headers: { "x-fallvakt-console": "1" } },
    payload: { name: "eva", password: "x" },
  });
  cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}

async function get(path: string) {
  const answer = await app.inject({ method: "GET", url: `/api/v1/${path}`, headers: { cookie } });
  return { status: answer.statusCode, body: answer.json() };
}

const pastFall = (id: string, openedAt: number, about: Partial<EpisodeFacts> = {}) =>
  keepPastFall(store, { id, openedAt, about });

test("an episode of three days ago is found in the store, with its story, its movement and the exact texts", async () => {
  await pastFall("e1", now - 3 * day);
  const { status, body } = await get("episodes/e1");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: "e1",
    alias: "38",
    status: "closed",
    outcome: "unhurt",
    closedBy: "Patrull 1",
    late: false,
  });
  expect(body.evidence.window.x).toHaveLength(500);
  expect(body.detection).toMatchObject({ deviceId: "watch-e1", clockSuspect: false, detectedAt: now - 3 * day });
  expect(body.timeline.map(({ what }: { what: string }) => what)).toEqual(
    expect.arrayContaining(["detection", "page-queued", "receipt", "arrived", "closed"]),
  );

  const record = await get("episodes/e1/record");
  expect(record.status).toBe(200);
  const [alarm] = record.body.texts;
  expect(alarm).toEqual({
    ...{ id: "e1.1", to: "Patrull 1", purpose: "alarm", step: 0, language: "sv", body: "ALARM 274 till p1" },
    ...{ at: now - 3 * day, status: "delivered", isShared: false },
    attempts: [{ startedAt: now - 3 * day + 100, endedAt: now - 3 * day + 300, outcome: "accepted", reason: null }],
    receipts: [{ at: now - 3 * day + 900, status: "delivered", errorCode: null }],
  });
  expect(record.body.texts).toHaveLength(3);
  expect(record.body.detections).toMatchObject([{ deviceId: "watch-e1", score: 0.97, peakG: 4.5, reason: "still" }]);
  expect(record.body).toMatchObject({ threshold: null, blind: null });
  // Nobody's number, in no part of it.
  expect(JSON.stringify([body, record.body])).not.toMatch(/\+46|phone/i);
});

test("who may not see its unit finds nothing, neither by its address nor in the list", async () => {
  await pastFall("e1", now - 3 * day);
  await logIn({ name: "bo", role: "responder", units: ["Hemmesta"] });
  for (const path of ["episodes/e1", "episodes/e1/record", "episodes/none", "episodes/none/record"]) {
    expect(await get(path), path).toMatchObject({ status: 404, body: { code: "not-found" } });
  }
  expect((await get("episodes/history")).body).toEqual({ episodes: [], before: null });
  await logIn({ name: "ivar", role: "installer", units: null });
  expect((await get("episodes/history")).status).toBe(403);
  expect((await get("episodes/e1/record")).status).toBe(403);
  await logIn({ name: "rut", role: "responder", units: ["Gustavsberg"] });
  expect((await get("episodes/history")).body.episodes).toMatchObject([{ id: "e1", outcome: "unhurt" }]);
});

test("the list goes back by when they were opened, of one key number, and loses none at a page's edge", async () => {
  for (let i = 0; i < 5; i++) await pastFall(`e${i}`, now - i * day);
  // Two in the same millisecond, around the edge of an answer.
  await pastFall("e5", now - 4 * day);
  await pastFall("other", now - day - 1, { place: { ...facts.place, alias: "57", unit: null } });
  const trouble = { kind: "gateway-lost", subject: "stairwell-3", since: now - 2 * day } as const;
  await pastFall("t1", now - 2 * day - 5, {
    kind: "technical",
    trouble,
    detection: null,
    place: { ...facts.place, alias: null },
  });
  // A technical alarm is closed by nobody's F and U: it is open, and no part of the past.
  const ids = async (query: string) => {
    const { body } = await get(`episodes/history?${query}`);
    return [body.episodes.map(({ id }: { id: string }) => id), body.before] as const;
  };
  expect(await ids("")).toEqual([["e0", "e1", "other", "e2", "e3", "e4", "e5"], null]);
  const [first, before] = await ids("limit=2");
  expect(first).toEqual(["e0", "e1"]);
  expect(before).toBe(now - day);
  expect((await ids(`limit=2&before=${before}`))[0]).toEqual(["other", "e2"]);
  expect(await ids(`limit=2&before=${now - 2 * day}`)).toEqual([["e3", "e4", "e5"], null]);
  expect((await ids("alias=57"))[0]).toEqual(["other"]);
  expect((await ids("only=alarms&limit=1"))[0]).toEqual(["e0"]);
  expect((await get("episodes/history?limit=1000")).status).toBe(400);
});

test("what is asked and answered stands in the OpenAPI document", async () => {
  const { body } = await get("openapi.json");
  const { parameters, responses } = body.paths["/api/v1/episodes/history"].get;
  expect(parameters.map(({ name }: { name: string }) => name)).toEqual(["before", "limit", "alias", "only"]);
  expect(parameters[1].schema).toMatchObject({ type: "integer", maximum: 100, default: 30 });
  expect(responses["200"].content["application/json"].schema.$ref).toMatch(/PastEpisodes/);
  expect(body.paths["/api/v1/episodes/{id}/record"].get.description).toBe("Takes `episodes.read`");
});
