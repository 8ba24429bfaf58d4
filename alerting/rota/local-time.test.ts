import fc from "fast-check";
import { expect, test } from "vitest";
import { dateOfDay, dayMs, dayOfDate, minuteMs, mondayOfWeek, weekdayOf, weekOfDay, zoneOf } from "./local-time.ts";

const stockholm = zoneOf("Europe/Stockholm");
const iso = (at: number) => new Date(at).toISOString().slice(0, 16);

test("ordinary, skipped and doubled times", () => {
  const spring = dayOfDate("2027-03-28");
  const autumn = dayOfDate("2027-10-31");
  expect(iso(stockholm.at(dayOfDate("2027-01-10"), 21 * 60 + 30))).toBe("2027-01-10T20:30");
  expect(iso(stockholm.at(dayOfDate("2027-07-10"), 0))).toBe("2027-07-09T22:00");
  // 02:30 is skipped: the clock is put forward at 01:00 UTC.
  expect(iso(stockholm.at(spring, 119))).toBe("2027-03-28T00:59");
  for (const minute of [120, 150, 179, 180]) expect(iso(stockholm.at(spring, minute))).toBe("2027-03-28T01:00");
  expect(iso(stockholm.at(spring, 181))).toBe("2027-03-28T01:01");
  // 02:30 comes twice: the first counts.
  expect(iso(stockholm.at(autumn, 150))).toBe("2027-10-31T00:30");
  expect(iso(stockholm.at(autumn, 180))).toBe("2027-10-31T02:00");
  const first = Date.parse("2027-10-31T00:30Z");
  expect([first, first + 60 * minuteMs, first + 120 * minuteMs].map(stockholm.doubled)).toEqual([
    "first",
    "second",
    null,
  ]);
});

/** What a clock on the wall shows, by Intl alone. */
function wallClock(timeZone: string): (at: number) => { date: string; minute: number } {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
    hourCycle: "h23",
  });
  return (at) => {
    const [date = "", time = ""] = format.format(at).split(" ");
    return { date, minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5)) };
  };
}

test("what the clock shows is what Intl shows, here and elsewhere: minute by minute on days of a switch, else twice a day", () => {
  for (const name of ["Europe/Stockholm", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]) {
    const zone = zoneOf(name);
    const shown = wallClock(name);
    let looks = 0;
    for (let day = dayOfDate("2026-01-01"); day < dayOfDate("2036-01-01"); day++) {
      const hasSwitch = shown(day * dayMs).minute !== shown((day + 1) * dayMs).minute;
      for (let at = day * dayMs; at < (day + 1) * dayMs; at += hasSwitch ? minuteMs : dayMs / 2) {
        const { date, minute } = shown(at);
        if (dateOfDay(zone.dayOf(at)) !== date || zone.minuteOf(at) !== minute) expect.fail(`${name} at ${iso(at)}`);
        const back = zone.at(zone.dayOf(at), zone.minuteOf(at));
        if (back !== at) expect([zone.doubled(at), zone.doubled(back)]).toEqual(["second", "first"]);
        looks++;
      }
    }
    expect(looks).toBeGreaterThanOrEqual(name === "Europe/Stockholm" ? 2 * 3652 + 20 * 1438 : 2 * 3652);
  }
});

test("a later local time is never an earlier moment, minute by minute over the nights of the switch", () => {
  for (const date of ["2027-03-27", "2027-10-30"]) {
    const day = dayOfDate(date);
    let before = 0;
    for (let minute = 0; minute < 2 * 1440; minute++) {
      const at = stockholm.at(day, minute);
      expect(at).toBeGreaterThanOrEqual(before);
      before = at;
    }
  }
});

test("weeks are those of ISO 8601", () => {
  expect(weekOfDay(dayOfDate("2027-01-03"))).toBe("2026-W53");
  expect(weekOfDay(dayOfDate("2024-12-30"))).toBe("2025-W01");
  expect(mondayOfWeek("2026-W48")).toBe(dayOfDate("2026-11-23"));
  expect([mondayOfWeek("2027-W53"), mondayOfWeek("2026-W00"), mondayOfWeek("week 3")]).toEqual([null, null, null]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), (day) => {
      expect(mondayOfWeek(weekOfDay(day))).toBe(day - weekdayOf(day));
    }),
  );
});
