import { readFileSync } from "node:fs";
import type { MqttClient } from "mqtt";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { exampleFall } from "../../firmware-contracts/example-fall.ts";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import { bootOfRun, type GatewayLink, type WantedSelfTest } from "../../firmware-contracts/self-test.ts";
import { uplinkTopic } from "../../firmware-contracts/topics.ts";
import type { Broker } from "../broker/broker.ts";
import { mqttPackage } from "../broker/mqtt-package.ts";
import type { GatewayConfig } from "../config.ts";
import { within } from "../time-limit.ts";

/** The example fall is kept on the device for this long after its last sample, ms: all of it is sent at once. */
const keptMs = 500;
/** How long saying goodbye may take, ms. */
const goodbyeMs = 2_000;

/** Where devices connect, as one on this machine reaches it. */
export interface Connection {
  url: string;
  ca?: Buffer;
}

export function connectionOfDevices(
  { outside }: Pick<GatewayConfig, "outside">,
  broker: Pick<Broker, "url">,
): Connection {
  if (outside) return { url: outside.url, ...(outside.caFile ? { ca: readFileSync(outside.caFile) } : {}) };
  // Every address of the machine is also this one.
  return { url: broker.url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, "//127.0.0.1") };
}

/** How far it came: how long each link took that held, ms, and the one that did not. */
export interface Published {
  links: Partial<Record<GatewayLink, number>>;
  failed?: GatewayLink;
  /** Of a fixed list. */
  detail?: string;
}

const mqttRefusals = new Set([4, 5, 134, 135]);

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "number" && mqttRefusals.has(code)) return "refused: wrong secret, or not in the register";
  if (typeof code === "string" && /^[A-Z_]{3,40}$/.test(code)) return code;
  return error instanceof Error && /no answer within/.test(error.message) ? "too late" : "failed";
}

/**
 * Falls as a device does: connects with the test device's own credential and publishes the example fall, at QoS 1. Never rejects.
 * @param detected resolves when the detector has found it.
 */
export async function publishFall(options: {
  connection: Connection;
  wanted: WantedSelfTest;
  secret: string;
  detected: Promise<void>;
  clock: Clock;
}): Promise<Published> {
  const { connection, wanted, secret, detected, clock } = options;
  const { device, limits } = wanted;
  const links: Published["links"] = {};
  let client: MqttClient | null = null;

  async function link(name: GatewayLink, work: () => Promise<unknown>): Promise<void> {
    const began = clock.monotonicNow();
    try {
      await within(clock, limits[name] * 1000, work());
    } catch (error) {
      throw { failed: name, detail: reasonOf(error) } satisfies Omit<Published, "links">;
    }
    links[name] = Math.round(clock.monotonicNow() - began);
  }

  try {
    await link("connect", async () => {
      const { url, ca } = connection;
      client = mqttPackage().connect(url, {
        clientId: device,
        username: device,
        password: secret,
        protocolVersion: 4,
        clean: true,
        reconnectPeriod: 0,
        ...(ca ? { ca } : {}),
      });
      await answered(client);
    });
    await link("acknowledged", async () => {
      const frames = exampleFall(bootOfRun(wanted.run), Math.round(clock.wallNow()) - keptMs - 30_000, keptMs);
      for (const frame of frames) {
        await (client as MqttClient).publishAsync(uplinkTopic(device, "accel"), Buffer.from(encodeFrame(frame)), {
          qos: 1,
        });
      }
    });
    await link("detected", () => detected);
    return { links };
  } catch (failure) {
    return { links, ...(failure as Omit<Published, "links">) };
  } finally {
    await goodbye(client, clock);
  }
}

/** Resolves at CONNACK, rejects where it is refused or the connection ends. */
function answered(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve());
    // Kept: an error that nobody hears would end the process.
    client.on("error", reject);
    client.once("close", () => reject(new Error("closed")));
  });
}

async function goodbye(client: MqttClient | null, clock: Clock): Promise<void> {
  if (!client) return;
  try {
    await within(clock, goodbyeMs, client.endAsync());
  } catch {
    client.end(true);
  }
}
