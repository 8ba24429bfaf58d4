import type { AlertingConfig } from "../../config.ts";
import { spanOf } from "../../rota/change-requests.ts";
import { type MadeChange, withKnownPeople } from "../../rota/changes.ts";
import type { Rotas } from "../../rota/duty-rota.ts";
import { gapsAhead, lastHoliday, phoneFaults } from "../../rota/faults.ts";
import { dateOfDay, type Zone } from "../../rota/local-time.ts";
import type { RotaConfig } from "../../rota/rota-config.ts";
import type { Plan } from "../../rota/shifts.ts";
import { changesBehind, hoursOf, type RotaDay, weekOf } from "../../rota/week.ts";
import type { Staff } from "../../staff.ts";
import { localMoment } from "../local-moment.ts";
import type { RotaChangeView, RotaDayView, RotaFault, RotaPerson, RotaRow, RotaView } from "./api.ts";

/** What a week is shown from. */
export interface RotaSources {
  config: AlertingConfig;
  rotas: Rotas;
  staff: Pick<Staff, "lost">;
  zone: Zone;
  /** Wall time, ms. */
  now: number;
}

/** Everybody who can be paged, and whether texts arrive there. */
export function peopleOf({ config, staff }: Pick<RotaSources, "config" | "staff">): RotaPerson[] {
  return config.responders.map(({ id, name }) => ({ id, name, getsTexts: !staff.lost.has(id) }));
}

export function dayView({ day, from, until, holidays, clock }: RotaDay, zone: Zone): RotaDayView {
  const hours = hoursOf({ from, until }, zone).map((at) => localMoment(at, zone));
  return { date: dateOfDay(day), from, until, hours, holidays, clock };
}

/** A rota in a week, with what is wrong with it now. */
export function rotaView(sources: RotaSources, rota: RotaConfig, monday: number, mayChange: boolean): RotaView {
  const { config, rotas, zone, now } = sources;
  const plan = rotas.plan(rota.id);
  const all = rotas.changes(rota.id);
  const known = new Set(config.responders.map(({ id }) => id));
  const inForce = withKnownPeople(all, (id) => known.has(id));
  const week = weekOf({ plan, holidays: config.holidays, zone, monday, now });
  const [from, until] = [zone.at(monday, 0), zone.at(monday + 7, 0)];
  return {
    id: rota.id,
    name: rota.name,
    unit: rota.unit ?? null,
    mayChange,
    days: week.map(({ rows }) =>
      rows.map(
        (row): RotaRow => ({
          from: localMoment(row.from, zone),
          until: localMoment(row.until, zone),
          shift: row.shift && {
            id: row.shift.shiftId,
            name: row.shift.overrideId === null ? nameOfShift(rota, row.shift.shiftId) : null,
            startsAt: row.shift.startsAt,
            endsAt: row.shift.endsAt,
            isOverride: row.shift.overrideId !== null,
            hasBegun: row.shift.startsAt <= now,
          },
          responders: [...row.responders],
          changes: row.shift ? changesBehind(row.shift, row, inForce).map(({ id }) => id) : [],
          continues: row.continues,
          isNow: row.isNow,
        }),
      ),
    ),
    onCall: onCallNow(sources, rota),
    changes: all.flatMap((change) => {
      const view = changeView(sources, rota, plan, change);
      return view && view.from.at < until && view.until.at > from ? [view] : [];
    }),
    faults: faultsOf(sources, rota, plan, all),
  };
}

const nameOfShift = ({ shifts }: RotaConfig, shiftId: string) =>
  shifts.find(({ id }) => id === shiftId)?.name ?? shiftId;

function onCallNow({ rotas, zone, now }: RotaSources, { id: rotaId }: RotaConfig): RotaView["onCall"] {
  const duty = rotas.onDuty(rotaId, now);
  return rotas.onCall(rotaId, now).flatMap((responderId) => {
    const stint = duty.find((one) => one.responderId === responderId);
    if (!stint) return [];
    const { signedOnAt, missedAt, askedAt } = stint.signOn;
    const signOn =
      signedOnAt !== null ? "signed-on" : missedAt !== null ? "not-answered" : askedAt !== null ? "asked" : "not-asked";
    return [{ responderId, until: localMoment(stint.endsAt, zone), signOn } as const];
  });
}

function changeView(
  { zone, now }: RotaSources,
  rota: RotaConfig,
  plan: Plan,
  change: MadeChange,
): RotaChangeView | null {
  const span = spanOf(change, plan);
  if (!span) return null;
  const { withdrawnAt } = change;
  const ends = withdrawnAt === null || change.kind === "swap" ? span.until : Math.min(span.until, withdrawnAt);
  // What ran for a while before it was withdrawn was so.
  const isWithdrawn = withdrawnAt !== null && (change.kind === "swap" || withdrawnAt <= span.from);
  return {
    id: change.id,
    madeBy: change.madeBy,
    madeAt: localMoment(change.madeAt, zone),
    from: localMoment(span.from, zone),
    until: localMoment(isWithdrawn ? span.until : ends, zone),
    state: isWithdrawn ? "withdrawn" : ends <= now ? "over" : span.from <= now ? "running" : "ahead",
    what: whatOf(rota, change, zone),
  };
}

function whatOf(rota: RotaConfig, change: MadeChange, zone: Zone): RotaChangeView["what"] {
  const { kind } = change;
  if (kind === "override") return { kind, mode: change.mode, responders: change.responders };
  if (kind === "hand-over") {
    return { kind, shift: nameOfShift(rota, change.shift.shiftId), out: change.from, in: change.to };
  }
  const shifts = change.shifts.map(({ shiftId, startsAt }) => ({
    ...{ id: shiftId, name: nameOfShift(rota, shiftId), startsAt: localMoment(startsAt, zone) },
  }));
  return { kind, shifts };
}

function faultsOf(
  { config, rotas, staff, zone, now }: RotaSources,
  rota: RotaConfig,
  plan: Plan,
  changes: readonly MadeChange[],
): RotaFault[] {
  const { gaps, ofPattern } = gapsAhead({ rota, plan, timeZone: config.timeZone, now });
  const span = ({ from, until }: { from: number; until: number }) => ({
    from: localMoment(from, zone),
    until: localMoment(until, zone),
  });
  const lost = new Map([...staff.lost].map(([id, { since }]) => [id, since]));
  const [firstOfPattern, ...more] = ofPattern;
  const holiday = lastHoliday(config.holidays, zone, now);
  const known = new Set(config.responders.map(({ id }) => id));
  const leftOut = changes.flatMap((change): RotaFault[] => {
    const ends = spanOf(change, plan)?.until ?? 0;
    if (change.withdrawnAt !== null || ends <= now || change.kind === "swap") return [];
    const people = change.kind === "override" ? change.responders : [change.to];
    return people
      .filter((id) => !known.has(id))
      .map((responderId) => ({ kind: "left-out", change: change.id, responderId }));
  });
  return [
    ...gaps.map((gap) => ({ kind: "gap" as const, ...span(gap) })),
    ...phoneFaults(plan, lost, rotas.signOn, now).map(({ kind, responderId, since, ...times }) => ({
      ...{ kind, responderId, since: localMoment(since, zone) },
      ...span(times),
    })),
    ...leftOut,
    ...(firstOfPattern ? [{ kind: "pattern-gap" as const, ...span(firstOfPattern), more: more.length }] : []),
    ...(holiday === null ? [] : [{ kind: "holidays-end" as const, date: holiday }]),
  ];
}
