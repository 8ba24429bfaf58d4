import { type PresenceSeen, type Roster, staleMs } from "../../detector/presence/roster.ts";
import { openWelfare, stepWelfare, type WelfareState } from "../../detector/presence/welfare.ts";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { WelfareEvent } from "../../firmware-contracts/intake.ts";

/** A gateway that did not listen for longer than this may have missed a movement: the present pause begins anew. */
const shortAwayMs = 15 * 60_000;

/**
 * One dwelling's welfare as a gateway watches it, in steady time: the state machine, and what was told of it. It is plain data of bounded size, so that
 * what is kept goes on after a restart and tells nothing twice.
 */
export interface DwellingWelfare {
  state: WelfareState;
  /** Since when this gateway has listened without a break: that nothing was heard before is no fault of a sensor's. */
  listeningSince: WallMs;
  /** Since when too little is heard, and whether that was told. */
  unheardSince: WallMs | null;
  isUnheardTold: boolean;
}

/** As `WelfareEvent`, but for its times, which are steady time, and the dwelling. `began`: what the event's id is made from. */
export interface WelfareNews extends Pick<WelfareEvent, "event" | "limitMinutes" | "room" | "sensors"> {
  began: WallMs;
  at: WallMs;
  since?: WallMs;
}

export type DwellingInput =
  | { kind: "presence"; seen: PresenceSeen }
  /** Time has passed. */
  | { kind: "tick" }
  /** It is listened to again after `awayMs`, in which it may not have been: a restart, or a pause, which counts as long however short it was. */
  | { kind: "resumed"; awayMs: number };

export function openDwellingWelfare(entrances: readonly string[], now: WallMs): DwellingWelfare {
  return { state: openWelfare({ entrances }), listeningSince: now, unheardSince: null, isUnheardTold: false };
}

/**
 * Takes in one input. Pure but for this: it owns the welfare given and changes it.
 * @returns what is to be told, and when to come again with `tick`, or null where it need not.
 */
export function stepDwelling(
  welfare: DwellingWelfare,
  input: DwellingInput,
  wallNow: WallMs,
): { news: WelfareNews[]; wakeAt: WallMs | null } {
  const news: WelfareNews[] = [];
  const now = Math.max(welfare.state.now, wallNow);
  if (input.kind === "resumed") {
    welfare.listeningSince = now;
    if (input.awayMs > shortAwayMs) run(welfare, { kind: "interrupted" }, now, news);
    run(welfare, { kind: "tick" }, now, news);
  } else run(welfare, input, now, news);
  lookUnheard(welfare, now, news);
  return { news, wakeAt: wakeOf(welfare) };
}

/** Sensors that left the dwelling are forgotten, and doors are what they are now. */
export function follow({ state }: DwellingWelfare, devices: ReadonlySet<string>, entrances: readonly string[]): void {
  state.settings = { ...state.settings, entrances };
  keepOnly(state.roster, devices);
}

/** @returns whether any was forgotten. */
export function keepOnly(roster: Roster, devices: ReadonlySet<string>): boolean {
  const before = roster.sensors.length;
  roster.sensors = roster.sensors.filter(({ deviceId }) => devices.has(deviceId));
  return roster.sensors.length < before;
}

function run(
  welfare: DwellingWelfare,
  input: Parameters<typeof stepWelfare>[1],
  now: WallMs,
  news: WelfareNews[],
): void {
  const told = welfare.state.since ?? now;
  const [state, commands] = stepWelfare(welfare.state, input, now);
  welfare.state = state;
  for (const command of commands) {
    if (command.kind === "inactive") {
      const { since, limitMs, room } = command;
      const where = room === null ? {} : { room };
      const limitMinutes = Math.ceil(limitMs / 60_000);
      news.push({ event: "inactive", began: since, at: now, since, limitMinutes, ...where });
    } else if (command.kind === "active") news.push({ event: "active", began: told, at: command.at });
  }
}

/** An outage is told once, when this gateway has listened for so long that each sensor had its turn. */
function lookUnheard(welfare: DwellingWelfare, now: WallMs, news: WelfareNews[]): void {
  const { state, listeningSince } = welfare;
  if (state.unheard.length === 0) {
    if (welfare.isUnheardTold) news.push({ event: "heard", began: welfare.unheardSince ?? now, at: now });
    welfare.unheardSince = null;
    welfare.isUnheardTold = false;
    return;
  }
  welfare.unheardSince ??= now;
  if (welfare.isUnheardTold || now - listeningSince <= staleMs) return;
  welfare.isUnheardTold = true;
  const sensors = state.unheard.map(({ deviceId }) => deviceId);
  news.push({ event: "unheard", began: welfare.unheardSince, at: now, sensors });
}

function wakeOf({ state, listeningSince, unheardSince, isUnheardTold }: DwellingWelfare): WallMs | null {
  if (unheardSince === null || isUnheardTold) return state.wakeAt;
  return Math.min(state.wakeAt ?? Number.POSITIVE_INFINITY, listeningSince + staleMs + 1);
}
