import { afterEach, beforeEach, expect, test } from "vitest";
import { dayRota } from "../../../test/console/day-rota.ts";
import {
  installer,
  type NightShift,
  operator,
  otherPatrol,
  patrol,
  startNightShift,
  type TestAccount,
} from "../../../test/console/night-shift.ts";
import type { FallReport } from "../../shift/fall-report.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { HandedOver, HandoverAnswer, ShiftNow } from "./api.ts";

const rotas = [dayRota()];
const policy = { steps: [{ rotas: ["syd"], waitSeconds: 60 }] };

let night: NightShift;
beforeEach(async () => {
  night = await startNightShift({ rotas, policy });
});
afterEach(() => night.close());

async function client(account: TestAccount = operator) {
  const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };
  const body = JSON.stringify({ name: account.name, password: account.password });
  const login = await fetch(`${night.url}/api/v1/session`, { method: "POST", headers, body });
  const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  async function ask<T>(path: string, body?: unknown): Promise<{ status: number; body: T & { code?: string } }> {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(`${night.url}/api/v1${path}`, { headers: { ...headers, cookie }, ...sent });
    return { status: answer.status, body: (await answer.json()) as T & { code?: string } };
  }
  return { ask, shift: async () => (await ask<ShiftNow>("/shift")).body };
}

async function until<T>(what: string, find: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 150; i++) {
    const found = await find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
}

const phone = (id: string) =>
  night.network.phones.get(night.config.responders.find((one) => one.id === id)?.phone ?? "")!;
const text = (id: string, like: RegExp, after = 0) =>
  until(`${like} to ${id}`, () =>
    phone(id)
      .inbox.slice(after)
      .find(({ body }) => like.test(body)),
  );
const codeIn = (body: string) => /T?\d{3,4}/.exec(body)?.[0] ?? "";

/** What is in the audit log of these acts. */
async function acts(names: string[]) {
  const store = openSqliteStore(night.dataDir);
  try {
    const entries = await store.audit.entries("acts", 0, 1000);
    return entries.flatMap(({ act }) => (act && names.includes(act.act) ? [[act.act, act.by, act.via]] : []));
  } finally {
    await store.close();
  }
}

test("a phone is signed on by its own answer, and not by a word on the console; asked once more it gets another test alarm", async () => {
  const { ask, shift } = await client();
  const first = await text("patrol-2", /^PROVLARM/);
  const asked = await until("asked", async () =>
    (await shift()).rotas.find(({ phones }) => phones[0]?.state === "asked"),
  );
  expect(asked).toMatchObject({
    isStaffed: false,
    phones: [{ name: "Patrull 2", shift: "Dygn", crew: null, holds: [] }],
  });
  const again = await ask<ShiftNow>("/shift/sign-on", { rotaId: "syd", responderId: "patrol-2" });
  expect(again.status).toBe(200);
  const second = await until(
    "another PROVLARM",
    () => phone("patrol-2").inbox.filter(({ body }) => /^PROVLARM/.test(body))[1],
  );
  expect(codeIn(second.body)).not.toBe(codeIn(first.body));
  // The one before is over without a text of its own.
  expect(phone("patrol-2").inbox).toHaveLength(2);
  await phone("patrol-2").reply(`${codeIn(second.body)} T`);
  const signedOn = await until("signed on, and the receipt", async () =>
    (await shift()).rotas.find(({ isStaffed, phones }) => isStaffed && phones[0]?.test?.sms === "delivered"),
  );
  expect(signedOn.phones[0]?.state).toBe("signed-on");
  expect(signedOn.phones[0]?.test?.answeredAt).not.toBeNull();
  expect(await acts(["sign-on-asked"])).toEqual([["sign-on-asked", "Maria", "console"]]);
});

test("no phone number is told, and another unit's rota, alarms and reports are as if they were not there", async () => {
  await night.fall("38");
  const { id } = await until("the fall", () => night.episode("38"));
  await night.alerting().backend.act(id, { action: "take" }, operator);
  await night.alerting().backend.act(id, { action: "arrived" }, operator);
  await night.alerting().backend.act(id, { action: "close", outcome: "injury" }, operator);
  const own = await client(patrol);
  const other = await client(otherPatrol);
  expect(JSON.stringify(await own.shift())).not.toMatch(/\+46/);
  expect((await own.shift()).rotas).toHaveLength(1);
  expect((await own.ask<HandoverAnswer>("/shift/handover")).body.list.nurse).toHaveLength(1);
  expect((await own.ask<FallReport>(`/episodes/${id}/fall-report`)).body.text).toContain("Nyckel 38");

  expect((await other.shift()).rotas).toEqual([]);
  const told = (await other.ask<HandoverAnswer>("/shift/handover")).body;
  const { alarms, followUps, nurse, charge, pauses, blind, awaitingTest } = told.list;
  expect([alarms, followUps, nurse, charge, pauses, blind, awaitingTest].flat()).toEqual([]);
  expect(told.units).toEqual([]);
  const refused = [
    await other.ask("/shift/handover?unit=Gustavsberg"),
    await other.ask(`/episodes/${id}/fall-report`),
    await other.ask("/shift/sign-on", { rotaId: "syd", responderId: "patrol-2" }),
    await other.ask("/shift/crew", { rotaId: "syd", responderId: "patrol-2", crew: "EA" }),
    await other.ask("/shift/hand-over", { rotaId: "syd", from: "patrol-2", to: "patrol-3" }),
    await other.ask("/shift/follow-ups", { episodeId: id, kind: "nurse", isDone: true }),
    await other.ask("/episodes/none/fall-report"),
  ];
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual(refused.map(() => [404, "not-found"]));
  const noShift = await client(installer);
  expect((await noShift.ask("/shift")).status).toBe(403);
});

test("handed over in mid-shift: the new phone is asked, what the old one had taken is asked anew, and the next alarm goes to the new one", async () => {
  const { ask, shift } = await client(patrol);
  await night.fall("38");
  const alarm = await text("patrol-2", /^LARM FALL/);
  await phone("patrol-2").reply(`${codeIn(alarm.body)} T`);
  await until("taken", () => night.episode("38")?.status === "taken");
  const { id } = night.episode("38")!;
  expect((await shift()).rotas[0]?.phones[0]?.holds).toMatchObject([{ id, alias: "38", status: "taken" }]);

  const body = { rotaId: "syd", from: "patrol-2", to: "patrol-3", handOn: [id] };
  const handed = await ask<HandedOver>("/shift/hand-over", body);
  expect(handed).toMatchObject({ status: 200, body: { handedOn: [id], kept: [] } });
  expect(handed.body.shift.rotas[0]?.phones.map(({ name }) => name)).toEqual(["Patrull 3"]);
  const asked = await text("patrol-3", /^LARM FALL/);
  await text("patrol-3", /^PROVLARM/);
  await phone("patrol-3").reply(`${codeIn(asked.body)} T`);
  await until("taken by the new phone", () => night.episode("38")?.takenBy === "Patrull 3");
  // Whoever left is told that it is in other hands.
  await text("patrol-2", /taget av Patrull 3/);
  const timeline = night.alerting().backend.episode(id)?.timeline ?? [];
  expect(timeline.find(({ what }) => what === "released")).toMatchObject({ who: "Rut", via: "console" });

  // Whoever has one alarm is passed over for the next: this one is over first.
  await phone("patrol-3").reply(`${codeIn(asked.body)} U`);
  await until("closed", () => night.episode("38")?.status === "closed");
  await night.fall("57");
  await text("patrol-3", /^LARM FALL.*Nyckel 57/);
  expect(phone("patrol-2").inbox.filter(({ body }) => /Nyckel 57/.test(body))).toEqual([]);
  expect(await acts(["rota-changed"])).toEqual([["rota-changed", "Rut", "console"]]);
});

test("what cannot be handed over is refused, and nothing has changed", async () => {
  const { ask, shift } = await client();
  const handOver = (from: string, to: string) => ask("/shift/hand-over", { rotaId: "syd", from, to });
  expect(await handOver("patrol-3", "leader")).toMatchObject({ status: 422, body: { code: "refused" } });
  expect(await handOver("patrol-2", "nobody")).toMatchObject({ status: 404 });
  expect(await ask("/shift/sign-on", { rotaId: "syd", responderId: "patrol-3" })).toMatchObject({
    status: 409,
    body: { code: "not-on-call" },
  });
  // A phone that has answered STOP gets no texts: nothing is handed to it.
  await phone("patrol-3").reply("STOP", night.config.twilio.from);
  const refused = await until("the phone is lost", async () => {
    const answer = await handOver("patrol-2", "patrol-3");
    return answer.body.code === "phone-lost" && answer;
  });
  expect(refused.status).toBe(409);
  expect((await shift()).responders.find(({ id }) => id === "patrol-3")?.isReached).toBe(false);
  expect((await shift()).rotas[0]?.phones.map(({ name }) => name)).toEqual(["Patrull 2"]);
  const { code } = (await ask("/shift/crew", { rotaId: "syd", responderId: "patrol-2", crew: "070-174 06 02" })).body;
  expect(code).toBe("refused");
  const noted = await ask<ShiftNow>("/shift/crew", { rotaId: "syd", responderId: "patrol-2", crew: "EA, MK" });
  expect(noted.body.rotas[0]?.phones[0]?.crew).toBe("EA, MK");
});

test("a follow-up is ticked once, by account, and taken back; it survives a restart and stands in the audit log", async () => {
  await night.fall("38");
  const { id } = await until("the fall", () => night.episode("38"));
  const before = await client();
  const tick = { episodeId: id, kind: "nurse", isDone: true };
  expect(await before.ask("/shift/follow-ups", tick)).toMatchObject({ status: 409, body: { code: "not-closed" } });
  const report = await before.ask(`/episodes/${id}/fall-report`);
  expect(report).toMatchObject({ status: 409, body: { code: "no-report" } });
  for (const action of [{ action: "take" }, { action: "arrived" }, { action: "close", outcome: "injury" }] as const) {
    expect((await before.ask(`/episodes/${id}/actions`, action)).status).toBe(200);
  }
  expect((await before.ask("/shift/follow-ups", tick)).body).toEqual({ changed: true });
  expect((await before.ask("/shift/follow-ups", tick)).body).toEqual({ changed: false });
  await night.stop();
  await night.start();
  const { ask } = await client();
  const handover = async () => (await ask<HandoverAnswer>("/shift/handover?language=en")).body;
  const told = await handover();
  expect(told.list.nurse).toMatchObject([{ episodeId: id, done: { by: "Maria" } }]);
  expect(told.text).toMatch(/^\[x\] Key 38, Fall/m);
  expect((await ask("/shift/follow-ups", { ...tick, isDone: false })).body).toEqual({ changed: true });
  expect((await handover()).list.nurse[0]?.done).toBeNull();
  expect(await acts(["follow-up-done", "follow-up-not-done"])).toEqual([
    ["follow-up-done", "Maria", "console"],
    ["follow-up-not-done", "Maria", "console"],
  ]);
});

test("a shift is asked for by its ends, both or none; what was never heard is blind now", async () => {
  const { ask } = await client();
  const { body } = await ask<HandoverAnswer>("/shift/handover?unit=Gustavsberg");
  expect(body.units).toEqual(["Gustavsberg"]);
  expect(body.shifts.length).toBeGreaterThanOrEqual(2);
  expect(body.list.blind.map(({ key, reason }) => [key, reason])).toEqual([
    ["38", "overdue"],
    ["57", "overdue"],
    ["826", "overdue"],
  ]);
  expect(body.titles.blind).toBe("Utan fungerande fallarm nu");
  const [, last] = body.shifts;
  const asked = await ask<HandoverAnswer>(`/shift/handover?from=${last?.from}&until=${last?.until}`);
  expect(asked.body.list).toMatchObject({ ...last, alarms: [] });
  expect((await ask(`/shift/handover?from=${last?.from}`)).status).toBe(400);
  expect((await ask(`/shift/handover?from=2&until=1`)).status).toBe(400);
});
