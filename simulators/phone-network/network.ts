import { randomBytes } from "node:crypto";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { type Behaviour, goodDay, type LifeStep, lifeOf } from "./behaviour.ts";
import { keywordAnswers, keywordOf } from "./keywords.ts";
import { inboundFields, type Message, receiptFields } from "./message.ts";
import { isPhoneNumber } from "./numbers.ts";
import type { InboxMessage, Phone, PhoneOptions } from "./phone.ts";
import type { AccountView, SendRequest } from "./refusals.ts";
import { type ApiServer, startApiServer } from "./server.ts";
import { postWebhook, repliesIn, type WebhookResult } from "./webhook.ts";

export interface PhoneNetworkOptions {
  clock: Clock;
  /** `AC` and 32 hexadecimal digits. */
  accountSid: string;
  authToken: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** How messages fare where their phone says nothing else. */
  behaviour?: Partial<Behaviour>;
  /** Most messages the API takes in any second; more get 429. Default: no limit. */
  messagesPerSecond?: number;
  /**
   * Whether a reply that is a keyword (STOP, START, HELP …) reaches the account's webhook after the network acted on it.
   * Twilio passes it on by default; an account or a service can have it dropped. Default `pass-on`.
   */
  keywords?: "pass-on" | "drop";
  /** How long the network waits for a webhook's answer, ms of its clock. Default 15,000, as Twilio; a clock at speed 8 makes that 1.9 s. */
  webhookTimeoutMs?: number;
  /** Makes a phone for each mobile number that a message is sent to. Default false: unknown numbers get 30005. */
  everyNumberHasAPhone?: boolean;
}

export interface AccountNumberOptions {
  /** Where inbound messages go. */
  inboundUrl?: string;
  /** False: a number that cannot send SMS (21606). Default true. */
  sms?: boolean;
}

/** A webhook that the network sent, and what came of it. */
export interface SentWebhook extends WebhookResult {
  kind: "receipt" | "inbound";
  messageSid: string;
}

export interface PhoneNetwork {
  /** `http://host:port`, in place of https://api.twilio.com. */
  readonly url: string;
  readonly accountSid: string;
  /** Every message, oldest first; at most the last 10,000. */
  readonly messages: readonly Message[];
  /** The last 1,000 webhooks, oldest first. */
  readonly webhooks: readonly SentWebhook[];
  readonly phones: ReadonlyMap<string, Phone>;
  /** Gives the account a number to send from; again: changes it. */
  addNumber(number: string, options?: AccountNumberOptions): void;
  addPhone(number: string, options?: PhoneOptions): Phone;
  /** Changes how messages fare from now on, where their phone says nothing else. */
  behave(behaviour: Partial<Behaviour>): void;
  /** Calls the listener for each message that reaches a phone. Returns how to stop. */
  onMessage(listener: (phone: Phone, message: InboxMessage) => void): () => void;
  /** Calls the listener for each webhook that was answered, or was not. */
  onWebhook(listener: (webhook: SentWebhook) => void): () => void;
  /** Stops: what is under way is dropped, connections are closed. */
  close(): Promise<void>;
}

interface PhoneState {
  behaviour: Partial<Behaviour>;
  once: Partial<Behaviour>[];
  landline: boolean;
  lastSender: string | null;
  inbox: InboxMessage[];
  listeners: Set<(message: InboxMessage) => void>;
  phone: Phone;
}

const maxMessages = 10_000;
const maxWebhooks = 1_000;
const maxInbox = 1_000;

/** Starts a phone network on a port of its own. Rejects where the port is taken or the account's sid has the wrong form. */
export async function startPhoneNetwork(options: PhoneNetworkOptions): Promise<PhoneNetwork> {
  const { clock, accountSid, authToken } = options;
  if (!/^AC[0-9a-fA-F]{32}$/.test(accountSid)) {
    throw new Error(
      `The account sid ${accountSid} is not AC and 32 hexadecimal digits, so the twilio package refuses it`,
    );
  }
  let behaviour: Partial<Behaviour> = { ...options.behaviour };
  let closed = false;
  const numbers = new Map<string, { sms: boolean; inboundUrl: string | null }>();
  const states = new Map<string, PhoneState>();
  const phones = new Map<string, Phone>();
  const messages: Message[] = [];
  const webhooks: SentWebhook[] = [];
  const optOuts = new Set<string>();
  const waits = new Set<() => void>();
  const messageListeners = new Set<(phone: Phone, message: InboxMessage) => void>();
  const webhookListeners = new Set<(webhook: SentWebhook) => void>();

  const account: AccountView = {
    numbers,
    optedOut: (from, to) => optOuts.has(`${from} ${to}`),
    landline: (to) => states.get(to)?.landline ?? false,
  };

  function later(ms: number, run: () => void): void {
    const callOff = clock.after(ms, () => {
      waits.delete(callOff);
      if (!closed) run();
    });
    waits.add(callOff);
  }

  function newMessage(
    part: Pick<Message, "from" | "to" | "body" | "direction" | "status" | "statusCallback">,
  ): Message {
    const at = clock.wallNow();
    const sid = `SM${randomBytes(16).toString("hex")}`;
    const message: Message = { ...part, sid, errorCode: null, createdAt: at, updatedAt: at, sentAt: null };
    messages.push(message);
    if (messages.length > maxMessages) messages.shift();
    return message;
  }

  async function send(kind: SentWebhook["kind"], message: Message, url: string, fields: Record<string, string>) {
    const result: SentWebhook = {
      ...(await postWebhook(clock, authToken, url, fields, options.webhookTimeoutMs)),
      kind,
      messageSid: message.sid,
    };
    if (closed) return result;
    webhooks.push(result);
    if (webhooks.length > maxWebhooks) webhooks.shift();
    for (const listener of webhookListeners) listener(result);
    return result;
  }

  function behaviourFor(to: string): Behaviour {
    const state = states.get(to);
    const base = { ...goodDay, ...behaviour, ...state?.behaviour, ...state?.once.shift() };
    // A number with no phone behind it: the carrier says so some time after Twilio accepted the message.
    return state || base.outcome !== "delivered" ? base : { ...base, outcome: { undelivered: 30005 } };
  }

  function live(message: Message, step: LifeStep): void {
    if (step.do === "status") {
      message.status = step.status;
      message.errorCode = step.errorCode;
      message.updatedAt = clock.wallNow();
      if (step.status === "sent") message.sentAt = message.updatedAt;
    } else if (step.do === "arrive") arrive(message);
    else if (message.statusCallback) {
      const fields = receiptFields(message, accountSid, step.status, step.errorCode);
      void send("receipt", message, message.statusCallback, fields);
    }
  }

  function arrive(message: Message): void {
    const state = states.get(message.to);
    if (!state) return;
    const received = { at: clock.wallNow(), from: message.from, body: message.body, sid: message.sid };
    state.lastSender = message.from;
    state.inbox.push(received);
    if (state.inbox.length > maxInbox) state.inbox.shift();
    for (const listener of state.listeners) listener(received);
    for (const listener of messageListeners) listener(state.phone, received);
  }

  function accept(request: SendRequest, direction: Message["direction"], fate: Behaviour): Message {
    const message = newMessage({
      from: request.from,
      to: request.to,
      body: request.body,
      direction,
      status: "queued",
      statusCallback: request.statusCallback || null,
    });
    for (const step of lifeOf(fate)) later(step.afterMs, () => live(message, step));
    return message;
  }

  async function reply(state: PhoneState, text: string, to?: string): Promise<WebhookResult | null> {
    const number = to ?? state.lastSender;
    if (!number) throw new Error(`${state.phone.number} has received nothing yet, so there is nobody to reply to`);
    const own = numbers.get(number);
    if (!own) throw new Error(`${number} is not a number of the account; addNumber gives it one`);
    const message = newMessage({
      from: state.phone.number,
      to: number,
      body: text,
      direction: "inbound",
      status: "received",
      statusCallback: null,
    });
    const keyword = keywordOf(text);
    const pair = `${number} ${state.phone.number}`;
    if (keyword) {
      if (keyword === "STOP") optOuts.add(pair);
      if (keyword === "START") optOuts.delete(pair);
      answer(number, state.phone.number, keywordAnswers[keyword]);
    }
    if (!own.inboundUrl || (keyword && options.keywords === "drop")) return null;
    const result = await send("inbound", message, own.inboundUrl, inboundFields(message, accountSid));
    if (!account.optedOut(number, state.phone.number)) {
      for (const text of repliesIn(result)) answer(number, state.phone.number, text);
    }
    return result;
  }

  /** A text that the network itself, or a webhook's answer, sends back. It takes none of the phone's queued faults. */
  function answer(from: string, to: string, body: string): void {
    if (closed) return;
    const request = { from, to, body, statusCallback: "", messagingServiceSid: "" };
    accept(request, "outbound-reply", { ...goodDay, ...behaviour, ...states.get(to)?.behaviour });
  }

  function addPhone(number: string, phoneOptions: PhoneOptions = {}): Phone {
    if (!isPhoneNumber(number)) throw new Error(`${number} is no telephone number in the form +46701234567`);
    if (states.has(number)) throw new Error(`${number} is on the network already`);
    const inbox: InboxMessage[] = [];
    const listeners = new Set<(message: InboxMessage) => void>();
    const phone: Phone = {
      number,
      inbox,
      reply: (text, to) => reply(state, text, to),
      behave: (change) => Object.assign(state.behaviour, change),
      behaveOnce: (change) => state.once.push(change),
      onMessage: (listener) => subscribe(listeners, listener),
    };
    const state: PhoneState = {
      behaviour: { ...phoneOptions.behaviour },
      once: [],
      landline: phoneOptions.landline ?? false,
      lastSender: null,
      inbox,
      listeners,
      phone,
    };
    states.set(number, state);
    phones.set(number, phone);
    return phone;
  }

  const server: ApiServer = await startApiServer({
    ...options,
    messages,
    account,
    behaviourFor(to) {
      if (options.everyNumberHasAPhone && !states.has(to)) addPhone(to);
      return behaviourFor(to);
    },
    accept: (request, fate) => accept(request, "outbound-api", fate),
  });

  return {
    url: server.url,
    accountSid,
    messages,
    webhooks,
    phones,
    addNumber(number, { inboundUrl, sms } = {}) {
      if (!isPhoneNumber(number)) throw new Error(`${number} is no telephone number in the form +46701234567`);
      numbers.set(number, { sms: sms ?? true, inboundUrl: inboundUrl ?? null });
    },
    addPhone,
    behave(change) {
      behaviour = { ...behaviour, ...change };
    },
    onMessage: (listener) => subscribe(messageListeners, listener),
    onWebhook: (listener) => subscribe(webhookListeners, listener),
    async close() {
      closed = true;
      for (const callOff of waits) callOff();
      waits.clear();
      await server.close();
    },
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
