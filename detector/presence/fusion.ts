import type { WallMs } from "../../firmware-contracts/clock.ts";
import type { PresenceEvidence, PresenceItem } from "../../firmware-contracts/presence.ts";
import type { OperatingPoint } from "../operating-points.ts";
import { emptyRoster, isMove, note, type PresenceSeen, type Roster, troubleOf } from "./roster.ts";

/**
 * Logits by which presence shifts a medium candidate's score at most, up or down: it at most doubles or halves the odds (e^0.7 = 2.01). More would make a
 * motion sensor, which cannot tell a resident from a cat, weigh as much as the movement itself; and a score at twice the odds of `medium` is told whatever
 * presence says.
 */
export const shiftCap = 0.7;

/** Of each kind of evidence, logits when it is fresh. Only what says "on the floor" by itself, and walking through the dwelling, may reach the cap. */
const weights: Readonly<Record<PresenceItem["what"], number>> = {
  "still-at-floor": 0.7,
  "same-room": 0.3,
  "bed-occupied": -0.5,
  "two-rooms": -0.7,
};
/** Evidence counts half after so long: what was seen since says nothing any more of now. */
const halfLifeMs = 10 * 60_000;
/** Clocks, networks and a sensor's own delay blur by as much what came before the impact and what after. */
const blurMs = 3000;
/** A bed that is told again to be taken may be one that has not noticed yet that somebody fell out of it. */
const bedLagMs = 60_000;
/** Two sensors that both see one doorway answer to one movement within this. */
const overlapMs = 3000;
const noTransitMs = 60_000;
/** Whoever was last seen longer before the impact may be anywhere. */
const lastSeenMs = 30 * 60_000;
const maxRuns = 16;

export interface FusionSettings {
  /** Where more than one lives, whoever walks or goes to bed may be the other: then only stillness at floor height counts. */
  livesAlone: boolean;
}

/** Movement in one room, with none elsewhere in between. */
interface Run {
  room: string;
  deviceId: string;
  from: WallMs;
  to: WallMs;
}

/** What a dwelling's presence sensors have told. It is plain data of bounded size. */
export interface FusionState {
  settings: FusionSettings;
  roster: Roster;
  /** Oldest first. */
  runs: Run[];
}

export function openFusion(settings: FusionSettings): FusionState {
  return { settings, roster: emptyRoster(), runs: [] };
}

/** Takes in a report of one of the dwelling's sensors. Pure but for this: it owns the state given and may change and return it. */
export function takePresence(state: FusionState, seen: PresenceSeen, now: WallMs): FusionState {
  const { news, sensor } = note(state.roster, seen, now);
  const isUsable = news === "change" && troubleOf(state.roster, sensor, now) === null;
  if (isUsable && sensor.room !== null && isMove(sensor)) {
    addMove(state, sensor.room, sensor.deviceId, Math.min(seen.at, now));
  }
  return state;
}

/** What presence says for and against a fall with its impact at `impactAt`. Changes nothing. */
export function presenceEvidence(state: FusionState, impactAt: WallMs, now: WallMs): PresenceEvidence {
  const { roster, settings } = state;
  const unheard: PresenceEvidence["unheard"] = [];
  for (const sensor of roster.sensors) {
    const why = troubleOf(roster, sensor, now);
    if (why) unheard.push({ deviceId: sensor.deviceId, why });
  }
  const silenced = new Set(unheard.map(({ deviceId }) => deviceId));
  const items = stillAtFloor(state, silenced, impactAt, now);
  if (settings.livesAlone) {
    const runs = state.runs.filter(({ deviceId }) => !silenced.has(deviceId));
    items.push(
      ...bedOccupied(state, silenced, impactAt, now),
      ...(twoRooms(runs, impactAt, now) ?? sameRoom(state, runs, silenced, impactAt, now)),
    );
  }
  let sum = 0;
  for (const { weight } of items) sum += weight;
  return { shift: Math.max(-shiftCap, Math.min(shiftCap, sum)), items, unheard };
}

/** The score as presence shifts it, 0 to 1. */
export function shiftedScore(score: number, { shift }: PresenceEvidence): number {
  const held = Math.max(-shiftCap, Math.min(shiftCap, shift));
  return 1 / (1 + Math.exp(-(logit(score) + held)));
}

/** Whether a score that asks for nothing by itself could with presence: then the candidate is worth awaiting. */
export function mayBeLifted(score: number, point: OperatingPoint): boolean {
  return score < point.medium && logit(score) + shiftCap >= logit(point.medium);
}

/**
 * What a score is with presence. One at `strong` is strong whatever presence says, and none becomes it; a classifier that failed (NaN) leaves
 * the aftermath to decide, as without presence.
 */
export function strengthWith(
  score: number,
  point: OperatingPoint,
  evidence: PresenceEvidence,
): "strong" | "medium" | "below" {
  if (Number.isNaN(score)) return "medium";
  if (score >= point.strong) return "strong";
  // Without evidence the comparison is the detector's own, to the last bit.
  const shifted = evidence.shift === 0 ? score : shiftedScore(score, evidence);
  return shifted >= point.medium ? "medium" : "below";
}

const logit = (score: number) => Math.log(score / (1 - score));
const faded = (weight: number, ageMs: number) => weight * 2 ** (-Math.max(0, ageMs) / halfLifeMs);

function stillAtFloor({ roster }: FusionState, silenced: Set<string>, impactAt: WallMs, now: WallMs): PresenceItem[] {
  const items: PresenceItem[] = [];
  for (const { deviceId, atFloor, state, room, changedAt, hasChanged, heardAt } of roster.sensors) {
    if (!atFloor || state !== "on" || silenced.has(deviceId)) continue;
    if (!hasChanged || changedAt < impactAt - blurMs) continue;
    const weight = faded(weights["still-at-floor"], now - heardAt);
    items.push({ what: "still-at-floor", since: changedAt, weight, rooms: room === null ? [] : [room] });
  }
  return likeliest(items);
}

function bedOccupied({ roster }: FusionState, silenced: Set<string>, impactAt: WallMs, now: WallMs): PresenceItem[] {
  const items: PresenceItem[] = [];
  for (const { deviceId, sensor, state, room, changedAt, hasChanged, heardAt } of roster.sensors) {
    if (sensor !== "bed" || state !== "on" || silenced.has(deviceId)) continue;
    const wasTaken = hasChanged && changedAt > impactAt + blurMs;
    if (!wasTaken && heardAt <= impactAt + bedLagMs) continue;
    const weight = faded(weights["bed-occupied"], now - heardAt);
    items.push({ what: "bed-occupied", since: changedAt, weight, rooms: room === null ? [] : [room] });
  }
  return likeliest(items);
}

/** Two sensors that see the same thing are one witness. */
function likeliest(items: PresenceItem[]): PresenceItem[] {
  let most: PresenceItem | null = null;
  for (const item of items) if (!most || Math.abs(item.weight) > Math.abs(most.weight)) most = item;
  return most ? [most] : [];
}

/** Somebody was in one room after the impact, and then in another. */
function twoRooms(runs: readonly Run[], impactAt: WallMs, now: WallMs): PresenceItem[] | null {
  const after = runs.filter(({ to }) => to > impactAt + blurMs);
  for (let i = after.length - 1; i > 0; i--) {
    const [first, second] = [after[i - 1]!, after[i]!];
    if (first.room === second.room || second.from - first.to < overlapMs) continue;
    const weight = faded(weights["two-rooms"], now - second.to);
    return [{ what: "two-rooms", since: second.from, weight, rooms: [first.room, second.room] }];
  }
  return null;
}

/** Whoever was last seen in a room was seen in no other since, though every room's sensor watches. It counts in full after a minute. */
function sameRoom(
  { roster }: FusionState,
  runs: readonly Run[],
  silenced: Set<string>,
  impactAt: WallMs,
  now: WallMs,
): PresenceItem[] {
  const watching = roster.sensors.filter(({ sensor, room }) => (sensor === "motion" || sensor === "radar") && room);
  if (watching.some(({ deviceId }) => silenced.has(deviceId))) return [];
  const rooms = new Set(watching.map(({ room }) => room));
  const last = runs.at(-1);
  if (!last || !rooms.has(last.room) || rooms.size < 2) return [];
  if (last.from > impactAt + blurMs || impactAt - last.to > lastSeenMs) return [];
  const watchedMs = Math.min(noTransitMs, Math.max(0, now - impactAt));
  const weight = faded(weights["same-room"] * (watchedMs / noTransitMs), now - last.to);
  return weight > 0 ? [{ what: "same-room", since: last.from, weight, rooms: [last.room] }] : [];
}

function addMove(state: FusionState, room: string, deviceId: string, at: WallMs): void {
  const { runs } = state;
  let place = runs.length;
  while (place > 0 && runs[place - 1]!.from > at) place--;
  const before = runs[place - 1];
  if (before?.room === room) {
    before.to = Math.max(before.to, at);
    before.deviceId = deviceId;
    return;
  }
  runs.splice(place, 0, { room, deviceId, from: at, to: at });
  if (runs.length > maxRuns) runs.shift();
}
