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

interface SimulatedSensor extends Change {
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

/** The sensors have said nothing yet; each says what it first changes from an hour before the log's begin, spread over that hour. */
export function openHome(log: HomeLog, settings?: Partial<WelfareSettings>): PlayedHome {
  const first = new Map<string, Change>();
  for (const change of log.changes) if (!first.has(change.deviceId)) first.set(change.deviceId, change);
  const begin = (log.changes[0]?.at ?? 0) - repeatMs;
  const sensors = [...first.values()].map((change, n) => ({
    ...change,
    state: change.state === "on" ? ("off" as const) : ("on" as const),
    saidAt: begin + (n * repeatMs) / first.size - repeatMs,
    seq: 0,
  }));
  return { sensors, state: openWelfare({ entrances: log.entrances, ...settings }), wakeAt: null, told: [] };
}

/** Lets a home live up to `until` (exclusive): its sensors tell each change, and repeat themselves hourly. Changes the home given. */
export function live(home: PlayedHome, changes: readonly Change[], until: WallMs, outage?: Outage): void {
  if (outage?.kind === "stuck-on")
    for (const one of home.sensors) if (one.deviceId === outage.deviceId) one.state = "on";
  let place = 0;
  for (;;) {
    const change = changes[place];
    let speaker = home.sensors[0]!;
    for (const one of home.sensors) if (one.saidAt < speaker.saidAt) speaker = one;
    const repeatAt = speaker.saidAt + repeatMs;
    const isChange = change !== undefined && change.at <= repeatAt;
    const at = isChange ? change.at : repeatAt;
    if (at >= until) break;
    if (isChange) {
      place++;
      const sensor = home.sensors.find(({ deviceId }) => deviceId === change.deviceId);
      if (!sensor || isStuck(outage, change)) continue;
      sensor.state = change.state;
      say(home, sensor, at, outage);
    } else say(home, speaker, at, outage);
  }
  wake(home, until, outage);
}

/** What the sensors still tell when whoever lives there stops moving at `at`: motion ends, and nothing else. */
export function lastChanges({ sensors }: PlayedHome, at: WallMs): Change[] {
  return sensors
    .filter(({ sensor, state }) => (sensor === "motion" || sensor === "flush") && state === "on")
    .map(({ deviceId, sensor, room }) => ({ deviceId, sensor, room, state: "off" as const, at: at + motionEndsMs }));
}

function say(home: PlayedHome, sensor: SimulatedSensor, at: WallMs, outage: Outage | undefined): void {
  sensor.saidAt = at;
  sensor.seq++;
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
