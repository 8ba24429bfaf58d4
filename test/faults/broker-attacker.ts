// Everything that somebody could throw at the broker, at one time, from a process of its own. Arguments: the plain port, the TLS port and, by hand, the
// number of the one attack that is wanted.
// Tells, for each attack, how many connections it had and how long the broker let the longest of them live.
import { connect, type Socket } from "node:net";
import { generate, type Packet } from "mqtt-packet";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { uplinkTopic } from "../../firmware-contracts/topics.ts";

/** What an attack's connections met. Lives in ms, from the connection to its end; an attack that was not thrown off counts as `alive`. */
export interface AttackResult {
  attack: string;
  connections: number;
  longestLife: number;
  alive: number;
}

const [plainPort, tlsPort, only] = process.argv.slice(2).map(Number) as [number, number, number | undefined];
const clock = systemClock();
const attackMs = 12_000;
const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
const results = new Map<string, AttackResult & { open: Map<Socket, number> }>();

/** A connection of an attack, from the address with this last number. */
function attackFrom(attack: string, address: number, port = plainPort): Socket {
  const result = results.get(attack) ?? { attack, connections: 0, longestLife: 0, alive: 0, open: new Map() };
  results.set(attack, result);
  const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${address}` });
  socket.on("connect", () => {
    result.connections++;
    result.open.set(socket, clock.monotonicNow());
  });
  socket.on("close", () => {
    const since = result.open.get(socket);
    if (since !== undefined) result.longestLife = Math.max(result.longestLife, clock.monotonicNow() - since);
    result.open.delete(socket);
  });
  socket.on("error", () => {});
  socket.on("data", () => {});
  return socket;
}

const bytes = (packet: Packet) => generate(packet);
const hello = (clientId: string, more: object = {}) =>
  bytes({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: 0,
    username: clientId,
    password: Buffer.from(`secret-of-${clientId}`),
    ...more,
  } as Packet);

function drip(socket: Socket, text: Buffer): void {
  let at = 0;
  const next = () => {
    if (socket.destroyed) return;
    socket.write(text.subarray(at, ++at));
    clock.after(1000, next);
  };
  next();
}

/** Logs in again as often as it is thrown out, and each time sends `text` for as long as the broker reads it. */
function flood(attack: string, address: number, deviceId: string, text: Buffer): void {
  const socket = attackFrom(attack, address);
  const pour = () => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on("drain", pour);
  socket.on("connect", () => {
    socket.write(hello(deviceId));
    clock.after(50, pour);
  });
  socket.on("close", () => {
    if (!over) clock.after(200, () => flood(attack, address, deviceId, text));
  });
}

let over = false;
const deep = `${"a/".repeat(999)}a`;
const frame = { topic: uplinkTopic("rogue-flood-0", "accel"), payload: Buffer.alloc(332, 7) };

const attacks: (() => void | Promise<void>)[] = [
  async () => {
    for (let i = 0; i < 5000; i++) {
      attackFrom("half-open", 10 + (i % 5));
      if (i % 250 === 249) await pause(20);
    }
  },
  () => {
    for (let i = 0; i < 300; i++) {
      const socket = attackFrom("half-open TLS", 20, tlsPort);
      socket.on("connect", () => socket.write(Buffer.from("16030102000100", "hex")));
    }
  },
  () => {
    for (let i = 0; i < 50; i++) {
      const socket = attackFrom("declares 256 MiB", 30);
      socket.on("connect", () =>
        socket.write(Buffer.concat([Buffer.from("10ffffff7f", "hex"), Buffer.alloc(4 << 20)])),
      );
    }
  },
  () => {
    const seeds = [
      "101000044d5154540502003c0321001400006202d301e0020020",
      "1000",
      "10020000",
      "100c00044d51545404ff003c0000",
      "10ffffffffff7f",
      "f0ff",
      "300b0003612f62",
      "8206000100012380",
    ].map((seed) => Buffer.from(seed, "hex"));
    const valid = hello("watch-0");
    for (let i = 0; i < 300; i++) {
      const socket = attackFrom("malformed CONNECT", 31);
      const torn = Buffer.from(valid);
      torn[(i * 7) % torn.length] = (i * 31) & 0xff;
      // Beside the known seeds, a true CONNECT with one byte wrong, its end left out.
      const seed = seeds[i] ?? torn.subarray(0, torn.length - 1);
      socket.on("connect", () => socket.write(seed));
    }
  },
  () => {
    for (let i = 0; i < 50; i++) drip(attackFrom("1 byte/s before CONNACK", 32), hello("watch-0"));
  },
  () => {
    const socket = attackFrom("1 byte/s after CONNACK", 33);
    const text = bytes({ cmd: "publish", qos: 1, dup: false, retain: false, messageId: 1, ...frame } as Packet);
    socket.on("connect", () => socket.write(hello("rogue-drip")));
    socket.once("data", () => drip(socket, text));
  },
  async () => {
    const publish = { cmd: "publish", qos: 1, dup: false, retain: true, messageId: 1, topic: deep, payload: "x" };
    const subscribe = { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `${deep}/#`, qos: 1 }] };
    const will = { topic: deep, payload: Buffer.from("x"), qos: 1, retain: true };
    for (let i = 0; i < 20; i++) {
      const socket = attackFrom("topics of 1,000 levels", 34);
      const isWill = i % 3 === 2;
      socket.on("connect", () => socket.write(hello("rogue-topics", isWill ? { will } : {})));
      socket.once("data", () => socket.write(bytes((i % 3 === 0 ? publish : subscribe) as Packet)));
      await pause(200);
    }
  },
  () => {
    const text = bytes({ cmd: "publish", qos: 0, dup: false, retain: false, ...frame } as Packet);
    flood("flood, QoS 0", 35, "rogue-flood-0", Buffer.concat(new Array<Buffer>(200).fill(text)));
  },
  () => {
    const text = bytes({ cmd: "publish", qos: 1, dup: false, retain: false, messageId: 7, ...frame } as Packet);
    flood("flood, QoS 1", 36, "rogue-flood-1", Buffer.concat(new Array<Buffer>(200).fill(text)));
  },
  () => {
    flood("flood of pings", 37, "rogue-pings", Buffer.alloc(2000, Buffer.from("c000", "hex")));
  },
  async () => {
    for (let i = 0; i < 1000; i++) {
      const socket = attackFrom("guesses secrets", 38 + (i % 4));
      socket.on("connect", () => socket.write(hello(`watch-${i % 20}`, { password: Buffer.from(`guess-${i}`) })));
      if (i % 20 === 19) await pause(100);
    }
  },
  () => {
    const nameless = Buffer.from("100c00044d5154540400003c0000", "hex");
    for (let i = 0; i < 50; i++) {
      const socket = attackFrom("no client id, session kept", 42);
      socket.on("connect", () => socket.write(nameless));
    }
  },
];

const wanted = attacks.filter((_, number) => only === undefined || number === only);
await Promise.all([pause(attackMs), ...wanted.map((attack) => attack())]);
over = true;
// Those that began last have their ten seconds too; nothing new begins.
for (let i = 0; i < 100 && [...results.values()].some(({ open }) => open.size > 0); i++) await pause(100);
process.send?.([...results.values()].map(({ open, ...result }) => ({ ...result, alive: open.size })));
process.exit(0);
