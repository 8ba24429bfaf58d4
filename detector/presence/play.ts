import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { Change, HomeLog } from "./logs.ts";
import { openWelfare, stepWelfare, type WelfareCommand, type WelfareSettings, type WelfareState } from "./welfare.ts";

const repeatMs = 3_600_000;
const motionEndsMs = 60_000;

/**
 * What is broken from `from` on. A sensor that is `stuck` goes on to say what it said last, one `stuck-on` says "on", a dead one says nothing;
 * without its gateway nobody is heard.
 */
export type Outage =
  | { kind: "stuck" | "stuck-on" | "dead"; deviceId: string; from: WallMs }
  | { kind: "gateway"; from: WallMs; until: WallMs };

export interface SimulatedSensor extends Change {
  saidAt: WallMs;
  seq: number;
}

/** A home with its sensors, and what watches it. Plain data: `structuredClone` makes another of it. */
export interface PlayedHome {
  sensors: SimulatedSensor[];
  state: WelfareState;
  wakeAt: WallMs | null;
  told: { at: WallMs; command: WelfareCommand }[];
}

/** A home that has said nothing yet. */
export function openHome(log: HomeLog, settings?: Partial<WelfareSettings>): PlayedHome {
  return {
    sensors: sensorsOf(log),
    state: openWelfare({ entrances: log.entrances, ...settings }),
    wakeAt: null,
    told: [],
  };
}

/** A log's sensors: each says what it first changes from an hour before the log's begin, spread over that hour. */
export function sensorsOf(log: HomeLog): SimulatedSensor[] {
  const first = new Map<string, Change>();
  for (const change of log.changes) if (!first.has(change.deviceId)) first.set(change.deviceId, change);
  const begin = (log.changes[0]?.at ?? 0) - repeatMs;
  return [...first.values()].map((change, n) => ({
    ...change,
    state: change.state === "on" ? ("off" as const) : ("on" as const),
    saidAt: begin + (n * repeatMs) / first.size - repeatMs,
    seq: 0,
  }));
}

/** Lets a home live up to `until` (exclusive): its sensors tell each change, and repeat themselves hourly. Changes the home given. */
export function live(home: PlayedHome, changes: readonly Change[], until: WallMs, outage?: Outage): void {
  speak(home.sensors, changes, until, outage, (sensor, at) => hear(home, sensor, at, outage));
  wake(home, until, outage);
}

/** What the sensors say up to `until` (exclusive). Changes them. */
export function speak(
  sensors: SimulatedSensor[],
  changes: readonly Change[],
  until: WallMs,
  outage: Outage | undefined,
  say: (sensor: SimulatedSensor, at: WallMs) => void,
): void {
  let place = 0;
  for (;;) {
    const change = changes[place];
    let speaker = sensors[0]!;
    for (const one of sensors) if (one.saidAt < speaker.saidAt) speaker = one;
    const repeatAt = speaker.saidAt + repeatMs;
    const isChange = change !== undefined && change.at <= repeatAt;
    const at = isChange ? change.at : repeatAt;
    if (at >= until) break;
    if (outage?.kind === "stuck-on" && at >= outage.from)
      for (const one of sensors) if (one.deviceId === outage.deviceId) one.state = "on";
    if (isChange) place++;
    const sensor = isChange ? sensors.find(({ deviceId }) => deviceId === change.deviceId) : speaker;
    if (!sensor || (isChange && isStuck(outage, change))) continue;
    if (isChange) sensor.state = change.state;
    sensor.saidAt = at;
    sensor.seq++;
    say(sensor, at);
  }
}

/** What the sensors still tell when whoever lives there stops moving at `at`: motion ends, and nothing else. */
export function lastChanges({ sensors }: PlayedHome, at: WallMs): Change[] {
  return sensors
    .filter(({ sensor, state }) => (sensor === "motion" || sensor === "flush") && state === "on")
    .map(({ deviceId, sensor, room }) => ({ deviceId, sensor, room, state: "off" as const, at: at + motionEndsMs }));
}

function hear(home: PlayedHome, sensor: SimulatedSensor, at: WallMs, outage: Outage | undefined): void {
  wake(home, at, outage);
  if (outage?.kind === "dead" && outage.deviceId === sensor.deviceId && at >= outage.from) return;
  if (isAway(outage, at)) return;
  const { deviceId, sensor: kind, room, state, seq } = sensor;
  feed(home, at, { kind: "presence", seen: { deviceId, boot: 1, seq, sensor: kind, state, room, at } });
}

function wake(home: PlayedHome, until: WallMs, outage: Outage | undefined): void {
  while (home.wakeAt !== null && home.wakeAt < until) {
    const at = home.wakeAt;
    home.wakeAt = null;
    // A gateway that is away wakes up late.
    if (isAway(outage, at)) home.wakeAt = outage.until;
    else feed(home, at, { kind: "tick" });
  }
}

function isStuck(outage: Outage | undefined, { deviceId, at }: Change): boolean {
  if (outage?.kind !== "stuck" && outage?.kind !== "stuck-on") return false;
  return outage.deviceId === deviceId && at >= outage.from;
}

function isAway(outage: Outage | undefined, at: WallMs): outage is Outage & { kind: "gateway" } {
  return outage?.kind === "gateway" && at >= outage.from && at < outage.until;
}

function feed(home: PlayedHome, at: WallMs, input: Parameters<typeof stepWelfare>[1]): void {
  const [state, commands] = stepWelfare(home.state, input, at);
  home.state = state;
  for (const command of commands) {
    if (command.kind === "wake") home.wakeAt = command.at;
    else home.told.push({ at, command });
  }
}
