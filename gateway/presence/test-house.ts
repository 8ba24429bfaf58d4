import { setTimeout as really, setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import type { Change } from "../../detector/presence/logs.ts";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { ControlDevice, IntakeItem, WelfareEvent } from "../../firmware-contracts/intake.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import { type Counters, createCounters } from "../counters.ts";
import { createRegistry, type Registry } from "../ingest/registry.ts";
import { createOutbox, type Outbox } from "../outbox/outbox.ts";
import { createOutboxStore, type OutboxStore } from "../outbox/store.ts";
import { createSteadyTime } from "../stream/steady-time.ts";
import { createPresence, type Presence } from "./presence.ts";

// For tests: a gateway's presence with its real register, outbox and store, in virtual time, and the sensors of made-up homes.

const hourMs = 3_600_000;

/** A machine's clocks, moved by hand. */
export function virtualClock(wallStart: WallMs) {
  let timers: { at: number; run: () => void }[] = [];
  const is = { monotonic: 0, wallLess: wallStart as number };
  const clock: Clock = {
    wallNow: () => is.wallLess + is.monotonic,
    monotonicNow: () => is.monotonic,
    after(ms, run) {
      const timer = { at: is.monotonic + Math.max(0, ms), run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  async function pass(ms: number): Promise<void> {
    const end = is.monotonic + ms;
    for (let turns = 0; turns < 100_000; turns++) {
      let next: (typeof timers)[number] | null = null;
      for (const one of timers) if (one.at <= end && (!next || one.at < next.at)) next = one;
      is.monotonic = Math.max(is.monotonic, next?.at ?? end);
      if (!next) return;
      timers = timers.filter((one) => one !== next);
      next.run();
      await turn();
    }
    throw new Error("time does not pass");
  }
  return {
    clock,
    pass,
    setWall(wall: WallMs) {
      is.wallLess = wall - is.monotonic;
    },
    /** The process is gone: none of its timers fires. */
    off() {
      timers = [];
    },
  };
}

interface Running {
  counters: Counters;
  store: OutboxStore;
  outbox: Outbox;
  registry: Registry;
  presence: Presence;
}

/** A gateway over restarts. `told`: what alerting has, in the order in which it came. */
export function openHouse(folder: string, start: WallMs, devices: ControlDevice[]) {
  const time = virtualClock(start);
  const { clock } = time;
  const told: WelfareEvent[] = [];
  let control = { v: 1 as const, version: 1, devices };
  let running: Running | null = null;
  const intake = {
    submit: async (item: IntakeItem) => {
      if (item.type === "welfare-event") told.push(item.event);
    },
    control: async (have: number) => (have === control.version ? null : { ...control, at: clock.wallNow() }),
  };
  const log = pino({ level: "silent" });

  async function boot(): Promise<void> {
    const counters = createCounters();
    const store = createOutboxStore(folder);
    const outbox = createOutbox({
      ...{ store, intake, clock, counters, log, retrySeconds: 5, submitSeconds: 10, maxEvents: 100 },
    });
    const registry = createRegistry({
      ...{ store, intake, clock, counters, log, gatewayId: "gateway-1", refreshSeconds: 300, maxChecks: 4 },
      onChange: () => presence.follow(),
    });
    const presence = createPresence({ registry, store, outbox, clock, counters, log });
    running = { counters, store, outbox, registry, presence };
    await store.open(clock.wallNow());
    outbox.start();
    await registry.start();
    presence.begin(createSteadyTime(clock, await presence.read()));
  }

  const is = (): Running => {
    if (!running) throw new Error("the gateway is off");
    return running;
  };

  /** What a report needs of the disk and of alerting is done. */
  async function settled(): Promise<void> {
    for (let turns = 0; turns < 5000; turns++) {
      if (!is().presence.busy && (await is().outbox.isEmpty())) return;
      // The disk's time is real.
      await really(1);
      await time.pass(1);
    }
    throw new Error("nothing settles");
  }

  return {
    ...time,
    told,
    is,
    settled,
    boot,
    count: (name: string) => is().counters.read()[name] ?? 0,
    /** The register is another from now on; the gateway knows it within five minutes. */
    async follow(next: ControlDevice[]): Promise<void> {
      control = { ...control, version: control.version + 1, devices: next };
      const { registry } = is();
      for (let turns = 0; registry.version < control.version && turns < 400; turns++) {
        await really(1);
        await time.pass(1000);
      }
    },
    async stop(): Promise<void> {
      const { presence, registry, outbox, store } = is();
      registry.stop();
      await presence.stop();
      outbox.stop();
      await store.close();
      running = null;
    },
    /** Killed: what was not on the disk is lost. */
    async kill(): Promise<void> {
      const { outbox, store } = is();
      time.off();
      await store.close();
      outbox.stop();
      running = null;
    },
    /** Lets time pass up to `until`, and sensors say this meanwhile. */
    async live(said: readonly Said[], until: WallMs): Promise<void> {
      for (const { deviceId, at, report } of said) {
        if (at >= until) break;
        await time.pass(Math.max(0, at - clock.wallNow()));
        if (running && is().registry.unwatched(deviceId) === null) is().presence.take(deviceId, report);
      }
      await time.pass(Math.max(0, until - clock.wallNow()));
    },
  };
}
export type Site = ReturnType<typeof openHouse>;

export interface Said {
  deviceId: string;
  at: WallMs;
  report: PresenceReport;
}

/** What a made-up home's sensors, named `<home>-<sensor>`, say in this time: each change, and the same again each hour. */
export function saidIn(home: string, changes: readonly Change[], from: WallMs, until: WallMs): Said[] {
  const said: Said[] = [];
  const sensors = new Map<string, Change[]>();
  for (const change of changes) {
    const own = sensors.get(change.deviceId) ?? [];
    own.push(change);
    sensors.set(change.deviceId, own);
  }
  for (const own of sensors.values()) {
    const past = own.filter(({ at }) => at < from);
    const first = own[0]!;
    // Before its first change it said the other.
    let last = past.at(-1) ?? { ...first, state: first.state === "on" ? ("off" as const) : ("on" as const) };
    let at = past.length > 0 ? last.at : from - 1;
    const ahead = [...own.slice(past.length), null];
    for (const change of ahead) {
      const end = change?.at ?? until;
      for (at += hourMs; at < end; at += hourMs) if (at >= from) said.push(saying(home, { ...last, at }));
      if (!change || change.at >= until) break;
      said.push(saying(home, change));
      last = change;
      at = change.at;
    }
  }
  return said.filter(({ at }) => at < until).sort((a, b) => a.at - b.at);
}

function saying(home: string, { deviceId, sensor, room, state, at }: Change): Said {
  const report: PresenceReport = {
    v: 1,
    boot: 1,
    seq: Math.round(at / 1000) % 2 ** 31,
    t: at,
    age: 0,
    sensor,
    state,
    room,
  };
  return { deviceId: `${home}-${deviceId}`, at, report };
}

/** Whoever lives there stops moving at `at`: motion sensors end what they said, and nothing else is told. */
export function stillFrom(changes: readonly Change[], at: WallMs): Change[] {
  const before = changes.filter((one) => one.at < at);
  const last = new Map(before.map((one) => [one.deviceId, one]));
  const ends = [...last.values()].filter(({ sensor, state }) => sensor === "motion" && state === "on");
  return [...before, ...ends.map((one) => ({ ...one, state: "off" as const, at: at + 60_000 }))];
}
