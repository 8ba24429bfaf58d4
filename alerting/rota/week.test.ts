import { describe, expect, test } from "vitest";
import type { MadeChange } from "./changes.ts";
import { dayOfDate, zoneOf } from "./local-time.ts";
import { RotaConfig, weekdays } from "./rota-config.ts";
import { createPlan } from "./shifts.ts";
import { changesBehind, hoursOf, weekOf } from "./week.ts";

const timeZone = "Europe/Stockholm";
const zone = zoneOf(timeZone);
const rota = RotaConfig.parse({
  id: "night",
  name: "Natt",
  shifts: [{ id: "night", days: [...weekdays], from: "21:30", to: "07:00", responders: ["patrol-2", "patrol-3"] }],
});
const of = (monday: string, changes: readonly MadeChange[] = []) => {
  const day = dayOfDate(monday);
  const plan = createPlan({ rota, holidays: [], changes, timeZone });
  return weekOf({
    ...{ plan, zone, monday: day },
    holidays: [{ date: "2026-11-25", name: "Prov" }],
    now: zone.at(day + 2, 60),
  });
};
const shown = (at: number) =>
  `${Math.floor(zone.minuteOf(at) / 60)}:${String(zone.minuteOf(at) % 60).padStart(2, "0")}`;

test("a day has the night before, the gap of the day and its own night; the night is told on the day on which it begins", () => {
  const week = of("2026-11-23");
  expect(week.map(({ holidays }) => holidays)).toEqual([[], [], ["Prov"], [], [], [], []]);
  const [monday, tuesday, wednesday] = week.map(({ rows }) =>
    rows.map(({ from, until, shift, continues, isNow }) =>
      [
        `${shown(from)}–${shown(until)}`,
        shift?.shiftId ?? "GAP",
        continues ? "drawn" : "told",
        isNow ? "now" : "",
      ].join(" "),
    ),
  );
  expect(monday).toEqual(["21:30–7:00 night told ", "7:00–21:30 GAP told ", "21:30–7:00 night told "]);
  expect(tuesday).toEqual(["21:30–7:00 night drawn ", "7:00–21:30 GAP told ", "21:30–7:00 night told now"]);
  expect(wednesday?.[0]).toBe("21:30–7:00 night drawn now");
});

describe("on the days of the switch", () => {
  test("in autumn the day has 25 hours, and two o'clock comes twice", () => {
    const sunday = of("2026-10-19")[6]!;
    expect([sunday.clock, sunday.until - sunday.from]).toEqual(["back", 25 * 3_600_000]);
    const hours = hoursOf(sunday, zone);
    expect(hours.map(shown).slice(0, 5)).toEqual(["0:00", "1:00", "2:00", "2:00", "3:00"]);
    expect(hours).toHaveLength(25);
  });

  test("in spring it has 23, and no two o'clock", () => {
    const sunday = of("2027-03-22")[6]!;
    expect([sunday.clock, sunday.until - sunday.from]).toEqual(["forward", 23 * 3_600_000]);
    expect(hoursOf(sunday, zone).map(shown).slice(0, 4)).toEqual(["0:00", "1:00", "3:00", "4:00"]);
  });
});

test("a stretch knows which changes made it: a swap its whole shifts, a hand-over its part, an override its own", () => {
  const starts = (date: string) => zone.at(dayOfDate(date), 21 * 60 + 30);
  const key = (date: string) => ({ shiftId: "night", startsAt: starts(date) });
  const made = { rotaId: "night", withdrawnAt: null, madeAt: 0, madeBy: "eva" };
  const changes: MadeChange[] = [
    { ...made, id: 1, kind: "swap", shifts: [key("2026-11-24"), key("2026-11-25")] },
    {
      ...{ ...made, id: 2, kind: "hand-over", shift: key("2026-11-24"), from: "patrol-2", to: "patrol-4" },
      ...{ at: starts("2026-11-24") + 3_600_000, until: starts("2026-11-24") + 7_200_000 },
    },
    {
      ...{ ...made, id: 3, kind: "override", mode: "also", responders: ["patrol-5"] },
      ...{ from: starts("2026-11-24"), until: starts("2026-11-24") + 3_600_000 },
    },
    { ...made, id: 4, withdrawnAt: 1, kind: "swap", shifts: [key("2026-11-23"), key("2026-11-25")] },
  ];
  const behind = of("2026-11-23", changes)
    .flatMap(({ rows }) => rows)
    .filter(({ continues, shift, from }) => shift && !continues && from >= starts("2026-11-23"))
    .map((row) => changesBehind(row.shift!, row, changes).map(({ id }) => id));
  expect(behind).toEqual([[], [3], [1], [1, 2], [1], [1], [], [], [], []]);
});
