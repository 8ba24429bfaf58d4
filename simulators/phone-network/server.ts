import { timingSafeEqual } from "node:crypto";
import formbody from "@fastify/formbody";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Behaviour } from "./behaviour.ts";
import { apiVersion, type Message, messageResource } from "./message.ts";
import {
  type AccountView,
  notFound,
  type Refusal,
  refusalBody,
  refusalOf,
  type SendRequest,
  tooManyRequests,
  unauthorised,
} from "./refusals.ts";

export interface ApiServerOptions {
  clock: Clock;
  accountSid: string;
  authToken: string;
  port?: number;
  host?: string;
  messagesPerSecond?: number;
  messages: Message[];
  account: AccountView;
  /** The fate of the next message to this number. Uses up a fault that was set for one message. */
  behaviourFor(to: string): Behaviour;
  accept(request: SendRequest, fate: Behaviour): Message;
}

export interface ApiServer {
  url: string;
  close(): Promise<void>;
}

type Form = Record<string, string | undefined>;

/** Serves the part of Twilio's REST API that is about messages: send, fetch, list, redact and delete. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, accountSid, messages } = options;
  // forceCloseConnections: the twilio package keeps its connections open, and a hang never ends by itself.
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 256 * 1024 });
  await app.register(formbody);
  const base = `/${apiVersion}/Accounts/:account`;
  const recent: number[] = [];

  app.addHook("onRequest", async (request, reply) => {
    if (!request.url.startsWith(`/${apiVersion}/`)) return;
    const inPath = (request.params as Form).account;
    const known = hasCredentials(request.headers.authorization, accountSid, options.authToken);
    if (!known || (inPath !== undefined && inPath !== accountSid)) return refuse(reply, unauthorised);
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, notFound));

  app.post(`${base}/Messages.json`, async (request, reply) => {
    if (overRate()) return refuse(reply, tooManyRequests);
    const form = (request.body ?? {}) as Form;
    const wanted: SendRequest = {
      to: form.To ?? "",
      from: form.From ?? "",
      body: form.Body ?? "",
      statusCallback: form.StatusCallback ?? "",
      messagingServiceSid: form.MessagingServiceSid ?? "",
    };
    const refusal = refusalOf(wanted, options.account);
    if (refusal) return refuse(reply, refusal);
    const fate = options.behaviourFor(wanted.to);
    if (typeof fate.api === "object") {
      const { status, code = status === 429 ? 20429 : 20500, retryAfter } = fate.api;
      if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
      return refuse(reply, { status, code, message: `The service refuses ${wanted.to}: ${wanted.body}` });
    }
    if (fate.api === "reset") return breakOff(request, reply);
    const message = options.accept(wanted, fate);
    if (fate.api === "accept-then-reset") return breakOff(request, reply);
    if (fate.api === "hang") {
      reply.hijack();
      return reply;
    }
    if (fate.apiMs > 0) await new Promise<void>((resolve) => clock.after(fate.apiMs, resolve));
    if (fate.api === "not-json") return reply.code(201).type("text/html").send("<html><h1>One moment</h1></html>");
    return reply.code(201).send(messageResource(message, accountSid));
  });

  app.get(`${base}/Messages.json`, async (request, reply) => {
    const query = request.query as Form;
    const size = Math.min(1000, Math.max(1, Math.trunc(Number(query.PageSize ?? 50)) || 50));
    const page = Math.max(0, Math.trunc(Number(query.Page ?? 0)) || 0);
    // Newest first, as there.
    const found = messages.filter((m) => (!query.To || m.to === query.To) && (!query.From || m.from === query.From));
    found.reverse();
    const shown = found.slice(page * size, (page + 1) * size);
    const uriOf = (number: number) => {
      const parameters = new URLSearchParams({ PageSize: String(size), Page: String(number) });
      if (query.To) parameters.set("To", query.To);
      if (query.From) parameters.set("From", query.From);
      return `/${apiVersion}/Accounts/${accountSid}/Messages.json?${parameters}`;
    };
    return reply.send({
      messages: shown.map((message) => messageResource(message, accountSid)),
      page,
      page_size: size,
      start: page * size,
      end: page * size + Math.max(0, shown.length - 1),
      uri: uriOf(page),
      first_page_uri: uriOf(0),
      next_page_uri: (page + 1) * size < found.length ? uriOf(page + 1) : null,
      previous_page_uri: page > 0 ? uriOf(page - 1) : null,
    });
  });

  const find = (request: FastifyRequest) => {
    const sid = ((request.params as Form).file ?? "").replace(/\.json$/, "");
    return messages.find((message) => message.sid === sid);
  };
  app.get(`${base}/Messages/:file`, async (request, reply) => {
    const message = find(request);
    return message ? reply.send(messageResource(message, accountSid)) : refuse(reply, notFound);
  });
  app.post(`${base}/Messages/:file`, async (request, reply) => {
    const message = find(request);
    if (!message) return refuse(reply, notFound);
    // An empty Body redacts a message: the only change of a sent one that the real one allows.
    if (((request.body ?? {}) as Form).Body === "") message.body = "";
    return reply.send(messageResource(message, accountSid));
  });
  app.delete(`${base}/Messages/:file`, async (request, reply) => {
    const message = find(request);
    if (!message) return refuse(reply, notFound);
    messages.splice(messages.indexOf(message), 1);
    return reply.code(204).send();
  });

  function overRate(): boolean {
    if (options.messagesPerSecond === undefined) return false;
    const now = clock.monotonicNow();
    while (recent.length > 0 && now - (recent[0] ?? 0) >= 1000) recent.shift();
    if (recent.length >= options.messagesPerSecond) return true;
    recent.push(now);
    return false;
  }

  const host = options.host ?? "127.0.0.1";
  await app.listen({ host, port: options.port ?? 0 });
  const address = app.server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: () => app.close(),
  };
}

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply.code(refusal.status).send(refusalBody(refusal));
}

function breakOff(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

function hasCredentials(header: string | undefined, user: string, secret: string): boolean {
  if (!header?.startsWith("Basic ")) return false;
  const given = Buffer.from(header.slice("Basic ".length), "base64");
  const expected = Buffer.from(`${user}:${secret}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
