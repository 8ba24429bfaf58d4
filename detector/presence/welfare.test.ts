import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import { habitRule, learn, learntDays, limitAt, noHabits } from "./habits.ts";
import type { Change } from "./logs.ts";
import { change, dayMs, firstDay, madeUpLog, report } from "./made-up-home.ts";
import { lastChanges, live, type Outage, openHome, type PlayedHome } from "./play.ts";
import { maxSensors, type PresenceSeen } from "./roster.ts";
import { openWelfare, stepWelfare, type WelfareInput, type WelfareState } from "./welfare.ts";

const minute = 60_000;
const hour = 60 * minute;
const days = 12;
const log = madeUpLog(days);
const end = firstDay + days * dayMs;
/** The day after the log, at this hour. */
const next = (hours: number) => end + hours * hour;
const tomorrow = madeUpLog(days + 3).changes.filter(({ at }) => at >= end);

let learnt: PlayedHome;
beforeAll(() => {
  learnt = openHome(log);
  live(learnt, log.changes, end);
});

/** The home as it is after the log, living on for a while. */
function livedOn(changes: readonly Change[], until: WallMs, outage?: Outage): PlayedHome {
  const home = structuredClone(learnt);
  home.told = [];
  live(home, changes, until, outage);
  return home;
}
const inactive = ({ told }: PlayedHome) =>
  told.flatMap(({ at, command }) => (command.kind === "inactive" ? [{ at, ...command }] : []));
const unheard = ({ told }: PlayedHome) =>
  told.flatMap(({ command }) => (command.kind === "unheard" ? [command.sensors.map(({ deviceId }) => deviceId)] : []));
/** Lives as usual up to `at`, and then nothing moves any more. */
function stillFrom(at: WallMs, forMs: number): PlayedHome {
  const home = livedOn(
    tomorrow.filter((one) => one.at < at),
    at,
  );
  live(home, lastChanges(home, at), at + forMs);
  return home;
}

describe("at home and no movement beyond what is normal", () => {
  test("days as usual tell nothing", () => {
    expect(inactive(learnt)).toEqual([]);
    expect(inactive(livedOn(tomorrow, end + 3 * dayMs))).toEqual([]);
  });

  test("stillness from the forenoon on is told once, within hours, with since when, where and what is usual", () => {
    const home = stillFrom(next(10.5), dayMs);
    const [told, ...others] = inactive(home);
    expect(others).toEqual([]);
    expect(told).toMatchObject({ where: "up", room: "kitchen" });
    expect(told!.since).toBeLessThan(next(10.5));
    expect(told!.at - told!.since).toBeGreaterThan(told!.limitMs);
    expect(told!.at).toBeLessThan(next(10.5) + 5 * hour);
  });

  test("the same stillness is normal in bed at night, and not past the hour of getting up", () => {
    const [told] = inactive(stillFrom(next(22.5), 14 * hour));
    expect(told).toMatchObject({ where: "bed", room: "bedroom" });
    expect(told!.at).toBeGreaterThan(next(24 + 5));
    expect(told!.at).toBeLessThan(next(24 + 11.5));
  });

  test("movement ends it, and the next stillness is told anew", () => {
    const home = stillFrom(next(10.5), 8 * hour);
    const at = next(18.5);
    live(
      home,
      [change("kitchen", "on", at), change("kitchen", "off", at + minute), change("bathroom", "on", at + 2 * minute)],
      at + hour,
    );
    expect(home.told.map(({ command }) => command.kind)).toEqual(["inactive", "active"]);
    live(home, lastChanges(home, at + hour), at + dayMs);
    expect(home.told.map(({ command }) => command.kind)).toEqual(["inactive", "active", "inactive"]);
  });

  test("the shell that wakes when asked hears it as soon as one that looks each minute", () => {
    const asked = inactive(stillFrom(next(10.5), dayMs))[0]!;
    const home = structuredClone(stillFrom(next(10.5), minute));
    let first: WallMs | null = null;
    for (let at = next(10.5) + 2 * minute; first === null && at < next(34); at += minute) {
      live(home, [], at);
      const [, commands] = stepWelfare(structuredClone(home.state), { kind: "tick" }, at);
      if (inactive(home).length > 0 || commands.some(({ kind }) => kind === "inactive")) first = at;
    }
    expect(Math.abs(first! - asked.at)).toBeLessThanOrEqual(minute);
  });
});

describe("not before enough is known", () => {
  test("nothing is told in the first days, however long the stillness", () => {
    const early = openHome(log);
    const at = firstDay + 5 * dayMs + 10 * hour;
    live(
      early,
      log.changes.filter((one) => one.at < at),
      at,
    );
    live(early, lastChanges(early, at), at + dayMs);
    expect(learntDays(early.state.habits)).toBeLessThan(habitRule.leastDays);
    expect(inactive(early)).toEqual([]);
  });

  test("what was long ago is forgotten, and then it learns anew", () => {
    expect(limitAt(learnt.state.habits, habitRule, "up", next(12))).not.toBeNull();
    expect(limitAt(learnt.state.habits, habitRule, "up", next(12) + habitRule.keptDays * dayMs)).toBeNull();
  });
});

describe("out", () => {
  test("the door, and then nothing: nobody is at home, for days", () => {
    const leave = [
      change("hall", "on", next(10)),
      change("door", "on", next(10) + 5000),
      change("door", "off", next(10) + 9000),
      change("hall", "off", next(10) + minute),
    ];
    const before = tomorrow.filter((one) => one.at < next(9.9));
    expect(inactive(livedOn([...before, ...leave], end + 3 * dayMs))).toEqual([]);
  });

  test("a movement that the door hides from itself, seconds after, is of whoever went out", () => {
    const leave = [
      change("door", "on", next(10)),
      change("door", "off", next(10) + 4000),
      change("hall", "on", next(10) + 8000),
    ];
    const before = tomorrow.filter((one) => one.at < next(9.9));
    expect(inactive(livedOn([...before, ...leave], end + 2 * dayMs))).toEqual([]);
  });

  test("back again and one movement, then none: told", () => {
    const back = [
      change("door", "on", next(14.6)),
      change("door", "off", next(14.6) + 5000),
      change("kitchen", "on", next(14.6) + minute),
      change("kitchen", "off", next(14.6) + 2 * minute),
    ];
    const before = tomorrow.filter((one) => one.at < next(14));
    const [told] = inactive(livedOn([...before, ...back], next(24)));
    expect(told).toMatchObject({ where: "up", room: "kitchen" });
  });

  test("a contact that comes off in the empty home is nobody", () => {
    const before = tomorrow.filter((one) => one.at < next(14));
    expect(inactive(livedOn([...before, change("kitchen", "on", next(15.5))], next(48)))).toEqual([]);
  });

  test("an absence is not learnt as stillness", () => {
    const limit = limitAt(learnt.state.habits, habitRule, "up", next(13));
    const home = livedOn(
      [
        ...tomorrow.filter((one) => one.at < next(14)),
        change("door", "on", next(21)),
        change("door", "off", next(21) + 5000),
        change("kitchen", "on", next(21) + minute),
      ],
      next(22),
    );
    expect(limitAt(home.state.habits, habitRule, "up", next(13))).toBe(limit);
  });
});

describe("an outage is a technical matter, not stillness", () => {
  const at = next(10.5);
  const outages: [string, Outage][] = [
    ["the gateway", { kind: "gateway", from: at, until: at + 9 * hour }],
    ["the kitchen's sensor, dead", { kind: "dead", deviceId: "kitchen", from: at }],
    ["the kitchen's sensor, stuck", { kind: "stuck-on", deviceId: "kitchen", from: at }],
    ["the front door's, dead", { kind: "dead", deviceId: "door", from: at }],
    ["the front door's, stuck open", { kind: "stuck-on", deviceId: "door", from: at }],
    ["the bed's, dead", { kind: "dead", deviceId: "bed", from: at }],
    ["the bed's, stuck", { kind: "stuck-on", deviceId: "bed", from: at }],
  ];
  test.each(outages)("%s: no welfare alarm while life goes on", (_, outage) => {
    const home = livedOn(tomorrow, end + 3 * dayMs, outage);
    expect(inactive(home)).toEqual([]);
  });

  test.each(outages.filter(([, { kind }]) => kind !== "stuck-on"))("%s: told as unheard", (_, outage) => {
    const told = unheard(livedOn(tomorrow, end + 3 * dayMs, outage));
    expect(told.flat()).toContain(outage.kind === "gateway" ? "kitchen" : outage.deviceId);
    if (outage.kind === "gateway") expect(told.at(-1)).toEqual([]);
  });

  test("a day without the gateway, and nothing moves afterwards: nobody is known to be at home, and somebody may have left unseen", () => {
    const gone: Outage = { kind: "gateway", from: next(10), until: next(34) };
    const home = livedOn(
      tomorrow.filter((one) => one.at < next(10)),
      end + 3 * dayMs,
      gone,
    );
    expect(inactive(home)).toEqual([]);
    expect(unheard(home)[0]).not.toEqual([]);
    expect(unheard(home).at(-1)).toEqual([]);
  });

  test("a front door that stands open for two hours tells nobody's going, and is told as unheard", () => {
    const home = livedOn([...tomorrow.filter((one) => one.at < next(10)), change("door", "on", next(10))], next(24));
    expect(unheard(home)).toEqual([["door"]]);
    expect(inactive(home)).toEqual([]);
  });

  test("a clock that goes back stands still", () => {
    const home = structuredClone(learnt);
    const [state] = stepWelfare(home.state, { kind: "tick" }, end - 5 * hour);
    expect(state.now).toBeGreaterThan(end - 2 * hour);
  });

  test("what was interrupted, by a pause or a missing consent, begins anew", () => {
    const home = livedOn(
      tomorrow.filter((one) => one.at < next(10.5)),
      next(12),
    );
    const [state] = stepWelfare(home.state, { kind: "interrupted" }, next(12));
    home.state = state;
    live(home, [], next(30));
    expect(inactive(home)).toEqual([]);
  });
});

describe("what is learnt", () => {
  test("a pause that was told is not learnt, so that lying on the floor never becomes a habit", () => {
    const home = stillFrom(next(10.5), 8 * hour);
    const limit = limitAt(home.state.habits, habitRule, "up", next(16));
    live(home, [change("kitchen", "on", next(18.6)), change("bathroom", "on", next(18.7))], next(19));
    expect(home.told.some(({ command }) => command.kind === "active")).toBe(true);
    expect(limitAt(home.state.habits, habitRule, "up", next(16))).toBe(limit);
  });

  test("a limit is half as long again and half an hour more than the longest pause of these hours; at most three hours more, never under two hours", () => {
    const habits = noHabits();
    const noon = (day: number) => firstDay + day * dayMs + 12 * hour;
    for (let day = 0; day < 7; day++) {
      learn(habits, habitRule, "up", noon(day) - 10 * hour, noon(day) - 9.5 * hour);
      learn(habits, habitRule, "up", noon(day) - 3 * hour, noon(day));
      learn(habits, habitRule, "bed", noon(day) + 4 * hour, noon(day) + 12 * hour);
    }
    const limit = (where: "up" | "bed" | null, at: number) =>
      limitAt(habits, habitRule, where, noon(6) + at * hour)! / hour;
    expect(limit("up", 0)).toBeCloseTo(5);
    expect(limit("up", -10)).toBeCloseTo(2);
    expect(limit("bed", 10)).toBeCloseTo(11);
    expect(limit(null, 10)).toBeCloseTo(11);
    // Two hours off is still this time of day; half a day off it is not.
    expect(limit("up", 1)).toBeCloseTo(5);
    expect(limitAt(habits, { ...habitRule, leastDays: 8 }, "up", noon(6))).toBeNull();
  });
});

describe("whatever comes, in whatever order", () => {
  const anything = fc.record({
    deviceId: fc.integer({ min: 0, max: 60 }).map((n) => (n === 0 ? "door" : `sensor-${n}`)),
    boot: fc.integer({ min: 0, max: 2 }),
    seq: fc.integer({ min: 0, max: 0xffff_ffff }),
    sensor: fc.constantFrom("motion", "radar", "bed", "seat", "contact", "flush"),
    state: fc.constantFrom("on", "off"),
    room: fc.option(fc.constantFrom("hall", "kitchen"), { nil: undefined }),
    at: fc.integer({ min: firstDay, max: firstDay + 100 * dayMs }),
  });
  const input = fc.oneof(
    { weight: 8, arbitrary: anything.map((seen) => ({ kind: "presence" as const, seen: seen as PresenceSeen })) },
    { weight: 2, arbitrary: fc.constant<WelfareInput>({ kind: "tick" }) },
    { weight: 1, arbitrary: fc.constant<WelfareInput>({ kind: "interrupted" }) },
  );
  const stories = fc.array(fc.tuple(input, fc.integer({ min: firstDay, max: firstDay + 100 * dayMs })), {
    maxLength: 100,
  });

  test("nothing throws, alarms and their ends take turns, and a state kept as JSON goes on as the one in memory", () => {
    fc.assert(
      fc.property(stories, (story) => {
        let state = openWelfare({ entrances: ["door"] });
        let kept = openWelfare({ entrances: ["door"] });
        let isTold = false;
        for (const [one, now] of story) {
          const [then, commands] = stepWelfare(state, structuredClone(one), now);
          const [thenKept, same] = stepWelfare(JSON.parse(JSON.stringify(kept)) as WelfareState, one, now);
          [state, kept] = [then, thenKept];
          expect(same).toEqual(commands);
          for (const command of commands) {
            if (command.kind === "wake") expect(command.at).toBeGreaterThan(state.now);
            if (command.kind === "inactive") expect(isTold).toBe(false);
            if (command.kind === "active") expect(isTold).toBe(true);
            if (command.kind === "inactive" || command.kind === "active") isTold = command.kind === "inactive";
          }
        }
        expect(state.roster.sensors.length).toBeLessThanOrEqual(maxSensors);
        expect(state.habits.days.length).toBeLessThanOrEqual(habitRule.keptDays);
      }),
      { numRuns: 300 },
    );
  });

  test("a year of it is kept in as little as a month of it", () => {
    let state: WelfareState = openWelfare({ entrances: [] });
    const year = madeUpLog(120);
    const home = openHome(year);
    let month = 0;
    for (const [n, limit] of [30, 120].entries()) {
      const from = n === 0 ? firstDay : firstDay + 30 * dayMs;
      const until = firstDay + limit * dayMs;
      live(
        home,
        year.changes.filter(({ at }) => at >= from && at < until),
        until,
      );
      if (n === 0) month = JSON.stringify(home.state).length;
    }
    expect(JSON.stringify(home.state).length).toBeLessThan(month * 1.1);
    expect(month).toBeLessThan(20_000);
    for (let n = 0; n < 500; n++) {
      const at = firstDay + n * minute;
      [state] = stepWelfare(
        state,
        { kind: "presence", seen: report("kitchen", "on", at, { deviceId: `pir-${n}` }) },
        at,
      );
    }
    expect(state.roster.sensors).toHaveLength(maxSensors);
  });
});
