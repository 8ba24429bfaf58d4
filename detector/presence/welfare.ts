import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { SensorTrouble } from "../../firmware-contracts/presence.ts";
import { type HabitRule, type Habits, habitRule, learn, limitAt, noHabits, type Whereabouts } from "./habits.ts";
import {
  changesMissed,
  emptyRoster,
  isMove,
  note,
  type PresenceSeen,
  type Roster,
  type SensorSeen,
  shareOf,
  staleMs,
  troubleOf,
} from "./roster.ts";

/** A sensor that makes less of all changes than this can be lost without making the dwelling look still. */
const leastShare = 0.01;
/** That one is stuck is only a guess, and a cupboard that nobody opens is no fault: it is acted on where much would be missed. */
const leastShareStuck = 0.1;
/** A bed or seat that by its share should have told so many changes since its last one may hold somebody without telling. */
const doubtfulChanges = 1;
/** A movement seen so soon after the front door may be of whoever went out. */
const doorwayMs = 10_000;
/** Somebody is at home who moved so often since the door, or once soon after it: a contact that comes off in an empty dwelling tells one movement. */
const homeAfter = 2;
const cameInMs = 15 * 60_000;
/** A front door that has stood open for longer tells nobody's going. */
const doorOpenMs = 2 * 3_600_000;
const hourMs = 3_600_000;

export interface WelfareSettings {
  /** Device ids of contacts at doors that lead out. Without one an absence looks like stillness, and is learnt as such. */
  entrances: readonly string[];
  rule?: HabitRule;
}

export type WelfareInput =
  | { kind: "presence"; seen: PresenceSeen }
  /** Time has passed. */
  | { kind: "tick" }
  /** The dwelling was not watched until now: a pause, or consent that was missing. The present pause begins anew. */
  | { kind: "interrupted" };

export type WelfareCommand =
  /** At home, and no movement for longer than `limitMs`, beyond what is normal for this person at this time of day. Once for each pause. */
  | { kind: "inactive"; since: WallMs; where: Whereabouts | null; limitMs: number; room: string | null }
  /** Movement again, after `inactive`. */
  | { kind: "active"; at: WallMs }
  /** Too little is heard to tell stillness from a fault: a technical matter. Empty: all is heard again. Told at each change. */
  | { kind: "unheard"; sensors: { deviceId: string; why: SensorTrouble }[] }
  /** Send `tick` at this time. Replaces an earlier wish. */
  | { kind: "wake"; at: WallMs };

/** What is known of a dwelling's activity. It is plain data of bounded size: the gateway can keep it as JSON. */
export interface WelfareState {
  settings: WelfareSettings;
  roster: Roster;
  habits: Habits;
  now: WallMs;
  /** When the present pause began; null before the first movement. */
  since: WallMs | null;
  /** Where it began: null where that is not known. */
  where: Whereabouts | null;
  room: string | null;
  /** The pause is known from its beginning on, so that it can be learnt. */
  isWhole: boolean;
  /** Movements seen inside since the front door was last used, or since it was not heard; no more than `homeAfter` are counted. */
  inside: number;
  doorAt: WallMs | null;
  isTold: boolean;
  unheard: { deviceId: string; why: SensorTrouble }[];
  wakeAt: WallMs | null;
}

export function openWelfare(settings: WelfareSettings): WelfareState {
  return {
    ...{ settings, roster: emptyRoster(), habits: noHabits(), now: 0, since: null, where: null, room: null },
    ...{ isWhole: false, inside: 0, doorAt: null, isTold: false, unheard: [], wakeAt: null },
  };
}

/**
 * Takes in one input and tells what is to be done. Pure but for this: it owns the state given and may change and return it.
 * A clock that goes back stands still.
 */
export function stepWelfare(
  state: WelfareState,
  input: WelfareInput,
  wallNow: WallMs,
): [WelfareState, WelfareCommand[]] {
  const commands: WelfareCommand[] = [];
  const now = Math.max(state.now, wallNow);
  state.now = now;
  // What was not heard up to now is known before what is heard now.
  look(state, now, commands);
  if (input.kind === "presence") {
    take(state, input.seen, now, commands);
    look(state, now, commands);
  } else if (input.kind === "interrupted") {
    state.inside = 0;
    beginAnew(state, now);
  }
  judge(state, now, commands);
  const at = wakeTime(state, now);
  if (at !== null && (at !== state.wakeAt || input.kind === "tick")) commands.push({ kind: "wake", at });
  state.wakeAt = at;
  return [state, commands];
}

function ruleOf({ settings }: WelfareState): HabitRule {
  return settings.rule ?? habitRule;
}

const isHome = ({ inside }: WelfareState) => inside >= homeAfter;

function take(state: WelfareState, seen: PresenceSeen, now: WallMs, commands: WelfareCommand[]): void {
  const { news, sensor } = note(state.roster, seen, now);
  const isPlace = sensor.sensor === "bed" || sensor.sensor === "seat";
  if (news === "restart" && isPlace) state.where = null;
  if (news !== "change" || !isMove(sensor)) return;
  move(state, sensor, Math.min(seen.at, now), commands);
}

/** Somebody moved: the pause is over, and the next begins. */
function move(state: WelfareState, sensor: SensorSeen, at: WallMs, commands: WelfareCommand[]): void {
  const isDoor = state.settings.entrances.includes(sensor.deviceId);
  const sinceDoorMs = state.doorAt === null ? Number.POSITIVE_INFINITY : at - state.doorAt;
  if (!isDoor && sinceDoorMs < doorwayMs) return;
  if (state.since !== null && at < state.since) return;
  if (state.isTold) commands.push({ kind: "active", at });
  // An alarm is no habit: what was told is not learnt, whatever came of it.
  else if (isLearnt(state, isDoor)) learn(state.habits, ruleOf(state), state.where!, state.since!, at);
  state.where = whereAfter(state, sensor, isDoor);
  state.room = sensor.room;
  state.since = at;
  state.isWhole = true;
  state.isTold = false;
  state.inside = isDoor ? 0 : sinceDoorMs < cameInMs ? homeAfter : Math.min(homeAfter, state.inside + 1);
  if (isDoor) state.doorAt = at;
}

/** A pause that is known as a whole, of somebody at home: that the next movement is inside, too, proves it. */
function isLearnt(state: WelfareState, isDoor: boolean): boolean {
  if (state.since === null || state.where === null || !state.isWhole || state.unheard.length > 0) return false;
  return isDoor ? isHome(state) : state.inside > 0;
}

/** A bed or seat is where somebody is until it says otherwise, or somebody moves in another room. */
function whereAfter(state: WelfareState, sensor: SensorSeen, isDoor: boolean): Whereabouts | null {
  if (isDoor) return "up";
  if (sensor.sensor === "bed" || sensor.sensor === "seat") return sensor.state === "on" ? sensor.sensor : "up";
  return sensor.room !== null && sensor.room === state.room && state.where ? state.where : "up";
}

/**
 * Where the pause began; null where beds and seats do not bear it out: one that says somebody is on it, while the last movement was elsewhere,
 * or one that has been silent for so long that somebody may be on it unseen.
 */
function whereSurely({ roster, where }: WelfareState): Whereabouts | null {
  let taken = 0;
  for (const one of roster.sensors) {
    if (one.sensor !== "bed" && one.sensor !== "seat") continue;
    if (one.state === "on") taken++;
    if (where === "up" && changesMissed(roster, one) >= doubtfulChanges) return null;
  }
  return taken === (where === "up" ? 0 : 1) ? where : null;
}

/** Which sensors' silence would look like stillness. Where it begins or ends, the pause is no longer known as a whole. */
function look(state: WelfareState, now: WallMs, commands: WelfareCommand[]): void {
  const unheard: WelfareState["unheard"] = [];
  for (const sensor of state.roster.sensors) {
    const why = unheardBecause(state, sensor, now);
    if (why) unheard.push({ deviceId: sensor.deviceId, why });
  }
  const nameOf = (list: WelfareState["unheard"]) => list.map(({ deviceId, why }) => `${deviceId} ${why}`).join();
  if (nameOf(unheard) === nameOf(state.unheard)) return;
  const { entrances } = state.settings;
  if ([...unheard, ...state.unheard].some(({ deviceId }) => entrances.includes(deviceId))) state.inside = 0;
  state.unheard = unheard;
  commands.push({ kind: "unheard", sensors: unheard });
  beginAnew(state, now);
}

function unheardBecause({ roster, settings }: WelfareState, sensor: SensorSeen, now: WallMs): SensorTrouble | null {
  const why = troubleOf(roster, sensor, now);
  if (settings.entrances.includes(sensor.deviceId)) {
    if (why === "stale") return why;
    return sensor.state === "on" && now - sensor.changedAt > doorOpenMs ? "stuck" : null;
  }
  if (why === null || why === "restarted") return null;
  return shareOf(roster, sensor) < (why === "stuck" ? leastShareStuck : leastShare) ? null : why;
}

function beginAnew(state: WelfareState, now: WallMs): void {
  state.isWhole = false;
  if (state.since !== null && !state.isTold) state.since = now;
}

function judge(state: WelfareState, now: WallMs, commands: WelfareCommand[]): void {
  if (state.since === null || state.isTold || !isHome(state) || state.unheard.length > 0) return;
  const limitMs = limitAt(state.habits, ruleOf(state), whereSurely(state), now);
  if (limitMs === null || now - state.since <= limitMs) return;
  state.isTold = true;
  commands.push({ kind: "inactive", since: state.since, where: state.where, limitMs, room: state.room });
}

/** When something may change without an event: a sensor falls silent, the hour turns, the limit is reached. */
function wakeTime(state: WelfareState, now: WallMs): WallMs | null {
  if (state.roster.sensors.length === 0) return null;
  let at = (Math.floor(now / hourMs) + 1) * hourMs;
  for (const { heardAt } of state.roster.sensors)
    if (heardAt + staleMs >= now) at = Math.min(at, heardAt + staleMs + 1);
  if (state.since !== null && !state.isTold && isHome(state) && state.unheard.length === 0) {
    const limitMs = limitAt(state.habits, ruleOf(state), whereSurely(state), now);
    if (limitMs !== null && state.since + limitMs >= now) at = Math.min(at, state.since + Math.ceil(limitMs) + 1);
  }
  return Math.max(at, now + 1);
}
