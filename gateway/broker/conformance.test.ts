import { connect as connectSocket } from "node:net";
import mqtt from "mqtt";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { until } from "../test-bench.ts";
import type { Broker } from "./broker.ts";
import { openConformanceBroker } from "./conformance-broker.ts";
import { refusedFilter } from "./conformance-permissions.ts";

// What MQTT 3.1.1 asks of a broker, held by our edge with everybody let in. Devices need little of it; a client that relies on more must not be surprised.

const clock = systemClock();
let broker: Broker;
const clients: mqtt.MqttClient[] = [];

interface Heard {
  topic: string;
  text: string;
  qos: number;
  retain: boolean;
}

interface Client {
  client: mqtt.MqttClient;
  heard: Heard[];
  /** Whether the broker had a session of this client. */
  hadSession: boolean;
}

beforeAll(async () => {
  broker = openConformanceBroker(0, clock, pino({ level: "silent" }));
  await broker.start();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});
afterAll(() => broker.stop());

async function connect(clientId: string, options: mqtt.IClientOptions = {}): Promise<Client> {
  const settings = { clientId, reconnectPeriod: 0, protocolVersion: 4 as const, ...options };
  const client = mqtt.connect(broker.url, settings);
  clients.push(client);
  const heard: Heard[] = [];
  client.on("message", (topic, payload, { qos, retain }) =>
    heard.push({ topic, text: payload.toString(), qos, retain }),
  );
  const hadSession = await new Promise<boolean>((resolve, reject) => {
    client.once("connect", (packet) => resolve(packet.sessionPresent));
    client.once("error", reject);
  });
  client.on("error", () => {});
  return { client, heard, hadSession };
}

const settled = () => new Promise<void>((resolve) => clock.after(150, resolve));

/** Sends bytes on a connection of its own; resolves with what came back until the broker closed it, or for 300 ms. */
function answerTo(...hex: string[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connectSocket(Number(new URL(broker.url).port), "127.0.0.1");
    const end = (how: string) => {
      socket.destroy();
      resolve(`${answer}${how}`);
    };
    socket.on("data", (bytes) => {
      answer += bytes.toString("hex");
    });
    socket.on("error", () => {});
    socket.on("close", () => end(" closed"));
    for (const packet of hex) socket.write(Buffer.from(packet, "hex"));
    clock.after(300, () => end(" open"));
  });
}

/** CONNECT of a client named "a", keep-alive 60 s, clean session. */
const connectA = "100d00044d5154540402003c000161";

describe("connections", () => {
  test("an empty client id: with a clean session it gets a name, without one it is refused with code 2 (MQTT-3.1.3-7, -8)", async () => {
    expect(await answerTo("100c00044d5154540402003c0000")).toBe("20020000 open");
    expect(await answerTo("100c00044d5154540400003c0000")).toBe("20020002 closed");
  });

  test("a second CONNECT, another first packet, or another protocol's name ends the connection (MQTT-3.1.0-1, -2; 3.1.2-1)", async () => {
    expect(await answerTo(connectA, connectA)).toMatch(/ closed$/);
    expect(await answerTo("c000")).toBe(" closed");
    expect(await answerTo("100c0002686a0402003c000461616161")).toMatch(/^(20020001)? closed$/);
  });

  test("a protocol level that is not known is refused with code 1 (MQTT-3.1.2-2)", async () => {
    expect(await answerTo("100d00044d5154540602003c000161")).toMatch(/^(20020001)? closed$/);
  });

  test("a client that is silent for one and a half of its keep-alive is gone, and its will is told (MQTT-3.1.2-24)", async () => {
    const listener = await connect("listener");
    await listener.client.subscribeAsync("wills/#", { qos: 2 });
    // A CONNECT with keep-alive of 1 s, client id "k", will "gone" to wills/k at QoS 1.
    const packet = "101e00044d515454040e0001" + "00016b" + "000777696c6c732f6b" + "0004676f6e65";
    const socket = connectSocket(Number(new URL(broker.url).port), "127.0.0.1");
    socket.on("error", () => {});
    const bytes = Buffer.from(packet, "hex");
    bytes[1] = bytes.length - 2;
    socket.write(bytes);
    await until("the will", () => listener.heard.length === 1, 4000);
    expect(listener.heard[0]).toMatchObject({ topic: "wills/k", text: "gone" });
    socket.destroy();
  });

  test("a will is told when the connection breaks, and not when the client says goodbye (MQTT-3.1.2-8, -10)", async () => {
    const listener = await connect("listener");
    await listener.client.subscribeAsync("wills/#", { qos: 1 });
    const will = (name: string) => ({
      will: { topic: `wills/${name}`, payload: Buffer.from("x"), qos: 1 as const, retain: false },
    });
    const polite = await connect("polite", will("polite"));
    await polite.client.endAsync();
    const broken = await connect("broken", will("broken"));
    broken.client.stream.destroy();
    await until("the will", () => listener.heard.length > 0);
    await settled();
    expect(listener.heard.map(({ topic }) => topic)).toEqual(["wills/broken"]);
  });
});

describe("messages", () => {
  test("each QoS arrives once, at the lower of both (MQTT-3.8.4-6)", async () => {
    const { client, heard } = await connect("all");
    await client.subscribeAsync({ "qos/2": { qos: 2 }, "qos/0": { qos: 0 } });
    for (const qos of [0, 1, 2] as const) await client.publishAsync("qos/2", `at ${qos}`, { qos });
    await client.publishAsync("qos/0", "low", { qos: 2 });
    await until("all four", () => heard.length === 4);
    await settled();
    expect(heard.map(({ text, qos }) => `${text}: ${qos}`).sort()).toEqual(["at 0: 0", "at 1: 1", "at 2: 2", "low: 0"]);
  });

  test("retained messages come with the subscription, and an empty one clears them (MQTT-3.3.1-6, -10)", async () => {
    const { client, heard } = await connect("retainer");
    for (const qos of [0, 1, 2] as const) await client.publishAsync(`kept/${qos}`, "x", { qos, retain: true });
    await client.subscribeAsync("kept/+", { qos: 2 });
    await until("all three", () => heard.length === 3);
    expect(heard.every(({ retain }) => retain)).toBe(true);
    for (const qos of [0, 1, 2] as const) await client.publishAsync(`kept/${qos}`, "", { qos, retain: true });
    const later = await connect("later");
    await later.client.subscribeAsync("kept/+", { qos: 2 });
    await settled();
    expect(later.heard).toEqual([]);
  });

  test("a kept session gets what was sent while it was away (MQTT-3.1.2-5), a clean one does not", async () => {
    for (const clean of [true, false]) {
      const away = await connect("away", { clean });
      await away.client.subscribeAsync("queue/+", { qos: 2 });
      await away.client.endAsync();
      const sender = await connect("sender");
      for (const qos of [1, 2] as const) await sender.client.publishAsync(`queue/${qos}`, "x", { qos });
      const back = await connect("away", { clean });
      expect(back.hadSession).toBe(!clean);
      await settled();
      expect(back.heard.map(({ topic }) => topic).sort()).toEqual(clean ? [] : ["queue/1", "queue/2"]);
      await back.client.endAsync();
      await sender.client.endAsync();
    }
  });

  test("what a kept session did not acknowledge is sent again when it is back (MQTT-4.4.0-1)", async () => {
    const deaf = await connect("deaf", { clean: false });
    await deaf.client.subscribeAsync("again/+", { qos: 2 });
    deaf.client.handleMessage = () => {};
    const sender = await connect("sender");
    for (const qos of [1, 2] as const) await sender.client.publishAsync(`again/${qos}`, "x", { qos });
    await settled();
    deaf.client.stream.destroy();
    const back = await connect("deaf", { clean: false });
    await until("both", () => back.heard.length >= 2);
    expect([...new Set(back.heard.map(({ topic }) => topic))].sort()).toEqual(["again/1", "again/2"]);
    await back.client.unsubscribeAsync("again/+");
  });

  test("filters that overlap: once at the highest QoS, or once for each (3.3.5)", async () => {
    const { client, heard } = await connect("overlap");
    await client.subscribeAsync({ "over/#": { qos: 2 }, "over/+": { qos: 1 } });
    await client.publishAsync("over/x", "x", { qos: 2 });
    await settled();
    expect([[2], [1, 2]]).toContainEqual(heard.map(({ qos }) => qos).sort());
  });

  test("what is not subscribed to any more does not come (MQTT-3.10.4-1, -2)", async () => {
    const { client, heard } = await connect("leaver");
    await client.subscribeAsync(["leave/a", "leave/b"], { qos: 1 });
    await client.unsubscribeAsync("leave/a");
    await client.publishAsync("leave/a", "x", { qos: 1 });
    await client.publishAsync("leave/b", "x", { qos: 1 });
    await settled();
    expect(heard.map(({ topic }) => topic)).toEqual(["leave/b"]);
  });

  test("filters that begin with a wildcard do not match topics that begin with $ (MQTT-4.7.2-1)", async () => {
    const { client, heard } = await connect("dollar");
    await client.subscribeAsync(["#", "+/topic"], { qos: 1 });
    await settled();
    heard.length = 0;
    await client.publishAsync("$made-up/topic", "x", { qos: 1 });
    await settled();
    expect(heard).toEqual([]);
  });

  test("a filter that is not granted is answered with 0x80, the others beside it are (MQTT-3.9.3-2)", async () => {
    const { client, heard } = await connect("refused");
    const granted = await new Promise<unknown>((resolve) => {
      client.subscribe([refusedFilter, "granted/+"], { qos: 1 }, (_error, _granted, packet) =>
        resolve(packet?.granted),
      );
    });
    expect(granted).toEqual([128, 1]);
    await client.publishAsync(refusedFilter, "x", { qos: 1 });
    await client.publishAsync("granted/x", "x", { qos: 1 });
    await settled();
    expect(heard.map(({ topic }) => topic)).toEqual(["granted/x"]);
  });
});
