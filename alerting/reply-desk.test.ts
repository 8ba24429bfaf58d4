import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../firmware-contracts/clock.ts";
import { aFall } from "../test/alerting/a-fall.ts";
import { type Board, createBoard } from "./board.ts";
import { AlertingConfig } from "./config.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createReplyDesk, type ReplyDesk } from "./reply-desk.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { PageRow, Store } from "./store/store.ts";

const phones = { "patrol-1": "+46701740601", "patrol-2": "+46701740602", leader: "+46701740603" };
const minute = 60_000;

let dataDir: string;
let store: Store;
let board: Board;
let keeper: Keeper;
let desk: ReplyDesk;
let counters: Counters;
let now: number;
let sent: number;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "reply-desk-"));
  now = Date.UTC(2026, 10, 24, 2, 12);
  sent = 0;
  const clock: Clock = { wallNow: () => now, monotonicNow: () => now, after: () => () => {} };
  const config = AlertingConfig.parse({
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: {
      accountSid: `AC${"0".repeat(32)}`,
      authToken: "a-token-of-the-account-1234",
      from: "+46766860000",
      baseUrl: "http://127.0.0.1:1",
    },
    responders: Object.entries(phones).map(([id, phone]) => ({ id, phone, name: id })),
    policy: { steps: [{ responders: ["patrol-1", "patrol-2"], waitSeconds: 60 }] },
    operators: ["leader"],
    intake: { token: "t".repeat(27) },
  });
  store = openSqliteStore(dataDir);
  board = createBoard(store, (id) => id);
  await board.load(now);
  counters = createCounters();
  const nothing = () => {};
  keeper = createKeeper({ config, store, board, clock, onEvent: nothing, onChange: nothing, wake: nothing });
  await keeper.load();
  desk = createReplyDesk({ config, store, keeper, board, clock, counters, wake: nothing });
});

afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function fall(deviceId = "belt-1"): Promise<{ id: string; code: string }> {
  await keeper.detect(aFall(deviceId, now, sent++));
  const state = board.states().find(({ facts }) => facts.detection?.deviceId === deviceId);
  return { id: state?.facts.id ?? "", code: state?.facts.code ?? "" };
}

const reply = (id: keyof typeof phones, body: string, writtenAt?: number) =>
  desk.reply({
    providerId: `SM${sent++}`,
    from: phones[id],
    body,
    ...(writtenAt === undefined ? {} : { writtenAt }),
  });
const statusOf = async (id: string) => (await store.episodes.episode(id))?.status;
/** Texts that wait for somebody's phone and belong to no episode. */
const answers = async (id: keyof typeof phones) =>
  (await store.pages.sendable(now, 1000))
    .filter((page) => page.episodeId === null && page.responderId === id)
    .map(({ body }) => body);
const technical = () => board.states().filter(({ facts, status }) => facts.kind === "technical" && status !== "closed");

describe("a reply that took long", () => {
  test.each(["274", ""])("older than 10 min it changes nothing and says so (code given: %s)", async (given) => {
    const { id, code } = await fall();
    await reply("patrol-1", given ? `${code} T` : "tar larmet", now - 10 * minute - 1);
    expect(await statusOf(id)).toBe("open");
    expect(await answers("patrol-1")).toEqual([expect.stringMatching(/äldre än 10 min och har inte ändrat något/)]);
    expect(counters.read()).toMatchObject({ "reply.late": 1 });
    // What was not done is not in the log either.
    expect((await store.episodes.log(id)).map(({ input }) => input.type)).toEqual(["opened"]);
  });

  test("of 10 min it still counts, and one whose time nobody knows", async () => {
    const one = await fall("belt-1");
    const other = await fall("belt-2");
    await reply("patrol-1", `${one.code} T`, now - 10 * minute);
    await reply("patrol-2", `${other.code} T`);
    expect([await statusOf(one.id), await statusOf(other.id)]).toEqual(["taken", "taken"]);
  });

  test("a STOP counts however late it comes: the provider has blocked that phone", async () => {
    await reply("patrol-1", "STOP", now - 60 * minute);
    expect(await store.contacts.lost()).toMatchObject([{ responderId: "patrol-1", reason: "stop" }]);
  });
});

describe("STOP and START", () => {
  test.each(["stop", "STOPALL", "Avsluta? nej: unsubscribe", " Quit. "])("%s", async (body) => {
    await reply("patrol-1", body);
    const isStop = !body.includes("nej");
    expect((await store.contacts.lost()).length).toBe(isStop ? 1 : 0);
    expect(technical().length).toBe(isStop ? 1 : 0);
  });

  test("twice is once; nobody answers it by SMS; START ends it; a START out of the blue changes nothing", async () => {
    await reply("patrol-2", "START");
    await reply("patrol-1", "STOP");
    await reply("patrol-1", "STOP");
    expect(technical()).toMatchObject([{ facts: { trouble: { kind: "contact-unreachable", subject: "patrol-1" } } }]);
    await reply("patrol-1", "START");
    expect(await store.contacts.lost()).toEqual([]);
    expect(technical()).toEqual([]);
    expect(await answers("patrol-1")).toEqual([]);
    expect(counters.read()).toMatchObject({ "reply.stop": 2, "reply.start": 2 });
  });

  test("the receipt of a text from before the STOP brings no phone back, that of a later one does", async () => {
    const { id } = await fall();
    const page = await pageTo(id, "patrol-1");
    now += 1_000;
    await reply("patrol-1", "STOP");
    now += 1_000;
    await desk.receipt({ pageId: page.id, providerId: "SMa", status: "delivered", errorCode: null });
    expect(await store.contacts.lost()).toHaveLength(1);
    // Nobody else answers: in the next round everybody is tried, and what gets there gets there.
    now += 60_000;
    await keeper.apply(id, { type: "due", purpose: "next-page" });
    now += 60_000;
    await keeper.apply(id, { type: "due", purpose: "next-page" });
    const later = await pageTo(id, "patrol-1");
    expect(later.id).not.toBe(page.id);
    await desk.receipt({ pageId: later.id, providerId: "SMb", status: "delivered", errorCode: null });
    expect(await store.contacts.lost()).toEqual([]);
  });
});

/** The last page of an episode to somebody. */
async function pageTo(episodeId: string, responderId: string): Promise<PageRow> {
  const page = (await store.pages.pagesOf(episodeId)).findLast((one) => one.responderId === responderId);
  if (!page) throw new Error(`${responderId} was not paged`);
  return page;
}

describe("guessing", () => {
  test("five codes that are none are answered in 10 min, then no more; a right one still counts", async () => {
    const { id, code } = await fall();
    const wrong = ["2222", "3333", "4444", "5555", "6666", "7777", "9999"];
    for (const guess of wrong) await reply("patrol-1", `${guess} T`);
    expect(await answers("patrol-1")).toHaveLength(5);
    expect(counters.read()["reply.unknown-code"]).toBe(7);
    // Another phone is not silenced for it.
    await reply("patrol-2", "2222 T");
    expect(await answers("patrol-2")).toHaveLength(1);
    now += 10 * minute + 1;
    await reply("patrol-1", "2222 T");
    expect(await answers("patrol-1")).toHaveLength(6);
    for (const guess of wrong) await reply("patrol-1", `${guess} T`);
    await reply("patrol-1", `${code} T`);
    expect(await statusOf(id)).toBe("taken");
  });
});

describe("a digest", () => {
  /** Three technical alarms that went to whoever leads as one text. */
  async function digested(): Promise<PageRow[]> {
    for (const subject of ["a", "b", "c"]) await keeper.raise({ kind: "gateway-lost", subject, since: now });
    const pages = await Promise.all(technical().map(({ facts }) => pageTo(facts.id, "leader")));
    const [first, ...others] = pages as [PageRow, ...PageRow[]];
    await store.pages.beginAttempt(first.id, now);
    expect(
      await store.pages.sendWith(
        others.map(({ id }) => id),
        first.id,
        now,
      ),
    ).toHaveLength(2);
    for (const { id: pageId, episodeId, responderId, purpose } of pages) {
      const result = { outcome: "accepted", providerId: "SM1" } as const;
      const input = { type: "page-result", pageId, responderId, purpose, tries: 1, result } as const;
      await keeper.apply(episodeId ?? "", input, { attemptEnd: { pageId, endedAt: now, result } });
    }
    return pages;
  }

  const statuses = (pages: PageRow[]) => Promise.all(pages.map(async ({ id }) => (await store.pages.page(id))?.status));

  test("a receipt reaches each page that went with it, once", async () => {
    const pages = await digested();
    expect(await statuses(pages)).toEqual(["accepted", "accepted", "accepted"]);
    const receipt = { pageId: pages[0]?.id ?? "", providerId: "SM1", status: "delivered", errorCode: null } as const;
    await desk.receipt(receipt);
    expect(await statuses(pages)).toEqual(["delivered", "delivered", "delivered"]);
    await desk.receipt(receipt);
    expect(counters.read()).toMatchObject({ "receipt.delivered": 1, "receipt.again": 1 });
    for (const { facts } of technical()) {
      const log = await store.episodes.log(facts.id);
      expect(log.filter(({ input }) => input.type === "receipt")).toHaveLength(1);
    }
  });

  test("a failed one does so too, and one dead phone is one trouble", async () => {
    const pages = await digested();
    await desk.receipt({
      pageId: pages[0]?.id ?? "",
      providerId: "SM1",
      status: "undelivered",
      errorCode: "30005",
      lost: true,
    });
    expect(await statuses(pages)).toEqual(["failed", "failed", "failed"]);
    expect(await store.contacts.lost()).toMatchObject([{ responderId: "leader", reason: "30005" }]);
    expect(technical().filter(({ facts }) => facts.trouble?.kind === "contact-unreachable")).toHaveLength(1);
  });
});

test("a receipt of nobody's page, and a reply of somebody unknown or far too long, are counted and change nothing", async () => {
  const { id } = await fall();
  await desk.receipt({ pageId: "nobody", providerId: "SM1", status: "delivered", errorCode: null });
  await desk.reply({ providerId: "SM2", from: "+46709999999", body: "STOP" });
  await reply("patrol-1", `STOP ${"x".repeat(10_000)}`);
  expect(counters.read()).toMatchObject({
    "receipt.unknown-message": 1,
    "reply.unknown-sender": 1,
    "reply.too-long": 1,
  });
  expect(await store.contacts.lost()).toEqual([]);
  expect((await store.episodes.log(id)).map(({ input }) => input.type)).toEqual(["opened"]);
});
