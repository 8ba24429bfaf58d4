import { pino } from "pino";
import { createLifeBeat, type LifeBeat } from "../../alerting/blind-time/beat.ts";
import type { BlindReason } from "../../alerting/blind-time/causes.ts";
import { type BlindTimeTeller, createBlindTimeTeller } from "../../alerting/blind-time/teller.ts";
import { createCounters } from "../../alerting/counters.ts";
import { createDeviceTroubles } from "../../alerting/device-troubles.ts";
import type { ServiceEvent } from "../../alerting/events.ts";
import { createGatewayTroubles } from "../../alerting/intake/gateway-troubles.ts";
import { createGatewayWatch, type GatewayWatch } from "../../alerting/intake/gateway-watch.ts";
import { createIntake } from "../../alerting/intake/intake.ts";
import type { Keeper } from "../../alerting/keeper.ts";
import { createDwellings } from "../../alerting/registry/dwellings.ts";
import { createRegistry } from "../../alerting/registry/registry.ts";
import { openInMemory } from "../../alerting/store/database.ts";
import { storeIn } from "../../alerting/store/sqlite.ts";
import type { Store } from "../../alerting/store/store.ts";
import type { DeviceEvent, Intake, IntakeItem } from "../../firmware-contracts/intake.ts";
import { VirtualTime } from "./virtual-time.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** How often a gateway is heard, and a device says how it is. */
const gatewayEveryMs = 10_000;
const deviceEveryMs = 10 * minuteMs;

const log = pino({ level: "silent" });

interface Gateway {
  readonly id: string;
  isUp: boolean;
  /** Whether it reaches alerting. */
  isLinked: boolean;
  hasBroker: boolean;
  /** By a service that lived. */
  heardAt: number;
  /** What it has not handed on yet. */
  readonly outbox: IntakeItem[];
}

interface Device {
  readonly id: string;
  readonly home: Home;
  readonly gateway: Gateway;
  isRegistered: boolean;
  wasHeard: boolean;
  hasRadio: boolean;
  isWorn: boolean;
}

export interface Home {
  readonly key: string;
  hasConsent: boolean;
  pausedUntil: number;
  readonly devices: Device[];
  /** What was so, from when on: the truth, told by who lives in this world and not by what was written down. */
  readonly truth: { at: number; reason: BlindReason | null }[];
}

/** A month in a small town: things break and are mended at random moments, and the service is killed and started in between. */
export class BlindMonth {
  readonly time = new VirtualTime(Date.UTC(2026, 9, 12));
  readonly store: Store = storeIn(openInMemory(), { file: "/nowhere" });
  readonly homes: Home[] = [];
  /** What the event log was told. */
  readonly told: Extract<ServiceEvent, { type: "blind-time" }>[] = [];
  readonly happened: Record<string, number> = {};
  private readonly gateways: Gateway[] = ["g1", "g2"].map((id) => ({
    ...{ id, isUp: true, isLinked: true, hasBroker: true, heardAt: 0 },
    outbox: [],
  }));
  private service: {
    intake: Intake;
    beat: LifeBeat;
    watch: GatewayWatch;
    teller: BlindTimeTeller;
    die(): void;
  } | null = null;
  private readonly days: number;
  private events = 0;
  private startedAt = 0;
  private seed: number;

  constructor(seed: number, days = 30) {
    this.seed = seed;
    this.days = days;
  }

  get now(): number {
    return this.time.wall;
  }

  private draw(): number {
    this.seed = (this.seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return this.seed / 4_294_967_296;
  }

  private between = (least: number, most: number) => Math.round(least + this.draw() * (most - least));
  private readonly clock = this.time.clock(() => true, false);
  private readonly registry = createRegistry(() => this.store, this.clock);
  private readonly dwellings = createDwellings(() => this.store, this.clock);

  /** Writes down what is true now, where that is news. */
  private note(what: string): void {
    this.happened[what] = (this.happened[what] ?? 0) + 1;
    for (const home of this.homes) {
      const reason = this.reasonIn(home);
      if (home.truth.at(-1)?.reason !== reason) home.truth.push({ at: this.now, reason });
    }
  }

  private reasonIn({ hasConsent, pausedUntil, devices }: Home): BlindReason | null {
    if (!hasConsent) return "no-consent";
    if (this.now < pausedUntil) return "paused";
    const owned = devices.filter((device) => device.isRegistered);
    if (owned.length === 0) return "no-device";
    if (!this.service) return "service-down";
    const each = owned.map(({ gateway, wasHeard, hasRadio, isWorn }) => {
      if (!gateway.isUp || !gateway.isLinked || !gateway.hasBroker) return "gateway-down";
      if (!wasHeard || !hasRadio) return "overdue";
      return isWorn ? null : "not-worn";
    });
    for (const reason of [null, "not-worn", "overdue"] as const) if (each.includes(reason)) return reason;
    return "gateway-down";
  }

  private async begin(): Promise<void> {
    let isAlive = true;
    const clock = this.time.clock(() => isAlive, false);
    // The watch looks each second; looks that would find nothing are skipped.
    const skipping = this.time.clock(() => isAlive, true);
    const counters = createCounters();
    const store = () => this.store;
    const blind = { store: () => this.store.blindTime, clock, counters, log };
    const watch = createGatewayWatch({ store: () => this.store.gateways, clock: skipping, log, onEvent: () => {} });
    const keeper = () => ({ cancel: async () => {} }) as unknown as Keeper;
    const onEvent = () => {};
    const deviceTroubles = createDeviceTroubles({ store, keeper, gatewayWatch: watch, clock, log, onEvent });
    const intake = createIntake({
      ...{ store, clock, counters, log, keeper, onEvent, deviceTroubles },
      ...{ gatewayWatch: watch, gatewayTroubles: createGatewayTroubles() },
      onSelfTest: async () => {},
    });
    const beat = createLifeBeat(blind);
    const teller = createBlindTimeTeller({ ...blind, onEvent: (event) => this.told.push(event) });
    this.startedAt = this.now;
    await beat.start();
    await watch.start();
    teller.start();
    this.service = {
      ...{ intake, beat, watch, teller },
      die: () => {
        isAlive = false;
      },
    };
    this.note("service starts");
    for (const gateway of this.gateways) await this.handOn(gateway);
  }

  private async end(isClean: boolean): Promise<void> {
    const service = this.service;
    if (!service) return;
    if (isClean) {
      service.watch.stop();
      // It may wait for a time that passes only when this is done.
      void service.teller.stop();
      await service.beat.stop();
    }
    service.die();
    this.service = null;
    this.note(isClean ? "service stopped" : "service killed");
  }

  /** What waits in a gateway's outbox, in order. */
  private async handOn({ isUp, isLinked, outbox }: Gateway): Promise<void> {
    while (this.service && isUp && isLinked && outbox.length > 0) {
      const [item] = outbox.splice(0, 1);
      if (item) await this.service.intake.submit(item);
    }
  }

  private async heartbeat(gateway: Gateway): Promise<void> {
    const { id, isUp, isLinked } = gateway;
    if (!isUp || !isLinked) return;
    if (!this.service) return;
    gateway.heardAt = this.now;
    this.service.watch.heard({ gatewayId: id, everyMs: gatewayEveryMs }, 1);
  }

  private say(device: Device, event: DeviceEvent["event"], more: Partial<DeviceEvent> = {}): void {
    const { id: deviceId, gateway } = device;
    const said = { v: 1 as const, id: `e${this.events++}`, deviceId, at: this.now, event, gatewayId: gateway.id };
    gateway.outbox.push({ type: "device-event", event: { ...said, ...more } });
  }

  /** A device that its gateway hears says how it is. */
  private async report(device: Device): Promise<void> {
    const { gateway, isRegistered, hasRadio } = device;
    if (!isRegistered || !hasRadio || !gateway.isUp || !gateway.hasBroker) return;
    this.say(device, "heartbeat", { worn: device.isWorn });
    if (!device.wasHeard) {
      device.wasHeard = true;
      this.note("heard for the first time");
    }
    await this.handOn(gateway);
  }

  /** Who is there, and who is not, when a gateway hears its devices again. */
  private async reconnect(gateway: Gateway): Promise<void> {
    for (const device of this.homes.flatMap(({ devices }) => devices)) {
      if (device.gateway !== gateway || !device.isRegistered) continue;
      if (device.hasRadio) await this.report(device);
      else if (device.wasHeard) this.say(device, "offline", { detail: "will" });
    }
    await this.handOn(gateway);
  }

  /** Breaks something again and again, for a random time, with a random time in between. */
  private everyNowAndThen(
    [least, most]: [number, number],
    [shortest, longest]: [number, number],
    breaks: () => Promise<void>,
    mends: () => Promise<void>,
  ): void {
    const later = () =>
      this.time.after(this.between(least, most), () => {
        this.running = breaks();
        this.time.after(this.between(shortest, longest), () => {
          this.running = mends();
          later();
        });
      });
    later();
  }

  private running: Promise<unknown> = Promise.resolve();

  private repeat(everyMs: number, work: () => Promise<void>): void {
    const again = () => {
      this.running = work();
      this.time.after(everyMs, again);
    };
    this.time.after(this.between(0, everyMs), again);
  }

  private async add(key: string, deviceId: string, gateway: Gateway, consentBy?: string): Promise<Device> {
    await this.registry.addDevice({ deviceId, placement: "wrist", key, consentBy });
    let home = this.homes.find((one) => one.key === key);
    if (!home) {
      home = { key, hasConsent: false, pausedUntil: 0, devices: [], truth: [] };
      this.homes.push(home);
    }
    if (consentBy) home.hasConsent = true;
    const device = { id: deviceId, home, gateway, isRegistered: true, wasHeard: false, hasRadio: true, isWorn: true };
    home.devices.push(device);
    this.note("device added");
    this.repeat(deviceEveryMs, () => this.report(device));
    return device;
  }

  private async settle(): Promise<void> {
    const [g1, g2] = this.gateways as [Gateway, Gateway];
    const devices = [
      await this.add("38", "watch-38", g1, "eva"),
      await this.add("54", "watch-54", g1, "eva"),
      await this.add("54", "belt-54", g2),
      await this.add("61", "watch-61", g2, "eva"),
      await this.add("72", "watch-72", g2),
    ];
    for (const device of devices) await this.report(device);
    for (const device of devices) {
      this.everyNowAndThen(
        [6 * hourMs, 40 * hourMs],
        [10 * minuteMs, 9 * hourMs],
        async () => {
          device.hasRadio = false;
          if (device.wasHeard && device.gateway.isUp && device.gateway.hasBroker) {
            this.say(device, "offline", { detail: "will" });
          }
          await this.handOn(device.gateway);
          this.note("device out of reach");
        },
        async () => {
          device.hasRadio = true;
          await this.report(device);
          this.note("device back");
        },
      );
      this.everyNowAndThen(
        [5 * hourMs, 30 * hourMs],
        [20 * minuteMs, 5 * hourMs],
        async () => {
          device.isWorn = false;
          await this.report(device);
          this.note("taken off");
        },
        async () => {
          device.isWorn = true;
          await this.report(device);
          this.note("put on");
        },
      );
    }
    for (const gateway of this.gateways) {
      this.repeat(gatewayEveryMs, () => this.heartbeat(gateway));
      this.break(gateway, "isUp", "gateway");
      this.break(gateway, "isLinked", "link");
    }
    this.break(g2, "hasBroker", "broker");
    for (const home of this.homes) this.pause(home);
  }

  private break(gateway: Gateway, what: "isUp" | "isLinked" | "hasBroker", name: string): void {
    const tell = (event: "broker-lost" | "broker-back") => {
      const said = { v: 1 as const, id: `e${this.events++}`, gatewayId: gateway.id, at: this.now, event };
      gateway.outbox.push({ type: "gateway-event", event: said });
    };
    this.everyNowAndThen(
      [20 * hourMs, 90 * hourMs],
      [5 * minuteMs, 8 * hourMs],
      async () => {
        gateway[what] = false;
        if (what === "hasBroker") tell("broker-lost");
        await this.handOn(gateway);
        this.note(`${name} lost`);
      },
      async () => {
        gateway[what] = true;
        if (what === "hasBroker") tell("broker-back");
        await this.heartbeat(gateway);
        if (gateway.isUp && gateway.hasBroker) await this.reconnect(gateway);
        this.note(`${name} back`);
      },
    );
  }

  /** Visits and stays in hospital; some are ended before their time, some are begun anew. */
  private pause(home: Home): void {
    this.repeat(31 * hourMs, async () => {
      const minutes = this.between(5, 400);
      await this.dwellings.pause({ key: home.key }, { minutes, reason: "visit", by: "eva" });
      home.pausedUntil = this.now + minutes * minuteMs;
      this.note("paused");
      this.time.after(minutes * minuteMs, () => this.note("a pause is over"));
      if (this.draw() < 0.4) {
        this.time.after(this.between(1, minutes) * minuteMs, () => {
          this.running = this.dwellings.endPause({ key: home.key }, "eva").then(() => {
            home.pausedUntil = Math.min(home.pausedUntil, this.now);
            this.note("a pause ended");
          });
        });
      }
    });
  }

  /** What people do once. */
  private plan(): void {
    const at = (day: number, work: () => Promise<unknown>) =>
      this.time.at(day * dayMs + this.between(0, dayMs / 2), () => {
        this.running = work();
      });
    const homeOf = (key: string) => this.homes.find((home) => home.key === key) as Home;
    const [g1] = this.gateways as [Gateway];
    const consent = async (key: string, isGiven: boolean) => {
      if (isGiven) await this.dwellings.giveConsent({ key }, "eva");
      else await this.dwellings.withdrawConsent({ key }, "eva");
      homeOf(key).hasConsent = isGiven;
      this.note(isGiven ? "consent given" : "consent withdrawn");
    };
    at(3, () => consent("72", true));
    at(9, () => consent("61", false));
    at(11, () => consent("61", true));
    at(6, () => this.add("49", "watch-49", g1, "eva"));
    const revoke = async (id: string) => {
      await this.registry.revoke(id, "eva");
      for (const device of this.homes.flatMap(({ devices }) => devices))
        if (device.id === id) device.isRegistered = false;
      this.note("revoked");
    };
    at(14, () => revoke("watch-72"));
    at(16, () => this.add("72", "watch-73", g1));
    at(18, () => revoke("watch-54"));
    this.everyNowAndThen(
      [2 * hourMs, 50 * hourMs],
      [2_000, 7 * hourMs],
      () => this.end(this.draw() < 0.3),
      () => this.begin(),
    );
  }

  /** Lives it. */
  async run(): Promise<void> {
    await this.begin();
    await this.settle();
    this.plan();
    await this.live(this.days * dayMs);
    // What is left to be told is told.
    if (!this.service) await this.begin();
    await this.live(this.days * dayMs + 10 * minuteMs);
  }

  private async live(end: number): Promise<void> {
    for (;;) {
      const happens = this.time.next(end, true, () => this.nextLossAt());
      if (!happens) break;
      this.running = Promise.resolve();
      happens();
      await this.running;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** When the watch must look next: a gateway that is silent is found to be lost once its limit is past. */
  private nextLossAt(): number | null {
    const limits = this.gateways.map(({ heardAt }) => Math.max(heardAt, this.startedAt) + 3 * gatewayEveryMs + 1_000);
    const next = limits.filter((limit) => limit > this.now);
    return next.length === 0 ? null : Math.min(...next);
  }
}
