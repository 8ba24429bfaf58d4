import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import { cryptoDraws, type Draws } from "./draws.ts";
import type { Keeper } from "./keeper.ts";
import { zoneOf } from "./rota/local-time.ts";
import { createSetTimes } from "./set-times.ts";
import type { ConsentRow, DeviceRow, NewPage, OperationTest, PauseRow, Store } from "./store/store.ts";

/** Looked at this often, ms: a test that was called off is not awaited for long. */
const lookEveryMs = 5_000;
/** And this often whether a dwelling that nobody watched is watched again, ms. */
const mendedEveryMs = 60_000;
/** A device that was not heard for so long watches nobody, ms. */
const heardWithinMs = 24 * 3_600_000;

/** Whether a dwelling has a device whose falls call staff there, and which lives. */
function hasLiveDevice(dwellingId: string, devices: readonly DeviceRow[], now: number): boolean {
  return devices.some(
    (device) =>
      device.dwellingId === dwellingId &&
      !device.revoked &&
      // Presence sensors, doors and staff's tags see no falls.
      !(device.tellsPresence || device.leadsOut || device.staffTag) &&
      device.operation.state === "in-operation" &&
      device.lastSeenAt !== null &&
      now - device.lastSeenAt <= heardWithinMs,
  );
}

/**
 * The dwellings that have consented to being watched, are not paused, and have no device in operation that was heard in the last 24 h. One that consented in
 * these 24 h is given the time: its device is being put up.
 */
export function unwatchedDwellings(
  {
    devices,
    consents,
    pauses,
  }: { devices: readonly DeviceRow[]; consents: readonly ConsentRow[]; pauses: readonly PauseRow[] },
  now: number,
): string[] {
  const paused = new Set(pauses.filter(({ until }) => until > now).map(({ dwellingId }) => dwellingId));
  return consents
    .filter(({ state, at }) => state === "given" && now - (at ?? 0) > heardWithinMs)
    .map(({ dwellingId }) => dwellingId)
    .filter((id) => !paused.has(id) && !hasLiveDevice(id, devices, now));
}

/** Follows what commands change about devices and their tests, and looks once a day whether everybody is watched. */
export interface OperationWatch {
  start(): Promise<void>;
  stop(): void;
}

export function createOperationWatch(options: {
  config: AlertingConfig;
  store: Store;
  keeper: Keeper;
  board: Board;
  clock: Clock;
  counters: Counters;
  log: Logger;
  wake(): void;
  draws?: Draws;
}): OperationWatch {
  const { config, store, keeper, board, clock, counters, log, wake, draws = cryptoDraws } = options;
  const daily = createSetTimes({
    store: store.operation,
    what: "daily-check",
    times: [config.operation.dailyCheck],
    zone: zoneOf(config.timeZone),
  });
  let callOff = () => {};
  let stopped = true;
  let mendedLookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    try {
      await endTests();
      await callOffTests();
      await lookForUnwatched();
    } catch (error) {
      counters.count("operation.failed");
      log.error({ err: error }, "devices and their tests could not be followed; trying again in a few seconds");
    }
    if (!stopped) callOff = clock.after(lookEveryMs, () => void look());
  }

  /** Nothing came in time: whoever waits for it is told. */
  async function endTests(): Promise<void> {
    const now = Math.round(clock.wallNow());
    for (const test of await store.operation.listOpenTests()) {
      if (test.episodeId !== null || test.untilAt > now) continue;
      await keeper.inTurn(() => store.operation.endTest(test.id, "no-alarm", now, pagesOf(test)));
      counters.count("operation.test.no-alarm");
      wake();
    }
  }

  function pagesOf({ deviceId, responderId, openedAt, untilAt }: OperationTest): NewPage[] {
    const minutes = Math.round((untilAt - openedAt) / 60_000);
    return (responderId === null ? config.operators : [responderId]).map((to) => {
      const language = keeper.staff.languageOf(to);
      const body = keeper.writer.writeLoose({ kind: "no-test-alarm", deviceId, minutes }, language);
      return { id: `a${draws.id()}`, responderId: to, purpose: "answer", step: 0, language, body };
    });
  }

  /** A command has moved the device, or has opened another test of it. */
  async function callOffTests(): Promise<void> {
    for (const { facts, status } of board.states()) {
      if (status === "closed" || facts.testAlarm?.purpose !== "device") continue;
      const test = await store.operation.findTestById(facts.testAlarm.id);
      if (!test || test.endedAt !== null) await keeper.callOffTest(facts.id);
    }
  }

  async function lookForUnwatched(): Promise<void> {
    const now = Math.round(clock.wallNow());
    const isDaily = await daily.take(now);
    const told = board
      .states()
      .flatMap(({ facts, status }) =>
        status !== "closed" && facts.trouble?.kind === "dwelling-unwatched" ? [facts.trouble.subject] : [],
      );
    const mayBeMended = told.length > 0 && clock.monotonicNow() - mendedLookedAt >= mendedEveryMs;
    if (!isDaily && !mayBeMended) return;
    mendedLookedAt = clock.monotonicNow();
    const unwatched = unwatchedDwellings(
      {
        devices: await store.registry.devices(now),
        consents: await store.watching.consents(),
        pauses: await store.watching.pauses(now),
      },
      now,
    );
    const kind = "dwelling-unwatched" as const;
    for (const subject of told) if (!unwatched.includes(subject)) await keeper.end({ kind, subject });
    if (!isDaily) return;
    counters.count("operation.daily-check");
    counters.count("operation.unwatched", unwatched.length);
    for (const subject of unwatched) await keeper.raise({ kind, subject, since: now });
  }

  return {
    async start() {
      stopped = false;
      await look();
    },
    stop() {
      stopped = true;
      callOff();
    },
  };
}
