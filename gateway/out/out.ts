import { readFileSync } from "node:fs";
import type { MqttClient } from "mqtt";
import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { DeviceEvent } from "../../firmware-contracts/intake.ts";
import { mqttPackage } from "../broker/mqtt-package.ts";
import type { Counters } from "../counters.ts";
import type { Registry } from "../ingest/registry.ts";
import { within } from "../time-limit.ts";
import type { OutConfig } from "./config.ts";
import { nextEnd, type ShownDevices, type ShownInput, stepShown } from "./device-states.ts";
import { leftBehind, type MadeMessages, OutDeviceState, topicsOf, wantedMessages } from "./messages.ts";

const reconnectMs = 2000;
/** Messages on their way to the broker. What changes meanwhile is sent as it is then: what waits is bounded by the topics that there are. */
const inFlight = 20;

export interface OutOptions {
  config: OutConfig;
  gatewayId: string;
  registry: Pick<Registry, "devices" | "unwatched" | "version">;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/** Tells others what the gateway knows of its devices. No call of it waits or throws: an alarm never depends on it. */
export interface Out {
  start(): void;
  /** Says that the gateway is gone; takes a second at most. */
  stop(): Promise<void>;
  event(event: DeviceEvent): void;
  detection(detection: Detection): void;
  /** The register, a consent or a pause has changed. */
  follow(): void;
}

export function createOut(options: OutOptions): Out {
  const { config, registry, clock, counters, log } = options;
  const names = { gatewayId: options.gatewayId, discoveryPrefix: config.discoveryPrefix };
  const topics = topicsOf(names);
  const alarmMs = config.alarmMinutes * 60_000;
  let shown: ShownDevices = new Map();
  let client: MqttClient | null = null;
  /** What the broker has, as far as it has said so. */
  const sent = new Map<string, string>();
  const underWay = new Set<string>();
  let wanted = new Map<string, string>();
  const made: MadeMessages = new WeakMap();
  let callOffTick = () => {};
  let isLost = false;

  function step(input: ShownInput): void {
    try {
      shown = stepShown(shown, input, clock.monotonicNow(), alarmMs);
      wanted = wantedMessages(shown, config, names, made);
      callOffTick();
      const end = nextEnd(shown);
      callOffTick =
        end === null ? () => {} : clock.after(Math.max(20, end - clock.monotonicNow()), () => step({ kind: "tick" }));
      pump();
    } catch (error) {
      counters.add("out.failed");
      log.error({ error: String(error) }, "what others are told could not be made");
    }
  }

  function told(deviceId: string, input: ShownInput): void {
    const isNew = !shown.has(deviceId);
    step(input);
    // Its dwelling, and whether it may be shown at all, stand in the register.
    if (isNew && shown.has(deviceId)) follow();
  }

  /** Brings the broker to what is wanted. An empty message takes a retained one away. */
  function pump(): void {
    const own = client;
    if (!own?.connected) return;
    for (const [topic, payload] of wanted) if (sent.get(topic) !== payload) publish(own, topic, payload);
    for (const topic of sent.keys()) if (!wanted.has(topic)) publish(own, topic, "");
  }

  function publish(own: MqttClient, topic: string, payload: string): void {
    if (underWay.size >= inFlight || underWay.has(topic)) return;
    underWay.add(topic);
    own.publish(topic, payload, { qos: 1, retain: true }, (error) => {
      underWay.delete(topic);
      if (own !== client) return;
      if (error) counters.add("out.failed");
      else {
        counters.add("out.published");
        if (payload === "") sent.delete(topic);
        else sent.set(topic, payload);
        pump();
      }
    });
  }

  function received(topic: string, payload: Buffer, retained: boolean): void {
    if (topic === topics.status) {
      // Home Assistant has started: it is told all again.
      if (!retained && payload.toString() === "online") {
        for (const known of sent.keys()) sent.set(known, "to be sent again");
        pump();
      }
      return;
    }
    // Our own words come back unretained.
    const left = retained && payload.length > 0 ? leftBehind(topic) : null;
    if (!left || registry.version === 0) return;
    if (left.kind === "dwelling") {
      if (!wanted.has(topic)) remove(topic, topics.dwellingDiscovery(left.id));
    } else if (registry.devices().some(({ deviceId }) => deviceId === left.id)) {
      step({ kind: "shown-before", deviceId: left.id, sensor: sensorIn(payload) });
      follow();
    } else remove(topic, topics.availability(left.id), topics.discovery(left.id));
  }

  /** Of what is no longer in the register, with the next words. */
  function remove(...gone: string[]): void {
    for (const topic of gone) sent.set(topic, "left behind");
    pump();
  }

  function follow(): void {
    // Without a register nobody can say who is gone.
    if (registry.version === 0) return;
    const devices = registry.devices();
    const unwatched = new Set(
      devices.flatMap(({ deviceId }) => (registry.unwatched(deviceId) === null ? [] : deviceId)),
    );
    step({ kind: "register", devices, unwatched });
  }

  function connected(own: MqttClient): void {
    counters.add("out.connected");
    if (isLost) log.info({}, "the broker that others listen at is there again");
    isLost = false;
    sent.clear();
    underWay.clear();
    own.subscribe([...topics.left, ...(config.homeAssistant ? [topics.status] : [])], { qos: 1 }, (error) => {
      if (error)
        log.warn({ error: String(error) }, "gateway.out: the broker lets the gateway hear nothing; see its ACL");
    });
    pump();
  }

  return {
    start() {
      let ca: { ca?: Buffer } = {};
      try {
        if (config.caFile) ca = { ca: readFileSync(config.caFile) };
      } catch (error) {
        log.error({ error: String(error) }, "gateway.out.caFile cannot be read: others are told nothing");
        return;
      }
      const { username, password } = config;
      const own = mqttPackage().connect(config.url, {
        ...{ clientId: `${options.gatewayId}-out`, protocolVersion: 4, clean: true, reconnectPeriod: reconnectMs },
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...ca,
        will: { topic: topics.gateway, payload: Buffer.from("offline"), qos: 1, retain: true },
      });
      client = own;
      own.on("connect", () => connected(own));
      own.on("message", (topic, payload, packet) => received(topic, payload, packet.retain));
      own.on("error", () => {});
      own.on("close", () => {
        // What was on its way is sent anew, as it is then.
        if (client !== own || isLost) return;
        isLost = true;
        counters.add("out.lost");
        log.warn({}, "no connection to the broker that others listen at (gateway.out); alarms do not depend on it");
      });
      wanted = wantedMessages(shown, config, names, made);
      follow();
    },
    async stop() {
      callOffTick();
      const own = client;
      client = null;
      if (!own) return;
      if (own.connected) {
        const goodbye = own.publishAsync(topics.gateway, "offline", { qos: 1, retain: true });
        await within(clock, 500, goodbye).catch(() => {});
      }
      await within(clock, 500, own.endAsync(true)).catch(() => {});
    },
    event: (event) => told(event.deviceId, { kind: "event", event }),
    detection: (detection) => told(detection.deviceId, { kind: "detection", detection }),
    follow,
  };
}

function sensorIn(payload: Buffer): string | null {
  try {
    return OutDeviceState.parse(JSON.parse(payload.toString())).sensor;
  } catch {
    return null;
  }
}
