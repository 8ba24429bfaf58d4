import type { WallMs } from "../../firmware-contracts/clock.ts";
import { longestOnMs, maxSensors, type PresenceSeen, staleMs } from "./roster.ts";

/** Changes within so long are one visit: a door that slams ten times is used once. */
const slotMs = 600_000;
/** What a sensor usually does is what it did of late: half after a week. */
const halfLifeMs = 7 * 86_400_000;
/** Nothing is known of a sensor's habits before. */
const learnMs = 7 * 86_400_000;
/** A sensor that is used in fewer slots a day may well rest for a day, as a cupboard does: its silence says nothing. */
const leastSlotsPerDay = 6;
/** No shorter silence is a fault, however busy the sensor: a night in which somebody is up often, or a day in bed. */
const leastQuietMs = 16 * 3_600_000;
/** Slots in which, by its share, it should have told something while the others did. */
const leastMissed = 5;
/** And so many times as many as it has missed before, by itself. */
const overUsual = 1.5;
/** What it missed by itself is forgotten slowly: by so much at each of its changes. */
const usualFade = 0.98;

/** What is known of one sensor's habits. */
interface WatchedSensor {
  deviceId: string;
  sensor: PresenceSeen["sensor"];
  state: PresenceSeen["state"];
  atFloor: boolean;
  boot: number;
  seq: number;
  firstAt: WallMs;
  heardAt: WallMs;
  /** Since when it says what it says; after a silence, since it was heard again. */
  changedAt: WallMs;
  /** Slots in which it changed, days watched, and slots in which another did: those of long ago count less. */
  own: number;
  days: number;
  others: number;
  fadedAt: WallMs;
  ownSlot: number;
  othersSlot: number;
  /** Slots in which another changed, since its own last change. */
  since: number;
  /** The most that it has missed by itself. */
  usual: number;
}

/** A dwelling's sensors, watched for one that hangs. It is plain data of bounded size: JSON keeps it. */
export interface StuckWatch {
  sensors: WatchedSensor[];
}

export interface StuckSensor {
  deviceId: string;
  /** Since when it says what it says. */
  since: WallMs;
}

export function openStuckWatch(): StuckWatch {
  return { sensors: [] };
}

/** Takes in a report. It owns the watch given and changes it. A report from the future counts from `now`. */
export function watchSensor(watch: StuckWatch, seen: PresenceSeen, now: WallMs): void {
  const at = Math.min(seen.at, now);
  const known = watch.sensors.find(({ deviceId }) => deviceId === seen.deviceId);
  if (!known) return void begin(watch, seen, at);
  if (seen.boot === known.boot && seen.seq <= known.seq) return;
  const { sensor, boot, seq, state, atFloor = false } = seen;
  const wasSilent = at - known.heardAt > staleMs;
  const isChange = state !== known.state || atFloor !== known.atFloor;
  Object.assign(known, { sensor, boot, seq, state, atFloor, heardAt: Math.max(known.heardAt, at) });
  // What it would have told in the meantime nobody knows.
  if (wasSilent) rest(known, at);
  if (!isChange) return;
  const slot = Math.floor(at / slotMs);
  for (const other of watch.sensors) {
    if (other === known || other.othersSlot === slot) continue;
    fade(other, at);
    other.othersSlot = slot;
    other.others++;
    other.since++;
  }
  fade(known, at);
  if (!wasSilent) known.usual = Math.max(known.usual * usualFade, missed(known));
  if (slot !== known.ownSlot) known.own++;
  known.ownSlot = slot;
  rest(known, at);
}

/**
 * Those whose state cannot be true: they are heard, and say the same for longer than such a sensor can, or than their own habits and the others' changes
 * leave likely. It claims nothing of a sensor in its first week, nor of one that is seldom used.
 */
export function stuckSensors(watch: StuckWatch, now: WallMs): StuckSensor[] {
  return watch.sensors
    .filter((one) => isStuck(one, now))
    .map(({ deviceId, changedAt }) => ({ deviceId, since: changedAt }));
}

/** Sensors that left the dwelling are forgotten. */
export function keepSensors(watch: StuckWatch, devices: ReadonlySet<string>): void {
  watch.sensors = watch.sensors.filter(({ deviceId }) => devices.has(deviceId));
}

function isStuck(one: WatchedSensor, now: WallMs): boolean {
  if (now - one.heardAt > staleMs) return false;
  const forMs = now - one.changedAt;
  // Somebody has moved elsewhere since: it is not simply a long day in one room.
  if (one.state === "on" && one.since > 0 && forMs > longestOnMs[one.sensor]) return true;
  if (forMs <= leastQuietMs || now - one.firstAt <= learnMs) return false;
  if (one.own / Math.max(1, one.days) < leastSlotsPerDay) return false;
  return missed(one) > Math.max(leastMissed, overUsual * one.usual);
}

/** In how many slots it should have changed, by its share, while the others did and it did not. */
const missed = ({ since, own, others }: WatchedSensor) => (since * own) / Math.max(1, others);

function rest(one: WatchedSensor, at: WallMs): void {
  one.changedAt = Math.max(one.changedAt, at);
  one.since = 0;
}

function fade(one: WatchedSensor, now: WallMs): void {
  const passed = Math.max(0, now - one.fadedAt);
  const part = 2 ** (-passed / halfLifeMs);
  one.own *= part;
  one.others *= part;
  one.days = one.days * part + passed / 86_400_000;
  one.fadedAt = Math.max(one.fadedAt, now);
}

function begin(watch: StuckWatch, seen: PresenceSeen, at: WallMs): void {
  const { deviceId, sensor, state, atFloor = false, boot, seq } = seen;
  if (watch.sensors.length >= maxSensors) {
    const longest = watch.sensors.reduce((a, b) => (b.heardAt < a.heardAt ? b : a));
    watch.sensors = watch.sensors.filter((one) => one !== longest);
  }
  watch.sensors.push({
    ...{ deviceId, sensor, state, atFloor, boot, seq, firstAt: at, heardAt: at, changedAt: at },
    ...{ own: 0, days: 0, others: 0, fadedAt: at, ownSlot: -1, othersSlot: -1, since: 0, usual: 0 },
  });
}
