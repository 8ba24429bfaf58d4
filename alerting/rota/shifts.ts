import { applyChanges, keyOf, type RotaChange, type Shift, type ShiftKey, swappedPeople } from "./changes.ts";
import { dayMs, zoneOf } from "./local-time.ts";
import { createPattern, type PlannedShift } from "./pattern.ts";
import type { Holiday, RotaConfig } from "./rota-config.ts";

export interface PlanInputs {
  rota: RotaConfig;
  holidays: readonly Holiday[];
  /** All that touch the times asked for, in the order of their ids. Those of other rotas are left out. */
  changes: readonly RotaChange[];
  /** A time zone of the IANA list. */
  timeZone: string;
}

/** The time of one phone in one shift: from the shift's start, or from when it came in by a hand-over, until it leaves. */
export interface Stint {
  rotaId: string;
  shiftId: string;
  responderId: string;
  startsAt: number;
  endsAt: number;
}

export interface Span {
  from: number;
  until: number;
}

/**
 * Who is on call when, of one rota with all its changes. It reads no clock: the same question has the same answer. Times are wall time, ms; spans hold
 * their beginning and not their end.
 */
export interface Plan {
  readonly rotaId: string;
  /** Ids of those on call, in the order of the rota; each once. Empty in a gap. */
  onCallAt(at: number): readonly string[];
  /** The same with the time each has been and will be there, one for each phone and shift. */
  stintsAt(at: number): readonly Stint[];
  /** Stints that touch the span. */
  stintsBetween(from: number, until: number): Stint[];
  /** Shifts that touch the span, whole, by their beginning. */
  shiftsBetween(from: number, until: number): Shift[];
  /** Spans in which nobody is on call, cut to the span asked for. */
  gapsBetween(from: number, until: number): Span[];
  /** When a stretch next begins or ends, after `at`; null where none does within a year and a month. */
  nextChangeAt(at: number): number | null;
  /** A shift of the pattern, as before all changes; null where there is none. */
  planned(key: ShiftKey): PlannedShift | null;
}

/** A local day, cut where somebody comes or goes. */
interface Day {
  pieces: readonly (Span & { onCall: readonly string[]; stints: readonly Stint[] })[];
  /** Times on it at which a stretch begins or ends. */
  edges: readonly number[];
}

const keptDays = 1_000;
const searchedDays = 400;

export function createPlan({ rota, holidays, changes: all, timeZone }: PlanInputs): Plan {
  const zone = zoneOf(timeZone);
  const pattern = createPattern(rota, holidays, zone);
  const changes = all.filter(({ rotaId }) => rotaId === rota.id);
  const days = new Map<number, Day>();

  const planned = ({ shiftId, startsAt }: ShiftKey) =>
    pattern
      .beginningOn(zone.dayOf(startsAt))
      .find((shift) => shift.shiftId === shiftId && shift.startsAt === startsAt) ?? null;
  const swapped = swappedPeople(changes, planned);

  function shiftsBetween(from: number, until: number): Shift[] {
    const shifts: Shift[] = [];
    // A shift lasts a local day at most.
    for (let day = zone.dayOf(from) - 1; day <= zone.dayOf(until); day++) {
      for (const shift of pattern.beginningOn(day)) {
        if (shift.startsAt >= until || shift.endsAt <= from) continue;
        const { shiftId, startsAt, endsAt } = shift;
        const responders = swapped.get(keyOf(shift)) ?? shift.responders;
        const stretches = [{ from: startsAt, until: endsAt, responders }];
        shifts.push({ rotaId: rota.id, shiftId, startsAt, endsAt, overrideId: null, stretches });
      }
    }
    return applyChanges(rota.id, shifts, changes).filter((shift) => shift.startsAt < until && shift.endsAt > from);
  }

  function dayAt(at: number): Day {
    const number = zone.dayOf(at);
    let day = days.get(number);
    if (!day) {
      if (days.size >= keptDays) days.clear();
      day = cutDay(shiftsBetween(zone.at(number, 0), zone.at(number + 1, 0)), {
        from: zone.at(number, 0),
        until: zone.at(number + 1, 0),
      });
      days.set(number, day);
    }
    return day;
  }

  const pieceAt = (at: number) => dayAt(at).pieces.find(({ until }) => at < until);

  /** The days that touch a span, in order. */
  function* daysIn(from: number, until: number): Generator<Day> {
    const last = zone.dayOf(until - 1);
    for (let day = zone.dayOf(from); day <= last; day++) yield dayAt(zone.at(day, 0));
  }

  return {
    rotaId: rota.id,
    onCallAt: (at) => pieceAt(at)?.onCall ?? [],
    stintsAt: (at) => pieceAt(at)?.stints ?? [],
    shiftsBetween: (from, until) =>
      shiftsBetween(from, until).sort((a, b) => a.startsAt - b.startsAt || a.endsAt - b.endsAt),
    stintsBetween: (from, until) =>
      shiftsBetween(from, until)
        .flatMap(stintsOf)
        .filter((stint) => stint.startsAt < until && stint.endsAt > from)
        .sort((a, b) => a.startsAt - b.startsAt),
    gapsBetween(from, until) {
      const gaps: Span[] = [];
      for (const { pieces } of daysIn(from, until)) {
        for (const piece of pieces) {
          const gap = { from: Math.max(from, piece.from), until: Math.min(until, piece.until) };
          if (piece.onCall.length > 0 || gap.from >= gap.until) continue;
          const last = gaps.at(-1);
          if (last?.until === gap.from) last.until = gap.until;
          else gaps.push(gap);
        }
      }
      return gaps;
    },
    nextChangeAt(at) {
      for (const { edges } of daysIn(at, at + searchedDays * dayMs)) {
        const next = edges.find((edge) => edge > at);
        if (next !== undefined) return next;
      }
      return null;
    },
    planned,
  };
}

function cutDay(shifts: readonly Shift[], day: Span): Day {
  // The day's end is an edge too where a stretch ends there: the next day does not know of it.
  const edges = [...new Set(shifts.flatMap(({ stretches }) => stretches.flatMap(({ from, until }) => [from, until])))]
    .filter((at) => at >= day.from && at <= day.until)
    .sort((a, b) => a - b);
  const withStints = shifts.map((shift) => ({ shift, stints: stintsOf(shift) }));
  const begins = [...new Set([day.from, ...edges.filter((at) => at < day.until)])];
  const pieces = begins.map((from, index) => {
    const here = withStints.flatMap(({ shift, stints }) => {
      const stretch = shift.stretches.find((one) => one.from <= from && from < one.until);
      const runs = (id: string) =>
        stints.filter((stint) => stint.responderId === id && stint.startsAt <= from && from < stint.endsAt);
      return stretch?.responders.flatMap(runs) ?? [];
    });
    const onCall = [...new Set(here.map(({ responderId }) => responderId))];
    return { from, until: begins[index + 1] ?? day.until, onCall, stints: here };
  });
  return { pieces, edges };
}

/** Each phone's unbroken times in a shift, in the order in which the shift names them. */
export function stintsOf({ rotaId, shiftId, stretches }: Shift): Stint[] {
  const stints: Stint[] = [];
  for (const { from, until, responders } of stretches) {
    for (const responderId of responders) {
      const before = stints.find((stint) => stint.responderId === responderId && stint.endsAt === from);
      if (before) before.endsAt = until;
      else stints.push({ rotaId, shiftId, responderId, startsAt: from, endsAt: until });
    }
  }
  return stints;
}
