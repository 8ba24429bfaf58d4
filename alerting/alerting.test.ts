import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import twilio from "twilio";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import type { Detection } from "../firmware-contracts/detection.ts";
import { aFall } from "../test/alerting/a-fall.ts";
import { simulatedFleet } from "../test/services/simulated-fleet.ts";
import { type Alerting, createAlerting, type ServiceEvent } from "./alerting.ts";
import { AlertingConfig } from "./config.ts";

const authToken = "a-token-of-the-account-1234";
const phones = { "patrol-1": "+46701740601", "patrol-2": "+46701740602", leader: "+46701740603" };

interface Sms {
  to: string;
  body: string;
  statusCallback: string;
  sid: string;
}

/** A provider of one route, as the twilio package speaks it: what it is sent, and what it shall answer. */
class Provider {
  readonly sent: Sms[] = [];
  /** By phone: an HTTP status with Twilio's code, or `hang` for no answer. */
  readonly trouble = new Map<string, { status: number; code: number } | "hang">();
  readonly server: Server = createServer((request, response) => {
    let form = "";
    request.on("data", (chunk) => {
      form += String(chunk);
    });
    request.on("end", () => {
      const fields = new URLSearchParams(form);
      const sms = {
        to: fields.get("To") ?? "",
        body: fields.get("Body") ?? "",
        statusCallback: fields.get("StatusCallback") ?? "",
      };
      const trouble = this.trouble.get(sms.to);
      response.setHeader("content-type", "application/json");
      const sid = `SM${String(this.sent.length).padStart(32, "0")}`;
      this.sent.push({ ...sms, sid });
      if (trouble === "hang") return;
      response.statusCode = trouble?.status ?? 201;
      response.end(JSON.stringify(trouble ? { ...trouble, message: "refused" } : { sid, status: "queued" }));
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  to(phone: string): string[] {
    return this.sent.filter((sms) => sms.to === phone).map((sms) => sms.body);
  }
}

let dataDir: string;
let provider: Provider;
let alerting: Alerting;
let events: ServiceEvent[];
/** Twenty times as fast: a wait of 20 s takes one. */
let speed: number;
/** Goes on over restarts: a new one would stand before what is in the store. */
let clock: Clock | null;

function config(change: (raw: Record<string, unknown>) => void = () => {}): AlertingConfig {
  const raw: Record<string, unknown> = {
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: {
      accountSid: `AC${"0".repeat(32)}`,
      authToken,
      from: "+46766860000",
      baseUrl: provider.url,
      perSecond: 100,
    },
    responders: Object.entries(phones).map(([id, phone]) => ({
      id,
      phone,
      name: id === "leader" ? "Gruppchef" : `Patrull ${id.at(-1)}`,
    })),
    policy: {
      steps: [
        { responders: ["patrol-1"], waitSeconds: 20 },
        { responders: ["patrol-2"], waitSeconds: 20 },
      ],
    },
    operators: ["leader"],
    intake: { token: "t".repeat(27) },
  };
  change(raw);
  return AlertingConfig.parse(raw);
}

async function begin(settings = config()): Promise<void> {
  clock ??= systemClock(speed);
  alerting = createAlerting({ config: settings, dataDir, clock, log: pino({ level: "silent" }) });
  alerting.events.on((event) => events.push(event));
  await alerting.start();
}

let sequence = 0;
function fall(change: Partial<Detection> = {}): Detection {
  return aFall(change.deviceId ?? "watch-38", Date.now(), sequence++, change);
}

const submit = (detection: Detection) => alerting.intake.submit({ type: "detection", detection });

async function until<T>(what: () => T | undefined | null | false, ms = 5_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = what();
    if (found) return found;
    if (performance.now() > end)
      throw new Error(`waited ${ms} ms in vain: ${what}; sent: ${JSON.stringify(provider.sent)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const receivedBy = (phone: string, pattern: RegExp) =>
  until(() => provider.to(phone).find((body) => pattern.test(body)));

async function webhook(path: string, fields: Record<string, string>, token = authToken): Promise<Response> {
  const url = `${alerting.url}${path}`;
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "x-twilio-signature": twilio.getExpectedTwilioSignature(token, url, fields) },
  });
}

let replies = 0;
const reply = (from: string, body: string, sid = `SMreply${replies++}`, token = authToken) =>
  webhook("/webhooks/twilio/inbound", { MessageSid: sid, From: from, To: "+46766860000", Body: body }, token);

const codeIn = (body: string) => /\b(T?[2-9]{3,5})\b/.exec(body)?.[1] ?? "";

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-"));
  provider = new Provider();
  await new Promise<void>((resolve) => provider.server.listen(0, "127.0.0.1", resolve));
  events = [];
  clock = null;
  speed = 1;
});

afterEach(async () => {
  await alerting?.stop();
  provider.server.closeAllConnections();
  await new Promise((resolve) => provider.server.close(resolve));
  rmSync(dataDir, { recursive: true, force: true });
});

describe("a fall over real HTTP and the twilio package", () => {
  test("pages the first, is taken by a reply, followed to its outcome", async () => {
    await begin();
    await alerting.registry.addDevice(
      {
        deviceId: "watch-38",
        placement: "wrist",
        key: "38",
        area: "Gustavsberg syd",
        room: "badrum",
      },
      simulatedFleet,
    );
    await submit(fall());
    const page = await receivedBy(phones["patrol-1"], /^LARM FALL/);
    const code = codeIn(page);
    expect(page).toMatch(/^LARM FALL \d{3}\. Nyckel 38, badrum\. Hårt fall \d\d\.\d\d, stilla sedan dess\. Svara/);

    expect((await reply(phones["patrol-1"], `${code} t`)).status).toBe(200);
    await receivedBy(phones["patrol-1"], /DU HAR LARMET/);
    expect(alerting.episodes()[0]).toMatchObject({ status: "taken", code, alias: "38" });
    await reply(phones["patrol-1"], `${code} X`);
    await receivedBy(phones["patrol-1"], /är du hos personen/);
    expect(alerting.episodes()[0]?.status).toBe("taken");
    await reply(phones["patrol-1"], `framme ${code}`);
    await receivedBy(phones["patrol-1"], /Hur gick det/);
    await reply(phones["patrol-1"], `${code} U`);
    await receivedBy(phones["patrol-1"], /avslutat/);
    expect(alerting.episodes()[0]?.status).toBe("closed");
    expect(provider.to(phones["patrol-2"])).toEqual([]);
    const story = alerting.backend.episode(alerting.episodes()[0]?.id ?? "")?.timeline.map((entry) => entry.what);
    expect(story).toEqual(
      expect.arrayContaining([
        "detection",
        "episode-opened",
        "page-queued",
        "page-sent",
        "reply",
        "taken",
        "arrived",
        "closed",
      ]),
    );
    expect(JSON.stringify(events)).not.toMatch(/\+46|Svara|Patrull/);
  });

  test("nobody answers: the next, then the operators, then the first again", async () => {
    speed = 40;
    await begin();
    await submit(fall());
    await receivedBy(phones["patrol-1"], /Okänd sensor watch-38/);
    await receivedBy(phones["patrol-2"], /^LARM FALL/);
    await receivedBy(phones.leader, /EJ TAGET/);
    await until(() => provider.to(phones["patrol-1"]).length >= 2);
    expect(new Set(provider.sent.map((sms) => codeIn(sms.body))).size).toBe(1);
  });

  test.each([
    ["not a mobile phone", { status: 400, code: 21614 }, "permanent"],
    ["opted out", { status: 400, code: 21610 }, "permanent"],
  ] as const)("%s: the next is paged at once, and the console tells", async (_, trouble, result) => {
    await begin();
    provider.trouble.set(phones["patrol-1"], trouble);
    await submit(fall());
    await receivedBy(phones["patrol-2"], /^LARM FALL/);
    expect(events.find((event) => event.type === "page-sent")).toMatchObject({ result, reason: String(trouble.code) });
    alerting.backend.troubles();
    await until(() => alerting.backend.troubles().includes("contact-unreachable"));
  });

  test("a provider that never answers: unknown, the next at once, and the first a second time", async () => {
    speed = 20;
    await begin(
      config((raw) => {
        raw.policy = {
          steps: [
            { responders: ["patrol-1"], waitSeconds: 3000 },
            { responders: ["patrol-2"], waitSeconds: 3000 },
          ],
        };
      }),
    );
    provider.trouble.set(phones["patrol-1"], "hang");
    await submit(fall());
    await receivedBy(phones["patrol-2"], /^LARM FALL/);
    await until(() => provider.to(phones["patrol-1"]).length === 2);
  });

  test("a restart takes up the wait where it was", async () => {
    speed = 10;
    await begin();
    await submit(fall());
    await receivedBy(phones["patrol-1"], /^LARM/);
    const [before] = alerting.backend.board();
    await alerting.stop();
    await begin();
    expect(alerting.backend.board()[0]?.nextDeadline).toEqual(before?.nextDeadline);
    expect(alerting.backend.episode(before?.id ?? "")?.timeline[0]?.what).toBe("detection");
    await receivedBy(phones["patrol-2"], /^LARM/);
  });
});

describe("what comes back", () => {
  test("a forged signature changes nothing and is counted", async () => {
    await begin();
    await submit(fall());
    const code = codeIn(await receivedBy(phones["patrol-1"], /^LARM/));
    expect((await reply(phones["patrol-1"], `${code} T`, "SMforged", "another-token-of-somebody")).status).toBe(403);
    const bare = await fetch(`${alerting.url}/webhooks/twilio/inbound`, {
      method: "POST",
      body: new URLSearchParams({ From: phones["patrol-1"], Body: `${code} T`, MessageSid: "x" }),
    });
    expect(bare.status).toBe(403);
    expect(alerting.episodes()[0]?.status).toBe("open");
    expect(alerting.counters()["webhook.bad-signature"]).toBe(2);
  });

  test("an unknown sender, a text of 10,000 characters and a reply sent twice", async () => {
    await begin();
    await submit(fall());
    const code = codeIn(await receivedBy(phones["patrol-1"], /^LARM/));
    const answer = await reply("+46709999999", `${code} T`);
    expect(await answer.text()).toContain("<Response/>");
    await reply(phones["patrol-1"], `${code} T ${"x".repeat(10_000)}`);
    expect(alerting.episodes()[0]?.status).toBe("open");
    await reply(phones["patrol-1"], `${code} N`, "SMsame");
    await receivedBy(phones["patrol-2"], /^LARM/);
    await receivedBy(phones["patrol-1"], /noterat/);
    await reply(phones["patrol-1"], `${code} N`, "SMsame");
    expect(alerting.counters()).toMatchObject({ "reply.unknown-sender": 1, "reply.too-long": 1, "reply.again": 1 });
    expect(provider.to(phones["patrol-1"]).filter((body) => /noterat/.test(body))).toHaveLength(1);
    expect(provider.to("+46709999999")).toEqual([]);
  });

  test("a code that is none is answered a few times, then no more", async () => {
    await begin();
    await submit(fall());
    const code = codeIn(await receivedBy(phones["patrol-1"], /^LARM/));
    const wrong = ["2222", "3333", "4444"].concat(Array(7).fill("22222")).filter((one) => one !== code);
    for (const guess of wrong) await reply(phones["patrol-1"], `${guess} T`);
    // A real code of somebody who was not paged is none of theirs either.
    await reply(phones["patrol-2"], `${code} T`);
    await receivedBy(phones["patrol-2"], /finns inte bland dina larm/);
    await until(() => provider.to(phones["patrol-1"]).filter((body) => /finns inte/.test(body)).length === 5);
    expect(alerting.episodes()[0]?.status).toBe("open");
  });

  test("codeless counts only where it cannot be mistaken", async () => {
    await begin();
    await submit(fall());
    await receivedBy(phones["patrol-1"], /^LARM/);
    await submit(fall({ deviceId: "watch-40" }));
    await until(() => provider.to(phones["patrol-1"]).length === 2);
    await reply(phones["patrol-1"], "tar larmet");
    await receivedBy(phones["patrol-1"], /Skriv larmets kod först/);
    expect(alerting.episodes().every((episode) => episode.status === "open")).toBe(true);
  });

  test("a receipt moves its page to delivered, also when it is faster than the answer; one of nobody's page changes nothing", async () => {
    await begin();
    await submit(fall());
    await receivedBy(phones["patrol-1"], /^LARM/);
    const sms = provider.sent[0];
    const { pathname, search } = new URL(sms?.statusCallback ?? "");
    const fields = { MessageSid: sms?.sid ?? "", MessageStatus: "delivered" };
    expect((await webhook(pathname + search, fields)).status).toBe(204);
    await until(() => alerting.backend.board()[0]?.pages[0]?.status === "delivered");
    await webhook(pathname + search, { ...fields, MessageStatus: "sent" });
    expect(alerting.backend.board()[0]?.pages[0]?.status).toBe("delivered");
    expect((await webhook("/webhooks/twilio/status?page=nobody", fields)).status).toBe(204);
    expect(alerting.counters()["receipt.unknown-message"]).toBe(1);
  });
});

describe("intake", () => {
  const post = (body: unknown, token = "t".repeat(27)) =>
    fetch(`${alerting.url}/intake/v1/items`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  test("an item over HTTPS' own way: 204 once committed, the same id twice is one episode, repeats join", async () => {
    await begin();
    const detection = fall();
    expect((await post({ type: "detection", detection })).status).toBe(204);
    expect((await post({ type: "detection", detection })).status).toBe(204);
    await submit(fall());
    expect(alerting.episodes()).toHaveLength(1);
    expect(alerting.episodes()[0]?.detections).toHaveLength(2);
    expect((await post({ type: "detection", detection }, "wrong")).status).toBe(401);
    expect((await post({ type: "nonsense" })).status).toBe(422);
    expect((await fetch(`${alerting.url}/readyz`)).status).toBe(200);
  });

  test("what cannot be committed is not acknowledged, readiness says so, and it heals by itself", async () => {
    await begin();
    const blocker = new DatabaseSync(join(dataDir, "alerting.db"));
    blocker.exec("BEGIN EXCLUSIVE");
    const detection = fall();
    expect((await post({ type: "detection", detection })).status).toBe(503);
    await expect(submit(detection)).rejects.toThrow(/locked/);
    expect((await fetch(`${alerting.url}/readyz`)).status).toBe(503);
    expect(alerting.episodes()).toEqual([]);
    blocker.exec("ROLLBACK");
    blocker.close();
    expect((await post({ type: "detection", detection })).status).toBe(204);
    expect((await fetch(`${alerting.url}/readyz`)).status).toBe(200);
    await receivedBy(phones["patrol-1"], /^LARM/);
  });

  test("control has a version, and the newest is not sent again", async () => {
    await begin();
    const get = (have: number) =>
      fetch(`${alerting.url}/intake/v1/control?have=${have}&gateway=gateway-1&everyMs=3000`, {
        headers: { authorization: `Bearer ${"t".repeat(27)}` },
      });
    expect((await get(0)).status).toBe(204);
    const { secret } = await alerting.registry.addDevice({ deviceId: "watch-38", placement: "wrist", key: "38" });
    const control = (await (await get(0)).json()) as { version: number; devices: { secretHash: string }[] };
    expect(control.version).toBe(1);
    expect(control.devices[0]?.secretHash).toMatch(/^scrypt\$/);
    expect(JSON.stringify(control)).not.toContain(secret);
    expect((await get(1)).status).toBe(204);
    await alerting.registry.revoke("watch-38");
    expect(await alerting.intake.control(1, { gatewayId: "gateway-1", everyMs: 3000 })).toMatchObject({
      version: 2,
      devices: [{ revoked: true }],
    });
  });

  test("a test alarm and a fall of the same dwelling are two episodes", async () => {
    await begin();
    await submit(fall({ test: true }));
    await submit(fall());
    expect(alerting.episodes()).toHaveLength(2);
    expect(await receivedBy(phones["patrol-1"], /^PROVLARM T\d{3}/)).not.toContain("LARM FALL");
  });
});

test("the console's backend: take, close from afar only with a reason, accounts", async () => {
  await begin();
  await submit(fall());
  const id = alerting.episodes()[0]?.id ?? "";
  const operator = { name: "Op", role: "operator" } as const;
  const { act } = alerting.backend;
  expect(await act("nobody", { action: "take" }, operator)).toEqual({ ok: false, problem: "not-found" });
  expect(await act(id, { action: "arrived" }, operator)).toEqual({ ok: false, problem: "not-taken" });
  expect(await act(id, { action: "close", outcome: "no-fall" }, operator)).toEqual({
    ok: false,
    problem: "reason-needed",
  });
  expect(await act(id, { action: "close", outcome: "no-fall", reason: "x" }, { name: "R", role: "responder" })).toEqual(
    { ok: false, problem: "not-taken" },
  );
  expect(await act(id, { action: "take" }, operator)).toEqual({ ok: true });
  expect(await act(id, { action: "take" }, { name: "Other", role: "operator" })).toEqual({
    ok: false,
    problem: "already-taken",
  });
  expect(await act(id, { action: "close", outcome: "no-fall", reason: "Ringde, satt i stolen" }, operator)).toEqual({
    ok: true,
  });
  expect(await act(id, { action: "take" }, operator)).toEqual({ ok: false, problem: "already-closed" });
  expect(alerting.backend.board()[0]).toMatchObject({
    status: "closed",
    closedBy: "Op",
    outcome: "no-fall",
    nextDeadline: null,
  });

  await alerting.users.addUser("Op", "four words in a row", "operator");
  expect(await alerting.backend.verifyUser("Op", "four words in a row")).toEqual({ ...operator, units: null });
  expect(await alerting.backend.verifyUser("Op", "four words in a col")).toBeNull();
  expect(await alerting.backend.verifyUser("Nobody", "four words in a row")).toBeNull();
  await expect(alerting.users.addUser("Op", "short", "operator")).rejects.toThrow(/12 characters/);
});
