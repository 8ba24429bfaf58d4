import type { WallMs } from "../../firmware-contracts/clock.ts";
import { type Figure, quantile, rate, share } from "../evaluation/intervals.ts";
import { type Random, randomFrom, seedOf } from "../training/random.ts";
import type { Change, HomeLog } from "./logs.ts";
import { type Outage, type SimulatedSensor, sensorsOf, speak } from "./play.ts";
import { openStuckWatch, type StuckWatch, stuckSensors, watchSensor } from "./stuck.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Nothing is claimed before. */
const learnDays = 7;
export const monthDays = 30;
/** A change within so long of another of the same sensor is of the same use of it. */
const useMs = 600_000;
/** How often a sensor is used, uses a day: what is seldom used is not found within a day, as it may well rest for one. */
const groups = [
  { name: "8 a day and more", from: 8 },
  { name: "4 to 8", from: 4 },
  { name: "under 4", from: 0 },
] as const;
const faults = ["stuck", "stuck-on"] as const;

export interface StuckRow {
  uses: string;
  fault: (typeof faults)[number];
  injected: number;
  /** Of these, told within 24 h. */
  found: Figure;
  /** Hours until it was told; null: over 24. */
  median: number | null;
}

/** What a home's log showed after the first week. Shares with Wilson's 95 % interval, rates with Poisson's. */
export interface StuckReport {
  home: string;
  judgedDays: number;
  rows: StuckRow[];
  /** Sensors told as stuck that the log has changing again, or resting until its end: nothing was injected. */
  falseOnes: number;
  falsePerMonth: Figure;
}

interface Played {
  sensors: SimulatedSensor[];
  watch: StuckWatch;
  told: { deviceId: string; at: WallMs }[];
}

/** Plays a log untouched, and with each sensor hanging at what it says, or at "on", from moments drawn. */
export function measureStuck(
  log: HomeLog,
  options: { perSensor: number; seed: number; onDone?: () => void },
): StuckReport {
  const begin = log.changes[0]?.at ?? 0;
  const end = (log.changes.at(-1)?.at ?? 0) + 1;
  const from = begin + learnDays * dayMs;
  const judgedDays = (end - from) / dayMs;
  if (!(judgedDays > 1)) throw new Error(`${log.home}: its log is too short to learn a week of it and judge a day.`);
  const untouched = play(log, null, end);
  const random = randomFrom(seedOf(`${log.home} stuck`, options.seed));
  const devices = [...new Set(log.changes.map(({ deviceId }) => deviceId))];
  const rows = groups.flatMap((group, n) => {
    const most = groups[n - 1]?.from ?? Number.POSITIVE_INFINITY;
    const its = devices.filter((deviceId) => {
      const perDay = usesPerDay(log.changes, deviceId, (end - begin) / dayMs);
      return perDay >= group.from && perDay < most;
    });
    return faults.map((fault) => {
      const hours = its.flatMap((deviceId) => inject(log, deviceId, fault, from, end, random, options));
      const found = hours.filter((took) => took !== null);
      const median = quantile(
        hours.map((took) => took ?? Number.MAX_VALUE),
        0.5,
      );
      return {
        ...{ uses: group.name, fault, injected: hours.length, found: share(found.length, hours.length) },
        median: median === null || median > 24 ? null : median,
      };
    });
  });
  const falseOnes = untouched.told.length;
  return { home: log.home, judgedDays, rows, falseOnes, falsePerMonth: rate(falseOnes, judgedDays / monthDays) };
}

function inject(
  log: HomeLog,
  deviceId: string,
  kind: (typeof faults)[number],
  from: WallMs,
  end: WallMs,
  random: Random,
  { perSensor, onDone }: { perSensor: number; onDone?: () => void },
): (number | null)[] {
  return Array.from({ length: perSensor }, () => {
    const at = Math.floor(random.between(from, end - dayMs));
    const { told } = play(log, { kind, deviceId, from: at }, at + dayMs);
    onDone?.();
    const first = told.find((one) => one.deviceId === deviceId && one.at >= at);
    return first ? (first.at - at) / hourMs : null;
  });
}

/** Lives a home from its log's begin; what is told of a sensor is told once until it is well again. */
function play(log: HomeLog, outage: Outage | null, until: WallMs): Played {
  const played: Played = { sensors: sensorsOf(log), watch: openStuckWatch(), told: [] };
  let open = new Set<string>();
  speak(played.sensors, log.changes, until, outage ?? undefined, (sensor, at) => {
    const { deviceId, sensor: kind, room, state, seq } = sensor;
    watchSensor(played.watch, { deviceId, boot: 1, seq, sensor: kind, state, room, at }, at);
    const stuck = new Set(stuckSensors(played.watch, at).map((one) => one.deviceId));
    for (const id of stuck) if (!open.has(id)) played.told.push({ deviceId: id, at });
    open = stuck;
  });
  return played;
}

function usesPerDay(changes: readonly Change[], deviceId: string, days: number): number {
  const slots = new Set(changes.filter((one) => one.deviceId === deviceId).map(({ at }) => Math.floor(at / useMs)));
  return slots.size / days;
}
