import type { Logger } from "pino";
import {
  keepSensors,
  openStuckWatch,
  type StuckWatch,
  stuckSensors,
  watchSensor,
} from "../../detector/presence/stuck.ts";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { SupervisionEvent } from "../../firmware-contracts/intake.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import type { Counters } from "../counters.ts";
import type { Message } from "../ingest/admit.ts";
import type { Registry } from "../ingest/registry.ts";
import { createChangeKeeper } from "../outbox/change-keeper.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { OutboxStore } from "../outbox/store.ts";
import type { SteadyTime } from "../stream/steady-time.ts";
import {
  type DeviceInput,
  type DeviceNews,
  openDevice,
  type Supervised,
  type SupervisionLimits,
  step,
} from "./device.ts";
import { deviceIn, dwellingIn, dwellingKey, keptDevice, keptWatch, watchIn } from "./kept-device.ts";

/** Frames are not told to supervision one by one: it looks so often at when each device's last one came, ms. */
const lookEveryMs = 15_000;
/** A clock that is less wrong than this is not looked at, ms. */
const rightEnoughMs = 30_000;

/** When a device's last frame arrived, in steady time (0: none did), and how far its clock was ahead, ms (NaN: not set). */
export interface HeardFrames {
  readonly heardAt: WallMs;
  readonly clockAheadMs: number;
}

export interface SupervisionOptions {
  gatewayId: string;
  limits: SupervisionLimits;
  registry: Pick<Registry, "device" | "deviceIds" | "hasConsent" | "unwatched" | "version">;
  /** By device. */
  frames(): Iterable<[string, HeardFrames]>;
  /** Whether anybody can be heard now. */
  isListening(): boolean;
  store: Pick<OutboxStore, "readSupervision">;
  outbox: Pick<Outbox, "keepSupervision">;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/** Knows of each device that was ever heard here whether it is in order, and tells each outage once, and its end. */
export interface Supervision {
  /** Reads what was kept. @returns the latest time used in it; 0 where nothing was kept. */
  read(): Promise<WallMs>;
  /** Goes on with it: what was overdue stays so, all else has its limit from now. */
  begin(time: SteadyTime): void;
  /** The register has changed. */
  follow(): void;
  /** A device has sent this; frames need not be told. `isWill`: its broker says it for it. */
  take(deviceId: string, message: Message, isWill: boolean): void;
  /** Something that is to be told is not yet safe. */
  readonly busy: boolean;
  /** Keeps what is known. */
  stop(): Promise<void>;
}

export function createSupervision(options: SupervisionOptions): Supervision {
  const { gatewayId, limits, registry, clock, counters, log, outbox } = options;
  const devices = new Map<string, Supervised>();
  const dwellings = new Map<string, StuckWatch>();
  let time: SteadyTime | null = null;
  let listeningSince: WallMs | null = null;
  let callOff = () => {};
  const keeper = createChangeKeeper<SupervisionEvent>({
    keep: (changes) => outbox.keepSupervision(changes),
    bodyOf,
    clock,
    counters,
    counts: { notKept: "supervision.not-kept", dropped: "supervision.dropped" },
  });

  function bodyOf(key: string) {
    const dwelling = dwellingIn(key);
    if (dwelling !== null) {
      const watch = dwellings.get(dwelling);
      return watch ? keptWatch(dwelling, watch) : null;
    }
    const device = devices.get(key);
    return device ? keptDevice(device) : null;
  }

  /** A fault of ours must neither end the gateway nor hold up a message: what is known of the device begins anew. */
  function guarded(deviceId: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      counters.add("supervision.failed");
      log.error({ deviceId, error: error instanceof Error ? error.stack : String(error) }, "supervision failed");
      devices.delete(deviceId);
    }
  }

  function give(deviceId: string, input: DeviceInput, steady: SteadyTime): void {
    const now = steady.now();
    const before = devices.get(deviceId) ?? openDevice(deviceId, now);
    const [state, news] = step(before, input, limits, { now, toWallMs: steady.toWall(now) - now, listeningSince });
    const events = news.map((one) => eventOf(state, one));
    for (const { event, trouble, since } of news) {
      counters.add(event === "began" ? "supervision.began" : "supervision.ended");
      log.info(
        { deviceId, trouble, since },
        event === "began" ? "a device is in trouble" : "a device's trouble is over",
      );
    }
    if (input.kind === "removed") {
      devices.delete(deviceId);
      keeper.forget(deviceId, events);
      return;
    }
    devices.set(deviceId, state);
    // Time alone changes nothing that is to be kept, unless it is told.
    if (input.kind !== "tick" || events.length > 0) keeper.changed(deviceId, events);
  }

  function eventOf(
    { deviceId, deviceClass }: Supervised,
    { event, trouble, since, ...more }: DeviceNews,
  ): SupervisionEvent {
    return {
      v: 1,
      id: `${deviceId}.${trouble}.${since}.${event}`,
      deviceId,
      ...(deviceClass === null ? {} : { deviceClass }),
      gatewayId,
      event,
      trouble,
      since,
      ...more,
    };
  }

  function look(): void {
    if (!time) return;
    const steady = time;
    if (!options.isListening()) listeningSince = null;
    else listeningSince ??= steady.now();
    for (const [deviceId, frames] of options.frames()) {
      if (frames.heardAt > (devices.get(deviceId)?.heardAt ?? 0))
        guarded(deviceId, () => hearFrames(deviceId, frames, steady));
    }
    for (const [deviceId, { watchedSince }] of devices) {
      guarded(deviceId, () => {
        const isWatched = registry.unwatched(deviceId) === null;
        if (isWatched !== (watchedSince !== null)) give(deviceId, { kind: "watched", isWatched }, steady);
        give(deviceId, { kind: "tick" }, steady);
      });
    }
    for (const [dwelling, watch] of dwellings) judgeSensors(dwelling, watch, steady);
    callOff();
    callOff = clock.after(lookEveryMs, look);
  }

  function hearFrames(deviceId: string, { heardAt, clockAheadMs }: HeardFrames, steady: SteadyTime): void {
    // What the journal held is of before the start, and of a device that is gone.
    if (!registry.device(deviceId)) return;
    give(deviceId, { kind: "heard", what: "wearable", at: heardAt }, steady);
    const isInDoubt = Math.abs(clockAheadMs) > rightEnoughMs || devices.get(deviceId)?.drift.since !== null;
    if (isInDoubt && !Number.isNaN(clockAheadMs)) give(deviceId, { kind: "clock", aheadMs: clockAheadMs }, steady);
  }

  function watchPresence(deviceId: string, report: PresenceReport, steady: SteadyTime): void {
    const dwelling = registry.device(deviceId)?.dwelling;
    if (dwelling === undefined || registry.unwatched(deviceId) !== null) return;
    const watch = dwellings.get(dwelling) ?? openStuckWatch();
    dwellings.set(dwelling, watch);
    const now = steady.now();
    const { sensor, state, room, atFloor, boot, seq, age } = report;
    watchSensor(watch, { deviceId, sensor, state, room, atFloor, boot, seq, at: now - age }, now);
    keeper.changed(dwellingKey(dwelling), []);
    judgeSensors(dwelling, watch, steady);
  }

  function judgeSensors(dwelling: string, watch: StuckWatch, steady: SteadyTime): void {
    try {
      const stuck = new Map(stuckSensors(watch, steady.now()).map(({ deviceId, since }) => [deviceId, since]));
      for (const { deviceId } of watch.sensors) {
        const since = stuck.get(deviceId) ?? null;
        const known = devices.get(deviceId);
        if (known && (known.stuckSince === null) !== (since === null)) give(deviceId, { kind: "stuck", since }, steady);
      }
    } catch (error) {
      counters.add("supervision.failed");
      log.error({ error: error instanceof Error ? error.stack : String(error) }, "supervision failed in a dwelling");
      dwellings.delete(dwelling);
    }
  }

  function followRegister(): void {
    // Without a register nobody can say who is gone.
    if (!time || registry.version === 0) return;
    const steady = time;
    const wanted = new Set(registry.deviceIds());
    for (const deviceId of devices.keys()) {
      if (!wanted.has(deviceId)) guarded(deviceId, () => give(deviceId, { kind: "removed" }, steady));
    }
    for (const [dwelling, watch] of dwellings) {
      const its = [...wanted].filter(
        (deviceId) => registry.device(deviceId)?.dwelling === dwelling && registry.hasConsent(deviceId),
      );
      keepSensors(watch, new Set(its));
      if (watch.sensors.length > 0) continue;
      dwellings.delete(dwelling);
      keeper.forget(dwellingKey(dwelling));
    }
  }

  return {
    async read() {
      let latest: WallMs = 0;
      for (const one of await options.store.readSupervision()) {
        const dwelling = dwellingIn(one.id);
        const device = dwelling === null ? deviceIn(one) : null;
        const watch = dwelling === null ? null : watchIn(one);
        if (device) devices.set(one.id, device);
        else if (dwelling !== null && watch) dwellings.set(dwelling, watch);
        else counters.add("supervision.unreadable");
        const heard = watch ? watch.sensors.map(({ heardAt }) => heardAt) : [device?.heardAt ?? 0];
        latest = Math.max(latest, ...heard);
      }
      return latest;
    },
    begin(steady) {
      time = steady;
      keeper.start();
      followRegister();
      callOff = clock.after(lookEveryMs, look);
    },
    follow: followRegister,
    take(deviceId, message, isWill) {
      if (!time || isWill || message.kind === "frame" || !registry.device(deviceId)) return;
      const steady = time;
      guarded(deviceId, () => {
        const at = steady.now();
        if (message.kind === "status") {
          if (message.report.kind === "will") return;
          const { battery, worn, charging, tamper } = message.report;
          give(deviceId, { kind: "heard", what: "status", at }, steady);
          return give(deviceId, { kind: "status", battery, worn, charging, tamper }, steady);
        }
        const what = message.kind === "presence" ? "presence" : message.kind === "help" ? "button" : "status";
        give(deviceId, { kind: "heard", what, at }, steady);
        if (message.kind === "presence") watchPresence(deviceId, message.report, steady);
      });
    },
    get busy() {
      return keeper.busy;
    },
    async stop() {
      look();
      callOff();
      await keeper.stop();
      time = null;
    },
  };
}
