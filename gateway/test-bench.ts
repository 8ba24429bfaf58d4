import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { type Logger, pino } from "pino";
import { type Classifier, loadClassifier } from "../detector/classifier/classifier.ts";
import { walking } from "../detector/synthetic-wearer.ts";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import type { Detection } from "../firmware-contracts/detection.ts";
import { type AccelFrame, encodeFrame } from "../firmware-contracts/frame.ts";
import type { Control, ControlDevice, DeviceEvent, Intake, IntakeItem } from "../firmware-contracts/intake.ts";
import { hashSecret } from "../firmware-contracts/secret.ts";
import { type Uplink, uplinkTopic } from "../firmware-contracts/topics.ts";
import { GatewayConfig } from "./config.ts";
import { createGateway, type Gateway } from "./gateway.ts";

const realTime = systemClock();

// What the gateway's tests have in common: a gateway with its real broker, stores and model, real MQTT clients, and an intake that remembers.

/** An intake that keeps what it took, and can be told to fail. */
export interface RememberingIntake extends Intake {
  readonly items: IntakeItem[];
  detections(): Detection[];
  events(kind?: DeviceEvent["event"]): DeviceEvent[];
  failing: boolean;
  /** Where true it gives no Control. */
  unreachable: boolean;
  set(devices: ControlDevice[]): void;
}

export function rememberingIntake(devices: ControlDevice[]): RememberingIntake {
  const items: IntakeItem[] = [];
  let control: Control = { v: 1, version: 1, at: realTime.wallNow(), devices };
  return {
    items,
    failing: false,
    unreachable: false,
    detections: () => items.flatMap((item) => (item.type === "detection" ? [item.detection] : [])),
    events: (kind) =>
      items.flatMap((item) =>
        item.type === "device-event" && (!kind || item.event.event === kind) ? [item.event] : [],
      ),
    set(next) {
      control = { v: 1, version: control.version + 1, at: realTime.wallNow(), devices: next };
    },
    async submit(item) {
      if (this.failing) throw new Error("out of order");
      items.push(item);
    },
    async control(have) {
      if (this.unreachable) throw new Error("out of reach");
      return have === control.version ? null : control;
    },
  };
}

/** Devices whose secret is `secret-of-<id>`. */
export async function devicesNamed(...ids: string[]): Promise<ControlDevice[]> {
  return Promise.all(
    ids.map(async (deviceId) => ({
      deviceId,
      secretHash: await hashSecret(`secret-of-${deviceId}`, "device"),
      placement: "waist" as const,
      revoked: false,
    })),
  );
}

export interface Bench {
  gateway: Gateway;
  intake: RememberingIntake;
  dataDir: string;
  classifier: Classifier;
  logged: Record<string, unknown>[];
  log: Logger;
  connect(deviceId: string, options?: Partial<mqtt.IClientOptions>): Promise<mqtt.MqttClient>;
  /** Stops the gateway and starts another on the same folder. */
  restart(): Promise<Gateway>;
  /** Resolves when all that was acknowledged to devices has come to the gateway, nothing is undecided and the outbox is empty. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface BenchOptions {
  devices: ControlDevice[];
  clock?: Clock;
  /** Changes to the configuration's defaults. */
  config?: Record<string, unknown>;
  classifier?: Classifier;
  /** With an outside broker: where devices connect. */
  devicesUrl?: string;
  /** Where the gateway's folder is made. Default: the system's for temporary files. */
  parent?: string;
}

export async function openBench(options: BenchOptions): Promise<Bench> {
  const dataDir = await mkdtemp(join(options.parent ?? tmpdir(), "fallvakt-gateway-"));
  const clock = options.clock ?? systemClock();
  const intake = rememberingIntake(options.devices);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: "debug", base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const classifier = options.classifier ?? (await loadClassifier({ backend: "auto" }));
  const config = GatewayConfig.parse({ mqtt: { port: 0 }, control: { refreshSeconds: 1 }, ...options.config });
  const make = () => createGateway({ config, dataDir, intake, clock, log, classifier });
  const clients: mqtt.MqttClient[] = [];
  /** PUBACKs since the gateway's start: an outside broker sends them before the gateway has heard anything. */
  let acknowledged = 0;
  const count = (name: string) => bench.gateway.counters()[name] ?? 0;
  const heard = () =>
    until("the gateway has all that was acknowledged", () => count("publish.received") >= acknowledged);
  /** An outside broker throws away what nobody has subscribed to. */
  async function followed(): Promise<void> {
    if (options.devicesUrl) await until("the gateway follows its devices", () => count("connections.open") > 0);
  }
  const bench: Bench = {
    gateway: make(),
    intake,
    dataDir,
    classifier,
    logged,
    log,
    async connect(deviceId, more = {}) {
      const client = await mqtt.connectAsync(options.devicesUrl ?? bench.gateway.mqttUrl, {
        clientId: deviceId,
        username: deviceId,
        password: `secret-of-${deviceId}`,
        protocolVersion: 4,
        reconnectPeriod: 0,
        connectTimeout: 5000,
        ...more,
      });
      client.on("error", () => {});
      client.on("packetreceive", ({ cmd }) => {
        if (cmd === "puback") acknowledged++;
      });
      clients.push(client);
      return client;
    },
    async restart() {
      await bench.gateway.stop();
      acknowledged = 0;
      bench.gateway = make();
      await bench.gateway.start();
      await followed();
      return bench.gateway;
    },
    async settled() {
      await heard();
      await bench.gateway.settled();
    },
    async close() {
      for (const client of clients) client.end(true);
      await bench.gateway.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  await bench.gateway.start();
  await followed();
  return bench;
}

export function publish(client: mqtt.MqttClient, deviceId: string, uplink: Uplink, payload: Uint8Array | string) {
  return client.publishAsync(uplinkTopic(deviceId, uplink), Buffer.from(payload), { qos: 1 });
}

export function report(boot: number, seq: number, age = 0): string {
  return JSON.stringify({ v: 1, boot, seq, t: realTime.wallNow() - age, age });
}

/** Samples of one second at 50 Hz, upright and at rest: gravity along y. */
export function restFrame(more: Partial<AccelFrame> = {}): AccelFrame {
  const samples = new Int16Array(150);
  for (let i = 0; i < 50; i++)
    samples.set([Math.round(8 * Math.sin(i)), 1000 + Math.round(8 * Math.cos(i * 3)), 5], i * 3);
  return {
    bootId: 1,
    sequence: 0,
    deviceTimeMs: realTime.wallNow() - 1000,
    ageMs: 0,
    rateHz: 50,
    rangeG: 16,
    stored: false,
    clockUnset: false,
    samples,
    ...more,
  };
}

/**
 * A hard fall forward as frames of one second at 50 Hz: `before` s upright, a free fall of 0.5 s, an impact near 7 g with its bounces, then lying still.
 * The frames are as if sent together now: their ages say when they were taken.
 */
export function fallFrames(options: { bootId: number; from?: number; before?: number; after?: number }): AccelFrame[] {
  const { bootId, from = 0, before = 12, after = 30 } = options;
  const rate = 50;
  const seconds = before + 1 + after;
  const total = seconds * rate;
  const impact = before * rate + 25;
  const xyz = new Int16Array(total * 3);
  for (let i = 0; i < total; i++) {
    const noise = 12 * Math.sin(i * 1.7) + 9 * Math.cos(i * 0.9);
    const t = (i - impact) / rate;
    const turned = Math.min(1, Math.max(0, (t + 0.45) / 0.5)) * (Math.PI / 2);
    let g = 1000;
    if (t < 0 && t > -0.5) g = 1000 - 850 * Math.min(1, (t + 0.5) / 0.25);
    let hit = 0;
    if (t >= 0 && t < 1.2) hit = 6000 * Math.exp(-t * 9) * Math.abs(Math.cos(t * 31));
    const sway = t < -0.5 ? 60 * Math.sin(i * 0.25) : 0;
    xyz[i * 3] = Math.round(noise + sway + 0.35 * hit);
    xyz[i * 3 + 1] = Math.round((g + 0.3 * hit) * Math.cos(turned) + 0.4 * hit + noise);
    xyz[i * 3 + 2] = Math.round((g + hit) * Math.sin(turned) + noise);
  }
  const end = realTime.wallNow();
  return Array.from({ length: seconds }, (_, second) => ({
    bootId,
    sequence: from + second,
    deviceTimeMs: end - (seconds - second) * 1000,
    ageMs: (seconds - second - 1) * 1000,
    rateHz: rate,
    rangeG: 16,
    stored: second < seconds - 1,
    clockUnset: false,
    samples: xyz.slice(second * rate * 3, (second + 1) * rate * 3),
  }));
}

/** So many frames of walking, in the posture of before a fall, from where `frames` end; as if sent now. */
export function walkingAfter(frames: readonly AccelFrame[], seconds: number): AccelFrame[] {
  const last = frames.at(-1);
  if (!last) throw new Error("there is nothing to go on from");
  return Array.from({ length: seconds }, (_, n) => {
    const samples = new Int16Array(150);
    for (let i = 0; i < 50; i++)
      samples.set(
        walking(n + i / 50).map((g) => Math.round(g * 1000)),
        i * 3,
      );
    const { bootId, sequence, deviceTimeMs } = last;
    const at = { sequence: sequence + 1 + n, deviceTimeMs: deviceTimeMs + (n + 1) * 1000 };
    return restFrame({ samples, bootId, ...at });
  });
}

/** Publishes frames one after another, each after the PUBACK of the one before. */
export async function publishFrames(client: mqtt.MqttClient, deviceId: string, frames: AccelFrame[]): Promise<void> {
  for (const frame of frames) await publish(client, deviceId, "accel", encodeFrame(frame));
}

/** Waits until `is` holds; says what did not within `ms`. */
export async function until(what: string, is: () => boolean, ms = 10_000): Promise<void> {
  const end = realTime.monotonicNow() + ms;
  while (!is()) {
    if (realTime.monotonicNow() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await new Promise<void>((resolve) => realTime.after(10, resolve));
  }
}
