import { createHash } from "node:crypto";
import type { MonotonicMs } from "../../firmware-contracts/clock.ts";
import type { HelpReport, PresenceReport, StatusReport } from "../../firmware-contracts/reports.ts";
import type { Said } from "./adapter.ts";

/** The same push within this time is the same push, ms: buttons send each several times, and Zigbee hands some on twice. */
const samePushMs = 3000;
/** What is said again and again is handed on this often, ms. */
const repeatMs = 60_000;
/** Of a device on a connection of its own, what it last said is confirmed this often, ms: presence is to be said at least hourly. */
const confirmMs = 30 * 60_000;
/** A warning that is neither taken back nor followed by an alarm is told after this, ms. ● */
export const warningMs = 60_000;
/** A sensor that goes on reporting a fall is believed to mean the same one for so long, ms; then it is told again. ● A lost "all clear" hides the next fall no longer. */
export const sameFallMs = 30 * 60_000;

/** By which a push or a fall is known, however often it is told. */
export interface Identity {
  boot: number;
  seq: number;
}

interface KnownFall {
  identity: Identity;
  since: MonotonicMs;
  is: "alarm" | "warning" | "suspected";
  state: string;
  sensor: string;
  /** How long ago it was at `since`, ms. */
  age: number;
}

type Presence = Extract<Said, { kind: "presence" }>;

/** What is known of one device of ours that speaks through an adapter. */
export interface DeviceReports {
  /** Presence begins anew with another: after a silence what a sensor says may be long true. */
  readonly boot: number;
  readonly seq: number;
  readonly run: number;
  readonly push: { identity: Identity; at: MonotonicMs } | null;
  readonly fall: KnownFall | null;
  readonly presence: { last: Presence; at: MonotonicMs } | null;
  readonly statusAt: MonotonicMs | null;
  readonly battery: number | null;
  readonly tamper: boolean | null;
  readonly online: boolean | null;
  /** It is on a connection of its own, which stands. */
  readonly isLive: boolean;
}

/** What becomes of it: the project's own reports, as if the device spoke our contract. */
export type Told =
  | { kind: "presence"; report: PresenceReport }
  | { kind: "help"; report: HelpReport }
  | { kind: "status"; report: StatusReport }
  | { kind: "availability"; online: boolean }
  | { kind: "fall"; fall: ToldFall };

/** `age`: how long ago the sensor reported it first, ms. */
export interface ToldFall {
  identity: Identity;
  strength: "strong" | "medium";
  state: string;
  sensor: string;
  age: number;
}

export type ReportsInput =
  | Said
  /** The connection to the broker is another: what was said meanwhile is not known. */
  | { kind: "reconnected" }
  | { kind: "tick" };

/** What one step comes to. `wakeAt`: when to step again by a tick; null where nothing waits. */
export interface Step {
  state: DeviceReports;
  told: Told[];
  wakeAt: MonotonicMs | null;
}

const u32 = 0xffff_ffff;

/** @param run 32 random bits of this start of the gateway, so that identities of different starts differ. */
export function openReports(run: number): DeviceReports {
  const nothing = { push: null, fall: null, presence: null, statusAt: null, battery: null, tamper: null, online: null };
  return { boot: run >>> 0, run: run >>> 0, seq: 0, isLive: false, ...nothing };
}

/** One device's state, input and time: what is told, and the next state. Pure, and never throws. */
export function stepReports(state: DeviceReports, input: ReportsInput, now: MonotonicMs): Step {
  const told: Told[] = [];
  const next = apply(state, input, now, told);
  return { state: next, told, wakeAt: wakeOf(next) };
}

function apply(state: DeviceReports, input: ReportsInput, now: MonotonicMs, told: Told[]): DeviceReports {
  switch (input.kind) {
    case "reconnected":
      return begunAnew({ ...state, isLive: false });
    case "availability":
      return available(state, input, told);
    case "alive":
      return alive(state, input, now, told);
    case "presence":
      return seen(state, input, now, told);
    case "help":
      return pushed(state, input, now, told);
    case "fall":
      return fallen(state, input, now, told);
    case "tick":
      return ticked(state, now, told);
  }
}

function begunAnew(state: DeviceReports): DeviceReports {
  return { ...state, boot: (state.boot + 1) % (u32 + 1), presence: null };
}

function available(state: DeviceReports, { online, isLive }: Extract<Said, { kind: "availability" }>, told: Told[]) {
  if (online !== state.online) told.push({ kind: "availability", online });
  const next = { ...state, online, isLive: online && isLive };
  return online || state.online === false ? next : begunAnew(next);
}

function alive(
  state: DeviceReports,
  { battery, tamper }: Extract<Said, { kind: "alive" }>,
  now: MonotonicMs,
  told: Told[],
): DeviceReports {
  const next = { ...state, battery: battery ?? state.battery, tamper: tamper ?? state.tamper };
  const isNews = next.tamper !== state.tamper;
  if (!isNews && state.statusAt !== null && now - state.statusAt < repeatMs) return next;
  const charge = next.battery === null ? {} : { battery: next.battery };
  const opened = next.tamper === null ? {} : { tamper: next.tamper };
  told.push({ kind: "status", report: { v: 1, kind: "heartbeat", ...charge, ...opened } });
  return { ...next, statusAt: now };
}

function seen(state: DeviceReports, input: Presence, now: MonotonicMs, told: Told[]): DeviceReports {
  // The broker may have kept it for hours, and it says no time: evidence of what was then, taken for now, could hide a fall.
  if (input.age === null) return state;
  const { presence } = state;
  const isSame =
    presence !== null &&
    presence.last.sensor === input.sensor &&
    presence.last.state === input.state &&
    presence.last.room === input.room &&
    presence.last.atFloor === input.atFloor;
  if (isSame && now - presence.at < repeatMs) return state;
  return tellPresence(state, input, now, told);
}

function tellPresence(state: DeviceReports, last: Presence, now: MonotonicMs, told: Told[]): DeviceReports {
  const seq = (state.seq + 1) % (u32 + 1);
  const { sensor, state: is, room, atFloor, age } = last;
  told.push({
    kind: "presence",
    report: {
      ...{ v: 1, boot: state.boot, seq, t: 0, age: age ?? 0, sensor, state: is },
      ...(room === undefined ? {} : { room }),
      ...(atFloor ? { atFloor } : {}),
    },
  });
  return { ...state, seq, presence: { last, at: now } };
}

/** A push without a key of its own is the next of this start; one with a key has the same identity in every start. */
function identified(state: DeviceReports, key: string | undefined): [DeviceReports, Identity] {
  if (key !== undefined) {
    const digest = createHash("sha256").update(key).digest();
    return [state, { boot: digest.readUInt32BE(0), seq: digest.readUInt32BE(4) }];
  }
  const seq = (state.seq + 1) % (u32 + 1);
  return [
    { ...state, seq },
    { boot: state.run, seq },
  ];
}

function pushed(state: DeviceReports, { age, key }: Extract<Said, { kind: "help" }>, now: MonotonicMs, told: Told[]) {
  const { push } = state;
  // Told again under the same identity, not dropped: the first may not have been committed.
  const isSame = push !== null && now - push.at < samePushMs;
  const [next, identity] = isSame ? [state, push.identity] : identified(state, key);
  told.push({ kind: "help", report: { v: 1, ...identity, t: 0, age: age ?? 0 } });
  return { ...next, push: isSame ? push : { identity, at: now } };
}

function fallen(state: DeviceReports, input: Extract<Said, { kind: "fall" }>, now: MonotonicMs, told: Told[]) {
  const { says, state: word, sensor, age, key } = input;
  const known = state.fall !== null && now - state.fall.since < sameFallMs ? state.fall : null;
  if (says === "over") return { ...state, fall: null };
  if (says === "warning") {
    // Where it had alarmed before, it begins to suspect another.
    if (known && known.is !== "alarm") return { ...state, fall: known };
    const [next, identity] = identified(state, key);
    return { ...next, fall: { identity, since: now, is: "warning" as const, state: word, sensor, age: age ?? 0 } };
  }
  if (known?.is === "alarm") {
    tellFall(known, now, told);
    return { ...state, fall: known };
  }
  const [next, identity] = identified(state, key);
  const fall = { identity, since: now, is: "alarm" as const, state: word, sensor, age: age ?? 0 };
  tellFall(fall, now, told);
  return { ...next, fall };
}

function tellFall(fall: KnownFall, now: MonotonicMs, told: Told[]): void {
  const { identity, state, sensor, age, since } = fall;
  const strength = fall.is === "alarm" ? "strong" : "medium";
  told.push({ kind: "fall", fall: { identity, strength, state, sensor, age: age + Math.max(0, now - since) } });
}

function ticked(state: DeviceReports, now: MonotonicMs, told: Told[]): DeviceReports {
  let next = state;
  if (next.fall?.is === "warning" && now >= next.fall.since + warningMs) {
    const fall = { ...next.fall, is: "suspected" as const };
    tellFall(fall, now, told);
    next = { ...next, fall };
  }
  if (next.isLive && next.presence && now >= next.presence.at + confirmMs) {
    next = tellPresence(next, { ...next.presence.last, age: 0 }, now, told);
  }
  return next;
}

function wakeOf({ fall, isLive, presence }: DeviceReports): MonotonicMs | null {
  const wishes = [
    ...(fall?.is === "warning" ? [fall.since + warningMs] : []),
    ...(isLive && presence ? [presence.at + confirmMs] : []),
  ];
  return wishes.length > 0 ? Math.min(...wishes) : null;
}
