import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RotaChange } from "./changes.ts";
import { minuteMs } from "./local-time.ts";
import { RotaConfig, weekdays } from "./rota-config.ts";
import { createPlan } from "./shifts.ts";
import { pagingOrder, type SignOnRow, signOnOf, signOnsDue, signOnsOf } from "./sign-ons.ts";

const every = [...weekdays];
const rotaOf = (id: string, ...shifts: object[]) => RotaConfig.parse({ id, name: id, shifts });
const evening = { id: "evening", days: every, from: "16:00", to: "21:30", responders: ["patrol-1"] };
const night = {
  id: "night",
  days: every,
  from: "21:30",
  to: "07:00",
  responders: ["patrol-1", "patrol-2", "patrol-3"],
};
const planOf = (rota: RotaConfig, changes: RotaChange[] = []) =>
  createPlan({ rota, holidays: [], changes, timeZone: "Europe/Stockholm" });
const at = (time: string) => Date.parse(`2026-11-27T${time}+01:00`);
const row = (responderId: string, kind: SignOnRow["kind"], more: Partial<SignOnRow> = {}): SignOnRow => ({
  rotaId: "north",
  responderId,
  startsAt: at("21:30"),
  kind,
  at: at("21:34"),
  via: null,
  crew: null,
  by: null,
  ...more,
});

describe("the order of paging", () => {
  const stints = planOf(rotaOf("north", night)).stintsAt(at("22:00"));
  const order = (...rows: SignOnRow[]) => pagingOrder(stints, signOnsOf(rows));

  test("who has signed on is first, whose test alarm was not answered last; between equals the rota's order stands", () => {
    expect(order()).toEqual(["patrol-1", "patrol-2", "patrol-3"]);
    expect(order(row("patrol-1", "asked"), row("patrol-3", "signed-on"))).toEqual(["patrol-3", "patrol-1", "patrol-2"]);
    expect(order(row("patrol-1", "missed"), row("patrol-3", "signed-on"))).toEqual([
      "patrol-3",
      "patrol-2",
      "patrol-1",
    ]);
  });

  test("who answers late is among the first again, and a mark that comes after the answer takes nothing back", () => {
    const [missed, answered] = [row("patrol-2", "missed"), row("patrol-2", "signed-on")];
    expect(order(missed, answered)).toEqual(["patrol-2", "patrol-1", "patrol-3"]);
    expect(order(answered, missed)).toEqual(["patrol-2", "patrol-1", "patrol-3"]);
  });

  test("an answer for another shift, rota or phone counts for nothing", () => {
    const others = [{ startsAt: at("16:00") }, { rotaId: "south" }, { responderId: "patrol-9" }];
    for (const other of others) expect(order(row("patrol-3", "signed-on", other))[0]).toBe("patrol-1");
  });

  test("nobody is ever left out, or there twice", () => {
    const rows = fc.array(
      fc.record({
        who: fc.constantFrom("patrol-1", "patrol-2", "patrol-3"),
        kind: fc.constantFrom<SignOnRow["kind"][]>("asked", "signed-on", "missed", "crew"),
      }),
    );
    fc.assert(
      fc.property(rows, (drawn) => {
        const found = order(...drawn.map(({ who, kind }) => row(who, kind)));
        expect([...found].sort()).toEqual(["patrol-1", "patrol-2", "patrol-3"]);
      }),
    );
  });
});

describe("who is asked to sign on", () => {
  const both = planOf(rotaOf("north", evening, night));
  const due = (now: number, rows: SignOnRow[] = [], plans = [both], since = 0) =>
    signOnsDue(plans, signOnsOf(rows), since, now).map(({ responderId, startsAt }) => `${responderId} ${startsAt}`);

  test("each phone of a shift as it begins, not before; one that goes on from the shift before is asked again", () => {
    const asked = row("patrol-1", "signed-on", { startsAt: at("16:00") });
    expect(due(at("21:30") - 1, [asked])).toEqual([]);
    expect(due(at("21:30"), [asked])).toEqual([1, 2, 3].map((n) => `patrol-${n} ${at("21:30")}`));
  });

  test("once: who was asked, has answered or has not is due no more; who was only noted is", () => {
    const rows = [row("patrol-1", "asked"), row("patrol-2", "signed-on"), row("patrol-3", "crew", { crew: "EA" })];
    expect(due(at("21:40"), rows)).toEqual([`patrol-3 ${at("21:30")}`]);
    expect(due(at("21:40"), [row("patrol-1", "missed")])).not.toContain(`patrol-1 ${at("21:30")}`);
  });

  test("after hours without the service it is made good while the shift runs, and not where `since` says it is too late", () => {
    expect(due(at("23:50"))).toHaveLength(3);
    expect(due(at("23:50"), [], [both], at("21:30"))).toEqual([]);
  });

  test("by a hand-over: who takes over, and who gets it back after its withdrawal", () => {
    const handOver: RotaChange = {
      id: 1,
      rotaId: "north",
      withdrawnAt: null,
      kind: "hand-over",
      shift: { shiftId: "night", startsAt: at("21:30") },
      at: at("22:00"),
      from: "patrol-2",
      to: "patrol-4",
    };
    const rows = [1, 2, 3].map((n) => row(`patrol-${n}`, "signed-on"));
    const after = planOf(rotaOf("north", evening, night), [handOver]);
    expect(due(at("22:00") - 1, rows, [after])).toEqual([]);
    expect(due(at("22:00"), rows, [after])).toEqual([`patrol-4 ${at("22:00")}`]);
    const back = planOf(rotaOf("north", evening, night), [{ ...handOver, withdrawnAt: at("22:30") }]);
    expect(due(at("22:30"), rows, [back])).toEqual([`patrol-2 ${at("22:30")}`]);
  });

  test("a phone that two rotas share is asked once for both, until the later end", () => {
    const south = planOf(rotaOf("south", { ...night, to: "08:00", responders: ["patrol-2"] }));
    const found = signOnsDue([both, south], signOnsOf([]), 0, at("21:30"));
    expect(found.find(({ responderId }) => responderId === "patrol-2")).toEqual({
      responderId: "patrol-2",
      startsAt: at("21:30"),
      endsAt: at("08:00") + 24 * 60 * minuteMs,
      rotaIds: ["north", "south"],
    });
    expect(found).toHaveLength(3);
  });
});

test("the first answer counts, the last crew", () => {
  const signOns = signOnsOf([
    row("patrol-1", "signed-on", { via: "sms", at: 1 }),
    row("patrol-1", "signed-on", { via: "console", at: 2, crew: "EA" }),
    row("patrol-1", "crew", { crew: "EA, MK" }),
  ]);
  expect(signOnOf(signOns, row("patrol-1", "crew"))).toMatchObject({ signedOnAt: 1, via: "sms", crew: "EA, MK" });
});
