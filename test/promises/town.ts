import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import type { ServiceEvent } from "../../alerting/events.ts";
import { type Clock, systemClock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Intake } from "../../firmware-contracts/intake.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { certificateFiles, writeCertificates } from "../../front-door/certificates.ts";
import { Config } from "../../front-door/config.ts";
import { freePort } from "../../front-door/free-port.ts";
import { type Service, startService } from "../../front-door/service.ts";
import { createDevice, type DeviceOptions, type SimulatedDevice } from "../../simulators/device/device.ts";
import { generateSet } from "../../simulators/generator/set.ts";
import { type PhoneNetwork, startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import type { Phone } from "../../simulators/phone-network/phone.ts";
import { playTrial } from "../../simulators/replay/play.ts";
import { openWire, type Wire } from "../console/wire.ts";
import { createMosquitto, gatewayUser, type OwnMosquitto } from "../services/mosquitto.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";

export const accountSid = `AC${"0123456789abcdef".repeat(2)}`;
export const authToken = "fedcba9876543210fedcba9876543210";
export const serviceNumber = "+46766860000";

const people = [
  { id: "patrol-1", name: "Patrull 1", phone: "+46701740601" },
  { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
  { id: "leader", name: "Gruppchef", phone: "+46701740603" },
] as const;
type PersonId = (typeof people)[number]["id"];

/** The broker that the stories are told with: what the variable FALLVAKT_TEST_BROKER says, else the gateway's own. */
export function wantedBroker(): "embedded" | "outside" {
  return process.env.FALLVAKT_TEST_BROKER === "outside" ? "outside" : "embedded";
}

export interface TownOptions {
  /** How fast the town's clock runs. Default 8. */
  speed?: number;
  waitSeconds?: number;
  influx?: { url: string; database: string };
  /** Default: in alerting's folder, which goes with the town. */
  masterKeyFile?: string;
  throughIntake?: (intake: Intake) => Intake;
  /** Which broker the devices connect to. Default: the one that is wanted. */
  broker?: "embedded" | "outside";
  /** Devices may come over TLS, and must where the broker is an outside one. */
  tls?: boolean;
  /** Where the service keeps everything. Default: a folder that goes with the town. */
  dataDir?: string;
  /** Gateway and alerting apart, with a wire between them: `wire`. */
  apart?: boolean;
  /** Changes to the gateway's settings. */
  gateway?: Record<string, unknown>;
  /** Default: errors, to standard error. */
  log?: Logger;
  /** Brokers of homes, as `gateway.adapters` has them. */
  adapters?: Record<string, unknown>[];
  /** The self-test's device is in the register of `dataDir`, with this secret; limits in seconds. */
  selfTest?: { secret: string; limits?: Record<string, number>; times?: string[] };
}

/** What outlives a restart of the service. */
interface Site {
  clock: Clock;
  network: PhoneNetwork;
  /** Files of the town's own: certificates, and an outside broker's. */
  folder: string;
  /** Alerting's, and the gateway's own broker's. */
  port: number;
  mqttPort: number;
  options: TownOptions;
  mosquitto: OwnMosquitto | null;
  wire: Wire | null;
}

/** A settings object for a town, as a file would hold it. */
export function townSettings(
  options: TownOptions & {
    dataDir: string;
    phonesUrl: string;
    port: number;
    mqttPort?: number;
    outside?: { url: string; caFile?: string };
    /** With `tls`: where the certificates of the gateway's own broker are. */
    certificates?: string;
  },
) {
  const waitSeconds = options.waitSeconds ?? 60;
  const { certificates } = options;
  const tls = certificates
    ? {
        host: "127.0.0.1",
        port: 0,
        certFile: join(certificates, certificateFiles.broker),
        keyFile: join(certificates, certificateFiles.brokerKey),
      }
    : null;
  return {
    dataDir: options.dataDir,
    log: { level: "error" },
    gateway: {
      mqtt: { port: options.mqttPort ?? 0, ...(tls ? { tls } : {}) },
      detector: { backend: "auto" },
      ...(options.adapters ? { adapters: options.adapters } : {}),
      ...options.gateway,
      ...(options.selfTest ? { selfTest: { secret: options.selfTest.secret } } : {}),
      ...(options.outside ? { outside: { ...options.outside, ...gatewayUser } } : {}),
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
      ...(options.selfTest
        ? {
            technical: { gatherSeconds: 1, digestMinutes: 0 },
            selfTest: { times: options.selfTest.times ?? [], limits: options.selfTest.limits ?? {} },
          }
        : {}),
      ...(options.masterKeyFile ? { masterKeyFile: options.masterKeyFile } : {}),
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
  /** Alerting's. */
  readonly port: number;
  /** Where there is an outside broker. */
  readonly mosquitto: OwnMosquitto | null;
  /** Between gateway and alerting, where they are apart. */
  readonly wire: Wire | null;
  service: Service;
  private readonly site: Site;
  private readonly devices: SimulatedDevice[] = [];
  private registered = 0;
  private unsubscribe = () => {};

  private constructor(site: Site, service: Service) {
    this.clock = site.clock;
    this.network = site.network;
    this.dataDir = site.options.dataDir ?? site.folder;
    this.port = site.port;
    this.mosquitto = site.mosquitto;
    this.wire = site.wire;
    this.site = site;
    this.service = service;
    this.listen();
  }

  static async open(options: TownOptions = {}): Promise<Town> {
    const clock = systemClock(options.speed ?? 8);
    const network = await startPhoneNetwork({ clock, accountSid, authToken });
    const folder = mkdtempSync(join(tmpdir(), "fallvakt-town-"));
    const port = await freePort();
    network.addNumber(serviceNumber, { inboundUrl: `http://127.0.0.1:${port}/webhooks/twilio/inbound` });
    for (const person of people) network.addPhone(person.phone);
    const broker = options.broker ?? wantedBroker();
    const mosquitto = broker === "outside" ? await createMosquitto(folder, { tls: options.tls ?? false }) : null;
    await mosquitto?.start();
    if (options.tls && !mosquitto) await writeCertificates(folder, ["localhost", "127.0.0.1"], new Date());
    const wire = options.apart ? await openWire(port) : null;
    const site = { clock, network, folder, port, mqttPort: await freePort(), options, mosquitto, wire };
    return new Town(site, await Town.start(site));
  }

  private static async start(site: Site): Promise<Service> {
    const { clock, network, folder, options, mosquitto, wire } = site;
    const { tls, dataDir = folder, throughIntake, log = pino({ level: "error" }, pino.destination(2)) } = options;
    const outside = mosquitto && { url: mosquitto.gatewaysUrl, ...(tls ? { caFile: mosquitto.caFile } : {}) };
    const broker = outside ? { outside } : tls ? { certificates: folder } : {};
    const { port, mqttPort } = site;
    const settings = townSettings({ ...options, ...broker, dataDir, port, mqttPort, phonesUrl: network.url });
    const config = Config.parse({ ...settings, health: { port: 0 } });
    const common = { clock, log, ...(throughIntake ? { throughIntake } : {}) };
    if (!wire) return startService({ ...common, config, role: "all" });
    const alerting = await startService({ ...common, config, role: "alerting" });
    const intake = { url: `http://127.0.0.1:${wire.port}`, token: settings.alerting.intake.token };
    const own = Config.parse({ ...settings, health: { port: 0 }, gateway: { ...settings.gateway, intake } });
    const gateway = await startService({ ...common, config: own, role: "gateway" });
    const stop = async () => {
      await gateway.stop();
      await alerting.stop();
    };
    return { ...gateway, alerting: alerting.alerting, consoleUrl: alerting.consoleUrl, stop };
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

  /** Stops the service as an operator would, and starts it again on the same stores, with other settings where they are given. */
  async restart(change: Partial<TownOptions> = {}): Promise<void> {
    Object.assign(this.site.options, change);
    this.unsubscribe();
    await this.service.stop();
    this.service = await Town.start(this.site);
    this.listen();
  }

  phone(id: PersonId): Phone {
    const phone = this.network.phones.get(people.find((person) => person.id === id)?.phone ?? "");
    if (!phone) throw new Error(`no phone of ${id}`);
    return phone;
  }

  /** Where devices connect, without TLS unless the town's outside broker knows nothing else. */
  get devicesUrl(): string {
    return this.mosquitto?.devicesUrl ?? this.gateway.mqttUrl;
  }

  /** The same over TLS, and the authority to trust. */
  get devicesTls(): { url: string; ca: Buffer } {
    const url = this.mosquitto?.devicesUrl ?? this.gateway.mqttsUrl ?? "";
    const caFile = this.mosquitto?.caFile ?? join(this.site.folder, certificateFiles.authority);
    return { url, ca: readFileSync(caFile) };
  }

  /** Registers a device in a dwelling of its own, with consent where not said otherwise, and makes it known to the broker. Returns its secret. */
  async register(
    deviceId: string,
    key: string,
    placement: Placement = "waist",
    consent: { by: string | undefined } = { by: "eva" },
  ): Promise<string> {
    const added = { deviceId, placement, key, area: "Gustavsberg syd", consentBy: consent.by };
    const { secret } = await this.alerting.registry.addDevice(added, simulatedFleet);
    if (this.mosquitto) {
      await this.mosquitto.addUser(deviceId, secret);
      // A broker throws away what nobody has subscribed to.
      const followed = () => this.gateway.counters()["connections.open"] ?? 0;
      await this.until(`the gateway follows ${deviceId}`, () => followed() > this.registered);
    }
    this.registered++;
    return secret;
  }

  /** Registers a device in a dwelling of its own, with consent where not said otherwise, and connects it. */
  async device(
    deviceId: string,
    key: string,
    options: Partial<DeviceOptions> & { placement?: Placement; consentBy?: string | undefined } = {},
  ): Promise<SimulatedDevice> {
    const { placement = "waist", consentBy, ...rest } = { consentBy: "eva", ...options };
    const secret = await this.register(deviceId, key, placement, { by: consentBy });
    const device = createDevice({
      url: this.devicesUrl,
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
    await this.wire?.close();
    await this.network.close();
    rmSync(this.site.folder, { recursive: true, force: true });
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
