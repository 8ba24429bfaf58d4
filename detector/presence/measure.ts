import type { WallMs } from "../../firmware-contracts/clock.ts";
import { type Figure, quantile, rate, share } from "../evaluation/intervals.ts";
import { type Random, randomFrom, seedOf } from "../training/random.ts";
import { type HabitRule, habitRule, limitAt } from "./habits.ts";
import type { Change, HomeLog } from "./logs.ts";
import { lastChanges, live, type Outage, openHome, type PlayedHome } from "./play.ts";
import { shareOf } from "./roster.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A stillness is followed for so long, and an outage. */
const followMs = 24 * hourMs;
const followOutageMs = 72 * hourMs;
const withinHours = [2, 4, 6, 8, 24] as const;
/** A faulty sensor is chosen among those that make at least this part of all changes. */
const faultyShare = 0.02;

export interface MeasureOptions {
  injections: number;
  outages: number;
  seed: number;
  rule?: HabitRule;
  /** After each injection or outage. */
  onDone?: () => void;
}

/** What may break. The front door's contact has rows of its own: it tells whether anybody is at home. */
const faults = [
  { kind: "dead", isDoor: false },
  { kind: "stuck", isDoor: false },
  { kind: "stuck-on", isDoor: false },
  { kind: "gateway", isDoor: false },
  { kind: "dead", isDoor: true },
  { kind: "stuck", isDoor: true },
  { kind: "stuck-on", isDoor: true },
] as const;
export const faultCount = faults.length;
type Fault = (typeof faults)[number];

/** Runs with an outage, and how many of them told an inactivity that the same days without it did not. */
export interface OutageRow {
  fault: string;
  runs: number;
  alarmed: number;
  /** Runs in which the outage was told as a technical matter. */
  told: number;
}

/** What one home's log showed, after the learning days. Shares with Wilson's 95 % interval, rates with Poisson's. */
export interface HomeReport {
  home: string;
  /** Days of the whole log, and those after the learning days. */
  days: number;
  judgedDays: number;
  injections: number;
  found: { withinHours: number; share: Figure }[];
  hoursToAlarm: { median: number | null; p90: number | null };
  falseAlarms: number;
  falseAlarmsPerDay: Figure;
  /** The part of the judged days in which too little was heard to judge, 0 to 1. */
  unheard: number;
  outages: OutageRow[];
}

/** Plays a log untouched, with stillness injected and with outages. Throws where the log is shorter than the learning days. */
export function measureHome(log: HomeLog, options: MeasureOptions): HomeReport {
  const rule = options.rule ?? habitRule;
  const begin = log.changes[0]?.at ?? 0;
  const end = (log.changes.at(-1)?.at ?? 0) + 1;
  const judgedFrom = learntBy(log, rule, begin, end);
  const untouched = openHome(log, { rule });
  live(untouched, log.changes, end);
  const alarms = alarmsOf(untouched, judgedFrom, end);
  const judgedDays = (end - judgedFrom) / dayMs;
  const random = randomFrom(seedOf(log.home, options.seed));
  const hours = injectAll(log, judgedFrom, end, random, options);
  return {
    home: log.home,
    days: (end - begin) / dayMs,
    judgedDays,
    injections: hours.length,
    found: withinHours.map((limit) => ({
      withinHours: limit,
      share: share(hours.filter((took) => took !== null && took <= limit).length, hours.length),
    })),
    hoursToAlarm: { median: quantileOf(hours, 0.5), p90: quantileOf(hours, 0.9) },
    falseAlarms: alarms.length,
    falseAlarmsPerDay: rate(alarms.length, judgedDays),
    unheard: unheardPart(untouched, judgedFrom, end),
    outages: faults.map((fault) => outageRow(log, fault, judgedFrom, end, alarms, random, options)),
  };
}

/** When enough was learnt for the first time. */
function learntBy(log: HomeLog, rule: HabitRule, begin: WallMs, end: WallMs): WallMs {
  const home = openHome(log, { rule });
  let place = 0;
  for (let at = begin; at < end; at += hourMs) {
    const next = Math.min(end, at + hourMs);
    const changes = changesUntil(log, place, next);
    place += changes.length;
    live(home, changes, next);
    if (limitAt(home.state.habits, rule, null, next) !== null) return next;
  }
  throw new Error(`${log.home}: its log of ${Math.round((end - begin) / dayMs)} days is too short to learn from.`);
}

function changesUntil({ changes }: HomeLog, from: number, until: WallMs): Change[] {
  let to = from;
  while (to < changes.length && changes[to]!.at < until) to++;
  return changes.slice(from, to);
}

const alarmsOf = ({ told }: PlayedHome, from: WallMs, to: WallMs) =>
  told.filter(({ at, command }) => command.kind === "inactive" && at >= from && at < to).map(({ at }) => at);

/** At moments drawn from those at which the resident is at home and awake, nothing moves any more. Hours until it was told; null where it was not. */
function injectAll(
  log: HomeLog,
  from: WallMs,
  end: WallMs,
  random: Random,
  { injections, rule, onDone }: MeasureOptions,
): (number | null)[] {
  const home = openHome(log, { rule });
  let place = 0;
  return awakeMoments(log, from, end, random, injections).map((at) => {
    const changes = changesUntil(log, place, at);
    place += changes.length;
    live(home, changes, at);
    const still = structuredClone(home);
    live(still, lastChanges(still, at), at + followMs);
    onDone?.();
    const [alarm] = alarmsOf(still, at, at + followMs);
    return alarm === undefined ? null : (alarm - at) / hourMs;
  });
}

function awakeMoments(log: HomeLog, from: WallMs, end: WallMs, random: Random, count: number): WallMs[] {
  const moments: WallMs[] = [];
  for (let tries = 0; moments.length < count && tries < count * 100; tries++) {
    const at = Math.floor(random.between(from, end));
    if (!log.asleepOrOut.some((span) => at >= span.from && at < span.to)) moments.push(at);
  }
  return moments.sort((a, b) => a - b);
}

function outageRow(
  log: HomeLog,
  fault: Fault,
  from: WallMs,
  end: WallMs,
  untouched: readonly WallMs[],
  random: Random,
  { outages, rule, onDone }: MeasureOptions,
): OutageRow {
  const row: OutageRow = { fault: `${fault.isDoor ? "front door " : ""}${fault.kind}`, runs: 0, alarmed: 0, told: 0 };
  const begins = Array.from({ length: outages }, () => Math.floor(random.between(from, end))).sort((a, b) => a - b);
  const home = openHome(log, { rule });
  let place = 0;
  for (const begin of begins) {
    const changes = changesUntil(log, place, begin);
    place += changes.length;
    live(home, changes, begin);
    const outage = drawOutage(home, fault, begin, random);
    const until = Math.min(end, begin + followOutageMs);
    const broken = structuredClone(home);
    live(broken, changesUntil(log, place, until), until, outage);
    row.runs++;
    // An alarm that the untouched log has in the same hours has nothing to do with the outage.
    const more = alarmsOf(broken, begin, until).filter((at) => !untouched.some((one) => Math.abs(one - at) < hourMs));
    if (more.length > 0) row.alarmed++;
    if (broken.told.some(({ at, command }) => at >= begin && isWordOf(outage, command))) row.told++;
    onDone?.();
  }
  return row;
}

function isWordOf(outage: Outage, command: PlayedHome["told"][number]["command"]): boolean {
  if (command.kind !== "unheard") return false;
  return command.sensors.some(({ deviceId }) => outage.kind === "gateway" || deviceId === outage.deviceId);
}

function drawOutage({ state, sensors }: PlayedHome, { kind, isDoor }: Fault, from: WallMs, random: Random): Outage {
  if (kind === "gateway") return { kind, from, until: from + Math.floor(random.between(2 * hourMs, 24 * hourMs)) };
  const { roster, settings } = state;
  const isWanted = (deviceId: string) => settings.entrances.includes(deviceId) === isDoor;
  const busy = roster.sensors.filter((one) => isWanted(one.deviceId) && shareOf(roster, one) >= faultyShare);
  const among = busy.length > 0 ? busy : sensors.filter(({ deviceId }) => isWanted(deviceId));
  return { kind, deviceId: among[Math.floor(random.between(0, among.length))]?.deviceId ?? "none", from };
}

/** The median and the like count what was never told as later than all else. */
function quantileOf(hours: readonly (number | null)[], q: number): number | null {
  const value = quantile(
    hours.map((took) => took ?? Number.MAX_VALUE),
    q,
  );
  return value === null || value > followMs ? null : value;
}

function unheardPart({ told }: PlayedHome, from: WallMs, end: WallMs): number {
  let since: WallMs | null = null;
  let total = 0;
  const add = (until: WallMs) => {
    if (since !== null) total += Math.max(0, until - Math.max(from, since));
  };
  for (const { at, command } of told) {
    if (command.kind !== "unheard") continue;
    add(at);
    since = command.sensors.length > 0 ? at : null;
  }
  add(end);
  return total / (end - from);
}
