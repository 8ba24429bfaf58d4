import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import { freePort } from "../../front-door/free-port.ts";
import { createMosquitto, gatewayUser } from "./mosquitto.ts";

/** A broker as homes have one, where Zigbee2MQTT and its like publish. It is up once opened. */
export interface HomeBroker {
  readonly url: string;
  /** What the gateway's configuration needs to come in. */
  readonly access: { url: string; version: "5" | "3.1.1"; username?: string; password?: string; caFile?: string };
  /** A client of its own, as one of the home's programs is. */
  client(options?: Partial<mqtt.IClientOptions>): Promise<MqttClient>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

async function withClients(
  access: HomeBroker["access"],
  parts: Pick<HomeBroker, "stop" | "start"> & { remove(): void },
): Promise<HomeBroker> {
  const clients: MqttClient[] = [];
  await parts.start();
  return {
    ...parts,
    access,
    url: access.url,
    async client(options = {}) {
      const { username, password, caFile } = access;
      const ca = caFile ? { ca: readFileSync(caFile) } : {};
      const who = username && password ? { username, password, ...ca } : ca;
      const client = await mqtt.connectAsync(access.url, {
        ...who,
        protocolVersion: 4,
        reconnectPeriod: 100,
        ...options,
      });
      client.on("error", () => {});
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.end(true);
      await parts.stop();
      parts.remove();
    },
  };
}

/** Mosquitto with a password and nothing else in the way; with `tls`, by a certificate of an authority of its own. */
export async function openHomeMosquitto({ tls = false } = {}): Promise<HomeBroker> {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-home-"));
  const broker = await createMosquitto(folder, { tls, change: (conf) => conf.replace(/^acl_file.*$/m, "") });
  const ca = tls ? { caFile: broker.caFile } : {};
  const access = { url: broker.gatewaysUrl, version: "5" as const, ...gatewayUser, ...ca };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return withClients(access, { stop: () => broker.stop(), start: () => broker.start(), remove });
}

/** aedes as it comes, which speaks MQTT 3.1.1 only: what it retains comes at each SUBSCRIBE. It forgets all when it is stopped. */
export async function openHomeAedes(): Promise<HomeBroker> {
  const port = await freePort();
  let running: { close(): Promise<void> } | null = null;
  async function start(): Promise<void> {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    running = {
      close: async () => {
        await new Promise<void>((resolve) => broker.close(() => resolve()));
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  }
  const stop = async () => {
    await running?.close();
    running = null;
  };
  return withClients({ url: `mqtt://127.0.0.1:${port}`, version: "3.1.1" }, { start, stop, remove() {} });
}
