import { expect, test } from "vitest";
import { RotaConfig } from "../rota/rota-config.ts";
import { createPlan } from "../rota/shifts.ts";
import { handedOverNow, shiftSpans } from "./shift-spans.ts";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const rota = RotaConfig.parse({
  ...{ id: "syd", name: "Syd" },
  shifts: [
    { id: "day", days, from: "07:00", to: "21:30", responders: ["p1"] },
    { id: "night", days, from: "21:30", to: "07:00", responders: ["p2"] },
  ],
});
const plan = createPlan({ rota, holidays: [], changes: [], timeZone: "Europe/Stockholm" });
const shown = (at: number) => {
  const { from, until } = handedOverNow(shiftSpans([plan, plan], at), at);
  return [new Date(from).toISOString(), new Date(until).toISOString()];
};

test("at 06.45 the night that runs, at 07.45 the night that ended, at 09.00 the day", () => {
  const night = ["2026-11-23T20:30:00.000Z", "2026-11-24T06:00:00.000Z"];
  expect(shown(Date.UTC(2026, 10, 24, 5, 45))).toEqual(night);
  expect(shown(Date.UTC(2026, 10, 24, 6, 45))).toEqual(night);
  expect(shown(Date.UTC(2026, 10, 24, 8, 0))[0]).toBe("2026-11-24T06:00:00.000Z");
});

test.each([
  ["spring", Date.UTC(2026, 2, 29, 4, 45), 8.5],
  ["autumn", Date.UTC(2026, 9, 25, 5, 45), 10.5],
])("the night of the switch in %s is handed over whole", (_season, at, hours) => {
  const { from, until } = handedOverNow(shiftSpans([plan], at), at);
  expect((until - from) / 3_600_000).toBe(hours);
  expect(until).toBe(at + 15 * 60_000);
});

test("each shift once, the newest first; without a rota the last half day", () => {
  const at = Date.UTC(2026, 10, 24, 5, 45);
  const spans = shiftSpans([plan, plan], at);
  expect(spans.length).toBe(5);
  expect(spans.every((span, i) => i === 0 || span.until === spans[i - 1]?.from)).toBe(true);
  expect(handedOverNow([], at)).toEqual({ from: at - 12 * 3_600_000, until: at });
});
