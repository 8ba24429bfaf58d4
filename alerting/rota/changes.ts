import type { PlannedShift } from "./pattern.ts";

// Changes of a rota: what is decided on a day, beside the pattern. Each is kept for ever; a withdrawal ends it from then on, and the past stays as it was.

/** Which shift: its id, and when it begins (wall time, ms). */
export interface ShiftKey {
  shiftId: string;
  startsAt: number;
}

export type ChangeBody =
  /** For a span these responders: instead of all others, or also. It is a shift of its own. */
  | { kind: "override"; mode: "instead" | "also"; from: number; until: number; responders: string[] }
  /** Two shifts exchange their people. */
  | { kind: "swap"; shifts: [ShiftKey, ShiftKey] }
  /** From `at` on a shift is another phone's: until then, or, where that is left out, the rest of it. */
  | { kind: "hand-over"; shift: ShiftKey; at: number; until?: number; from: string; to: string };

/** A change as it is kept. */
export type RotaChange = ChangeBody & {
  /** Rises with each change; the later wins. */
  id: number;
  rotaId: string;
  /** Since when it is withdrawn, wall time ms, or null. */
  withdrawnAt: number | null;
};

/** A change with when and by whom it was made. */
export type MadeChange = RotaChange & { madeAt: number; madeBy: string | null };

/** An unbroken time of a shift with the same people. */
export interface Stretch {
  from: number;
  until: number;
  responders: readonly string[];
}

/** A shift as it is worked, with every change in it. */
export interface Shift extends ShiftKey {
  rotaId: string;
  endsAt: number;
  /** The change that made it, where it is not of the pattern. */
  overrideId: number | null;
  /** In order, without overlaps. There are gaps where an override took its place. */
  stretches: readonly Stretch[];
}

export const keyOf = ({ shiftId, startsAt }: ShiftKey): string => `${shiftId}@${startsAt}`;

/** The id of an override's shift. No id in the settings has a plus. */
export const overrideShiftId = (changeId: number): string => `+${changeId}`;

/**
 * The people of shifts after all swaps, by `keyOf`; of others the pattern's stand. `find` gives a shift of the pattern, or null: then the swap is left out,
 * as after a change of the settings.
 */
export function swappedPeople(
  changes: readonly RotaChange[],
  find: (key: ShiftKey) => PlannedShift | null,
): ReadonlyMap<string, readonly string[]> {
  const people = new Map<string, readonly string[]>();
  for (const change of changes) {
    if (change.kind !== "swap" || change.withdrawnAt !== null) continue;
    const [one, other] = change.shifts;
    const ofOne = people.get(keyOf(one)) ?? find(one)?.responders;
    const ofOther = people.get(keyOf(other)) ?? find(other)?.responders;
    if (!ofOne || !ofOther) continue;
    people.set(keyOf(one), ofOther);
    people.set(keyOf(other), ofOne);
  }
  return people;
}

/** Overrides and hand-overs, in the order in which they were made, on shifts whose swaps are done. What is left of none is left out. */
export function applyChanges(rotaId: string, planned: readonly Shift[], changes: readonly RotaChange[]): Shift[] {
  let shifts = [...planned];
  for (const change of changes) {
    const end = change.withdrawnAt ?? Number.POSITIVE_INFINITY;
    if (change.kind === "override") {
      const { from, mode, responders } = change;
      const until = Math.min(change.until, end);
      if (until <= from) continue;
      if (mode === "instead") shifts = shifts.map((shift) => cut(shift, from, until));
      shifts.push({
        rotaId,
        shiftId: overrideShiftId(change.id),
        startsAt: from,
        endsAt: until,
        overrideId: change.id,
        stretches: [{ from, until, responders }],
      });
    } else if (change.kind === "hand-over") {
      const target = keyOf(change.shift);
      const until = Math.min(change.until ?? end, end);
      shifts = shifts.map((shift) => (keyOf(shift) === target ? handOver(shift, change, until) : shift));
    }
  }
  return shifts.filter(({ stretches }) => stretches.length > 0);
}

/** The parts of a stretch before, within and after a span; those that are nothing are left out. */
function split(stretch: Stretch, from: number, until: number): { outside: Stretch[]; inside: Stretch[] } {
  const part = (a: number, b: number) => (a < b ? [{ ...stretch, from: a, until: b }] : []);
  return {
    outside: [
      ...part(stretch.from, Math.min(stretch.until, from)),
      ...part(Math.max(stretch.from, until), stretch.until),
    ],
    inside: part(Math.max(stretch.from, from), Math.min(stretch.until, until)),
  };
}

function cut(shift: Shift, from: number, until: number): Shift {
  if (shift.endsAt <= from || shift.startsAt >= until) return shift;
  return { ...shift, stretches: shift.stretches.flatMap((stretch) => split(stretch, from, until).outside) };
}

function handOver(shift: Shift, change: Extract<RotaChange, { kind: "hand-over" }>, end: number): Shift {
  const stretches = shift.stretches.flatMap((stretch) => {
    const { outside, inside } = split(stretch, change.at, end);
    const handed = inside.map((part) => ({ ...part, responders: replaced(part.responders, change.from, change.to) }));
    return [...outside, ...handed].sort((a, b) => a.from - b.from);
  });
  return { ...shift, stretches };
}

/** In the same place of the order; whoever is there already is there once. */
function replaced(responders: readonly string[], from: string, to: string): readonly string[] {
  return responders.includes(from) ? [...new Set(responders.map((id) => (id === from ? to : id)))] : responders;
}

/**
 * The changes in which everybody is still known, and those that are left out because somebody is not: a person who was taken out of the settings is on
 * call nowhere, and what stood there before stands again.
 */
export function withKnownPeople<T extends RotaChange>(
  changes: readonly T[],
  isKnown: (responderId: string) => boolean,
): T[] {
  return changes.flatMap((change): T[] => {
    if (change.kind === "hand-over") return isKnown(change.to) ? [change] : [];
    if (change.kind === "swap") return [change];
    const responders = change.responders.filter(isKnown);
    return responders.length > 0 ? [{ ...change, responders }] : [];
  });
}
