import { readFileSync } from "node:fs";
import type { IClientOptions, MqttClient } from "mqtt";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { OutsideConfig } from "../config.ts";
import { within } from "../time-limit.ts";
import { createAckQueue } from "./ack-queue.ts";
import { mqttPackage } from "./mqtt-package.ts";

const firstRetryMs = 250;
const longestRetryMs = 5000;
const connectMs = 10_000;
/** How long the broker may take to answer a SUBSCRIBE, ms. */
const answerMs = 20_000;
/** A silent broker is noticed after one and a half of these, s. */
const keepAliveSeconds = 15;
/** Filters in one SUBSCRIBE or UNSUBSCRIBE. */
const batchSize = 120;
/** Handed to the mqtt package instead of an answer: it then reads on and sends no PUBACK of its own. */
const acknowledgedLater = new Error("acknowledged once it is committed");

/** Where the broker is, and how the gateway says who it is. */
export type LinkBroker = Pick<OutsideConfig, "url" | "version" | "sessionHours"> &
  Partial<Pick<OutsideConfig, "username" | "password" | "caFile">>;

export interface LinkOptions {
  outside: LinkBroker;
  /** Where it stands in the configuration, for messages. Default: gateway.outside. */
  section?: string;
  /** Whether what the broker retains is wanted, at each SUBSCRIBE. Default: no. */
  wantsRetained?: boolean;
  clientId: string;
  /** Messages taken and not acknowledged, at most. */
  inFlight: number;
  /** Longest packet the broker may send, bytes. */
  packetBytes: number;
  clock: Clock;
  /** A message came. It is acknowledged when this returns or resolves; a rejection ends the connection without. */
  take(topic: string, payload: Uint8Array, retained: boolean, qos: 0 | 1 | 2): Promise<void> | undefined;
  /** Connected, with the session that the broker kept or a new one. */
  onConnect(sessionKept: boolean): void;
  /** A connection, or a try to get one, has ended. `uncommitted`: by us, as a message could not be committed. */
  onEnd(why: string, uncommitted: boolean): void;
}

/** One MQTT session with a broker of another's, kept up until it is stopped. */
export interface Link {
  /** Resolves when the first try has succeeded or failed. */
  start(): Promise<void>;
  /** Waits a moment for what is being committed, says goodbye and leaves the session with the broker. */
  stop(): Promise<void>;
  readonly connected: boolean;
  /** Subscribes with QoS 1. Returns the filters that the broker refused; rejects where the connection ended. */
  subscribe(filters: readonly string[]): Promise<string[]>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Publishes at QoS 0, now or not at all. */
  send(topic: string, payload: Uint8Array): void;
}

/**
 * Each connection has a client of its own, so that nothing of an old one can acknowledge on the next: message ids are used again.
 * The mqtt package takes one message at a time; here many may wait for their commits, and PUBACKs go out in the order in which the messages came.
 */
export function createLink(options: LinkOptions): Link {
  const { outside, clientId, clock } = options;
  let client: MqttClient | null = null;
  let acks = createAckQueue({ max: options.inFlight, send: () => {} });
  let stopped = true;
  let failures = 0;
  let callOff = () => {};
  let firstTry: (() => void) | null = null;

  function attempt(): void {
    let why = "connection closed";
    let uncommitted = false;
    let isOver = false;
    let hasAcknowledged = false;
    let settings: IClientOptions;
    try {
      settings = connectOptions();
    } catch (error) {
      ended(`${options.section ?? "gateway.outside"}.caFile cannot be read: ${messageOf(error)}`, false, false);
      return;
    }
    const own = mqttPackage().connect(outside.url, settings);
    client = own;
    const ownAcks = createAckQueue({
      max: options.inFlight,
      send(bytes) {
        hasAcknowledged = true;
        if (!isOver && !own.stream.destroyed) own.stream.write(bytes);
      },
    });
    acks = ownAcks;

    own.handleMessage = (packet, proceed) => {
      // Not acknowledged: the broker keeps it for the next start.
      if (stopped || isOver) return;
      const settle = packet.qos === 1 ? ownAcks.enter(packet.messageId ?? 0) : () => {};
      const failed = (error: unknown) => {
        why = `a message could not be committed: ${messageOf(error)}`;
        uncommitted = true;
        over();
      };
      try {
        const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
        const work = options.take(packet.topic, payload, packet.retain, packet.qos);
        if (work) work.then(settle, failed);
        else settle();
      } catch (error) {
        return failed(error);
      }
      ownAcks.whenRoom(() => proceed(packet.qos === 1 ? acknowledgedLater : undefined));
    };
    own.on("connect", (packet) => {
      firstTry?.();
      options.onConnect(packet.sessionPresent);
    });
    own.on("error", (error) => {
      why = messageOf(error);
    });
    own.on("disconnect", (packet) => {
      why = `the broker ended the connection (reason ${packet.reasonCode ?? "none"})`;
    });
    own.on("close", over);

    function over(): void {
      if (isOver) return;
      isOver = true;
      ownAcks.close();
      if (client === own) client = null;
      own.end(true);
      ended(why, uncommitted, hasAcknowledged);
    }
  }

  function ended(why: string, uncommitted: boolean, hasAcknowledged: boolean): void {
    firstTry?.();
    if (stopped) return;
    options.onEnd(why, uncommitted);
    // A full disk is asked again less and less often, though quiet frames get through.
    if (hasAcknowledged && !uncommitted) failures = 0;
    callOff = clock.after(Math.min(firstRetryMs * 2 ** Math.min(failures, 10), longestRetryMs), attempt);
    failures++;
  }

  function connectOptions(): IClientOptions {
    const isFive = outside.version === "5";
    return {
      clientId,
      ...(outside.username === undefined ? {} : { username: outside.username }),
      ...(outside.password === undefined ? {} : { password: outside.password }),
      ...(outside.caFile ? { ca: readFileSync(outside.caFile) } : {}),
      protocolVersion: isFive ? 5 : 4,
      clean: false,
      reconnectPeriod: 0,
      resubscribe: false,
      connectTimeout: connectMs,
      keepalive: keepAliveSeconds,
      ...(isFive
        ? {
            properties: {
              sessionExpiryInterval: outside.sessionHours * 3600,
              receiveMaximum: options.inFlight,
              maximumPacketSize: options.packetBytes,
            },
          }
        : {}),
    };
  }

  /** The connection as it is now; throws where there is none. */
  function need(): MqttClient {
    if (!client?.connected) throw new Error("no connection to the broker");
    return client;
  }

  function subscribeBatch(filters: readonly string[]): Promise<string[]> {
    const own = need();
    // 2: what the broker retains is not wanted.
    const rh = options.wantsRetained ? 0 : 2;
    const wanted = Object.fromEntries(filters.map((filter) => [filter, { qos: 1 as const, rh }] as const));
    const answer = new Promise<string[]>((resolve, reject) => {
      own.subscribe(wanted, (error, _subscriptions, packet) => {
        const codes = (packet?.granted ?? []) as number[];
        if (codes.length === filters.length) resolve(filters.filter((_, i) => ((codes[i] ?? 0) & 0x80) !== 0));
        else reject(error ?? new Error("the broker's answer to SUBSCRIBE is too short"));
      });
    });
    return within(clock, answerMs, answer);
  }

  return {
    get connected() {
      return client?.connected ?? false;
    },
    start() {
      stopped = false;
      failures = 0;
      return new Promise((resolve) => {
        firstTry = resolve;
        attempt();
      });
    },
    async stop() {
      stopped = true;
      callOff();
      await within(clock, 1500, acks.settled()).catch(() => {});
      acks.flush();
      const own = client;
      client = null;
      if (!own) return;
      await within(clock, 1000, own.endAsync(false)).catch(() => own.end(true));
    },
    async subscribe(filters) {
      const refused: string[] = [];
      for (let at = 0; at < filters.length; at += batchSize) {
        refused.push(...(await subscribeBatch(filters.slice(at, at + batchSize))));
      }
      return refused;
    },
    send(topic, payload) {
      if (client?.connected) client.publish(topic, Buffer.from(payload), { qos: 0 });
    },
    async unsubscribe(filters) {
      for (let at = 0; at < filters.length; at += batchSize) {
        await within(clock, answerMs, need().unsubscribeAsync(filters.slice(at, at + batchSize)));
      }
    },
  };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused TCP connection to a name with two addresses is an AggregateError without a message.
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}
