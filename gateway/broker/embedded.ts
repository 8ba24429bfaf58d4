import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type Client, type ConnectPacket, type PublishPacket, type Subscription } from "aedes";
import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { DeviceId, downlinkFilter } from "../../firmware-contracts/topics.ts";
import type { GatewayConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import type { Seldom } from "../seldom.ts";
import { within } from "../time-limit.ts";
import type { Broker, BrokerHandlers } from "./broker.ts";
import { createPacketGuard, type PacketGuard } from "./packet-guard.ts";

/** Most filters that one device may be subscribed to. */
const maxSubscriptions = 8;
/** Where publishes of devices end inside the broker. No client can subscribe here. */
const sink = "$SYS/taken";
const empty = Buffer.alloc(0);
/** The same trouble of one device is logged so often at most, ms. */
const oftenestMs = 60_000;

// CONNACK's return codes, MQTT 3.1.1 section 3.2.2.3.
const returnCodes = { identifierRejected: 2, serverUnavailable: 3, badUserOrSecret: 4, notAuthorized: 5 } as const;

export interface EmbeddedBrokerOptions {
  mqtt: GatewayConfig["mqtt"];
  limits: GatewayConfig["limits"];
  handlers: BrokerHandlers;
  clock: Clock;
  isSeldom: Seldom;
  counters: Counters;
  log: Logger;
}

/** Aedes keeps a client's live subscriptions here; its types leave it out. */
type ClientWithSubscriptions = Client & { subscriptions: Record<string, unknown> };

/**
 * The MQTT 3.1 and 3.1.1 broker inside the gateway. Each device logs in with its id as user name and as client id, publishes to its own uplink
 * topics and subscribes below its own `down/`. Nothing that a device publishes reaches another client or is retained: it goes to the gateway alone.
 */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): Broker {
  const { mqtt, limits, handlers, clock, isSeldom, counters, log } = options;
  const guards = new WeakMap<object, PacketGuard>();
  const wills = new WeakMap<Client, { topic: string }>();
  const connected = new Map<string, Client>();
  /** Why a connection that is about to end does. */
  const ending = new WeakMap<Client, "taken-over" | "shut-out">();
  const sockets = new Set<Socket>();
  let aedes: Aedes | null = null;
  let server: Server | null = null;
  let stopping = false;
  let url = "";

  function refusal(client: Client, message: string, returnCode: number, reason: string) {
    counters.add(`connect.refused.${reason}`);
    // Only what can be a device's id is logged: anything else would be a stranger's text in the log.
    const deviceId = DeviceId.safeParse(client.id).data;
    if (deviceId && isSeldom(`${deviceId} ${reason}`, oftenestMs)) log.warn({ deviceId, reason }, "device refused");
    return Object.assign(new Error(message), { returnCode });
  }

  async function authenticate(client: Client, user: string | undefined, secret: Buffer | undefined): Promise<void> {
    if (user === undefined || secret === undefined) {
      throw refusal(client, "no user name or secret", returnCodes.badUserOrSecret, "no-credentials");
    }
    if (client.id !== user) {
      throw refusal(client, "client id and user name differ", returnCodes.identifierRejected, "client-id");
    }
    const will = wills.get(client);
    if (will && !isOwn(user, will.topic)) {
      throw refusal(
        client,
        "the will is for another topic than the device's own",
        returnCodes.notAuthorized,
        "foreign-will",
      );
    }
    let admitted: boolean;
    try {
      admitted = await handlers.admits(user, secret.toString("utf8"));
    } catch {
      throw refusal(client, "cannot check secrets now", returnCodes.serverUnavailable, "busy");
    }
    if (!admitted) throw refusal(client, "unknown device or wrong secret", returnCodes.badUserOrSecret, "secret");
    const older = connected.get(user);
    if (older && older !== client && !client.closed) {
      counters.add("connections.taken-over");
      if (isSeldom(`${user} taken-over`, oftenestMs)) {
        log.warn({ deviceId: user }, "another client came with this device's id; the older connection is closed");
      }
      ending.set(older, "taken-over");
    }
  }

  function authorizePublish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const { topic, payload } = packet;
    // Whatever it is, inside the broker it ends here: not retained, not passed on, not stored for anybody.
    packet.topic = sink;
    packet.payload = empty;
    packet.retain = false;
    if (!client || stopping) {
      done(stopping ? new Error("the gateway is stopping") : null);
      return;
    }
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    const taken = handlers.publish(client.id, topic, bytes, client.closed);
    if (!taken) {
      done(null);
      return;
    }
    taken.then(
      () => done(null),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  }

  function authorizeSubscribe(
    client: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ): void {
    const own = downlinkFilter(client.id);
    const isBelow = subscription.topic === own || subscription.topic.startsWith(own.slice(0, -1));
    const held = (client as ClientWithSubscriptions).subscriptions;
    if (isBelow && (subscription.topic in held || Object.keys(held).length < maxSubscriptions)) {
      done(null, subscription);
      return;
    }
    counters.add("subscribe.refused");
    // aedes keeps refused filters of a persistent session too, so what it keeps is made the device's own.
    subscription.topic = own;
    done(null, null);
  }

  function onSocket(socket: Socket): void {
    if (!aedes || stopping) return void socket.destroy();
    sockets.add(socket);
    counters.add("connections.opened");
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on("close", () => sockets.delete(socket));
    const client = aedes.handle(socket);
    const guard = createPacketGuard(limits.bytesBeforeConnack, limits.packetBytes);
    guards.set(client, guard);
    // aedes reads on "readable"; a "data" listener added after that sees each chunk just before aedes' parser does, and changes no flow.
    socket.on("data", (chunk: Buffer) => {
      const refused = guard.take(chunk);
      if (!refused) return;
      counters.add(`connections.cut.${refused}`);
      // Who was not let in may call itself anything, and come as often as it likes: counted only.
      if (connected.get(client.id) === client && isSeldom(`${client.id} ${refused}`, oftenestMs)) {
        log.warn({ deviceId: client.id, reason: refused }, "connection closed");
      }
      socket.destroy();
    });
  }

  return {
    get url() {
      return url;
    },
    get listening() {
      return server?.listening ?? false;
    },
    connected: () => [...connected.keys()],
    shutOut(deviceId) {
      const client = connected.get(deviceId);
      if (!client) return;
      ending.set(client, "shut-out");
      client.close();
    },
    async start() {
      stopping = false;
      aedes = await Aedes.createBroker({
        connectTimeout: limits.connectSeconds * 1000,
        drainTimeout: 10_000,
        // A QoS 2 publish is kept until its PUBREL; this bounds what one device can leave lying.
        maxInflightInbound: 20,
        maxClientsIdLength: 32,
        preConnect(client: Client, packet: ConnectPacket, done: (error: Error | null, success: boolean) => void) {
          if (packet.will) wills.set(client, packet.will);
          done(null, true);
        },
        authenticate(client, user, secret, done) {
          authenticate(client, user, secret).then(
            () => done(null, true),
            (error) => done(error, false),
          );
        },
        authorizePublish,
        authorizeSubscribe,
        // A second lock: a device gets only what the gateway itself sent, and only below its own topics.
        authorizeForward: (client, packet) =>
          packet.topic.startsWith(downlinkFilter(client.id).slice(0, -1)) ? packet : null,
      });
      watch(aedes);
      server = createServer({ noDelay: true }, onSocket);
      server.on("error", (error) => log.error({ error: error.message }, "the listening socket met an error"));
      server.maxConnections = limits.connections;
      server.on("drop", () => counters.add("connections.cut.too-many"));
      await listen(server, mqtt.host, mqtt.port);
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : mqtt.port;
      const host = mqtt.host === "0.0.0.0" || mqtt.host === "::" ? "127.0.0.1" : mqtt.host;
      url = `mqtt://${host.includes(":") ? `[${host}]` : host}:${port}`;
    },
    async stop() {
      stopping = true;
      server?.close();
      const closing = aedes;
      if (closing) {
        await within(clock, 2000, new Promise<void>((resolve) => closing.close(resolve))).catch(() => {});
      }
      for (const socket of sockets) socket.destroy();
      connected.clear();
      aedes = null;
      server = null;
    },
  };

  function watch(broker: Aedes): void {
    broker.on("client", (client) => {
      guards.get(client)?.letIn();
      connected.set(client.id, client);
    });
    broker.on("clientReady", (client) => {
      counters.add("connections.let-in");
      if (connected.get(client.id) === client) handlers.online(client.id);
    });
    broker.on("clientDisconnect", (client) => {
      if (connected.get(client.id) === client) connected.delete(client.id);
      if (stopping) return;
      const saidGoodbye = (client as Client & { _disconnected?: boolean })._disconnected === true;
      handlers.offline(client.id, ending.get(client) ?? (saidGoodbye ? "disconnected" : "connection-lost"));
    });
    broker.on("clientError", (client, error) => {
      counters.add("connections.error");
      if (connected.has(client.id)) log.debug({ deviceId: client.id, error: error.message }, "connection ended");
    });
    broker.on("connectionError", () => counters.add("connections.error"));
    broker.on("keepaliveTimeout", () => counters.add("connections.cut.keep-alive"));
    (broker as NodeJS.EventEmitter).on("error", (error: Error) => {
      counters.add("broker.error");
      log.error({ error: error.message }, "the broker met an error");
    });
  }
}

function isOwn(deviceId: string, topic: string): boolean {
  const own = downlinkFilter(deviceId);
  return topic.startsWith(own.slice(0, own.length - "down/#".length));
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      const mend = isTaken ? "another program listens there; set gateway.mqtt.port" : "see gateway.mqtt";
      reject(new Error(`The MQTT broker cannot listen on ${host}:${port} (${error.code}): ${mend}.`));
    });
    server.listen({ host, port }, resolve);
  });
}
