import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayMs, firstDay, report } from "./made-up-home.ts";
import {
  changesMissed,
  emptyRoster,
  isMove,
  maxSensors,
  note,
  type PresenceSeen,
  shareOf,
  troubleOf,
} from "./roster.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Each report heard when it happened. */
function heard(...reports: PresenceSeen[]) {
  const roster = emptyRoster();
  return { roster, news: reports.map((one) => note(roster, one, one.at).news) };
}
const troubleAt = ({ roster }: ReturnType<typeof heard>, now: number, deviceId = "kitchen") =>
  troubleOf(roster, roster.sensors.find((one) => one.deviceId === deviceId)!, now);

describe("what a report tells", () => {
  test("the first word and the first after a restart are no change", () => {
    const { news } = heard(
      report("kitchen", "off", firstDay),
      report("kitchen", "on", firstDay + minute),
      report("kitchen", "on", firstDay + 2 * minute),
      report("kitchen", "off", firstDay + 3 * minute, { boot: 2, seq: 0 }),
      report("kitchen", "on", firstDay + 4 * minute, { boot: 2, seq: 1 }),
    );
    expect(news).toEqual(["restart", "change", "repeat", "restart", "change"]);
  });

  test("the first after a silence is none either: when it came to say so is not known", () => {
    const { news } = heard(
      report("kitchen", "off", firstDay),
      report("kitchen", "off", firstDay + hour),
      report("kitchen", "on", firstDay + 3 * hour),
    );
    expect(news).toEqual(["restart", "repeat", "restart"]);
  });

  test("one that comes twice or too late is no news", () => {
    const first = report("kitchen", "off", firstDay);
    const second = report("kitchen", "on", firstDay + minute);
    const { news, roster } = heard(first, second, second, first);
    expect(news).toEqual(["restart", "change", "old", "old"]);
    expect(roster.sensors[0]).toMatchObject({ state: "on", changes: 1 });
  });

  test("a motion sensor's end is no movement, nor lying still on the floor; a door and a bed move somebody both ways", () => {
    const moves = (sensor: PresenceSeen["sensor"], state: "on" | "off", atFloor = false) =>
      isMove({ sensor, state, atFloor });
    for (const kind of ["motion", "radar", "flush"] as const) expect(moves(kind, "off")).toBe(false);
    for (const kind of ["contact", "bed", "seat"] as const) expect(moves(kind, "off")).toBe(true);
    for (const kind of ["motion", "radar", "flush", "contact", "bed", "seat"] as const) {
      expect(moves(kind, "on")).toBe(true);
    }
    expect(moves("radar", "on", true)).toBe(false);
  });
});

describe("whose word does not count", () => {
  test("of one not heard for longer than the hourly repeat allows", () => {
    const story = heard(report("kitchen", "off", firstDay), report("kitchen", "off", firstDay + hour));
    expect(troubleAt(story, firstDay + 2 * hour + 14 * minute)).toBeNull();
    expect(troubleAt(story, firstDay + 2 * hour + 16 * minute)).toBe("stale");
  });

  test("of one that has spoken once since it began anew", () => {
    const story = heard(report("kitchen", "off", firstDay));
    expect(troubleAt(story, firstDay + minute)).toBe("restarted");
    note(story.roster, report("kitchen", "off", firstDay + hour), firstDay + hour);
    expect(troubleAt(story, firstDay + hour)).toBeNull();
  });

  test("of one whose `on` lasts implausibly long; a door may stand open", () => {
    const on = (sensor: "kitchen" | "door") => {
      const repeats = Array.from({ length: 5 }, (_, n) => report(sensor, "on", firstDay + minute + n * hour));
      return heard(report(sensor, "off", firstDay), ...repeats);
    };
    expect(troubleAt(on("kitchen"), firstDay + 2 * hour)).toBeNull();
    expect(troubleAt(on("kitchen"), firstDay + 4.5 * hour)).toBe("stuck");
    expect(troubleAt(on("door"), firstDay + 4.5 * hour, "door")).toBeNull();
  });

  test("of one that no longer changes where the others do, though it says so hourly", () => {
    const story = heard(report("kitchen", "off", firstDay), report("bathroom", "off", firstDay));
    let at = firstDay;
    const turn = (sensor: "kitchen" | "bathroom", state: "on" | "off") => {
      at += 10 * minute;
      note(story.roster, report(sensor, state, at), at);
    };
    for (let n = 0; n < 40; n++)
      for (const sensor of ["kitchen", "bathroom"] as const) turn(sensor, n % 2 ? "off" : "on");
    expect(shareOf(story.roster, story.roster.sensors[0]!)).toBeCloseTo(0.5, 1);
    for (let n = 0; n < 15; n++) {
      turn("bathroom", n % 2 ? "off" : "on");
      turn("kitchen", "off");
    }
    expect(troubleAt(story, at)).toBeNull();
    for (let n = 15; n < 160; n++) {
      turn("bathroom", n % 2 ? "off" : "on");
      turn("kitchen", "off");
    }
    expect(at - story.roster.sensors[0]!.changedAt).toBeGreaterThan(dayMs);
    expect(changesMissed(story.roster, story.roster.sensors[0]!)).toBeGreaterThan(20);
    expect(troubleAt(story, at)).toBe("stuck");
    expect(troubleAt(story, at, "bathroom")).toBeNull();
  });

  test("of none where nobody changes anything: a still home is no fault", () => {
    const story = heard(report("kitchen", "off", firstDay), report("bathroom", "off", firstDay));
    for (let n = 1; n < 72; n++) {
      for (const sensor of ["kitchen", "bathroom"] as const) {
        note(story.roster, report(sensor, "off", firstDay + n * hour), firstDay + n * hour);
      }
    }
    expect(troubleAt(story, firstDay + 71 * hour)).toBeNull();
  });
});

test("whoever sends, no more sensors are kept than fit; the one unheard for longest goes", () => {
  const roster = emptyRoster();
  for (let n = 0; n < 3 * maxSensors; n++) {
    note(roster, report("kitchen", "on", firstDay + n * minute, { deviceId: `pir-${n}` }), firstDay + n * minute);
  }
  expect(roster.sensors).toHaveLength(maxSensors);
  expect(roster.sensors.at(-1)?.deviceId).toBe(`pir-${3 * maxSensors - 1}`);
  expect(roster.sensors.some(({ deviceId }) => deviceId === "pir-0")).toBe(false);
});

test("whatever comes: shares stay between 0 and 1, and nothing is heard in the future", () => {
  const anything = fc.record({
    deviceId: fc.constantFrom("a", "b", "c"),
    boot: fc.integer({ min: 0, max: 3 }),
    seq: fc.integer({ min: 0, max: 9 }),
    sensor: fc.constantFrom("motion", "radar", "bed", "seat", "contact", "flush"),
    state: fc.constantFrom("on", "off"),
    at: fc.integer({ min: 0, max: 30 * dayMs }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(anything, fc.integer({ min: 0, max: 30 * dayMs })), { maxLength: 60 }), (story) => {
      const roster = emptyRoster();
      for (const [seen, now] of story) {
        const { sensor } = note(roster, seen as PresenceSeen, now);
        troubleOf(roster, sensor, now);
      }
      const latest = Math.max(0, ...story.map(([, now]) => now));
      for (const one of roster.sensors) {
        expect(shareOf(roster, one)).toBeGreaterThanOrEqual(0);
        expect(shareOf(roster, one)).toBeLessThanOrEqual(1);
        expect(one.heardAt).toBeLessThanOrEqual(latest);
      }
    }),
  );
});
