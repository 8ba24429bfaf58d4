import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import twilio from "twilio";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import type { Behaviour } from "./behaviour.ts";
import { type PhoneNetwork, type PhoneNetworkOptions, startPhoneNetwork } from "./network.ts";

const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
const authToken = "a-token-of-this-test";
const from = "+46766860000";
const mobile = "+46701740605";

/** The real SDK's HTTP client, with only the host moved. */
class MovedClient extends twilio.RequestClient {
  base: string;
  constructor(base: string) {
    super({ timeout: 400 });
    this.base = base;
  }
  override request<T>(opts: Parameters<twilio.RequestClient["request"]>[0]) {
    return super.request<T>({ ...opts, uri: opts.uri.replace("https://api.twilio.com", this.base) } as never);
  }
}

interface Webhook {
  path: string;
  fields: Record<string, string>;
  signed: boolean;
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const quick: Partial<Behaviour> = { queueMs: 5, deliveryMs: 10, receiptMs: 5 };

async function network(options: Partial<PhoneNetworkOptions> = {}): Promise<PhoneNetwork> {
  const started = await startPhoneNetwork({
    clock: systemClock(),
    accountSid,
    authToken,
    behaviour: quick,
    ...options,
  });
  started.addNumber(from);
  closers.push(() => started.close());
  return started;
}

function sdk(started: PhoneNetwork, token = authToken) {
  return twilio(accountSid, token, { httpClient: new MovedClient(started.url) });
}

/** A web server as a service would have: it checks each webhook's signature with the SDK's own function. */
async function receiver(answer: { type: string; body: string } = { type: "text/xml", body: "<Response/>" }) {
  const received: Webhook[] = [];
  let url = "";
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const fields = Object.fromEntries(new URLSearchParams(body));
      const signature = String(request.headers["x-twilio-signature"]);
      const signed = twilio.validateRequest(authToken, signature, url + request.url, fields);
      received.push({ path: request.url ?? "", fields, signed });
      response.writeHead(200, { "content-type": answer.type }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return { received, url };
}

async function until(what: () => boolean, ms = 3000): Promise<void> {
  const end = Date.now() + ms;
  while (!what()) {
    if (Date.now() > end) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function refusal(sending: Promise<unknown>) {
  const error = await sending.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const { status, code } = (error ?? {}) as { status?: number; code?: number };
  return { status, code };
}

describe("a message sent with the SDK", () => {
  test("is queued, arrives at the phone, and its signed receipts say sent and delivered", async () => {
    const service = await receiver();
    const net = await network();
    const phone = net.addPhone(mobile);
    const body = "LARM FALL 274. Nyckel 38, badrum åäö. Svara: 274 T";
    const sent = await sdk(net).messages.create({
      to: mobile,
      from,
      body,
      statusCallback: `${service.url}/receipt?x=1`,
    });
    expect(sent.status).toBe("queued");
    expect(sent.sid).toMatch(/^SM[0-9a-f]{32}$/);
    await until(() => service.received.length === 2);
    expect(phone.inbox).toMatchObject([{ from, body, sid: sent.sid }]);
    expect(service.received.map((hook) => [hook.path, hook.fields.MessageStatus, hook.signed])).toEqual([
      ["/receipt?x=1", "sent", true],
      ["/receipt?x=1", "delivered", true],
    ]);
    const fetched = await sdk(net).messages(sent.sid).fetch();
    expect([fetched.status, fetched.dateSent instanceof Date, fetched.numSegments]).toEqual(["delivered", true, "1"]);
  });

  test("can be listed over several pages, redacted and removed", async () => {
    const net = await network();
    net.addPhone(mobile);
    const client = sdk(net);
    for (let i = 0; i < 5; i++) await client.messages.create({ to: mobile, from, body: `text ${i}` });
    const all = await client.messages.list({ to: mobile, pageSize: 2 });
    expect(all.map((message) => message.body)).toEqual(["text 4", "text 3", "text 2", "text 1", "text 0"]);
    expect(await client.messages.list({ to: "+46701740699" })).toEqual([]);
    const [last] = all;
    expect((await client.messages(last!.sid).update({ body: "" })).body).toBe("");
    expect(await client.messages(last!.sid).remove()).toBe(true);
    expect(await refusal(client.messages(last!.sid).fetch())).toEqual({ status: 404, code: 20404 });
  });
});

describe("what the real one refuses is refused with its code", () => {
  const good = { to: mobile, from, body: "x" };
  test.each([
    ["a recipient that is no number", { to: "0701740605" }, 21211],
    ["an emergency number", { to: "112" }, 21211],
    ["a Stockholm landline", { to: "+46850000000" }, 21614],
    ["a Swedish number of no mobile series", { to: "+46771740605" }, 21614],
    ["a sender that belongs to somebody else", { from: "+46766869999" }, 21659],
    ["a sender that cannot send SMS", { from: "+46766860001" }, 21606],
    ["a sender that is no number", { from: "Fallvakt" }, 21212],
    ["no text", { body: "" }, 21602],
    ["a text of 1,601 characters", { body: "x".repeat(1601) }, 21617],
    ["a message to itself", { to: from }, 21266],
    [
      "a messaging service that the account has not",
      { from: undefined, messagingServiceSid: `MG${"0".repeat(32)}` },
      21701,
    ],
  ])("%s", async (_name, change, code) => {
    const net = await network();
    net.addPhone(mobile);
    net.addNumber("+46766860001", { sms: false });
    expect(await refusal(sdk(net).messages.create({ ...good, ...change }))).toEqual({ status: 400, code });
    expect(net.messages).toEqual([]);
  });

  test("a wrong token, and another account's path", async () => {
    const net = await network();
    expect(await refusal(sdk(net, "wrong").messages.create(good))).toEqual({ status: 401, code: 20003 });
    const other = twilio(`AC${"f".repeat(32)}`, authToken, { httpClient: new MovedClient(net.url) });
    expect(await refusal(other.messages.create(good))).toEqual({ status: 401, code: 20003 });
  });

  test("a phone marked as a landline; 1,600 characters are taken", async () => {
    const net = await network();
    net.addPhone(mobile, { landline: true });
    expect(await refusal(sdk(net).messages.create(good))).toEqual({ status: 400, code: 21614 });
    const sent = await sdk(net).messages.create({ ...good, to: "+46701740699", body: "x".repeat(1600) });
    expect(sent.numSegments).toBe("11");
  });

  test("more than the rate", async () => {
    const net = await network({ messagesPerSecond: 2 });
    const client = sdk(net);
    const codes = await Promise.all([1, 2, 3].map(() => refusal(client.messages.create(good))));
    expect(codes.filter(({ code }) => code === 20429)).toEqual([{ status: 429, code: 20429 }]);
  });
});

describe("replies", () => {
  test("reach the number's webhook, signed, with the fields of the real one", async () => {
    const service = await receiver();
    const net = await network();
    net.addNumber(from, { inboundUrl: `${service.url}/inbound` });
    const phone = net.addPhone(mobile);
    await sdk(net).messages.create({ to: mobile, from, body: "hej" });
    await until(() => phone.inbox.length === 1);
    expect((await phone.reply("274 t å"))?.status).toBe(200);
    expect(service.received).toMatchObject([
      { path: "/inbound", signed: true, fields: { From: mobile, To: from, Body: "274 t å", SmsStatus: "received" } },
    ]);
  });

  test("STOP opts the phone out until START, and both are passed on", async () => {
    const service = await receiver();
    const net = await network();
    net.addNumber(from, { inboundUrl: `${service.url}/inbound` });
    const phone = net.addPhone(mobile);
    await phone.reply(" Stop ", from);
    await until(() => phone.inbox.length === 1);
    const good = { to: mobile, from, body: "x" };
    expect(await refusal(sdk(net).messages.create(good))).toEqual({ status: 400, code: 21610 });
    await phone.reply("stop please");
    expect(await refusal(sdk(net).messages.create(good))).toEqual({ status: 400, code: 21610 });
    await phone.reply("START");
    expect((await sdk(net).messages.create(good)).status).toBe("queued");
    expect(service.received.map((hook) => hook.fields.Body)).toEqual([" Stop ", "stop please", "START"]);
  });

  test("keywords stay with the network where it is told to drop them", async () => {
    const service = await receiver();
    const net = await network({ keywords: "drop" });
    net.addNumber(from, { inboundUrl: `${service.url}/inbound` });
    const phone = net.addPhone(mobile);
    expect(await phone.reply("QUIT", from)).toBeNull();
    expect(service.received).toEqual([]);
    expect(await refusal(sdk(net).messages.create({ to: mobile, from, body: "x" }))).toMatchObject({ code: 21610 });
  });

  test("TwiML and plain text in the webhook's answer go back as texts; JSON does not", async () => {
    const net = await network();
    const phone = net.addPhone(mobile);
    for (const [type, body] of [
      ["text/xml", "<Response><Message>a &amp; b</Message><Message><Body>c</Body></Message></Response>"],
      ["text/plain; charset=utf-8", "d"],
      ["application/json", "{}"],
    ] as const) {
      const service = await receiver({ type, body });
      net.addNumber(from, { inboundUrl: service.url });
      await phone.reply("hej", from);
    }
    await until(() => phone.inbox.length === 3);
    expect(phone.inbox.map((message) => message.body).sort()).toEqual(["a & b", "c", "d"]);
  });
});

describe("faults", () => {
  const send = (net: PhoneNetwork, url: string) =>
    sdk(net).messages.create({ to: mobile, from, body: "x", statusCallback: `${url}/receipt` });
  const statuses = (hooks: Webhook[]) => hooks.map((hook) => hook.fields.MessageStatus);

  test("receipts come twice, out of order, or never", async () => {
    const service = await receiver();
    const net = await network();
    const phone = net.addPhone(mobile, { behaviour: { receipts: "twice" } });
    await send(net, service.url);
    await until(() => service.received.length === 4);
    expect(statuses(service.received.splice(0))).toEqual(["sent", "sent", "delivered", "delivered"]);
    phone.behave({ receipts: "out-of-order" });
    await send(net, service.url);
    await until(() => service.received.length === 2);
    expect(statuses(service.received.splice(0))).toEqual(["delivered", "sent"]);
    phone.behave({ receipts: "none" });
    await send(net, service.url);
    await until(() => phone.inbox.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(service.received).toEqual([]);
  });

  test("undelivered and failed messages say why, and a number without a phone is one", async () => {
    const service = await receiver();
    const net = await network();
    await send(net, service.url);
    await until(() => service.received.length === 2);
    expect(service.received.at(-1)?.fields).toMatchObject({ MessageStatus: "undelivered", ErrorCode: "30005" });
    const phone = net.addPhone(mobile);
    phone.behaveOnce({ outcome: { failed: 30007 } });
    const failed = await send(net, service.url);
    await until(() => service.received.length === 3);
    expect(service.received.at(-1)?.fields).toMatchObject({ MessageStatus: "failed", ErrorCode: "30007" });
    expect((await sdk(net).messages(failed.sid).fetch()).errorCode).toBe(30007);
    await send(net, service.url);
    await until(() => phone.inbox.length === 1);
  });

  test("a message can be accepted although the sender sees its connection break, or never gets an answer", async () => {
    const net = await network();
    const phone = net.addPhone(mobile);
    for (const api of ["accept-then-reset", "hang"] as const) {
      phone.behaveOnce({ api });
      await expect(send(net, "http://127.0.0.1:9")).rejects.toThrow();
    }
    await until(() => phone.inbox.length === 2);
  });

  test("a 503 or a broken connection accepts nothing", async () => {
    const net = await network({ behaviour: { ...quick, api: { status: 503 } } });
    const phone = net.addPhone(mobile);
    expect(await refusal(send(net, "http://127.0.0.1:9"))).toMatchObject({ status: 503 });
    phone.behave({ api: "reset" });
    await expect(send(net, "http://127.0.0.1:9")).rejects.toThrow();
    expect(net.messages).toEqual([]);
    net.behave({ api: "answer" });
    expect(phone.inbox).toEqual([]);
  });

  test("a refusal has the code and the Retry-After that it was told, and accepts nothing", async () => {
    const net = await network({ behaviour: { ...quick, api: { status: 400, code: 21635 } } });
    net.addPhone(mobile);
    expect(await refusal(send(net, "http://127.0.0.1:9"))).toMatchObject({ status: 400, code: 21635 });
    net.behave({ api: { status: 429, retryAfter: "30" } });
    const response = await fetch(`${net.url}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
      method: "POST",
      body: new URLSearchParams({ To: mobile, From: from, Body: "hej" }),
      headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` },
    });
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(net.messages).toEqual([]);
  });

  test("an answer can be late, or nothing that the sender can read; the message is on its way all the same", async () => {
    const net = await network({ behaviour: { ...quick, apiMs: 120 } });
    const phone = net.addPhone(mobile);
    const before = performance.now();
    await send(net, "http://127.0.0.1:9");
    expect(performance.now() - before).toBeGreaterThanOrEqual(110);
    phone.behave({ api: "not-json", apiMs: 0 });
    await expect(send(net, "http://127.0.0.1:9")).rejects.toThrow();
    await until(() => phone.inbox.length === 2);
  });

  test("a webhook that cannot be reached is told of and harms nothing", async () => {
    const net = await network();
    const phone = net.addPhone(mobile);
    await send(net, "http://127.0.0.1:9");
    await until(() => net.webhooks.length === 2);
    expect(net.webhooks[0]).toMatchObject({ kind: "receipt", status: null });
    expect(phone.inbox.length).toBe(1);
  });
});

test("a webhook that does not answer is given up, as the real one gives it up", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    silent.closeAllConnections();
    silent.close();
  });
  const net = await network({ webhookTimeoutMs: 100 });
  net.addNumber(from, { inboundUrl: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` });
  const result = await net.addPhone(mobile).reply("274 T", from);
  expect(result).toMatchObject({ status: null, error: "no answer in 0.1 s" });
});

test("times are the clock's: at speed 50 a minute's delivery takes about a second", async () => {
  const clock = systemClock(50);
  const net = await network({ clock, behaviour: { deliveryMs: 60_000 } });
  const phone = net.addPhone(mobile);
  const started = clock.wallNow();
  await sdk(net).messages.create({ to: mobile, from, body: "x" });
  await until(() => phone.inbox.length === 1);
  expect(phone.inbox[0]!.at - started).toBeGreaterThanOrEqual(60_000);
  expect(phone.inbox[0]!.at - started).toBeLessThan(75_000);
});
