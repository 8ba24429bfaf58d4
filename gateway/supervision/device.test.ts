import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeviceTrouble, DeviceTrouble as Troubles } from "../../firmware-contracts/intake.ts";
import { GatewayConfig } from "../config.ts";
import { daysLeft, takeLevel } from "./battery.ts";
import { type DeviceInput, type DeviceNews, limitOf, openDevice, type Supervised, step } from "./device.ts";
import { deviceIn, keptDevice } from "./kept-device.ts";

const limits = GatewayConfig.parse({}).supervision;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24);

/** A device and what was told of it. Time passes in steps of 15 s, as the gateway looks. */
function life() {
  let state: Supervised = openDevice("watch-1", start);
  let now = start;
  let listeningSince: number | null = start;
  const told: DeviceNews[] = [];
  function give(input: DeviceInput) {
    const [next, news] = step(state, input, limits, { now, toWallMs: 0, listeningSince });
    state = next;
    told.push(...news);
  }
  return {
    told,
    give,
    get now() {
      return now;
    },
    words: () => told.map(({ event, trouble }) => `${trouble} ${event}`),
    hear: (what: "wearable" | "presence" | "button" | "status" = "wearable") => give({ kind: "heard", what, at: now }),
    /** `every` is called each minute. */
    pass(ms: number, every?: () => void) {
      for (const end = now + ms; now < end; ) {
        now += 15_000;
        if (every && (now - start) % minute === 0) every();
        give({ kind: "tick" });
      }
    },
    deaf() {
      listeningSince = null;
    },
    listen() {
      listeningSince = now;
    },
    /** The gateway is killed, and is there again after `ms`. */
    restart(ms: number) {
      const kept = deviceIn(keptDevice(state));
      if (!kept) throw new Error("what was kept cannot be read");
      state = kept;
      now += ms;
      listeningSince = now;
    },
  };
}

describe("overdue", () => {
  test("a wearable is told once for each outage, since when it was last heard, and when it is back", () => {
    const one = life();
    one.hear();
    const last = one.now;
    one.pass(5 * minute);
    expect(one.told).toEqual([]);
    one.pass(2 * hour);
    expect(one.told).toMatchObject([{ event: "began", trouble: "overdue", since: last }]);
    one.hear();
    expect(one.told[1]).toMatchObject({ event: "ended", trouble: "overdue", since: last, at: one.now });
    one.pass(10 * minute, one.hear);
    one.pass(10 * minute);
    expect(one.words()).toEqual(["overdue began", "overdue ended", "overdue began"]);
  });

  test("a presence sensor has an hour and a quarter; one that usually speaks more often is overdue sooner", () => {
    const one = life();
    one.hear("presence");
    one.pass(75 * minute);
    expect(one.told).toEqual([]);
    one.pass(minute);
    expect(one.words()).toEqual(["overdue began"]);
    const often = life();
    for (let n = 0; n < 2 * 24 * 12; n++) {
      often.hear("presence");
      often.pass(5 * minute);
    }
    often.hear("presence");
    often.pass(15 * minute);
    expect(often.told).toEqual([]);
    often.pass(minute);
    expect(often.words()).toEqual(["overdue began"]);
  });

  test("one with a battery has a limit of its own, a help button too; a wearable keeps its own whatever else it sends", () => {
    const own = { ...limits, mainsSensorMinutes: 20, batterySensorMinutes: 200, buttonMinutes: 60 };
    const { gaps } = openDevice("x", start);
    const battery = takeLevel(null, 80, start);
    expect(limitOf({ deviceClass: "presence", battery: null, gaps }, own)).toBe(20 * minute);
    expect(limitOf({ deviceClass: "presence", battery, gaps }, own)).toBe(200 * minute);
    expect(limitOf({ deviceClass: "button", battery, gaps }, own)).toBe(60 * minute);
    expect(limitOf({ deviceClass: null, battery: null, gaps }, own)).toBe(60 * minute);
    const one = life();
    for (const what of ["status", "button", "presence", "wearable", "presence", "status"] as const) one.hear(what);
    one.pass(6 * minute);
    expect(one.words()).toEqual(["overdue began"]);
  });

  test("in a pause nobody is overdue: what was ends, and after it the limit runs anew, as another outage", () => {
    const one = life();
    one.hear();
    one.pass(10 * minute);
    one.give({ kind: "watched", isWatched: false });
    expect(one.words()).toEqual(["overdue began", "overdue ended"]);
    one.pass(3 * hour);
    one.give({ kind: "watched", isWatched: true });
    const since = one.now;
    one.pass(5 * minute);
    expect(one.told).toHaveLength(2);
    one.pass(minute);
    expect(one.told[2]).toMatchObject({ event: "began", trouble: "overdue", since });
  });

  test("a gateway that was down, or deaf, calls nobody overdue at once; who was overdue stays so, and is not told again", () => {
    const [sound, silent] = [life(), life()];
    for (const one of [sound, silent]) one.hear();
    silent.pass(10 * minute);
    for (const one of [sound, silent]) one.restart(8 * hour);
    for (const one of [sound, silent]) one.pass(4 * minute);
    expect([sound.words(), silent.words()]).toEqual([[], ["overdue began"]]);
    silent.hear();
    sound.deaf();
    sound.pass(3 * hour);
    expect(sound.told).toEqual([]);
    sound.listen();
    sound.pass(5 * minute + 30_000);
    expect([sound.words(), silent.words()]).toEqual([["overdue began"], ["overdue began", "overdue ended"]]);
  });

  test("a device that is revoked or removed ends all that was open", () => {
    const one = life();
    one.hear();
    one.give({ kind: "status", tamper: true, battery: 5 });
    one.pass(10 * minute);
    one.give({ kind: "removed" });
    expect(one.words().sort()).toEqual(
      ["battery-low", "overdue", "tamper"].flatMap((trouble) => [`${trouble} began`, `${trouble} ended`]),
    );
  });
});

describe("worn, charged, opened", () => {
  const status = (one: ReturnType<typeof life>, said: Omit<Extract<DeviceInput, { kind: "status" }>, "kind">) => () => {
    one.hear("status");
    one.give({ kind: "status", ...said });
  };

  test("not worn is told after its grace, not at the charger, and ends when it is worn", () => {
    const one = life();
    one.hear();
    one.pass(hour, status(one, { worn: false, charging: false }));
    expect(one.told).toEqual([]);
    one.pass(2 * minute, status(one, { worn: false, charging: false }));
    expect(one.words()).toEqual(["not-worn began"]);
    status(one, { worn: true })();
    expect(one.words()).toEqual(["not-worn began", "not-worn ended"]);
    one.pass(3 * hour, status(one, { worn: false, charging: true }));
    expect(one.told).toHaveLength(2);
    // Off the charger it has its grace anew.
    one.pass(50 * minute, status(one, { worn: false, charging: false }));
    expect(one.told).toHaveLength(2);
    one.pass(15 * minute, status(one, { worn: false, charging: false }));
    expect(one.told).toHaveLength(3);
  });

  test("charging for too long is told, and ends off the charger", () => {
    const one = life();
    one.hear();
    one.pass(4 * hour + 2 * minute, status(one, { charging: true }));
    one.pass(2 * minute, status(one, { charging: false }));
    expect(one.words()).toEqual(["charging-long began", "charging-long ended"]);
  });

  test("tamper is told at once, and ends when it is closed; a report that says nothing of it changes nothing", () => {
    const one = life();
    status(one, { tamper: true })();
    status(one, {})();
    status(one, { tamper: false })();
    expect(one.words()).toEqual(["tamper began", "tamper ended"]);
  });

  test("two outages within one millisecond are two: each has an id of its own", () => {
    const one = life();
    for (const tamper of [true, false, true, false]) one.give({ kind: "status", tamper });
    expect(new Set(one.told.map(({ since, event }) => `${since} ${event}`)).size).toBe(4);
  });
});

describe("battery", () => {
  test("days left by its trend, through noise; too few days, or no fall, is not known; a new battery begins anew", () => {
    let battery = takeLevel(null, 100, start);
    expect(daysLeft(battery)).toBeNull();
    for (let hours = 1; hours <= 20 * 24; hours++) {
      battery = takeLevel(battery, 100 - (2 * hours) / 24 + 2 * Math.sin(hours * 7), start + hours * hour);
    }
    // 60 % left at 2 % a day.
    expect(daysLeft(battery)).toBeGreaterThan(28);
    expect(daysLeft(battery)).toBeLessThan(32);
    expect(battery.bins.length).toBeLessThanOrEqual(112);
    battery = takeLevel(battery, 100, start + 20 * day + hour);
    expect(battery.bins).toHaveLength(1);
    for (let hours = 0; hours < 72; hours++) battery = takeLevel(battery, 100, start + 21 * day + hours * hour);
    expect(daysLeft(battery)).toBeNull();
  });

  test("low is told a week ahead of a battery that is never charged, and by its level alone of one that is", () => {
    const cell = life();
    const watch = life();
    watch.give({ kind: "status", charging: true });
    watch.give({ kind: "status", charging: false });
    for (let hours = 0; hours < 10 * 24; hours += 6) {
      const battery = Math.round(60 - (4 * hours) / 24);
      for (const one of [cell, watch]) {
        one.hear("presence");
        one.give({ kind: "status", battery });
        one.pass(6 * hour, one.hear.bind(null, "presence"));
      }
    }
    expect(cell.told).toMatchObject([{ event: "began", trouble: "battery-low" }]);
    expect(cell.told[0]!.daysLeft).toBeLessThanOrEqual(7);
    expect(cell.told[0]!.daysLeft).toBeGreaterThan(5);
    expect(watch.told).toEqual([]);
    watch.give({ kind: "status", battery: 14 });
    watch.give({ kind: "status", battery: 20 });
    expect(watch.told).toMatchObject([{ event: "began", trouble: "battery-low", battery: 14 }]);
    watch.give({ kind: "status", battery: 90 });
    cell.give({ kind: "status", battery: 100 });
    expect([cell.words(), watch.words()]).toEqual(Array(2).fill(["battery-low began", "battery-low ended"]));
  });
});

test("a clock that stays wrong for two hours is told with how far it is ahead; one jump, or its being set right, is none", () => {
  const one = life();
  one.pass(hour, () => one.give({ kind: "clock", aheadMs: 90_000 }));
  one.give({ kind: "clock", aheadMs: 20_000 });
  one.pass(hour + 30 * minute, () => one.give({ kind: "clock", aheadMs: -61_000 }));
  expect(one.words().filter((word) => word.startsWith("clock"))).toEqual([]);
  one.pass(hour, () => one.give({ kind: "clock", aheadMs: -70_000 }));
  expect(one.told.at(-1)).toMatchObject({ event: "began", trouble: "clock-drift", driftMs: -70_000 });
  one.give({ kind: "clock", aheadMs: 40_000 });
  expect(one.words().filter((word) => word.startsWith("clock"))).toHaveLength(1);
  one.give({ kind: "clock", aheadMs: 10_000 });
  expect(one.told.at(-1)).toMatchObject({ event: "ended", trouble: "clock-drift" });
});

describe("whatever comes", () => {
  const maybe = fc.option(fc.boolean(), { nil: undefined });
  const input: fc.Arbitrary<DeviceInput> = fc.oneof(
    fc.record({
      kind: fc.constant("heard" as const),
      what: fc.constantFrom("wearable", "presence", "button", "status"),
      at: fc.integer({ min: start - day, max: start + 60 * day }),
    }),
    fc.record({
      kind: fc.constant("status" as const),
      battery: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      worn: maybe,
      charging: maybe,
      tamper: maybe,
    }),
    fc.record({ kind: fc.constant("clock" as const), aheadMs: fc.integer({ min: -200_000, max: 200_000 }) }),
    fc.record({
      kind: fc.constant("stuck" as const),
      since: fc.option(fc.integer({ min: start - day, max: start + 60 * day }), { nil: null }),
    }),
    fc.record({ kind: fc.constant("watched" as const), isWatched: fc.boolean() }),
    fc.constant({ kind: "tick" as const }),
  );
  const event = fc.record({
    input,
    /** Since the last one, ms. */
    after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * hour }), fc.integer({ min: 0, max: 5 * day })),
    wallJumps: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -60 * day, max: 60 * day })),
    isRestarted: fc.boolean(),
    isDeaf: fc.boolean(),
  });

  test("at most one outage of each trouble is open, each that began ends once, no id comes twice, and restarts at any point change nothing", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = openDevice("d", start);
        let now = start;
        let toWallMs = 0;
        let listeningSince: number | null = start;
        const open = new Map<DeviceTrouble, number>();
        const ids = new Set<string>();
        function follow(news: readonly DeviceNews[]) {
          for (const { event: what, trouble, since, at } of news) {
            const id = `${trouble}.${since}.${what}`;
            expect(ids.has(id), id).toBe(false);
            ids.add(id);
            expect(at).toBeGreaterThanOrEqual(0);
            if (what === "began") {
              expect(open.has(trouble)).toBe(false);
              open.set(trouble, since);
            } else {
              expect(open.get(trouble)).toBe(since);
              open.delete(trouble);
            }
          }
          expect(new Set(open.keys())).toEqual(new Set(Object.keys(state.open)));
        }
        for (const one of events) {
          now += one.after;
          toWallMs += one.wallJumps;
          if (one.isDeaf) listeningSince = null;
          if (one.isRestarted) {
            state = deviceIn(keptDevice(state)) as Supervised;
            listeningSince = now;
            const [next, news] = step(state, { kind: "tick" }, limits, { now, toWallMs, listeningSince });
            // Nobody is overdue at once.
            expect(news.filter(({ trouble, event: what }) => trouble === "overdue" && what === "began")).toEqual([]);
            state = next;
            follow(news);
          }
          const before = structuredClone(state);
          const [next, news] = step(state, one.input, limits, { now, toWallMs, listeningSince });
          expect(state).toEqual(before);
          state = next;
          follow(news);
          // The same moment again tells nothing more.
          expect(step(state, { kind: "tick" }, limits, { now, toWallMs, listeningSince })[1]).toEqual([]);
          if (state.watchedSince === null) expect(open.has("overdue") || open.has("not-worn")).toBe(false);
          expect(JSON.stringify(state).length).toBeLessThan(12_000);
        }
        const [last, news] = step(state, { kind: "removed" }, limits, { now, toWallMs, listeningSince });
        state = last;
        follow(news);
        expect(open.size).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  test("every trouble of the contract is judged", () => {
    const one = life();
    for (const trouble of Troubles.options) expect(typeof trouble).toBe("string");
    one.give({ kind: "stuck", since: one.now });
    one.give({ kind: "stuck", since: null });
    expect(one.words()).toEqual(["stuck began", "stuck ended"]);
  });
});
