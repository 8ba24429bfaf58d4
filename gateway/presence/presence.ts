import type { Logger } from "pino";
import { type FusionState, openFusion, takePresence } from "../../detector/presence/fusion.ts";
import type { PresenceSeen } from "../../detector/presence/roster.ts";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { WelfareEvent } from "../../firmware-contracts/intake.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import type { Registry } from "../ingest/registry.ts";
import type { SteadyTime } from "../stream/steady-time.ts";
import {
  type DwellingInput,
  type DwellingWelfare,
  follow,
  keepOnly,
  openDwellingWelfare,
  stepDwelling,
  type WelfareNews,
} from "./dwelling-welfare.ts";
import { type DwellingSetup, dwellingsOf } from "./dwellings.ts";
import { keptOf, welfareIn } from "./kept-welfare.ts";
import { createWelfareKeeper, type WelfareKeeperOptions } from "./welfare-keeper.ts";

/** Whether a pause is over is looked at so often, ms; a report looks too. */
const lookEveryMs = 60_000;

export interface PresenceOptions extends Omit<WelfareKeeperOptions, "bodyOf"> {
  registry: Pick<Registry, "devices" | "hasConsent" | "unwatched" | "version">;
  log: Logger;
}

/** What a gateway knows by presence sensors: for each dwelling, evidence beside its wearables and its resident's welfare. */
export interface Presence {
  /** Reads what was kept. @returns the latest time used in it; 0 where nothing was kept. */
  read(): Promise<WallMs>;
  /** Goes on with it. `time` is what the wearables' streams are judged in. */
  begin(time: SteadyTime): void;
  /** The register has changed. */
  follow(): void;
  /** Takes in a report of a device that is watched. */
  take(deviceId: string, report: PresenceReport): void;
  /** What the sensors in this device's dwelling have told; null where there are none, or none has spoken. It is not to be changed. */
  fusionOf(deviceId: string): FusionState | null;
  /** Something is not yet safe. */
  readonly busy: boolean;
  /** Keeps what is known. */
  stop(): Promise<void>;
}

interface Dwelling {
  setup: DwellingSetup;
  /** Null before the first report, and while it is paused. */
  fusion: FusionState | null;
  welfare: DwellingWelfare | null;
  isPaused: boolean;
  wakeAt: WallMs | null;
  callOff(): void;
}

export function createPresence(options: PresenceOptions): Presence {
  const { registry, clock, counters, log } = options;
  const keeper = createWelfareKeeper({ ...options, bodyOf });
  let time: SteadyTime | null = null;
  let dwellings = new Map<string, Dwelling>();
  /** By device; empty as long as no dwelling has a sensor that has spoken, so that frames cost nothing for it. */
  let fusions = new Map<string, Dwelling>();
  let byDevice = new Map<string, Dwelling>();
  const kept = new Map<string, DwellingWelfare>();
  let heardUntil: WallMs | null = null;
  let stopped = true;

  function bodyOf(id: string) {
    const welfare = dwellings.get(id)?.welfare;
    return welfare ? keptOf(id, welfare) : null;
  }

  function open(setup: DwellingSetup): Dwelling {
    return { setup, fusion: null, welfare: null, isPaused: false, wakeAt: null, callOff() {} };
  }

  /** A fault of ours must neither end the gateway nor keep a frame from being judged: what is known of the dwelling is forgotten, and begins anew. */
  function guarded(one: Dwelling, work: () => void): void {
    try {
      work();
    } catch (error) {
      counters.add("presence.failed");
      log.error({ error: error instanceof Error ? error.stack : String(error) }, "presence failed in a dwelling");
      one.fusion = null;
      one.welfare = null;
      one.callOff();
      one.wakeAt = null;
    }
  }

  function step(one: Dwelling, input: DwellingInput): void {
    const { welfare, setup } = one;
    if (!welfare || !time) return;
    const { news, wakeAt } = stepDwelling(welfare, input, time.now());
    for (const told of news) counters.add(`welfare.${told.event}`);
    keeper.changed(
      setup.id,
      news.map((told) => eventOf(setup.id, told)),
    );
    wake(one, wakeAt);
  }

  function eventOf(dwelling: string, { began, since, at, event, ...more }: WelfareNews): WelfareEvent {
    const toWall = (steady: WallMs) => (time ? time.toWall(steady) : steady);
    return {
      v: 1,
      id: `${dwelling}.${Math.round(began)}.${event}`,
      dwelling,
      at: toWall(at),
      event,
      ...(since === undefined ? {} : { since: toWall(since) }),
      ...more,
    };
  }

  function wake(one: Dwelling, at: WallMs | null): void {
    if (at === one.wakeAt) return;
    one.callOff();
    one.wakeAt = at;
    if (at === null || stopped || !time) return;
    // Never at once: a wish for the past would otherwise be granted over and over.
    one.callOff = clock.after(Math.max(20, at - time.now()), () => {
      one.wakeAt = null;
      if (isWatched(one)) guarded(one, () => step(one, { kind: "tick" }));
      else pause(one);
    });
  }

  /** Whether it is listened to now; where that begins again after a pause, all that was between is unknown. */
  function isWatched(one: Dwelling): boolean {
    // Consent and pauses are the dwelling's: any of its devices can tell.
    const [deviceId = ""] = one.setup.devices;
    if (registry.unwatched(deviceId) !== null) return false;
    if (one.isPaused) {
      one.isPaused = false;
      guarded(one, () => step(one, { kind: "resumed", awayMs: Number.POSITIVE_INFINITY }));
    }
    return true;
  }

  function pause(one: Dwelling): void {
    one.isPaused = true;
    one.fusion = null;
    if (one.welfare && time) wake(one, time.now() + lookEveryMs);
  }

  function followRegister(): void {
    // Without a register nobody can say who is gone.
    if (!time || registry.version === 0) return;
    const wanted = [...dwellingsOf(registry.devices()).values()].filter(({ devices }) =>
      [...devices].every((deviceId) => registry.hasConsent(deviceId)),
    );
    const before = dwellings;
    dwellings = new Map();
    byDevice = new Map();
    for (const setup of wanted) {
      const one = before.get(setup.id) ?? open(setup);
      before.delete(setup.id);
      dwellings.set(setup.id, one);
      settle(one, setup);
      for (const deviceId of setup.devices) byDevice.set(deviceId, one);
    }
    for (const [id, gone] of before) {
      gone.callOff();
      if (gone.welfare) keeper.forget(id);
    }
    listFusions();
  }

  function settle(one: Dwelling, setup: DwellingSetup): void {
    const isFewer = [...one.setup.devices].some((deviceId) => !setup.devices.has(deviceId));
    one.setup = setup;
    if (one.fusion) {
      one.fusion.settings = { livesAlone: setup.livesAlone };
      // What a sensor that is gone saw is in it.
      if (isFewer && keepOnly(one.fusion.roster, setup.devices)) one.fusion = null;
    }
    if (one.welfare) follow(one.welfare, setup.devices, setup.entrances);
    if (!isWatched(one)) pause(one);
    else if (isFewer) guarded(one, () => step(one, { kind: "tick" }));
  }

  function listFusions(): void {
    fusions = new Map([...byDevice].filter(([, { fusion }]) => fusion !== null));
  }

  return {
    async read() {
      const found = await keeper.read();
      heardUntil = found.heardUntil;
      let latest: WallMs = heardUntil ?? 0;
      for (const one of found.kept) {
        const welfare = welfareIn(one);
        if (welfare) kept.set(one.id, welfare);
        else counters.add("welfare.unreadable");
        latest = Math.max(latest, welfare?.state.now ?? 0);
      }
      return latest;
    },
    begin(steady) {
      time = steady;
      stopped = false;
      const awayMs = heardUntil === null ? Number.POSITIVE_INFINITY : time.now() - heardUntil;
      keeper.start(time);
      followRegister();
      for (const [id, welfare] of kept) {
        const one = dwellings.get(id);
        if (!one) {
          if (registry.version > 0) keeper.forget(id);
          continue;
        }
        one.welfare = welfare;
        follow(welfare, one.setup.devices, one.setup.entrances);
        if (isWatched(one)) guarded(one, () => step(one, { kind: "resumed", awayMs }));
        else pause(one);
      }
      kept.clear();
    },
    follow: followRegister,
    take(deviceId, report) {
      const one = byDevice.get(deviceId);
      if (!one || !time || stopped) return counters.add("presence.no-dwelling");
      if (!isWatched(one)) return pause(one);
      counters.add("presence.taken");
      const { sensor, state, room, atFloor, boot, seq } = report;
      const now = time.now();
      const seen: PresenceSeen = { deviceId, sensor, state, room, atFloor, boot, seq, at: now - report.age };
      guarded(one, () => {
        one.welfare ??= openDwellingWelfare(one.setup.entrances, now);
        const isFirst = one.fusion === null;
        one.fusion = takePresence(one.fusion ?? openFusion({ livesAlone: one.setup.livesAlone }), seen, now);
        if (isFirst) listFusions();
        step(one, { kind: "presence", seen });
      });
    },
    fusionOf: (deviceId) => (fusions.size === 0 ? null : (fusions.get(deviceId)?.fusion ?? null)),
    get busy() {
      return keeper.busy;
    },
    async stop() {
      stopped = true;
      for (const one of dwellings.values()) one.callOff();
      await keeper.stop();
    },
  };
}
