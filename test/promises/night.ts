import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type Alerting, createAlerting, type EpisodeSummary, type ServiceEvent } from "../../alerting/alerting.ts";
import { AlertingConfig } from "../../alerting/config.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import type { Store } from "../../alerting/store/store.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { SupervisionEvent, WelfareEvent } from "../../firmware-contracts/intake.ts";
import {
  type PhoneNetwork,
  type PhoneNetworkOptions,
  startPhoneNetwork,
} from "../../simulators/phone-network/network.ts";
import type { InboxMessage, Phone } from "../../simulators/phone-network/phone.ts";
import { aFall } from "../alerting/a-fall.ts";
import { simulatedFleet } from "../services/simulated-fleet.ts";
import { NightClock } from "./night-clock.ts";
import { accountSid, authToken, serviceNumber } from "./town.ts";

const people = {
  "patrol-1": { name: "Patrull 1", phone: "+46701740601" },
  "patrol-2": { name: "Patrull 2", phone: "+46701740602" },
  "patrol-3": { name: "Patrull 3", phone: "+46701740603" },
  leader: { name: "Gruppchef", phone: "+46701740604" },
  keys: { name: "Nyckelpatrull", phone: "+46701740605" },
} as const;
export type PersonId = keyof typeof people;
const ids = Object.keys(people) as PersonId[];

/** Key numbers of the dwellings; each has a sensor. */
export const keyNumbers = ["38", "54", "61", "72", "49"] as const;

/** What stands in the settings file under `alerting`, as far as a story changes it. */
export type Settings = ReturnType<typeof settingsOf>;

export interface NightOptions {
  /** How fast the clock runs while something happens. Default 4: a limit of 2 s is half a second. */
  speed?: number;
  /** How fast while nothing does. Default 1000: five minutes are a third of a second. */
  haste?: number;
  /** Wall time at the start. Default: an ordinary night in November. */
  startAt?: number;
  settings?: (settings: Settings) => void;
  /** Phones that take no SMS. */
  landlines?: PersonId[];
  network?: Partial<PhoneNetworkOptions>;
}

/** A text as it reached a phone. `at` and `sentAt` (taken by the provider) are monotonic, ms of the night. */
export interface Text {
  body: string;
  code: string;
  at: number;
}

function settingsOf(phonesUrl: string) {
  const step = (id: PersonId) => ({ responders: [id] as string[], waitSeconds: 60 });
  return {
    http: { port: 0, publicUrl: "http://127.0.0.1:0" },
    twilio: { accountSid, authToken, from: serviceNumber, baseUrl: phonesUrl, perSecond: 20 },
    responders: ids.map((id) => ({ id: id as string, ...people[id] })),
    policy: { steps: [step("patrol-1"), step("patrol-2"), step("patrol-3")] } as Record<string, unknown>,
    policies: [] as Record<string, unknown>[],
    rotas: [] as Record<string, unknown>[],
    technical: {} as Record<string, unknown>,
    selfTest: undefined as Record<string, unknown> | undefined,
    operators: ["leader"] as string[],
    keyHolders: ["keys"] as string[],
    intake: { token: "a-token-of-more-than-twenty-characters" },
  };
}

/**
 * One night of alerting: the true service on a true store, phones on a simulated network, and between them HTTP both ways. Detections are handed in as a
 * gateway does. While nothing happens the clock hurries; what happens is played slowly enough that the machine's own delays spoil no measure.
 */
export class Night {
  readonly clock: NightClock;
  readonly network: PhoneNetwork;
  readonly events: ServiceEvent[] = [];
  /** The clock's speed while something happens. */
  speed: number;
  /** And while nothing does. */
  haste: number;
  alerting!: Alerting;
  /** In force now. */
  config!: AlertingConfig;
  private readonly dataDir: string;
  private readonly options: NightOptions;
  private readonly unread = new Map<string, Text[]>(Object.values(people).map(({ phone }) => [phone, []]));
  /** Pages on their way to the provider, and since when. */
  private readonly underWay = new Map<string, number>();
  /** When something last happened, real ms. */
  private lastSign = performance.now();
  /** Not hurried before, monotonic, ms. */
  private calmUntil = 0;
  private sequence = 0;

  private constructor(options: NightOptions, clock: NightClock, network: PhoneNetwork) {
    this.options = options;
    this.speed = options.speed ?? 4;
    this.haste = options.haste ?? 1000;
    this.clock = clock;
    this.network = network;
    this.dataDir = mkdtempSync(join(tmpdir(), "fallvakt-night-"));
    this.create(options.settings);
    network.onWebhook(() => this.sign());
    network.onMessage((phone, message) => this.received(phone, message));
  }

  static async open(options: NightOptions = {}): Promise<Night> {
    const clock = new NightClock(options.speed ?? 4, options.startAt ?? Date.UTC(2026, 10, 24, 1, 30));
    const network = await startPhoneNetwork({
      clock,
      accountSid,
      authToken,
      behaviour: { queueMs: 100, deliveryMs: 300, receiptMs: 100 },
      // The clock may hurry while an answer is on its way.
      webhookTimeoutMs: 3_600_000,
      ...options.network,
    });
    // What it sends as it starts goes out before its address is known.
    network.addNumber(serviceNumber);
    for (const id of ids) network.addPhone(people[id].phone, { landline: options.landlines?.includes(id) ?? false });
    const night = new Night(options, clock, network);
    await night.begin();
    await night.alerting.registry.addDevices(
      keyNumbers.map((key) => ({
        deviceId: `belt-${key}`,
        placement: "waist",
        key,
        area: "Gustavsberg syd",
        room: "badrum",
      })),
      simulatedFleet,
    );
    return night;
  }

  private create(change: NightOptions["settings"]): void {
    const settings = settingsOf(this.network.url);
    change?.(settings);
    this.config = AlertingConfig.parse(settings);
    const { config, dataDir, clock } = this;
    this.alerting = createAlerting({ config, dataDir, clock, log: pino({ level: "silent" }) });
  }

  private async begin(): Promise<void> {
    this.alerting.events.on((event) => {
      this.events.push(event);
      this.sign();
      if (event.type === "page-queued" && event.purpose !== "technical") this.underWay.set(event.pageId, this.now);
      if (event.type === "page-sent") this.underWay.delete(event.pageId);
    });
    await this.alerting.start();
    this.network.addNumber(serviceNumber, { inboundUrl: `${this.alerting.url}/webhooks/twilio/inbound` });
  }

  /** Stops the service and starts it again on the same store, with other settings where they are given. */
  async restart(settings: NightOptions["settings"] = this.options.settings, meanwhile = () => {}): Promise<void> {
    this.clock.calm(this.speed);
    await this.alerting.stop();
    meanwhile();
    this.underWay.clear();
    this.create(settings);
    await this.begin();
  }

  /** Monotonic, ms of the night. */
  get now(): number {
    return this.clock.monotonicNow();
  }

  private sign(): void {
    this.lastSign = performance.now();
    this.clock.calm(this.speed);
  }

  private received(phone: Phone, { body }: InboxMessage): void {
    this.sign();
    const code = /\bT?[2-9]{3,4}\b/.exec(body)?.[0] ?? "";
    this.unread.get(phone.number)?.push({ body, code, at: this.now });
  }

  phone(id: PersonId): Phone {
    const phone = this.network.phones.get(people[id].phone);
    if (!phone) throw new Error(`no phone of ${id}`);
    return phone;
  }

  /** Somebody answers. To a phone that was never texted the number is known all the same. */
  async reply(id: PersonId, text: string): Promise<void> {
    this.sign();
    await this.phone(id).reply(text, serviceNumber);
  }

  /** Waits until `condition` holds. Fails once `withinMs` of the night have passed. */
  async until(what: string, condition: () => unknown, withinMs = 15_000): Promise<void> {
    const deadline = this.now + withinMs;
    while (!condition()) {
      if (this.now > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}\n${this.told()}`);
      await this.breath(deadline);
    }
  }

  /** Lets time go by. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    while (this.now < end) await this.breath(end);
  }

  private async breath(until: number): Promise<void> {
    for (const [pageId, since] of this.underWay) if (this.now - since > 12_000) this.underWay.delete(pageId);
    const isQuiet = this.underWay.size === 0 && this.now > this.calmUntil && performance.now() - this.lastSign > 150;
    // What an open episode waits for happens in its own time.
    const wall = this.clock.wallNow();
    const deadlines = this.alerting.backend
      .board()
      .map(({ nextDeadline }) => (nextDeadline?.at ?? Number.POSITIVE_INFINITY) - wall);
    const hurried = Math.min(until - this.now, ...deadlines) - 2_000;
    if (isQuiet && hurried > 500) this.clock.hurry(this.haste, this.now + hurried);
    else if (!isQuiet) this.clock.calm(this.speed);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }

  /** Sets the wall clock by so much, forward or back. */
  setClock(byMs: number): void {
    // The service notices within a second; its deadlines are meanwhile those of the old time.
    this.calmUntil = this.now + 2_500;
    this.clock.calm(this.speed);
    this.clock.set(byMs);
  }

  /** The next text on somebody's phone that matches and that no story line has read yet. */
  async text(id: PersonId, pattern: RegExp, withinMs = 15_000): Promise<Text> {
    const inbox = this.unread.get(people[id].phone) ?? [];
    const find = () => inbox.findIndex(({ body }) => pattern.test(body));
    await this.until(`a text like ${pattern} on the phone of ${id}`, () => find() >= 0, withinMs);
    return inbox.splice(find(), 1)[0] as Text;
  }

  /** What is on a phone, read or not, and matches. */
  texts(id: PersonId, pattern = /./): string[] {
    return this.phone(id)
      .inbox.map(({ body }) => body)
      .filter((body) => pattern.test(body));
  }

  /** What each phone has, for a story that fails. */
  private told(): string {
    return ids.map((id) => [`${id}:`, ...this.texts(id)].join("\n  ")).join("\n");
  }

  /** Somebody in the dwelling with this key falls: a gateway hands it in. */
  async fall(key: string, change: Partial<Detection> = {}): Promise<Detection> {
    const reason = change.kind === "help" ? "help-button" : "still";
    const detection = aFall(`belt-${key}`, this.clock.wallNow(), this.sequence++, { reason, ...change });
    this.sign();
    await this.alerting.intake.submit({ type: "detection", detection });
    return detection;
  }

  /** What the presence sensors of the dwelling with this key tell of its activity: a gateway hands it in. */
  /** A gateway's word on a device. `since`: default now. */
  async supervise(
    deviceId: string,
    event: SupervisionEvent["event"],
    trouble: SupervisionEvent["trouble"],
    more: Partial<SupervisionEvent> = {},
  ): Promise<void> {
    const at = Math.round(this.clock.wallNow());
    const since = more.since ?? at;
    const told = { v: 1 as const, id: `${deviceId}.${trouble}.${since}.${event}`, deviceId, at, event, trouble };
    this.sign();
    await this.alerting.intake.submit({ type: "supervision-event", event: { ...told, since, ...more } });
  }

  async welfare(key: string, event: WelfareEvent["event"], id: string): Promise<void> {
    const dwelling = await this.store(
      async (store) => (await store.registry.device(`belt-${key}`))?.dwelling?.id ?? "",
    );
    const at = Math.round(this.clock.wallNow());
    const more = event === "inactive" ? { since: at - 90 * 60_000, limitMinutes: 60, room: "kök" } : {};
    this.sign();
    await this.alerting.intake.submit({ type: "welfare-event", event: { v: 1, id, dwelling, at, event, ...more } });
  }

  /** Five minutes after that fall nobody was seen to get up, `unknownSeconds` of it without signal: a gateway hands it in. */
  async lieLong({ id, deviceId, impactAt }: Detection, unknownSeconds = 2): Promise<void> {
    const at = Math.round(this.clock.wallNow());
    const lyingSeconds = (at - impactAt) / 1000;
    this.sign();
    await this.alerting.intake.submit({
      type: "fall-update",
      update: {
        ...{ v: 1, id: `${id}.long-lie`, detectionId: id, deviceId, at, event: "long-lie" },
        ...{ lyingSeconds, unknownSeconds: Math.min(unknownSeconds, lyingSeconds) },
      },
    });
  }

  /** The episode with this code. */
  episode(code: string): EpisodeSummary {
    const found = this.alerting.episodes().find((episode) => episode.code === code);
    if (!found) throw new Error(`no episode has the code ${code}`);
    return found;
  }

  /** Looks into the store beside the running service, as a command of `fallvakt` does. */
  async store<T>(look: (store: Store) => Promise<T>): Promise<T> {
    const store = openSqliteStore(this.dataDir);
    try {
      return await look(store);
    } finally {
      await store.close();
    }
  }

  async close(): Promise<void> {
    await this.alerting.stop();
    await this.network.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
