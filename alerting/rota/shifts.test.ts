import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChangeBody, RotaChange } from "./changes.ts";
import { dateOfDay, dayMs, dayOfDate, minuteMs, weekdayOf } from "./local-time.ts";
import { type Holiday, RotaConfig, weekdays } from "./rota-config.ts";
import { createPlan, type Plan } from "./shifts.ts";

const timeZone = "Europe/Stockholm";
const hourMs = 60 * minuteMs;
const people = ["patrol-1", "patrol-2", "patrol-3", "patrol-4", "patrol-5"];

/** The Sunday on which the clock is put forward or back. */
function lastSundayOf(month: string, days: number): number {
  const last = dayOfDate(`${month}-${days}`);
  return last - ((weekdayOf(last) + 1) % 7);
}
const switchDays = Array.from({ length: 10 }, (_, i) => 2026 + i).flatMap((year) => [
  lastSundayOf(`${year}-03`, 31),
  lastSundayOf(`${year}-10`, 31),
]);

const wall = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23" });

/** Every minute around a night, with what the clock shows, by Intl alone. */
function minutesAround(day: number): { at: number; shown: string }[] {
  const from = (day - 2) * dayMs;
  return Array.from({ length: 4 * 1440 }, (_, i) => ({
    at: from + i * minuteMs,
    shown: wall.format(from + i * minuteMs),
  }));
}
const tables = new Map(switchDays.map((day) => [day, minutesAround(day)]));

/** When a local time is: the first moment at which the clock on the wall shows it or a later one. */
function momentOf(table: { at: number; shown: string }[], day: number, time: string): number {
  const wanted = `${dateOfDay(day)} ${time}`;
  return table.find(({ shown }) => shown >= wanted)?.at ?? Number.NaN;
}

const time = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const minuteOfDay = fc.oneof(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 100, max: 200 }));
const somePeople = fc.uniqueArray(fc.constantFrom(...people), { minLength: 1, maxLength: 3 });

/** Consecutive shifts from the first cut to the same time next day: they cover it. One cut is a shift of 24 h. */
const dayOfShifts = (first: number, days: string[], weeks: number[] | undefined, prefix: string) =>
  fc.tuple(fc.uniqueArray(minuteOfDay, { maxLength: 4 }), fc.infiniteStream(somePeople)).map(([others, stream]) => {
    // All of them on one day: a shift after midnight would be of the day after.
    const cuts = [first, ...others.filter((cut) => cut > first).sort((a, b) => a - b)];
    return cuts.map((cut, i) => ({
      id: `${prefix}-${i}`,
      days,
      ...(weeks ? { weeks } : {}),
      from: time(cut),
      to: time(cuts[i + 1] ?? first),
      responders: stream.next().value as string[],
    }));
  });

/** A rota that covers the week: weekdays, weekends and holidays, each with their own shifts, over one or two weeks. */
const coveringRota = fc
  .record({
    first: fc.oneof(fc.integer({ min: 0, max: 200 }), minuteOfDay),
    weeks: fc.constantFrom(1, 2),
    ownHolidays: fc.boolean(),
    ownEves: fc.boolean(),
  })
  .chain(({ first, weeks, ownHolidays, ownEves }) =>
    fc
      .tuple(
        dayOfShifts(first, [...weekdays.slice(0, 5)], undefined, "weekday"),
        ...Array.from({ length: weeks }, (_, w) =>
          dayOfShifts(first, ["sat", "sun"], weeks === 1 ? undefined : [w + 1], `weekend-${w}`),
        ),
        ...(ownHolidays ? [dayOfShifts(first, ["holiday"], undefined, "holiday")] : []),
        ...(ownEves ? [dayOfShifts(first, ["day-before-holiday"], undefined, "eve")] : []),
      )
      .map((groups) =>
        RotaConfig.parse({ id: "night", name: "Natt", weeks, anchor: "2026-01-05", shifts: groups.flat() }),
      ),
  );
const someHolidays = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...switchDays), fc.integer({ min: -1, max: 2 })), {
    maxLength: 12,
    selector: ([day, beside]) => day + beside,
  })
  .map((days) => days.map(([day, beside]): Holiday => ({ date: dateOfDay(day + beside), name: "Helgdag" })));

/** The same by the words of the README: which shifts of a rota begin on a day. */
function shiftsOfDay(rota: RotaConfig, holidays: readonly Holiday[], day: number) {
  const isHoliday = (d: number) => holidays.some(({ date }) => date === dateOfDay(d));
  const named = (kind: string) => rota.shifts.some(({ days }) => (days as string[]).includes(kind));
  let kind: string = weekdays[weekdayOf(day)] ?? "";
  if (isHoliday(day + 1) && named("day-before-holiday")) kind = "day-before-holiday";
  if (isHoliday(day)) kind = named("holiday") ? "holiday" : "sun";
  const week = (Math.floor((day - dayOfDate("2026-01-05")) / 7) % rota.weeks) + 1;
  return rota.shifts.filter(
    (shift) => (shift.days as string[]).includes(kind) && (shift.weeks ?? [week]).includes(week),
  );
}

function expectedShifts(rota: RotaConfig, holidays: readonly Holiday[], night: number) {
  const table = tables.get(night)!;
  return [night - 1, night].flatMap((day) =>
    shiftsOfDay(rota, holidays, day)
      .map((shift) => ({
        shiftId: shift.id,
        startsAt: momentOf(table, day, shift.from),
        endsAt: momentOf(table, shift.to <= shift.from ? day + 1 : day, shift.to),
        responders: shift.responders,
      }))
      .filter(({ startsAt, endsAt }) => startsAt < endsAt),
  );
}

describe("on all Swedish nights of the switch, 2026 to 2035", () => {
  test("the nights are those", () => {
    const lengths = switchDays.map(
      (day) => (momentOf(tables.get(day)!, day + 1, "00:00") - momentOf(tables.get(day)!, day, "00:00")) / hourMs,
    );
    expect(lengths).toEqual(Array.from({ length: 10 }, () => [23, 25]).flat());
  });

  test("whoever covers the week leaves nobody alone in any minute, and no shift is lost, doubled or laid over another", () => {
    let minutes = 0;
    fc.assert(
      fc.property(coveringRota, someHolidays, (rota, holidays) => {
        const plan = createPlan({ rota, holidays, changes: [], timeZone });
        for (const night of switchDays) {
          const table = tables.get(night)!;
          const noon = momentOf(table, night - 1, "12:00");
          const end = momentOf(table, night, "12:00");
          const expected = expectedShifts(rota, holidays, night);
          const begun = [night - 1, night].map((day) => momentOf(table, day, "00:00"));
          const found = plan
            .shiftsBetween(begun[0]!, momentOf(table, night + 1, "00:00"))
            .filter(({ startsAt }) => startsAt >= begun[0]!);
          expect(
            found.map(({ shiftId, startsAt, endsAt, stretches }) => ({
              shiftId,
              startsAt,
              endsAt,
              responders: stretches[0]!.responders,
            })),
          ).toEqual(expected);
          for (const [i, shift] of found.entries()) {
            if (i > 0) expect(shift.startsAt).toBe(found[i - 1]!.endsAt);
          }
          expect(plan.gapsBetween(noon, end)).toEqual([]);
          // Until midnight after the first day's last cut, the oracle lists the shift that runs.
          for (const { at } of table) {
            if (at < Math.max(noon, expected[0]!.startsAt) || at >= end) continue;
            const running = expected.find((shift) => shift.startsAt <= at && at < shift.endsAt);
            const onCall = plan.onCallAt(at);
            if (onCall.length === 0 || String(onCall) !== String(running?.responders)) {
              expect.fail(`${new Date(at).toISOString()}: ${onCall}, and should be ${running?.responders}`);
            }
            minutes++;
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(minutes).toBeGreaterThan(60 * 20 * 12 * 60);
  }, 120_000);
});

describe("with changes", () => {
  const monday = dayOfDate("2027-03-22");
  const span = { from: (monday - 1) * dayMs, until: (monday + 9) * dayMs };
  const instant = fc.integer({ min: 0, max: 9 * 1440 }).map((minute) => span.from + minute * minuteMs);
  const patchyRota = fc
    .array(
      fc.record({
        days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
        from: minuteOfDay.map(time),
        to: minuteOfDay.map(time),
        responders: somePeople,
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((shifts) =>
      RotaConfig.parse({ id: "night", name: "Natt", shifts: shifts.map((shift, i) => ({ ...shift, id: `s${i}` })) }),
    );
  const wish = fc.record({
    kind: fc.constantFrom("override", "swap", "hand-over"),
    mode: fc.constantFrom<"instead" | "also">("instead", "also"),
    responders: somePeople,
    from: instant,
    minutes: fc.integer({ min: 1, max: 3 * 1440 }),
    pick: fc.nat(),
    other: fc.nat(),
    ends: fc.option(fc.integer({ min: 1, max: 99 })),
    withdrawnAfter: fc.option(fc.integer({ min: 1, max: 2 * 1440 })),
  });

  /** Changes as people would make them: of shifts that are there. */
  function changesOf(
    rota: RotaConfig,
    wishes: (typeof wish extends fc.Arbitrary<infer W> ? W : never)[],
  ): RotaChange[] {
    const changes: RotaChange[] = [];
    for (const [i, w] of wishes.entries()) {
      const id = i + 1;
      const plan = createPlan({ rota, holidays: [], changes, timeZone });
      const shifts = plan.shiftsBetween(span.from, span.until);
      const planned = shifts.filter(({ overrideId }) => overrideId === null);
      let body: ChangeBody | null = null;
      if (w.kind === "override") {
        body = {
          kind: "override",
          mode: w.mode,
          from: w.from,
          until: w.from + w.minutes * minuteMs,
          responders: w.responders,
        };
      } else if (w.kind === "swap" && planned.length > 0) {
        const [a, b] = [planned[w.pick % planned.length]!, planned[w.other % planned.length]!];
        body = {
          kind: "swap",
          shifts: [
            { shiftId: a.shiftId, startsAt: a.startsAt },
            { shiftId: b.shiftId, startsAt: b.startsAt },
          ],
        };
      } else if (w.kind === "hand-over" && shifts.length > 0) {
        const { shiftId, startsAt, endsAt, stretches } = shifts[w.pick % shifts.length]!;
        const at = startsAt + Math.floor(((w.minutes % 100) / 100) * (endsAt - startsAt));
        body = {
          kind: "hand-over",
          shift: { shiftId, startsAt },
          at,
          ...(w.ends === null ? {} : { until: at + Math.ceil((w.ends / 100) * (endsAt - at)) }),
          from: stretches[0]!.responders[0]!,
          to: w.responders[0]!,
        };
      }
      if (!body) continue;
      const from = body.kind === "override" ? body.from : body.kind === "hand-over" ? body.at : null;
      const withdrawnAt = w.withdrawnAfter === null ? null : (from ?? span.from) + w.withdrawnAfter * minuteMs;
      changes.push({ ...body, id, rotaId: "night", withdrawnAt });
    }
    return changes;
  }

  /** Who is on call in one moment, change by change: no shift is cut here, only looked at in that moment. */
  function onCallInMoment(planned: Planned[], changes: readonly RotaChange[], at: number): string[] {
    const people = new Map(planned.map((shift) => [shift, shift.responders]));
    for (const change of changes) {
      if (change.kind !== "swap" || change.withdrawnAt !== null) continue;
      const [a, b] = change.shifts.map(
        (key) => planned.find((s) => s.shiftId === key.shiftId && s.startsAt === key.startsAt)!,
      );
      const [ofA, ofB] = [people.get(a!)!, people.get(b!)!];
      people.set(a!, ofB);
      people.set(b!, ofA);
    }
    let here = planned
      .filter((shift) => shift.startsAt <= at && at < shift.endsAt)
      .map((shift) => ({ shiftId: shift.shiftId, startsAt: shift.startsAt, responders: [...people.get(shift)!] }));
    for (const change of changes) {
      if (change.withdrawnAt !== null && at >= change.withdrawnAt) continue;
      if (change.kind === "override" && change.from <= at && at < change.until) {
        if (change.mode === "instead") here = [];
        here.push({ shiftId: `+${change.id}`, startsAt: change.from, responders: [...change.responders] });
      }
      if (change.kind === "hand-over" && at >= change.at && at < (change.until ?? Infinity)) {
        const shift = here.find((s) => s.shiftId === change.shift.shiftId && s.startsAt === change.shift.startsAt);
        if (shift) shift.responders = shift.responders.map((id) => (id === change.from ? change.to : id));
      }
    }
    return [...new Set(here.flatMap(({ responders }) => responders))];
  }
  type Planned = { shiftId: string; startsAt: number; endsAt: number; responders: readonly string[] };

  test("overrides, swaps and hand-overs, withdrawn or not: who is on call in each moment, and a gap exactly where nobody is", () => {
    const seen = { gaps: 0, changes: 0 };
    fc.assert(
      fc.property(patchyRota, fc.array(wish, { maxLength: 8 }), (rota, wishes) => {
        const changes = changesOf(rota, wishes);
        const plan = createPlan({ rota, holidays: [], changes, timeZone });
        const bare = createPlan({ rota, holidays: [], changes: [], timeZone });
        const planned = bare
          .shiftsBetween(span.from - dayMs, span.until + dayMs)
          .map((shift) => bare.planned(shift)!)
          // In the order of the rota, as those on call are.
          .sort((a, b) => dayOfShift(a) - dayOfShift(b) || a.shiftId.localeCompare(b.shiftId));
        const gaps = plan.gapsBetween(span.from, span.until);
        const edges = gaps.flatMap(({ from, until }) => [from - 1, from, until - 1, until]);
        const every = Array.from({ length: 10 * 24 * 6 }, (_, i) => span.from + i * 10 * minuteMs);
        for (const at of [...edges, ...every].filter((t) => t >= span.from && t < span.until)) {
          const expected = onCallInMoment(planned, changes, at);
          expect(plan.onCallAt(at)).toEqual(expected);
          expect(gaps.some(({ from, until }) => from <= at && at < until)).toBe(expected.length === 0);
        }
        for (const [i, gap] of gaps.entries()) if (i > 0) expect(gap.from).toBeGreaterThan(gaps[i - 1]!.until);
        seen.gaps += gaps.length;
        seen.changes += changes.length;
        stintsCover(plan);
        changesAreTold(plan);
      }),
      { numRuns: 100 },
    );
    expect(Math.min(seen.gaps, seen.changes)).toBeGreaterThan(200);
  }, 60_000);

  const dayOfShift = ({ startsAt }: { startsAt: number }) => Number(wallDay(startsAt).replaceAll("-", ""));
  const wallDay = (at: number) => wall.format(at).slice(0, 10);

  /** Nobody is there without a stint or the other way round, and none runs over another of the same shift and phone. */
  function stintsCover(plan: Plan): void {
    const stints = plan.stintsBetween(span.from, span.until);
    for (const at of stints.flatMap(({ startsAt, endsAt }) => [startsAt - 1, startsAt, endsAt - 1, endsAt])) {
      if (at < span.from || at >= span.until) continue;
      const running = stints.filter((stint) => stint.startsAt <= at && at < stint.endsAt);
      expect(new Set(running.map(({ responderId }) => responderId))).toEqual(new Set(plan.onCallAt(at)));
      expect(new Set(running.map((s) => `${s.shiftId} ${s.responderId}`)).size).toBeLessThanOrEqual(running.length);
    }
  }

  /** From one told change to the next nothing changes. */
  function changesAreTold(plan: Plan): void {
    let at = span.from;
    for (let next = plan.nextChangeAt(at); next !== null && next < span.until; next = plan.nextChangeAt(at)) {
      expect(next).toBeGreaterThan(at);
      expect(plan.onCallAt(next - 1)).toEqual(plan.onCallAt(at));
      at = next;
    }
  }
});

describe("a night with two patrols", () => {
  const rota = RotaConfig.parse({
    id: "night",
    name: "Natt",
    shifts: [{ id: "night", days: [...weekdays], from: "21:30", to: "07:00", responders: ["patrol-2", "patrol-3"] }],
  });
  const starts = Date.parse("2026-11-27T21:30+01:00");
  const ends = Date.parse("2026-11-28T07:00+01:00");
  const with_ = (...changes: (ChangeBody & { withdrawnAt?: number })[]) =>
    createPlan({
      rota,
      holidays: [],
      timeZone,
      changes: changes.map((change, i) => ({ withdrawnAt: null, ...change, id: i + 1, rotaId: "night" })),
    });
  const night = { shiftId: "night", startsAt: starts };
  const handOver = { kind: "hand-over", shift: night, at: starts + hourMs, from: "patrol-2", to: "patrol-4" } as const;

  test("a hand-over keeps the place in the order, and gives a stint of its own", () => {
    const plan = with_(handOver);
    expect(plan.onCallAt(starts + hourMs - 1)).toEqual(["patrol-2", "patrol-3"]);
    expect(plan.onCallAt(starts + hourMs)).toEqual(["patrol-4", "patrol-3"]);
    expect(plan.stintsAt(ends - 1)).toEqual([
      { rotaId: "night", shiftId: "night", responderId: "patrol-4", startsAt: starts + hourMs, endsAt: ends },
      { rotaId: "night", shiftId: "night", responderId: "patrol-3", startsAt: starts, endsAt: ends },
    ]);
  });

  test("a part that is handed over goes back when it ends, and whoever comes back has a stint of their own", () => {
    const plan = with_({ ...handOver, until: starts + 3 * hourMs });
    expect(plan.onCallAt(starts + 3 * hourMs - 1)).toEqual(["patrol-4", "patrol-3"]);
    expect(plan.stintsAt(starts + 3 * hourMs)).toEqual([
      { rotaId: "night", shiftId: "night", responderId: "patrol-2", startsAt: starts + 3 * hourMs, endsAt: ends },
      { rotaId: "night", shiftId: "night", responderId: "patrol-3", startsAt: starts, endsAt: ends },
    ]);
  });

  test("a withdrawal ends it from then on, and leaves the past as it was", () => {
    const plan = with_({ ...handOver, withdrawnAt: starts + 2 * hourMs });
    expect(plan.onCallAt(starts + 2 * hourMs - 1)).toEqual(["patrol-4", "patrol-3"]);
    expect(plan.onCallAt(starts + 2 * hourMs)).toEqual(["patrol-2", "patrol-3"]);
  });

  test("a change of another rota changes nothing", () => {
    const changes = [{ ...handOver, id: 1, rotaId: "day", withdrawnAt: null }];
    expect(createPlan({ rota, holidays: [], timeZone, changes }).onCallAt(ends - 1)).toEqual(["patrol-2", "patrol-3"]);
  });

  test("asked for each page, it answers at once", () => {
    const plan = with_(handOver, {
      kind: "override",
      mode: "also",
      from: starts,
      until: ends,
      responders: ["patrol-5"],
    });
    const took: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const at = starts + (i % 90) * dayMs + i * 997;
      const began = performance.now();
      plan.onCallAt(at);
      took.push(performance.now() - began);
    }
    expect(took.sort((a, b) => a - b)[10_000]).toBeLessThan(0.05);
  });
});

describe("holidays", () => {
  const all = [...weekdays];
  const shift = (id: string, days: string[]) => ({ id, days, from: "07:00", to: "07:00", responders: ["patrol-1"] });
  const idsOn = (dates: string[], ...shifts: object[]) => {
    const plan = createPlan({
      rota: RotaConfig.parse({ id: "r", name: "R", shifts }),
      holidays: [
        { date: "2026-12-24", name: "Julafton" },
        { date: "2026-12-25", name: "Juldagen" },
      ],
      changes: [],
      timeZone,
    });
    return dates.map((date) =>
      plan.shiftsBetween(Date.parse(`${date}T12:00Z`), Date.parse(`${date}T12:01Z`)).map((s) => s.shiftId),
    );
  };
  // Wednesday, two holidays, Saturday.
  const christmas = ["2026-12-23", "2026-12-24", "2026-12-25", "2026-12-26"];

  test("where the rota has no word on them, they are as a Sunday", () => {
    expect(idsOn(christmas, shift("week", all.slice(0, 6)), shift("sunday", ["sun"]))).toEqual([
      ["week"],
      ["sunday"],
      ["sunday"],
      ["week"],
    ]);
  });

  test("where it has, those shifts and no others; the day before likewise, unless it is one itself", () => {
    expect(
      idsOn(christmas, shift("all", all), shift("eve", ["day-before-holiday"]), shift("red", ["holiday"])),
    ).toEqual([["eve"], ["red"], ["red"], ["all"]]);
  });
});
