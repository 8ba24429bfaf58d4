import type { WallMs } from "../../firmware-contracts/clock.ts";
import { randomFrom } from "../training/random.ts";
import type { Change, HomeLog } from "./logs.ts";
import type { PresenceSeen } from "./roster.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** A midnight. */
export const firstDay = 20_000 * dayMs;

const rooms = {
  door: ["contact", "hall"],
  hall: ["motion", "hall"],
  kitchen: ["motion", "kitchen"],
  bathroom: ["motion", "bathroom"],
  chair: ["seat", "living"],
  bed: ["bed", "bedroom"],
} as const;
export type Sensor = keyof typeof rooms;

/** A change of one of the made-up home's sensors. */
export function change(deviceId: Sensor, state: "on" | "off", at: WallMs): Change {
  const [sensor, room] = rooms[deviceId];
  return { deviceId, sensor, room, state, at };
}

/** Its report, as a gateway takes it. */
export function report(
  deviceId: Sensor,
  state: "on" | "off",
  at: WallMs,
  more: Partial<PresenceSeen> = {},
): PresenceSeen {
  return { ...change(deviceId, state, at), boot: 1, seq: Math.round(at / 1000) % 2 ** 31, ...more };
}

/**
 * Days of somebody who lives by the clock: up at 7, meals, an hour out after lunch, in the chair in the evening, in bed at 22, once up at night.
 * Each thing is up to ten minutes late.
 */
export function madeUpLog(days: number, seed = 1): HomeLog {
  const random = randomFrom(seed);
  const changes: Change[] = [];
  const asleepOrOut: HomeLog["asleepOrOut"] = [];
  for (let day = 0; day < days; day++) {
    const at = (hour: number) => firstDay + day * dayMs + hour * hourMs + random.between(0, 10) * minuteMs;
    const visit = (sensor: Sensor, from: WallMs) => {
      changes.push(change(sensor, "on", from), change(sensor, "off", from + 2 * minuteMs));
    };
    const stay = (sensor: Sensor, from: WallMs, to: WallMs) => {
      changes.push(change(sensor, "on", from), change(sensor, "off", to));
    };
    const [night, up, out, back, bed] = [at(3), at(7), at(13.5), at(14.5), at(22)];
    changes.push(change("bed", "off", night));
    visit("bathroom", night + minuteMs);
    stay("bed", night + 5 * minuteMs, up);
    visit("bathroom", up + minuteMs);
    for (const hour of [7.5, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19]) visit("kitchen", at(hour));
    for (const hour of [8.5, 11.5, 16.5]) visit("bathroom", at(hour));
    visit("hall", out - minuteMs);
    for (const when of [out, back]) stay("door", when, when + 5000);
    visit("hall", back + minuteMs);
    stay("chair", at(19.5), at(21.5));
    visit("bathroom", bed - 8 * minuteMs);
    changes.push(change("bed", "on", bed));
    asleepOrOut.push(
      { from: firstDay + day * dayMs, to: up },
      { from: out, to: back },
      { from: bed, to: bed + 2 * hourMs },
    );
  }
  changes.sort((a, b) => a.at - b.at);
  return { home: "made-up", changes, entrances: ["door"], asleepOrOut, problems: [] };
}
