import type { Socket } from "node:net";
import { Aedes, type Client, type ConnectPacket } from "aedes";
import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { DeviceId } from "../../firmware-contracts/topics.ts";
import type { GatewayConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import type { Seldom } from "../seldom.ts";
import { within } from "../time-limit.ts";
import { createAllowance } from "./allowance.ts";
import type { Admission, Broker, BrokerHandlers } from "./broker.ts";
import { closeSink, createDevicePermissions } from "./device-permissions.ts";
import { createDoor, type Place } from "./door.ts";
import { createFrameLane, type FrameLane } from "./frame-lane.ts";
import { type Arrival, createListeners } from "./listeners.ts";
import { createPacketGuard, type PacketGuard } from "./packet-guard.ts";
import { type Permissions, Refused, returnCodes } from "./permissions.ts";

/** The same trouble of one device is logged so often at most, ms. */
const oftenestMs = 60_000;
/** How often connections are looked at for packets that do not come to an end, ms. */
const sweepMs = 1000;

export interface EmbeddedBrokerOptions {
  mqtt: GatewayConfig["mqtt"];
  limits: GatewayConfig["limits"];
  handlers: BrokerHandlers;
  clock: Clock;
  isSeldom: Seldom;
  counters: Counters;
  log: Logger;
  /** Others than those for devices. */
  permissions?: Permissions;
}

/** What aedes' types leave out: the timer of the keep-alive time, and the wait for a client that is slow to take what it is sent, bounded by `drainTimeout`. */
type ClientWithTimer = Client & {
  _keepaliveTimer: { refresh(): void } | null;
  waitForDrain(done: () => void): void;
};

/** What is kept of a connection from its first byte to its end. */
interface Connection {
  socket: Socket;
  place: Place;
  guard: PacketGuard;
  /** Null until the first byte: a connection that says nothing costs a socket, no more. */
  client: Client | null;
  /** The short way of its frames; null until it is let in and the next packet begins. */
  lane: FrameLane | null;
  /** Its socket's buffer is full: it does not take our answers. */
  isDraining: boolean;
  hasSentConnect: boolean;
  /** Sweeps that it has seen without its CONNECT. */
  waited: number;
  certificate: string | null;
  will?: { topic: string };
  /** An empty client id that asked for a session to be kept (MQTT-3.1.3-8). */
  isNameless?: boolean;
  admission?: Admission;
  hasFailed?: boolean;
  /** Why it is about to end. */
  ending?: "taken-over" | "shut-out";
}

/** The MQTT 3.1 and 3.1.1 broker inside the gateway. */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): Broker {
  const { mqtt, limits, handlers, clock, isSeldom, counters, log } = options;
  const connections = new WeakMap<Client, Connection>();
  const open = new Set<Connection>();
  const connected = new Map<string, Client>();
  const allowance = createAllowance({
    clock,
    perSecond: limits.publishesPerSecond,
    burst: limits.publishBurst,
    mostHeld: limits.heldPerDevice,
  });
  const permissions = options.permissions ?? createDevicePermissions({ handlers, allowance, counters, onFlood });
  const listeners = createListeners({
    mqtt,
    handshakeSeconds: limits.connectSeconds,
    door: createDoor(limits, (why) => counters.add(`connections.cut.${why}`)),
    clock,
    counters,
    log,
    onArrival,
  });
  let aedes: Aedes | null = null;
  let stopping = false;
  let callOffSweep = () => {};

  function onFlood(client: Client): void {
    const connection = connections.get(client);
    if (connection) cut(connection, "flood");
  }

  function cut(connection: Connection, reason: string): void {
    const { client, socket } = connection;
    if (socket.destroyed) return;
    counters.add(`connections.cut.${reason}`);
    // Who was not let in may call itself anything, and come as often as it likes: counted only.
    if (client && connected.get(client.id) === client && isSeldom(`${client.id} ${reason}`, oftenestMs)) {
      log.warn({ deviceId: client.id, reason }, "connection closed");
    }
    socket.destroy();
    // aedes would go on with the packets of the chunk it is at.
    client?.close();
  }

  function onArrival({ socket, place, certificate }: Arrival): void {
    if (!aedes || stopping) return void socket.destroy();
    const guard = createPacketGuard(limits.bytesBeforeConnack, limits.packetBytes);
    const connection: Connection = {
      socket,
      place,
      guard,
      certificate,
      client: null,
      lane: null,
      isDraining: false,
      hasSentConnect: false,
      waited: 0,
    };
    open.add(connection);
    socket.on("error", () => {});
    socket.on("close", () => {
      open.delete(connection);
      connection.lane?.close();
      if (connection.client?.id) permissions.gone(connection.client);
    });
    socket.once("readable", () => begin(connection));
  }

  function begin(connection: Connection): void {
    const { socket, guard } = connection;
    if (!aedes || stopping) return void socket.destroy();
    const client = aedes.handle(socket);
    connection.client = client;
    connections.set(client, connection);
    // aedes asks for what has come by `read`. What it is not to see is taken out here, without a stream in between and its copies.
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      if (size === 0) return read(0);
      const { lane } = connection;
      if (socket.destroyed || connection.isDraining || lane?.full) return null;
      const startsPacket = guard.isBetweenPackets;
      const chunk: Buffer | null = read(size);
      const refused = chunk && guard.take(chunk);
      if (refused) {
        cut(connection, refused);
        return null;
      }
      if (!lane && startsPacket && connected.get(client.id) === client) connection.lane = openLane(connection, client);
      if (!connection.lane) return chunk;
      // aedes puts off the end of a silent connection only for what it sees itself.
      if (chunk) (client as ClientWithTimer)._keepaliveTimer?.refresh();
      return connection.lane.read(chunk);
    };
    // aedes' own listener came too late for this time.
    socket.emit("readable");
  }

  function openLane(connection: Connection, client: Client): FrameLane | null {
    const { socket } = connection;
    const frames = permissions.frames?.(client);
    if (!frames) return null;
    const resume = () => void socket.emit("readable");
    return createFrameLane({
      topic: frames.topic,
      // A gateway that stops takes nothing: aedes says so to the device.
      take: (bytes, from, to) => (stopping ? "long-way" : frames.take(bytes, from, to)),
      send(bytes) {
        if (socket.destroyed || socket.write(bytes) || connection.isDraining) return;
        connection.isDraining = true;
        (client as ClientWithTimer).waitForDrain(() => {
          connection.isDraining = false;
          resume();
        });
      },
      failed(error) {
        if (!connection.hasFailed) client.emit("error", error);
      },
      resume,
    });
  }

  async function authenticate(client: Client, user: string | undefined, secret: Buffer | undefined): Promise<void> {
    const connection = connections.get(client);
    if (!connection) throw new Refused("the connection is gone", returnCodes.serverUnavailable, "gone");
    const { certificate, will } = connection;
    if (connection.isNameless) {
      throw new Refused("a session needs a client id", returnCodes.identifierRejected, "empty-client-id");
    }
    connection.admission = await permissions.admit(client, { user, secret, certificate, will });
    const older = connected.get(client.id);
    if (!older || older === client || older.closed) return;
    counters.add("connections.taken-over");
    if (isSeldom(`${client.id} taken-over`, oftenestMs)) {
      const deviceId = client.id;
      log.warn({ deviceId }, "another client came with this device's id; the older connection is closed");
    }
    const its = connections.get(older);
    if (its) its.ending = "taken-over";
  }

  function refuse(client: Client, error: unknown): Error {
    if (!(error instanceof Refused)) return error instanceof Error ? error : new Error(String(error));
    counters.add(`connect.refused.${error.reason}`);
    // Only what can be a device's id is logged: anything else would be a stranger's text in the log.
    const deviceId = DeviceId.safeParse(client.id).data;
    if (deviceId && isSeldom(`${deviceId} ${error.reason}`, oftenestMs)) {
      log.warn({ deviceId, reason: error.reason }, "device refused");
    }
    return error;
  }

  function sweep(): void {
    for (const connection of open) {
      if (!connection.hasSentConnect && ++connection.waited > limits.connectSeconds) cut(connection, "no-connect");
      else if (connection.guard.isDripping(limits.packetSeconds)) cut(connection, "slow-sender");
    }
    callOffSweep = clock.after(sweepMs, sweep);
  }

  return {
    get url() {
      return listeners.url;
    },
    get tlsUrl() {
      return listeners.tlsUrl;
    },
    get listening() {
      return listeners.listening;
    },
    certificates: listeners.certificates,
    connected: () => [...connected.keys()],
    send(topic, payload) {
      const packet = {
        cmd: "publish",
        topic,
        payload: Buffer.from(payload),
        qos: 0,
        retain: false,
        dup: false,
      } as const;
      aedes?.publish(packet, (error) => {
        if (error) log.debug({ error: error.message }, "a message to a device was not sent");
      });
    },
    shutOut(deviceId) {
      const client = connected.get(deviceId);
      if (!client) return;
      const connection = connections.get(client);
      if (connection) connection.ending = "shut-out";
      client.close();
    },
    async start() {
      stopping = false;
      aedes = await Aedes.createBroker({
        // A second lock, behind the sweep's.
        connectTimeout: limits.connectSeconds * 2000,
        drainTimeout: 10_000,
        // A QoS 2 publish is kept until its PUBREL; this bounds what one device can leave lying.
        maxInflightInbound: 20,
        maxClientsIdLength: 32,
        preConnect(client: Client, packet: ConnectPacket, done: (error: Error | null, success: boolean) => void) {
          const connection = connections.get(client);
          if (connection) {
            connection.hasSentConnect = true;
            connection.place.connectCame();
            connection.isNameless = packet.clientId === "" && !packet.clean;
            if (packet.will) connection.will = packet.will;
          }
          done(null, true);
        },
        authenticate(client, user, secret, done) {
          authenticate(client, user, secret).then(
            () => done(null, true),
            (error) => done(refuse(client, error) as Parameters<typeof done>[0], false),
          );
        },
        authorizePublish: (client, packet, done) =>
          stopping ? done(new Error("the gateway is stopping")) : permissions.publish(client, packet, done),
        authorizeSubscribe: permissions.subscribe,
        authorizeForward: (client, packet) => (permissions.mayHear(client, packet.topic) ? packet : null),
      });
      closeSink(aedes);
      watch(aedes);
      await listeners.start();
      callOffSweep = clock.after(sweepMs, sweep);
    },
    async stop() {
      stopping = true;
      callOffSweep();
      const closing = aedes;
      if (closing) {
        await within(clock, 2000, new Promise<void>((resolve) => closing.close(resolve))).catch(() => {});
      }
      listeners.stop();
      connected.clear();
      aedes = null;
    },
  };

  function watch(broker: Aedes): void {
    broker.on("client", (client) => {
      connections.get(client)?.guard.letIn();
      connected.set(client.id, client);
    });
    broker.on("clientReady", (client) => {
      counters.add("connections.let-in");
      if (connected.get(client.id) === client) {
        handlers.online(client.id, connections.get(client)?.admission ?? "secret");
      }
    });
    broker.on("clientDisconnect", (client) => {
      if (connected.get(client.id) === client) connected.delete(client.id);
      if (stopping) return;
      const saidGoodbye = (client as Client & { _disconnected?: boolean })._disconnected === true;
      const ending = connections.get(client)?.ending;
      handlers.offline(client.id, ending ?? (saidGoodbye ? "disconnected" : "connection-lost"));
    });
    broker.on("clientError", (client, error) => {
      const connection = connections.get(client);
      // Each packet that was under way fails once more.
      if (connection?.hasFailed) return;
      if (connection) connection.hasFailed = true;
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
