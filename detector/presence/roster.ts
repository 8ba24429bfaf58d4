import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { SensorTrouble } from "../../firmware-contracts/presence.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";

/** A presence report as the gateway took it. */
export interface PresenceSeen {
  deviceId: string;
  boot: number;
  seq: number;
  sensor: PresenceReport["sensor"];
  state: PresenceReport["state"];
  room?: string | undefined;
  /** A sensor that tells heights, such as a radar: whoever it sees lies still at floor height. Left out by a sensor that tells none. */
  atFloor?: boolean | undefined;
  /** When it happened: arrival less the report's age. */
  at: WallMs;
}

/** What is known of one sensor. */
export interface SensorSeen {
  deviceId: string;
  sensor: PresenceReport["sensor"];
  room: string | null;
  boot: number;
  seq: number;
  state: PresenceReport["state"];
  atFloor: boolean;
  /** When it came to say what it says now; where that was not heard, when it was first heard to say it. */
  changedAt: WallMs;
  /** It was heard to come to say so. */
  hasChanged: boolean;
  /** When it was last heard, repeats too. */
  heardAt: WallMs;
  /** It has spoken only once since it began anew, or since a silence: what it says may be what it starts with, or long true. */
  isRestarted: boolean;
  /** Its changes, those of long ago counting less. */
  changes: number;
  /** Changes of the others since its own last one. */
  others: number;
}

/** A dwelling's presence sensors. It is plain data: JSON keeps it. */
export interface Roster {
  sensors: SensorSeen[];
  /** Until when `changes` have been let fade. */
  fadedAt: WallMs;
}

/** `change`: it says something new. `repeat`: the same again. `restart`: its first word, or its first since it began anew or was silent for too long. `old`: no news at all. */
export type News = "change" | "repeat" | "restart" | "old";

/** Said again at least hourly; a quarter of an hour is let pass for a network that stalls. */
export const staleMs = 75 * 60_000;
/** A dwelling has seldom more than 15; of more than these the one unheard for longest is forgotten. */
export const maxSensors = 48;
/** Changes count half after a week: what a sensor usually does is what it did of late. */
const halfLifeMs = 7 * 86_400_000;
/**
 * A sensor that by its share should have changed this often while the others did, and has not for a day, is stuck. In ordonez-a and kasteren-a working ones
 * reach 11 and, where a door is left open for days, 62: silence of the latter costs their word and nothing else.
 */
const stuckChanges = 20;
const stuckAfterMs = 86_400_000;
/** One whose share is not known, because it has hardly ever changed. */
const stuckOthers = 200;

/** An `on` that lasts longer means a sensor that hangs, ms. A door may stand open, and a radar see whoever lives there all day. */
export const longestOnMs: Record<PresenceReport["sensor"], number> = {
  motion: 3 * 3_600_000,
  flush: 3_600_000,
  seat: 30 * 3_600_000,
  bed: 36 * 3_600_000,
  radar: 48 * 3_600_000,
  contact: Number.POSITIVE_INFINITY,
};

export function emptyRoster(): Roster {
  return { sensors: [], fadedAt: 0 };
}

/** Takes in a report. Owns and changes the roster given. A report from the future counts from `now`. */
export function note(roster: Roster, seen: PresenceSeen, now: WallMs): { news: News; sensor: SensorSeen } {
  fade(roster, now);
  const at = Math.min(seen.at, now);
  const { deviceId, sensor: kind, boot, seq, state } = seen;
  const known = roster.sensors.find((one) => one.deviceId === deviceId);
  const sensor = known ?? begin(roster, seen, at);
  if (!known) return { news: "restart", sensor };
  if (boot === known.boot && seq <= known.seq) return { news: "old", sensor };
  // What it says after a silence it may have come to say at any time of it.
  const isRestart = boot !== known.boot || at - known.heardAt > staleMs;
  const isChange = state !== known.state || (seen.atFloor ?? false) !== known.atFloor;
  known.sensor = kind;
  known.room = seen.room ?? known.room;
  known.boot = boot;
  known.seq = seq;
  known.heardAt = Math.max(known.heardAt, at);
  if (isRestart || isChange) {
    known.state = state;
    known.atFloor = seen.atFloor ?? false;
    known.changedAt = Math.max(known.changedAt, at);
    known.hasChanged = !isRestart;
  }
  known.isRestarted = isRestart;
  if (isRestart) return { news: "restart", sensor };
  if (!isChange) return { news: "repeat", sensor };
  known.changes++;
  for (const one of roster.sensors) one.others = one === known ? 0 : one.others + 1;
  return { news: "change", sensor };
}

/** What keeps a sensor's word from counting; null where it counts. */
export function troubleOf(roster: Roster, sensor: SensorSeen, now: WallMs): SensorTrouble | null {
  if (now - sensor.heardAt > staleMs) return "stale";
  if (sensor.isRestarted) return "restarted";
  const forMs = now - sensor.changedAt;
  if (sensor.state === "on" && forMs > longestOnMs[sensor.sensor]) return "stuck";
  if (forMs <= stuckAfterMs) return null;
  return sensor.others >= stuckOthers || changesMissed(roster, sensor) >= stuckChanges ? "stuck" : null;
}

/** How many changes of its own a sensor should by its share have had while the others had theirs; none of them it had. */
export function changesMissed(roster: Roster, sensor: SensorSeen): number {
  const share = shareOf(roster, sensor);
  return share < 1 ? (sensor.others * share) / (1 - share) : 0;
}

/** The part of all changes in the dwelling that are this sensor's, 0 to 1. */
export function shareOf(roster: Roster, sensor: SensorSeen): number {
  let all = 0;
  for (const { changes } of roster.sensors) all += changes;
  return all > 0 ? sensor.changes / all : 0;
}

/**
 * Whether what a sensor came to say is a sign that somebody moved. A motion sensor's and a radar's `off` are the end of a wait, a cistern's that it is full,
 * and lying still at floor height is none; doors, seats and beds take somebody both ways.
 */
export function isMove({ sensor, state, atFloor }: Pick<SensorSeen, "sensor" | "state" | "atFloor">): boolean {
  if (atFloor) return false;
  return state === "on" || sensor === "contact" || sensor === "seat" || sensor === "bed";
}

function begin(roster: Roster, seen: PresenceSeen, at: WallMs): SensorSeen {
  const { deviceId, sensor, room, boot, seq, state, atFloor } = seen;
  const made: SensorSeen = {
    ...{ deviceId, sensor, room: room ?? null, boot, seq, state, atFloor: atFloor ?? false },
    ...{ changedAt: at, hasChanged: false, heardAt: at, isRestarted: true, changes: 0, others: 0 },
  };
  if (roster.sensors.length >= maxSensors) {
    let longest = roster.sensors[0]!;
    for (const one of roster.sensors) if (one.heardAt < longest.heardAt) longest = one;
    roster.sensors = roster.sensors.filter((one) => one !== longest);
  }
  roster.sensors.push(made);
  return made;
}

function fade(roster: Roster, now: WallMs): void {
  const passed = now - roster.fadedAt;
  // Once an hour is often enough.
  if (passed < 3_600_000) return;
  const part = roster.fadedAt === 0 ? 1 : 2 ** (-passed / halfLifeMs);
  for (const one of roster.sensors) one.changes *= part;
  roster.fadedAt = now;
}
