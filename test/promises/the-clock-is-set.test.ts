import { afterEach, describe, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const hour = 3_600_000;

/** Pages go on every 60 s in real time: each within 5 s, none left out. */
async function everyMinute(code: string, first: number): Promise<void> {
  let before = first;
  for (const id of ["patrol-2", "patrol-3"] as const) {
    const page = await night.text(id, new RegExp(`^LARM FALL ${code}`), 70_000);
    expect(page.at - before).toBeGreaterThan(55_000);
    expect(page.at - before).toBeLessThan(65_000);
    before = page.at;
  }
  const told = await night.text("leader", new RegExp(`^LARM ${code} EJ TAGET`), 70_000);
  expect(told.at - before).toBeGreaterThan(55_000);
  expect(told.at - before).toBeLessThan(65_000);
  await night.text("patrol-1", new RegExp(`^LARM FALL ${code}`), 70_000);
}

describe("in mid-escalation", () => {
  test.each([
    ["an hour back", () => -hour],
    ["to 1970", () => -night.clock.wallNow() + 60_000],
  ])("%s: every page on time by real time, none lost or doubled", async (_, by) => {
    night = await Night.open();
    await night.fall("38");
    const { code, at } = await night.text("patrol-1", /^LARM FALL/);
    await night.pass(20_000);
    night.setClock(by());
    await everyMinute(code, at);
    for (const id of ["patrol-2", "patrol-3", "leader"] as const) expect(night.texts(id, /^LARM/)).toHaveLength(1);
  });

  test.each([
    ["an hour forward", hour],
    ["a day forward", 24 * hour],
    ["to 2038", Date.UTC(2038, 0, 19, 3, 14, 8) - Date.UTC(2026, 10, 24)],
  ])("%s: the next page not late, and after it each on time", async (_, by) => {
    night = await Night.open();
    await night.fall("38");
    const { code, at } = await night.text("patrol-1", /^LARM FALL/);
    await night.pass(20_000);
    night.setClock(by);
    // It may come early: a machine that slept cannot tell that from a clock that was set.
    const next = await night.text("patrol-2", new RegExp(`^LARM FALL ${code}`), 50_000);
    expect(next.at - at).toBeLessThan(65_000);
    const third = await night.text("patrol-3", new RegExp(`^LARM FALL ${code}`), 70_000);
    expect(third.at - next.at).toBeGreaterThan(55_000);
    expect(third.at - next.at).toBeLessThan(65_000);
    for (const id of ["patrol-2", "patrol-3"] as const) expect(night.texts(id, /^LARM/)).toHaveLength(1);
    // Whoever takes it has the whole time to set off.
    await night.reply("patrol-3", `${code} T`);
    await night.text("patrol-3", /DU HAR LARMET/);
  });

  test("while somebody is on the way: not called for being late", async () => {
    night = await Night.open();
    await night.fall("38");
    const { code } = await night.text("patrol-1", /^LARM FALL/);
    await night.reply("patrol-1", `${code} T`);
    const { at } = await night.text("patrol-1", /DU HAR LARMET/);
    night.setClock(24 * hour);
    await night.pass(60_000);
    expect(night.texts("patrol-1", /PÅMINNELSE/)).toEqual([]);
    const reminder = await night.text("patrol-1", /^PÅMINNELSE.*ingen är på väg/, 5 * 60_000);
    expect(reminder.at - at).toBeGreaterThan(4.8 * 60_000);
    expect(reminder.at - at).toBeLessThan(5.2 * 60_000);
  });

  test("while the service was down: nobody waits longer than the policy says once it is back", async () => {
    night = await Night.open();
    await night.fall("38");
    const { code } = await night.text("patrol-1", /^LARM FALL/);
    await night.pass(20_000);
    await night.restart(undefined, () => night.setClock(-hour));
    // How long it was down nobody can say: its wait may begin anew, and no more.
    const back = night.now;
    const next = await night.text("patrol-2", new RegExp(`^LARM FALL ${code}`), 80_000);
    expect(next.at - back).toBeLessThan(62_000);
  });
});

describe("summer time", () => {
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  test.each([
    ["begins", Date.UTC(2026, 2, 29, 0, 59, 0), "01.59", "03.00"],
    ["ends", Date.UTC(2026, 9, 25, 0, 59, 0), "02.59", "02.00"],
  ])(
    "%s in the night: every page on time, by a rota that covers it, with the time that clocks show",
    async (_, startAt, before, after) => {
      night = await Night.open({
        startAt,
        settings: (settings) => {
          const shift = (id: string, from: string, to: string) => ({ id, days, from, to, responders: ["patrol-1"] });
          settings.rotas = [
            { id: "syd", name: "Syd", shifts: [shift("night", "21:00", "07:00"), shift("day", "07:00", "21:00")] },
          ];
          settings.policy.steps = [
            { rotas: ["syd"], waitSeconds: 60 },
            ...["patrol-2", "patrol-3"].map((id) => ({ responders: [id], waitSeconds: 60 })),
          ];
        },
      });
      await night.fall("38", { impactAt: startAt });
      const { body, code, at } = await night.text("patrol-1", /^LARM FALL/);
      expect(body).toContain(`Hårt fall ${before}`);
      await everyMinute(code, at);
      await night.reply("patrol-3", `${code} T`);
      const taken = await night.text("patrol-3", /DU HAR LARMET/);
      expect(taken.body.slice(0, 60)).toContain(`sedan ${after.slice(0, 2)}`);
    },
  );
});
