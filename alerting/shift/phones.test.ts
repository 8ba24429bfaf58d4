import { expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../../test/alerting/episode-play.ts";
import type { EpisodeState } from "../episode-state.ts";
import { RotaConfig } from "../rota/rota-config.ts";
import { createPlan } from "../rota/shifts.ts";
import { pagingOrder, type SignOnRow, signOnOf, signOnsOf } from "../rota/sign-ons.ts";
import { shiftRotaNow } from "./phones.ts";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const rota = RotaConfig.parse({
  ...{ id: "syd", name: "Syd", unit: "Gustavsberg" },
  shifts: [
    { id: "day", days, from: "07:00", to: "21:30", responders: ["p3"] },
    { id: "night", name: "Natt", days, from: "21:30", to: "07:00", responders: ["p1", "p2"] },
  ],
});
const plan = createPlan({ rota, holidays: [], changes: [], timeZone: "Europe/Stockholm" });
const startsAt = Date.UTC(2026, 10, 23, 20, 30);
const signOn = (responderId: string) => ({
  responderId,
  rotaIds: ["syd"],
  startsAt,
  endsAt: startsAt + 9.5 * 60 * minute,
});
const row = (responderId: string, kind: SignOnRow["kind"], at: number): SignOnRow => ({
  ...{ rotaId: "syd", responderId, startsAt, kind, at, via: null, crew: null, by: null },
});

function told(rows: SignOnRow[], states: EpisodeState[] = [], lost: string[] = [], now = start) {
  const signOns = signOnsOf(rows);
  const rotas = {
    onDuty: (_: string, at: number) =>
      plan.stintsAt(at).map((stint) => ({ ...stint, signOn: signOnOf(signOns, stint) })),
    onCall: (_: string, at: number) => pagingOrder(plan.stintsAt(at), signOns),
    plan: () => plan,
  };
  const lostSince = (id: string) => (lost.includes(id) ? start : null);
  return shiftRotaNow(rota, { rotas, states, episodes: [], lostSince, nameOf: (id) => `N ${id}`, now });
}

/** A test alarm to p1 as an episode. */
const signOnAlarm = (id: string, afterMs: number) =>
  new Play({ id, kind: "sign-on", test: true, signOn: signOn("p1"), detection: null, since: startsAt + afterMs });

test("each state in words that a page can say; who has signed on stands first, and whoever reaches nobody does not count", () => {
  const rows = [row("p1", "asked", 1), row("p1", "missed", 2), row("p2", "asked", 1), row("p2", "signed-on", 3)];
  const now = told(rows);
  expect(now).toMatchObject({ isStaffed: true, unit: "Gustavsberg" });
  expect(now.phones.map(({ responderId, state, since }) => [responderId, state, since])).toEqual([
    ["p2", "signed-on", 3],
    ["p1", "not-answered", 2],
  ]);
  expect(now.phones[0]).toMatchObject({ shift: "Natt", from: startsAt, name: "N p2" });
  expect(told(rows, [], ["p2"])).toMatchObject({ isStaffed: false, phones: [{ lostSince: start }, {}] });
  expect(told([row("p1", "asked", 5)]).phones).toMatchObject([{ state: "asked", since: 5 }, { state: "not-asked" }]);
  expect(now.next).toEqual({ at: startsAt + 9.5 * 60 * minute, names: ["N p3"] });
});

test("the last test alarm, when its answer is awaited until, and whether the phone itself has answered", () => {
  const first = signOnAlarm("s1", 0).put({ type: "ended", joined: true }, second);
  const again = signOnAlarm("s2", minute);
  again.state.openedAt = start + minute;
  const states = [again.state, first.state];
  const testOf = (list: EpisodeState[]) => told([], list).phones.find(({ responderId }) => responderId === "p1")?.test;
  expect(testOf(states)).toEqual({ at: start + minute, answerBy: start + 11 * minute, sms: null, answeredAt: null });
  again.reply("p1", "T", 2 * minute);
  expect(testOf([again.state])?.answeredAt).toBe(again.now);
  const byOperator = signOnAlarm("s3", 0);
  const user = { name: "Maria", role: "operator" } as const;
  byOperator.put({ type: "console", action: { action: "take" }, user });
  expect(testOf([byOperator.state])?.answeredAt).toBeNull();
});

test("an alarm that may not be seen is not told among those that a phone has", () => {
  const { state } = new Play({ ...facts }).reply("p1", "T");
  expect(told([], [state]).phones[0]?.holds).toEqual([]);
});
