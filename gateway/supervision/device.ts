import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { DeviceClass, DeviceTrouble } from "../../firmware-contracts/intake.ts";
import type { GatewayConfig } from "../config.ts";
import { type Battery, daysLeft, takeLevel } from "./battery.ts";

/** Nobody is called overdue for less, however often it usually speaks: a router that starts anew takes some minutes. */
const leastLearntMs = 10 * 60_000;
/** A sensor that has for a day spoken more often than it must is overdue after so many of its longest gaps. */
const gapsMissed = 3;
const dayMs = 86_400_000;
/** As `clock-suspect`; over when it is no more than half of that. */
const driftMs = 60_000;
/** A clock is set by the answer to a heartbeat, and heartbeats may be an hour apart: it is wrong where two of them did not help. */
const driftAfterMs = 2 * 3_600_000;
/** Battery low is over when it has so much more than was low, per cent. */
const chargedBy = 10;

export type SupervisionLimits = GatewayConfig["supervision"];

/** One outage that was told. */
interface Open {
  since: WallMs;
  /** As the wall clock called it when it was told: what its id is made from. */
  told: WallMs;
}

/** One device as supervision knows it, in steady time. Plain data of bounded size: what is kept goes on after a restart and tells nothing twice. */
export interface Supervised {
  readonly deviceId: string;
  /** By what it sends: frames make a wearable, else presence a sensor, else a help call a button. Null: only signs of life yet. */
  deviceClass: DeviceClass | null;
  heardAt: WallMs;
  /** Its longest silence of today and of the day before, ms, and when this day began. Null: no whole day yet. */
  gaps: { from: WallMs; longest: number; before: number | null };
  /** Since when it is watched; null while its dwelling is paused or has not consented. */
  watchedSince: WallMs | null;
  battery: Battery | null;
  /** Once it was seen charging it is one that is charged, and days left are no matter. */
  isCharged: boolean;
  notWornSince: WallMs | null;
  chargingSince: WallMs | null;
  tamperSince: WallMs | null;
  stuckSince: WallMs | null;
  drift: { since: WallMs | null; aheadMs: number };
  open: Partial<Record<DeviceTrouble, Open>>;
  /** Of each trouble the last that was told: no two outages have one id, whatever the clock does. */
  last: Partial<Record<DeviceTrouble, WallMs>>;
}

export type DeviceInput =
  /** It has sent something: a frame, a report of presence, a help call or cancel, or no more than a sign of life. */
  | { kind: "heard"; what: DeviceClass | "status"; at: WallMs }
  | {
      kind: "status";
      battery?: number | undefined;
      worn?: boolean | undefined;
      charging?: boolean | undefined;
      tamper?: boolean | undefined;
    }
  /** How far its clock is ahead of the gateway's, ms. */
  | { kind: "clock"; aheadMs: number }
  /** Since when a presence sensor says what cannot be true; null where it can. */
  | { kind: "stuck"; since: WallMs | null }
  | { kind: "watched"; isWatched: boolean }
  /** It is no device of this gateway's any more. */
  | { kind: "removed" }
  | { kind: "tick" };

export interface SupervisionTime {
  /** Steady. */
  now: WallMs;
  /** What is to be added to make it wall time, ms. */
  toWallMs: number;
  /** Since when the gateway hears anybody; null while it hears nobody, and then nobody is overdue. */
  listeningSince: WallMs | null;
}

/** As `SupervisionEvent`, without what the device's name is needed for. `since` and `at` are wall time. */
export interface DeviceNews {
  event: "began" | "ended";
  trouble: DeviceTrouble;
  at: WallMs;
  since: WallMs;
  battery?: number;
  daysLeft?: number;
  driftMs?: number;
}

export function openDevice(deviceId: string, now: WallMs): Supervised {
  return {
    ...{ deviceId, deviceClass: null, heardAt: now, gaps: { from: now, longest: 0, before: null }, watchedSince: now },
    ...{ battery: null, isCharged: false, notWornSince: null, chargingSince: null, tamperSince: null },
    ...{ stuckSince: null, drift: { since: null, aheadMs: 0 }, open: {}, last: {} },
  };
}

/**
 * Takes in one input. Pure: the state given is not changed. Of each trouble at most one outage is open, and each that began ends once, whatever comes;
 * what is told is in the state with it.
 */
export function step(
  before: Supervised,
  input: DeviceInput,
  limits: SupervisionLimits,
  time: SupervisionTime,
): [Supervised, DeviceNews[]] {
  const state: Supervised = { ...before, gaps: { ...before.gaps }, open: { ...before.open }, last: { ...before.last } };
  if (input.kind === "removed") return [state, endAll(state, time)];
  take(state, input, time);
  return [state, settle(state, limits, time)];
}

/** How long it may be silent, ms: by its class, or less where it usually speaks more often. */
export function limitOf(
  { deviceClass, battery, gaps }: Pick<Supervised, "deviceClass" | "battery" | "gaps">,
  limits: SupervisionLimits,
): number {
  if (deviceClass === "wearable") return limits.wearableMinutes * 60_000;
  const sensor = battery === null ? limits.mainsSensorMinutes : limits.batterySensorMinutes;
  const most = (deviceClass === "presence" ? sensor : limits.buttonMinutes) * 60_000;
  if (gaps.before === null) return most;
  return Math.min(most, Math.max(leastLearntMs, gapsMissed * Math.max(gaps.longest, gaps.before)));
}

function take(state: Supervised, input: Exclude<DeviceInput, { kind: "removed" }>, { now }: SupervisionTime): void {
  if (input.kind === "heard") hear(state, input.what, Math.min(input.at, now));
  else if (input.kind === "status") takeStatus(state, input, now);
  else if (input.kind === "stuck") state.stuckSince = input.since;
  else if (input.kind === "watched") state.watchedSince = input.isWatched ? (state.watchedSince ?? now) : null;
  else if (input.kind === "clock") {
    const isWrong = Math.abs(input.aheadMs) > (state.drift.since === null ? driftMs : driftMs / 2);
    state.drift = { since: isWrong ? (state.drift.since ?? now) : null, aheadMs: Math.round(input.aheadMs) };
  }
}

const rank = { wearable: 3, presence: 2, button: 1, status: 0 } as const;

function hear(state: Supervised, what: DeviceClass | "status", at: WallMs): void {
  if (rank[what] > rank[state.deviceClass ?? "status"]) state.deviceClass = what as DeviceClass;
  if (at <= state.heardAt) return;
  const { gaps } = state;
  // A silence that was told is no habit.
  if (!state.open.overdue) gaps.longest = Math.max(gaps.longest, at - state.heardAt);
  state.heardAt = at;
  if (at - gaps.from >= dayMs) state.gaps = { from: at, longest: 0, before: gaps.longest };
}

function takeStatus(
  state: Supervised,
  { battery, worn, charging, tamper }: Extract<DeviceInput, { kind: "status" }>,
  now: WallMs,
): void {
  if (battery !== undefined) state.battery = takeLevel(state.battery, battery, now);
  if (charging !== undefined) {
    // Off the charger it has its time to be put on.
    if (!charging && state.chargingSince !== null && state.notWornSince !== null) state.notWornSince = now;
    state.chargingSince = charging ? (state.chargingSince ?? now) : null;
    state.isCharged ||= charging;
  }
  if (worn !== undefined) state.notWornSince = worn ? null : (state.notWornSince ?? now);
  if (tamper !== undefined) state.tamperSince = tamper ? (state.tamperSince ?? now) : null;
}

/** Compares what is wrong now with what was told. */
function settle(state: Supervised, limits: SupervisionLimits, time: SupervisionTime): DeviceNews[] {
  const news: DeviceNews[] = [];
  for (const [trouble, judge] of Object.entries(judges) as [DeviceTrouble, Judge][]) {
    const open = state.open[trouble];
    const since = judge(state, limits, time, open);
    if (open && since === null) news.push(end(state, trouble, open, time));
    else if (!open && since !== null) news.push(begin(state, trouble, since, time));
  }
  return news;
}

/** Since when it is so, or null. `open`: it was told, and is so until the opposite is known. */
type Judge = (
  state: Supervised,
  limits: SupervisionLimits,
  time: SupervisionTime,
  open: Open | undefined,
) => WallMs | null;

/** Of these nothing is said while watching is held on purpose, and after that they count anew. */
const whileWatched =
  (judge: (state: Supervised, watchedSince: WallMs, ...more: Parameters<Judge>) => WallMs | null): Judge =>
  (state, ...more) =>
    state.watchedSince === null ? null : judge(state, state.watchedSince, state, ...more);

const judges: Record<DeviceTrouble, Judge> = {
  overdue: whileWatched(({ heardAt }, watchedSince, state, limits, { now, listeningSince }, open) => {
    const since = Math.max(heardAt, watchedSince);
    if (open && heardAt <= open.since) return open.since;
    if (listeningSince === null) return null;
    return now - Math.max(since, listeningSince) > limitOf(state, limits) ? (open?.since ?? since) : null;
  }),
  "not-worn": whileWatched((state, watchedSince, _, limits, { now }, open) => {
    if (state.notWornSince === null || state.chargingSince !== null) return null;
    const since = Math.max(state.notWornSince, watchedSince);
    if (open) return since;
    return state.open.overdue === undefined && now - since > limits.notWornMinutes * 60_000 ? since : null;
  }),
  "charging-long": whileWatched((state, watchedSince, _, limits, { now }, open) => {
    if (state.chargingSince === null) return null;
    const since = Math.max(state.chargingSince, watchedSince);
    if (open) return since;
    return state.open.overdue === undefined && now - since > limits.chargingMinutes * 60_000 ? since : null;
  }),
  stuck: whileWatched(({ stuckSince }, watchedSince) =>
    stuckSince === null ? null : Math.max(stuckSince, watchedSince),
  ),
  tamper: ({ tamperSince }) => tamperSince,
  "battery-low": ({ battery, isCharged, chargingSince }, limits, { now }, open) => {
    if (battery === null) return null;
    const left = isCharged ? null : daysLeft(battery);
    const isShort = left !== null && left <= limits.batteryDays;
    if (open) return isShort || battery.level <= limits.batteryPercent + chargedBy ? open.since : null;
    if (chargingSince !== null) return null;
    return isShort || battery.level <= limits.batteryPercent ? now : null;
  },
  "clock-drift": ({ drift }, _, { now }, open) => {
    if (drift.since === null) return null;
    return open || now - drift.since > driftAfterMs ? drift.since : null;
  },
};

function begin(state: Supervised, trouble: DeviceTrouble, since: WallMs, time: SupervisionTime): DeviceNews {
  const told = Math.max(0, Math.round(since + time.toWallMs), (state.last[trouble] ?? -1) + 1);
  state.open[trouble] = { since, told };
  state.last[trouble] = told;
  return { event: "began", trouble, at: wallNow(time), since: told, ...measured(state, trouble) };
}

function end(state: Supervised, trouble: DeviceTrouble, open: Open, time: SupervisionTime): DeviceNews {
  delete state.open[trouble];
  return { event: "ended", trouble, at: Math.max(open.told, wallNow(time)), since: open.told };
}

function endAll(state: Supervised, time: SupervisionTime): DeviceNews[] {
  const open = Object.entries(state.open) as [DeviceTrouble, Open][];
  return open.map(([trouble, one]) => end(state, trouble, one, time));
}

const wallNow = ({ now, toWallMs }: SupervisionTime) => Math.max(0, Math.round(now + toWallMs));

/** What it says of how far it has come. */
function measured(
  { battery, isCharged, drift }: Supervised,
  trouble: DeviceTrouble,
): Pick<DeviceNews, "battery" | "daysLeft" | "driftMs"> {
  if (trouble === "clock-drift") return { driftMs: drift.aheadMs };
  if (trouble !== "battery-low" || battery === null) return {};
  const left = isCharged ? null : daysLeft(battery);
  return { battery: battery.level, ...(left === null ? {} : { daysLeft: Math.round(left * 10) / 10 }) };
}
