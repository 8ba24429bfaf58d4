import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { ServiceEvent } from "../../alerting/events.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Intake } from "../../firmware-contracts/intake.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createDevice, type DeviceOptions, type SimulatedDevice } from "../../simulators/device/device.ts";
import { generateSet } from "../../simulators/generator/set.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import type { Phone } from "../../simulators/phone-network/phone.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { createMosquitto, gatewayUser, type OwnMosquitto } from "../services/mosquitto.ts";

export const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
export const authToken = "fedcba9876543210fedcba9876543210";
export const serviceNumber = "+46766860000";

const people = [
  { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
  { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
  { id: "leader", name: "Gruppchef", phone: "+46701740603" },
] as const;
type PersonId = (typeof people)[number]["id"];

export interface TownOptions {
  /** How fast the town's clock runs. Default 8. */
  speed?: number;
  waitSeconds?: number;
  influx?: { url: string; database: string };
  throughIntake?: (intake: Intake) => Intake;
  /** Which broker the devices connect to. Default: what the variable FALLVAKT_TEST_BROKER says, else the gateway's own. */
  broker?: "embedded" | "outside";
}

/** A settings object for a town, as a file would hold it. */
export function townSettings(
  options: TownOptions & { dataDir: string; phonesUrl: string; port: number; mqttPort?: number; outsideUrl?: string },
) {
  const waitSeconds = options.waitSeconds ?? 60;
  return {
    dataDir: options.dataDir,
    log: { level: "error" },
    gateway: {
      mqtt: { port: options.mqttPort ?? 0 },
      detector: { backend: "wasm" },
      ...(options.outsideUrl ? { outside: { url: options.outsideUrl, ...gatewayUser } } : {}),
    },
    alerting: {
      http: { port: options.port, publicUrl: `http://127.0.0.1:${options.port}` },
      twilio: { accountSid, authToken, from: serviceNumber, baseUrl: options.phonesUrl },
      responders: people.map((person) => ({ ...person })),
      policy: {
        steps: [
          { responders: ["patrol-1"], waitSeconds },
          { responders: ["patrol-2"], waitSeconds },
        ],
      },
      operators: ["leader"],
      intake: { token: "a-token-of-more-than-twenty-characters" },
      ...(options.influx ? { influx: options.influx } : {}),
    },
  };
}

/**
 * A small town with the true service in it: gateway, detector and alerting in this process, phones on a simulated network, devices over MQTT.
 * Everything between them is real: MQTT, HTTP, the Twilio SDK, SQLite; with an outside broker, Mosquitto too.
 */
export class Town {
  readonly clock: Clock;
  readonly network: PhoneNetwork;
  readonly dataDir: string;
  readonly events: ServiceEvent[] = [];
  readonly port: number;
  /** Where there is an outside broker. */
  readonly mosquitto: OwnMosquitto | null;
  service: Service;
  private readonly options: TownOptions;
  private readonly devices: SimulatedDevice[] = [];
  private unsubscribe = () => {};

  private constructor(
    clock: Clock,
    network: PhoneNetwork,
    dataDir: string,
    port: number,
    options: TownOptions,
    mosquitto: OwnMosquitto | null,
    service: Service,
  ) {
    this.clock = clock;
    this.network = network;
    this.dataDir = dataDir;
    this.port = port;
    this.options = options;
    this.mosquitto = mosquitto;
    this.service = service;
    this.listen();
  }

  static async open(options: TownOptions = {}): Promise<Town> {
    const clock = systemClock(options.speed ?? 8);
    const network = await startPhoneNetwork({ clock, accountSid, authToken });
    const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-town-"));
    const port = await freePort();
    network.addNumber(serviceNumber, { inboundUrl: `http://127.0.0.1:${port}/webhooks/twilio/inbound` });
    for (const person of people) network.addPhone(person.phone);
    const broker = options.broker ?? process.env.FALLVAKT_TEST_BROKER ?? "embedded";
    const mosquitto = broker === "outside" ? await createMosquitto(dataDir) : null;
    await mosquitto?.start();
    const service = await Town.start(clock, network, dataDir, port, options, mosquitto);
    return new Town(clock, network, dataDir, port, options, mosquitto, service);
  }

  private static start(
    clock: Clock,
    network: PhoneNetwork,
    dataDir: string,
    port: number,
    options: TownOptions,
    mosquitto: OwnMosquitto | null,
  ): Promise<Service> {
    const outside = mosquitto ? { outsideUrl: mosquitto.gatewaysUrl } : {};
    const config = Config.parse(townSettings({ ...options, ...outside, dataDir, port, phonesUrl: network.url }));
    const { throughIntake } = options;
    const log = pino({ level: "error" }, pino.destination(2));
    return startService({ config, role: "all", clock, log, ...(throughIntake ? { throughIntake } : {}) });
  }

  private listen(): void {
    this.unsubscribe = this.alerting.events.on((event) => this.events.push(event));
  }

  get alerting() {
    if (!this.service.alerting) throw new Error("the town has no alerting");
    return this.service.alerting;
  }

  get gateway() {
    if (!this.service.gateway) throw new Error("the town has no gateway");
    return this.service.gateway;
  }

  /** Stops the service as an operator would, and starts it again on the same stores. */
  async restart(): Promise<void> {
    this.unsubscribe();
    await this.service.stop();
    this.service = await Town.start(this.clock, this.network, this.dataDir, this.port, this.options, this.mosquitto);
    this.listen();
  }

  phone(id: PersonId): Phone {
    const phone = this.network.phones.get(people.find((person) => person.id === id)?.phone ?? "");
    if (!phone) throw new Error(`no phone of ${id}`);
    return phone;
  }

  /** Registers a device in a dwelling of its own, with consent where not said otherwise, and connects it. */
  async device(
    deviceId: string,
    key: string,
    options: Partial<DeviceOptions> & { placement?: Placement; consentBy?: string | undefined } = {},
  ): Promise<SimulatedDevice> {
    const { placement = "waist", consentBy, ...rest } = { consentBy: "eva", ...options };
    const added = { deviceId, placement, key, area: "Gustavsberg syd", consentBy };
    const { secret } = await this.alerting.registry.addDevice(added);
    if (this.mosquitto) {
      await this.mosquitto.addUser(deviceId, secret);
      // A broker throws away what nobody has subscribed to.
      const followed = () => this.gateway.counters()["connections.open"] ?? 0;
      await this.until(`the gateway follows ${deviceId}`, () => followed() > this.devices.length);
    }
    const device = createDevice({
      url: this.mosquitto?.devicesUrl ?? this.gateway.mqttUrl,
      deviceId,
      secret,
      clock: this.clock,
      rangeG: 16,
      ...rest,
    });
    this.devices.push(device);
    await device.connect();
    return device;
  }

  /** The wearer falls: plays a generated hard fall, from a few seconds before the impact. */
  async fall(device: SimulatedDevice, trial = hardFall()) {
    const played = await playTrial(device, trial, this.clock);
    await device.drain();
    return played;
  }

  /** Resolves when `condition` holds; fails after `seconds` of real time with what was awaited. */
  async until(what: string, condition: () => boolean, seconds = 20): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Lets `ms` of the town's clock pass. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** Waits for a text that matches on somebody's phone, and returns it. */
  async text(id: PersonId, pattern: RegExp, seconds = 20): Promise<string> {
    const phone = this.phone(id);
    await this.until(
      `a text like ${pattern} on ${id}'s phone`,
      () => phone.inbox.some((m) => pattern.test(m.body)),
      seconds,
    );
    return phone.inbox.find((message) => pattern.test(message.body))?.body ?? "";
  }

  pagesOn(id: PersonId): string[] {
    return this.phone(id)
      .inbox.map((message) => message.body)
      .filter((body) => body.startsWith("LARM"));
  }

  async close(): Promise<void> {
    this.unsubscribe();
    for (const device of this.devices) await device.disconnect();
    await this.service.stop();
    await this.mosquitto?.stop();
    await this.network.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** The code in a page: `LARM FALL 274. …` */
export function codeIn(text: string): string {
  const code = /\b([2-9]{3,4})\b/.exec(text)?.[1];
  if (!code) throw new Error(`no code in "${text}"`);
  return code;
}

const generated = generateSet({ seed: 7 });

/** A generated hard fall at the waist, from `leadSeconds` before the impact to 4 s after it. */
export function hardFall(leadSeconds = 3, nth = 0): Recording {
  const falls = generated.manifest.trials.filter(
    (trial) => trial.part === "waist" && trial.label === "fall" && !/soft/i.test(trial.activityName),
  );
  const trial = falls[nth];
  if (!trial) throw new Error(`the generated set has no hard fall number ${nth}`);
  const from = Math.max(0, Math.round((trial.peakS - leadSeconds) * trial.rateHz));
  const to = Math.min(trial.samples, Math.round((trial.peakS + 4) * trial.rateHz));
  const samples = generated.parts.waist.slice((trial.offset + from) * 3, (trial.offset + to) * 3);
  const peakS = trial.peakS - from / trial.rateHz;
  return {
    trial: { ...trial, offset: 0, samples: to - from, peakS, onsetS: null, endS: null },
    placement: "waist",
    samples,
  };
}
