import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Writable } from "node:stream";
import { pino } from "pino";
import twilio from "twilio";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { alertingCounters } from "../../alerting/counter-list.ts";
import { accountSid, authToken, codeIn, serviceNumber, Town } from "./town.ts";

// A thousand guesses are a thousand requests, one after the other.
vi.setConfig({ testTimeout: 120_000 });

const patrol = "+46701740601";
const stranger = "+46701740699";
/** Stands in every text of this story, and must stand in no line of the log. */
const secretWord = "Kantarell";

let town: Town;
let code: string;
let logged = "";
const log = pino(
  { level: "trace", base: null, timestamp: false },
  new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  }),
);

beforeAll(async () => {
  // In its own time: after five minutes nobody has got up, and that changes something.
  town = await Town.open({ speed: 1, waitSeconds: 3600, log });
  await town.fall(await town.device("belt-1", "38"));
  code = codeIn(await town.text("patrol-1", /^LARM FALL/));
  await town.until("the receipt", () => town.alerting.backend.board()[0]?.pages[0]?.status === "delivered");
});
afterAll(() => town.close());

type Fields = Record<string, string>;
const inboundPath = "/webhooks/twilio/inbound";
const statusPath = "/webhooks/twilio/status";
const origin = () => `http://127.0.0.1:${town.port}`;

let nextSid = 1;
const newSid = () => `SM${String(nextSid++).padStart(32, "0")}`;
function inbound(from: string, body: string): Fields {
  return { MessageSid: newSid(), AccountSid: accountSid, From: from, To: serviceNumber, Body: body };
}
function receipt(sid: string): Fields {
  return { MessageSid: sid, AccountSid: accountSid, MessageStatus: "undelivered", ErrorCode: "30003", To: patrol };
}

const sign = (fields: Fields, path = inboundPath, token = authToken, at = origin()) =>
  twilio.getExpectedTwilioSignature(token, at + path, fields);

async function post(fields: Fields, signature: string | null, path = inboundPath): Promise<Response> {
  return fetch(origin() + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    ...(signature === null ? {} : { headers: { "X-Twilio-Signature": signature } }),
  });
}

const signed = (fields: Fields, path = inboundPath) => post(fields, sign(fields, path), path);

const ofEpisodes = ["episodes", "detections", "episode_log", "due", "contacts", "dwellings", "devices"];
const ofTexts = ["pages", "attempts", "receipts", "replies"];

/** What a reply or a receipt could change, row by row, as it is on the disk. */
function dump(tables: readonly string[] = [...ofEpisodes, ...ofTexts]): string {
  const db = new DatabaseSync(join(town.dataDir, "alerting", "alerting.db"), { readOnly: true });
  try {
    // When a device was last heard has nothing to do with webhooks.
    const rows = (table: string) =>
      db
        .prepare(`SELECT * FROM ${table}`)
        .all()
        .map((row) => ({ ...row, last_seen_at: null, online: null, battery: null }));
    return JSON.stringify(tables.map((table) => [table, rows(table)]));
  } finally {
    db.close();
  }
}
const pagesOfEpisodes = () =>
  JSON.parse(dump(["pages"]))[0][1].filter((page: { episode_id: string | null }) => page.episode_id !== null);

/** By how much each counter about webhooks, replies and receipts went up. */
async function counted(what: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = town.alerting.counters();
  await what();
  const after = Object.entries(town.alerting.counters());
  const changes = after.map(([name, count]): [string, number] => [name, count - (before[name] ?? 0)]);
  return Object.fromEntries(changes.filter(([name, by]) => by !== 0 && /^(webhook|reply|receipt)\./.test(name)));
}

/** What came in stands nowhere in the log: no text, no code, no phone. */
function expectNothingToldOf(lines: string): void {
  expect(lines).not.toContain(secretWord);
  expect(lines).not.toMatch(/70174060|70174069|766860000/);
  expect(lines).not.toMatch(new RegExp(`\\b${code}\\b`));
}

interface BadRequest {
  name: string;
  send: () => Promise<Response>;
  status: number;
  counter: string;
}

const take = (from = patrol) => inbound(from, `${code} T ${secretWord}`);
const pageId = () => town.alerting.backend.board()[0]?.pages[0]?.id ?? "";
const receiptPath = (page = pageId()) => `${statusPath}?page=${encodeURIComponent(page)}`;
const raw = (init: RequestInit, path = inboundPath) => fetch(origin() + path, init);

const bad: BadRequest[] = [
  { name: "no signature", send: () => post(take(), null), status: 403, counter: "webhook.bad-signature" },
  { name: "an empty signature", send: () => post(take(), ""), status: 403, counter: "webhook.bad-signature" },
  {
    name: "a signature by nobody",
    send: () => post(take(), "c2lnbmVkIGJ5IG5vYm9keSBhdCBhbGw="),
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a signature with another token",
    send: () => {
      const fields = take();
      return post(fields, sign(fields, inboundPath, "0".repeat(32)));
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a signature of another service's address",
    send: () => {
      const fields = take();
      return post(fields, sign(fields, inboundPath, authToken, "https://somewhere.example"));
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a signature of another address of ours",
    send: () => {
      const fields = take();
      return post(fields, sign(fields), receiptPath());
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a true signature of other words",
    send: () => {
      const fields = take();
      return post({ ...fields, Body: `${code} F ${secretWord}` }, sign(fields));
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a true signature, with a field more",
    send: () => {
      const fields = take();
      return post({ ...fields, Extra: secretWord }, sign(fields));
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a receipt that was signed for another page",
    send: () => {
      const fields = receipt(newSid());
      return post(fields, sign(fields, receiptPath("e1.9")), receiptPath());
    },
    status: 403,
    counter: "webhook.bad-signature",
  },
  {
    name: "a body of 1 MB",
    send: () => signed({ ...take(), Padding: "x".repeat(1024 * 1024) }),
    status: 413,
    counter: "webhook.bad-request",
  },
  {
    name: "JSON instead of a form",
    send: () => {
      const fields = take();
      const headers = { "content-type": "application/json", "x-twilio-signature": sign(fields) };
      return raw({ method: "POST", body: JSON.stringify(fields), headers });
    },
    status: 415,
    counter: "webhook.bad-request",
  },
  {
    name: "bytes that are no form",
    send: () => raw({ method: "POST", body: new Uint8Array([0, 255, 1]), headers: { "content-type": "image/png" } }),
    status: 415,
    counter: "webhook.bad-request",
  },
  {
    name: "a GET, signed as Twilio would",
    send: () => {
      const path = `${inboundPath}?${new URLSearchParams(take())}`;
      return raw({ headers: { "x-twilio-signature": sign({}, path) } }, path);
    },
    status: 405,
    counter: "webhook.bad-request",
  },
  { name: "a PUT", send: () => raw({ method: "PUT" }, receiptPath()), status: 405, counter: "webhook.bad-request" },
  {
    name: "signed, and nothing but unknown fields",
    send: () => signed({ Nonsense: secretWord, More: code }),
    status: 200,
    counter: "webhook.unreadable",
  },
  {
    name: "a receipt with an unknown status",
    send: () => signed({ ...receipt(newSid()), MessageStatus: secretWord }, receiptPath()),
    status: 204,
    counter: "webhook.unreadable",
  },
  {
    name: "a receipt without a page",
    send: () => signed(receipt(newSid()), statusPath),
    status: 204,
    counter: "webhook.unreadable",
  },
  {
    name: "a receipt for a page of nobody",
    send: () => signed(receipt(newSid()), receiptPath(`${pageId()}9`)),
    status: 204,
    counter: "receipt.unknown-message",
  },
  {
    name: "a reply of 10,000 characters",
    send: () => signed(inbound(patrol, `${code} T ${secretWord} ${"x".repeat(10_000)}`)),
    status: 200,
    counter: "reply.too-long",
  },
  {
    name: "the same in letters that take more bytes than a webhook may have",
    send: () => signed(inbound(patrol, `${code} T ${secretWord} ${"å".repeat(10_000)}`)),
    status: 413,
    counter: "webhook.bad-request",
  },
  { name: "a stranger's text", send: () => signed(take(stranger)), status: 200, counter: "reply.unknown-sender" },
  {
    name: "a text in the name of the service's own number",
    send: () => signed(take(serviceNumber)),
    status: 200,
    counter: "reply.unknown-sender",
  },
];

describe("what nobody may do changes nothing, is counted, and is told without content", () => {
  test.each(bad)("$name", async ({ send, status, counter }) => {
    const before = dump();
    const messages = town.network.messages.length;
    const from = logged.length;
    let answer: Response | undefined;
    expect(
      await counted(async () => {
        answer = await send();
      }),
    ).toEqual({ [counter]: 1 });
    expect(alertingCounters[counter]).toBeDefined();
    expect(answer?.status).toBe(status);
    // Nothing is said to whoever sent it: at most "nothing to send back".
    expect(await answer?.text()).toMatch(/^$|<Response\/>$/);
    await town.pass(500);
    expect(dump()).toBe(before);
    expect(town.network.messages.length).toBe(messages);
    expectNothingToldOf(logged.slice(from));
  });

  test("what was not signed over our address is told to whoever runs the service", () => {
    expect(logged).toContain("was not signed by the provider");
    expect(logged).toContain("must be POST");
  });
});

test("1,000 guessed codes from a responder's own phone change nothing, and are answered no more after a few", async () => {
  const before = [dump(ofEpisodes), pagesOfEpisodes()];
  const from = logged.length;
  const digits = "23456789";
  const guesses = Array.from({ length: 1_001 }, (_, i) => `${2 + (i % 4)}${(i >> 2).toString(8).padStart(3, "0")}`)
    .map((octal) => octal[0] + [...octal.slice(1)].map((digit) => digits[Number(digit)]).join(""))
    .filter((guess) => guess !== code)
    .slice(0, 1_000);
  expect(new Set(guesses).size).toBe(1_000);
  const counts = await counted(async () => {
    for (const guess of guesses) expect((await signed(inbound(patrol, `${guess} T`))).status).toBe(200);
  });
  expect(counts).toMatchObject({ "reply.unknown-code": 1_000 });
  expect(Object.keys(counts).filter((name) => name.startsWith("reply."))).toEqual(["reply.unknown-code"]);
  await town.pass(20_000);
  const answers = town.phone("patrol-1").inbox.filter(({ body }) => body.includes("finns inte bland dina larm"));
  expect(answers).toHaveLength(5);
  expect([dump(ofEpisodes), pagesOfEpisodes()]).toEqual(before);
  expectNothingToldOf(logged.slice(from));
});

test("1,000 guesses from a stranger, the true code among them: none is answered", async () => {
  const before = dump();
  const messages = town.network.messages.length;
  const counts = await counted(async () => {
    for (let i = 0; i < 1_000; i++) await signed(inbound(stranger, `${i === 500 ? code : 2222 + i} T`));
  });
  expect(counts).toEqual({ "reply.unknown-sender": 1_000 });
  await town.pass(2_000);
  expect(dump()).toBe(before);
  expect(town.network.messages.length).toBe(messages);
});

test("the responder's own reply, validly signed and with fields that are new, does take it; the same again changes nothing more", async () => {
  const own = { ...take(), ChannelMetadata: "{}", NewOfTwilio: "1" };
  expect(await counted(() => signed(own))).toEqual({ "reply.applied": 1 });
  await town.until("the episode taken", () => town.alerting.backend.board()[0]?.status === "taken");
  await town.text("patrol-1", /DU HAR LARMET/);
  await town.pass(3_000);
  const before = dump();
  expect(await counted(() => signed(own))).toEqual({ "reply.again": 1 });
  await town.pass(2_000);
  expect(dump()).toBe(before);
  expectNothingToldOf(logged);
});

test("a receipt that comes again changes nothing more", async () => {
  const sid = town.network.messages.find(({ direction }) => direction === "outbound-api")?.sid ?? "";
  const page = pageId();
  expect(await counted(() => signed(receipt(sid), receiptPath(page)))).toEqual({ "receipt.undelivered": 1 });
  const before = dump();
  expect(await counted(() => signed(receipt(sid), receiptPath(page)))).toEqual({ "receipt.again": 1 });
  expect(dump()).toBe(before);
});
