import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rate } from "../evaluation/intervals.ts";
import { readLogs } from "./logs.ts";
import { openStuckWatch, type StuckWatch, stuckSensors, watchSensor } from "./stuck.ts";
import { measureStuck, monthDays } from "./stuck-measure.ts";

const run = promisify(execFile);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A home in which two motion sensors are used every half hour of the day, and a cupboard once a day; each repeats itself hourly. */
function home() {
  const watch = openStuckWatch();
  const seqs = new Map<string, number>();
  const states = new Map<string, "on" | "off">();
  let now = 0;
  function say(deviceId: string, sensor: "motion" | "contact", state: "on" | "off", boot = 1) {
    states.set(deviceId, state);
    const seq = (seqs.get(deviceId) ?? 0) + 1;
    seqs.set(deviceId, seq);
    watchSensor(watch, { deviceId, sensor, state, boot, seq, at: now }, now);
  }
  const sensors = [
    ["hall", "motion"],
    ["kitchen", "motion"],
    ["cupboard", "contact"],
  ] as const;
  return {
    watch,
    say,
    stuck: () => stuckSensors(watch, now).map(({ deviceId }) => deviceId),
    /** `hanging` no longer changes; `silent` says nothing at all. */
    live(ms: number, faulty: { hanging?: string; silent?: string } = {}) {
      for (const end = now + ms; now < end; now += 10 * minute) {
        const isDay = now % day >= 7 * hour && now % day < 22 * hour;
        for (const [deviceId, sensor] of sensors) {
          if (deviceId === faulty.silent) continue;
          const isUsed =
            deviceId !== faulty.hanging &&
            (sensor === "motion" ? isDay && now % (30 * minute) === 0 : now % day === 8 * hour);
          if (isUsed) for (const state of ["on", "off"] as const) say(deviceId, sensor, state);
          else if (now % hour === 0) say(deviceId, sensor, states.get(deviceId) ?? "off");
        }
      }
    },
  };
}

describe("a sensor that hangs", () => {
  test("is told within a day where it is used often, since its last change, and no more once it changes", () => {
    const one = home();
    one.live(10 * day);
    expect(one.stuck()).toEqual([]);
    one.live(day, { hanging: "hall" });
    expect(stuckSensors(one.watch, 11 * day)).toEqual([{ deviceId: "hall", since: 9 * day + 21.5 * hour }]);
    one.live(day);
    expect(one.stuck()).toEqual([]);
  });

  test("at on is told after three hours, where somebody has moved elsewhere meanwhile, also in its first week", () => {
    const one = home();
    one.live(8 * hour);
    one.say("hall", "motion", "on");
    one.live(3 * hour + 20 * minute, { hanging: "hall" });
    expect(one.stuck()).toEqual(["hall"]);
    const asleep = home();
    asleep.live(23 * hour);
    asleep.say("hall", "motion", "on");
    asleep.live(6 * hour, { hanging: "hall" });
    expect(asleep.stuck()).toEqual([]);
  });

  test("is not told of in its first week, nor where it is seldom used, nor where nobody moves at all", () => {
    const young = home();
    young.live(3 * day);
    young.live(2 * day, { hanging: "hall" });
    expect(young.stuck()).toEqual([]);
    const seldom = home();
    seldom.live(10 * day);
    seldom.live(5 * day, { hanging: "cupboard" });
    expect(seldom.stuck()).toEqual([]);
  });

  test("one that is silent is overdue and not stuck, and what it missed meanwhile is not held against it", () => {
    const one = home();
    one.live(10 * day);
    one.live(2 * day, { silent: "hall" });
    expect(one.stuck()).toEqual([]);
    one.live(30 * minute);
    expect(one.stuck()).toEqual([]);
  });
});

test("whatever comes: nothing throws, JSON keeps it, it stays small, and only who was heard is told of", () => {
  const report = fc.record({
    deviceId: fc.constantFrom(...Array.from({ length: 60 }, (_, n) => `s${n}`)),
    sensor: fc.constantFrom("motion", "radar", "bed", "seat", "contact", "flush"),
    state: fc.constantFrom("on", "off"),
    boot: fc.integer({ min: 0, max: 2 }),
    seq: fc.integer({ min: 0, max: 50 }),
    at: fc.integer({ min: -day, max: 40 * day }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(report, fc.integer({ min: 0, max: 3 * day })), { maxLength: 80 }), (reports) => {
      const watch = openStuckWatch();
      let now = 0;
      for (const [seen, after] of reports) {
        now += after;
        watchSensor(watch, seen, now);
        const again = JSON.parse(JSON.stringify(watch)) as StuckWatch;
        expect(again).toEqual(watch);
        for (const { deviceId, since } of stuckSensors(again, now)) {
          expect(watch.sensors.map((one) => one.deviceId)).toContain(deviceId);
          expect(since).toBeLessThanOrEqual(now);
        }
      }
      expect(watch.sensors.length).toBeLessThanOrEqual(48);
    }),
    { numRuns: 100 },
  );
});

test("the command helps with examples", async () => {
  const command = fileURLToPath(new URL("./evaluate-stuck.ts", import.meta.url));
  expect((await run(process.execPath, [command, "--help"])).stdout).toContain("Examples:");
});

const recordings = process.env.FALLVAKT_RECORDINGS;

test.skipIf(!recordings && !process.env.CI)(
  "real homes (FALLVAKT_RECORDINGS/presence): of sensors that are used eight times a day and more nine in ten are found within a day, and at most two a month are told wrongly",
  async () => {
    if (!recordings) throw new Error("FALLVAKT_RECORDINGS is not set; in CI it must be");
    const logs = await readLogs(join(recordings, "presence"));
    const reports = logs.map((log) => measureStuck(log, { perSensor: 5, seed: 7 }));
    const busy = reports.flatMap(({ rows }) => rows).filter(({ uses }) => uses === "8 a day and more");
    const injected = busy.reduce((sum, row) => sum + row.injected, 0);
    const found = busy.reduce((sum, row) => sum + (row.found.value ?? 0) * row.injected, 0);
    expect(injected).toBeGreaterThanOrEqual(50);
    expect(found / injected).toBeGreaterThanOrEqual(0.9);
    const days = reports.reduce((sum, { judgedDays }) => sum + judgedDays, 0);
    const wrong = reports.reduce((sum, { falseOnes }) => sum + falseOnes, 0);
    expect(rate(wrong, days / monthDays).value).toBeLessThanOrEqual(2);
  },
  60_000,
);
