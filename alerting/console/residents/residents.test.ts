import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../firmware-contracts/clock.ts";
import { playAlarm } from "../../../test/alerting/played-night.ts";
import { createGeneratedBackend } from "../../../test/console/generated-board.ts";
import { type Board, createBoard } from "../../board.ts";
import { AlertingConfig } from "../../config.ts";
import { createRegistry } from "../../registry/registry.ts";
import type { StintWithSignOn } from "../../rota/duty-rota.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Resident, Store } from "../../store/store.ts";
import { auditArea } from "../audit/routes.ts";
import type { Account, Role } from "../roles.ts";
import { consolePlugin } from "../server.ts";
import { residentsArea } from "./routes.ts";

const clock = systemClock();
const config = AlertingConfig.parse({
  http: { port: 1, publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "0".repeat(32), from: "+46766860000" },
  responders: [
    { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
    { id: "leader", name: "Gruppchef", phone: "+46701740604" },
  ],
  rotas: [
    {
      id: "night",
      name: "Natt",
      unit: "Gustavsberg",
      shifts: [{ id: "night", from: "21:00", to: "07:00", days: ["mon"], responders: ["patrol-2"] }],
    },
  ],
  policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 60 }] },
  operators: ["leader"],
  intake: { token: "a-token-of-more-than-twenty-characters" },
});

let dataDir: string;
let store: Store;
let board: Board;
let app: FastifyInstance;
let url: string;
let accounts: Record<string, Omit<Account, "name">>;
let onDuty: StintWithSignOn[];
let dwellingId: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-residents-"));
  store = openSqliteStore(dataDir);
  accounts = {};
  onDuty = [];
  board = createBoard(store, (id) => id);
  const registry = createRegistry(() => store, clock);
  for (const [key, unit] of [
    ["38", "Gustavsberg"],
    ["38", "Hemmesta"],
    ["57", "Gustavsberg"],
    ["61", undefined],
  ] as const) {
    const deviceId = `watch-${key}-${(unit ?? "none").toLowerCase()}`;
    await registry.addDevice({ deviceId, placement: "wrist", key, area: "Syd", room: "badrum", ...(unit && { unit }) });
  }
  dwellingId = (await store.registry.device("watch-38-gustavsberg"))?.dwelling?.id ?? "";
  const resident = { name: "Asta Ek", address: "Storgatan 1", contacts: [], flags: ["dog" as const] };
  await store.residents.put(dwellingId, "r1", resident, null, { at: 1, by: "eva", via: "cli" });
  const verifyUser = async (name: string) => (accounts[name] ? { name, ...accounts[name] } : null);
  const rotas = () => ({ onDuty: () => onDuty }) as never;
  const parts = { config, clock, store: () => store, board: () => board, rotas };
  app = Fastify({ forceCloseConnections: true });
  await app.register(consolePlugin, {
    ...{ backend: { ...createGeneratedBackend(clock, []), verifyUser }, clock },
    areas: [residentsArea(parts), auditArea(parts)],
    ...{ secureCookies: false, language: "sv" as const },
  });
  url = await app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(async () => {
  await app.close();
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: Record<string, unknown> & { code?: string };
}

/** Logs in as a new account of that role and asks as it. */
async function as(role: Role, units: readonly string[] | null = null, name = `${role} ${units ?? "all"}`) {
  accounts[name] = { role, units };
  const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };
  const body = JSON.stringify({ name, password: "of no matter" });
  const login = await fetch(`${url}/api/v1/session`, { method: "POST", headers, body });
  const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const ask = async (method: string, path: string, value?: unknown): Promise<Answer> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { ...headers, cookie },
      ...(value !== undefined && { body: JSON.stringify(value) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer["body"] };
  };
  return {
    get: (path: string) => ask("GET", path),
    post: (path: string, value: unknown = {}) => ask("POST", path, value),
    put: (path: string, value: unknown) => ask("PUT", path, value),
  };
}

const acts = async () => (await store.audit.entries("acts", 0, 1000)).map(({ act }) => act!);
const looks = async () => (await acts()).filter(({ act }) => act === "resident-shown");

describe("the sheet", () => {
  const all: readonly Role[] = ["responder", "operator", "installer", "manager", "auditor"];
  const mayLook: readonly Role[] = ["responder", "operator", "manager"];

  test.each(all)(
    "%s: of the own unit only where the role may; another unit's is as one that is not there",
    async (role) => {
      const own = await as(role, ["Gustavsberg"]);
      const everywhere = await as(role, null);
      const other = await as(role, ["Vik"]);
      const none = await own.post("/residents/99/sheet");
      const sheets = {
        residents: [expect.objectContaining({ name: "Asta Ek", address: "Storgatan 1", flags: ["dog"] })],
      };
      if (!mayLook.includes(role)) {
        for (const account of [own, everywhere, other]) {
          for (const key of ["38", "99"]) {
            expect(await account.post(`/residents/${key}/sheet`)).toMatchObject({
              status: 403,
              body: { code: "not-allowed" },
            });
          }
        }
        return expect(await looks()).toEqual([]);
      }
      expect(await own.post("/residents/38/sheet")).toEqual({ status: 200, body: sheets });
      expect(await everywhere.post("/residents/38/sheet", { unit: "Gustavsberg" })).toEqual({
        status: 200,
        body: sheets,
      });
      expect((await everywhere.post("/residents/38/sheet")).body.code).toBe("which-unit");
      expect(none).toMatchObject({ status: 404, body: { code: "not-found" } });
      for (const path of ["38", "57", "61", "99"]) expect(await other.post(`/residents/${path}/sheet`)).toEqual(none);
      expect(await other.post("/residents/38/sheet", { unit: "Gustavsberg" })).toEqual(none);
      expect(await own.post("/residents/38/sheet", { unit: "Hemmesta" })).toEqual(none);
      // Of no unit is only theirs who see all.
      expect(await own.post("/residents/61/sheet")).toEqual(none);
      expect(await looks()).toMatchObject([
        { by: `${role} Gustavsberg`, via: "console", subject: dwellingId, detail: { residents: 1, episode: null } },
        { by: `${role} all` },
      ]);
    },
  );

  test("nobody sees it whose look cannot be written down", async () => {
    const asker = await as("responder", ["Gustavsberg"]);
    const db = new (await import("node:sqlite")).DatabaseSync(join(dataDir, "alerting.db"));
    db.exec("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END");
    expect(await asker.post("/residents/38/sheet")).toMatchObject({ status: 500, body: { code: "server" } });
    db.exec("DROP TRIGGER full");
    db.close();
    expect(await looks()).toEqual([]);
  });

  test("a look is written down with the alarm it was opened from, where it is of that dwelling", async () => {
    await playAlarm(
      store,
      { id: "e1", code: "274", dwelling: dwellingId, deviceId: "watch-38-gustavsberg", key: "38" },
      [],
    );
    const [state] = await store.episodes.episodesOf(dwellingId, 5);
    state!.facts.place.unit = "Gustavsberg";
    board.put(clock.wallNow(), state!, [], []);
    const asker = await as("responder", ["Gustavsberg"]);
    await asker.post("/residents/38/sheet", { episode: "e1" });
    await asker.post("/residents/57/sheet", { episode: "e1" });
    await asker.post("/residents/38/sheet", { episode: "e9" });
    expect((await looks()).map(({ detail }) => detail?.episode)).toEqual(["e1", null, null]);
  });

  test("and with whether the account was signed on to a shift of that unit", async () => {
    const now = clock.wallNow();
    const stint = {
      rotaId: "night",
      shiftId: "night",
      responderId: "patrol-2",
      startsAt: now - 1000,
      endsAt: now + 1000,
    };
    const asker = await as("responder", null, "Rut");
    const patrol = await as("responder", null, "patrull 2");
    const look = (who: typeof asker, unit = "Gustavsberg") => who.post("/residents/38/sheet", { unit });
    await look(asker);
    onDuty = [{ ...stint, signOn: {} as never }];
    await look(asker);
    await look(patrol);
    const row = { rotaId: "night", responderId: "patrol-2", startsAt: stint.startsAt, at: now, crew: null };
    await store.rota.addSignOns([{ ...row, kind: "signed-on", via: "console", by: "Rut" }]);
    await look(asker);
    await look(asker, "Hemmesta");
    expect((await looks()).map(({ by, detail }) => [by, detail?.onShift])).toEqual([
      ["Rut", false],
      ["Rut", false],
      ["patrull 2", true],
      ["Rut", true],
      ["Rut", false],
    ]);
  });

  test("one of before there were flags opens without any", async () => {
    const old = { name: "Bo Al", contacts: [] } as unknown as Resident;
    await store.residents.put(dwellingId, "r0", old, "r1", { at: 2, by: "eva", via: "cli" });
    const asker = await as("responder", ["Gustavsberg"]);
    expect((await asker.post("/residents/38/sheet")).body).toMatchObject({ residents: [{ name: "Bo Al", flags: [] }] });
  });
});

test("no address of a dwelling tells another unit's people that it is there", async () => {
  const other = await as("manager", ["Vik"]);
  const consent = { person: "resident", giver: "Asta Ek", how: "at a visit", reviewAt: clock.wallNow() + 1e9 };
  const resident = { name: "Nils", contacts: [] };
  const asked: [keyof typeof other, string, unknown?][] = [
    ["get", ""],
    ["get", "/blind-time"],
    ["get", "/alarms"],
    ["post", "/sheet"],
    ["post", "/residents", { resident }],
    ["put", "/household", { household: "alone" }],
    ["post", "/consents/shown"],
    ["post", "/consents", consent],
    ["post", "/consents/withdraw"],
  ];
  for (const [method, path, body] of asked) {
    const [there, not] = [
      await other[method](`/residents/38${path}`, body),
      await other[method](`/residents/99${path}`, body),
    ];
    expect(not, path).toMatchObject({ status: 404, body: { code: "not-found" } });
    expect(there, path).toEqual(not);
  }
  expect((await other.get("/residents")).body).toEqual({ dwellings: [] });
  expect((await acts()).slice(1)).toEqual([]);
});

test("the register lists own dwellings without a name: consent, pause, devices, who lives there", async () => {
  const asker = await as("operator", ["Gustavsberg"]);
  const { body } = await asker.get("/residents");
  expect(body).toEqual({
    dwellings: [
      {
        ...{ key: "38", unit: "Gustavsberg", area: "Syd", residents: 1, consent: "missing" },
        ...{ devices: 1, state: "not-in-operation" },
      },
      expect.objectContaining({ key: "57", residents: 0 }),
    ],
  });
  expect(JSON.stringify(body)).not.toContain("Asta");
  expect(JSON.stringify((await asker.get("/residents/38")).body)).not.toContain("Asta");
});

test("consents are taken down person by person, shown to whoever may, and withdrawn one by one", async () => {
  const asker = await as("operator", ["Gustavsberg"]);
  const at = "/residents/38";
  const reviewAt = clock.wallNow() + 300 * 86_400_000;
  expect((await asker.put(`${at}/household`, { household: "shared" })).body).toEqual({ changed: true });
  const own = { giver: "operator Gustavsberg", how: "at a visit", person: "resident", reviewAt };
  expect(await asker.post(`${at}/consents`, own)).toMatchObject({ status: 422, body: { code: "refused" } });
  expect((await asker.post(`${at}/consents`, { ...own, giver: "Asta Ek" })).body).toMatchObject({ state: "missing" });
  expect((await asker.get(at)).body).toMatchObject({ consent: { records: 1, lacking: ["other"] } });
  expect((await asker.post(`${at}/consents`, { ...own, giver: "Nils Ek", person: "other" })).body).toMatchObject({
    state: "given",
  });
  await asker.post(`${at}/consents`, { ...own, giver: "Lo Ek", person: "other" });
  const shown = (await asker.post(`${at}/consents/shown`)).body.consents as { id: string; giver: string }[];
  expect(shown.map(({ giver }) => giver)).toEqual(["Asta Ek", "Nils Ek", "Lo Ek"]);
  const lo = shown.find(({ giver }) => giver === "Lo Ek")!.id;
  expect((await asker.post(`${at}/consents/withdraw`, { consent: lo })).body).toEqual({ changed: true });
  expect((await asker.get(at)).body).toMatchObject({ consent: { state: "withdrawn", records: 2 } });
  expect((await asker.post(`${at}/consents/withdraw`, { consent: lo })).status).toBe(422);
  for (const role of ["responder", "installer", "auditor"] as const) {
    expect((await (await as(role)).post(`${at}/consents/shown`, { unit: "Gustavsberg" })).status).toBe(403);
  }
  const done = (await acts()).map(({ act, by, via }) => [act, by, via]).slice(1);
  const consents = ["recorded", "recorded", "recorded", "shown", "withdrawn"].map((what) => `consent-${what}`);
  expect(done).toEqual(["household-set", ...consents].map((act) => [act, "operator Gustavsberg", "console"]));
});

test("a dwelling is added before its first device; a key that could be taken for a neighbour's is refused by name", async () => {
  const asker = await as("manager", ["Gustavsberg"]);
  const place = { unit: "Gustavsberg", area: "Syd" };
  const add = (key: string, more = {}) => asker.post("/residents", { key, ...place, ...more });
  expect(await add("83")).toMatchObject({ status: 409, body: { code: "key-too-like" } });
  expect(await add("38")).toMatchObject({ status: 409, body: { code: "key-taken" } });
  expect(await add("38", { area: "Norr" })).toMatchObject({ status: 409, body: { code: "key-taken" } });
  expect(await add("901", { unit: "Hemmesta" })).toMatchObject({ status: 403, body: { code: "own-unit" } });
  expect(await asker.post("/residents", { key: "901" })).toMatchObject({ status: 403, body: { code: "own-unit" } });
  expect(await add("901", { room: "hall" })).toMatchObject({ status: 200, body: { key: "901", unit: "Gustavsberg" } });
  expect((await asker.get("/residents/901")).body).toMatchObject({ area: "Syd", room: "hall", devices: [] });
  const resident = { name: "Lo Al", contacts: [{ name: "Anna", phone: "112" }], flags: ["two-needed"] };
  const refused = await asker.post("/residents/901/residents", { resident });
  expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/112.*never/) } });
  const { status } = await asker.post("/residents/901/residents", { resident: { ...resident, contacts: [] } });
  expect(status).toBe(200);
  expect((await asker.get("/residents/901")).body).toMatchObject({ residents: 1 });
  for (const role of ["responder", "installer", "auditor"] as const) {
    expect((await (await as(role)).post("/residents", { key: "777", ...place })).status).toBe(403);
  }
  expect((await acts()).slice(-2)).toMatchObject([
    { act: "dwelling-added", by: "manager Gustavsberg", via: "console" },
    { act: "resident-added", by: "manager Gustavsberg", via: "console" },
  ]);
});

test("who looked: the unexplained first, of the own units, for those who may check", async () => {
  const rut = await as("responder", ["Gustavsberg"], "Rut");
  await rut.post("/residents/38/sheet");
  await rut.post("/residents/57/sheet");
  await (await as("responder", ["Hemmesta"], "Bo")).post("/residents/38/sheet");
  const at = clock.wallNow();
  await store.residents.lookUp(dwellingId, { at, by: "Liv", via: "console" }, { onShift: true });
  const auditor = await as("auditor");
  const { body } = await auditor.get("/audit/look-ups");
  expect(body).toMatchObject({ unexplained: 3, explained: 1, accounts: ["Bo", "Liv", "Rut"], leftOut: 0 });
  expect(body.lookUps).toMatchObject([
    { account: "Bo", key: "38", unit: "Hemmesta", explainedBy: null },
    { account: "Rut", key: "57" },
    { account: "Rut", key: "38" },
    { account: "Liv", explainedBy: "shift" },
  ]);
  expect(JSON.stringify(body)).not.toContain("Asta");
  expect((await auditor.get("/audit/look-ups?account=Rut&key=57")).body).toMatchObject({
    unexplained: 1,
    explained: 0,
  });
  expect((await auditor.get("/audit/look-ups?month=2020-01")).body).toMatchObject({ unexplained: 0, lookUps: [] });
  expect((await auditor.get("/audit/look-ups?month=2020-13")).status).toBe(400);
  const manager = await as("manager", ["Hemmesta"]);
  expect((await manager.get("/audit/look-ups")).body).toMatchObject({ unexplained: 1, explained: 0, accounts: ["Bo"] });
  for (const role of ["responder", "operator", "installer"] as const) {
    expect((await (await as(role)).get("/audit/look-ups")).status).toBe(403);
  }
});
