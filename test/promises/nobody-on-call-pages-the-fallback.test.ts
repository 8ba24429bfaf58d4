import { afterEach, expect, test } from "vitest";
import { Night, type Settings } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** A rota that is staffed by day, and a policy that knows nobody else. It is night. */
function staffedByDay(settings: Settings): void {
  settings.rotas = [
    {
      id: "syd",
      name: "Syd",
      shifts: [
        {
          id: "day",
          days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
          from: "07:00",
          to: "21:00",
          responders: ["patrol-1", "patrol-2"],
        },
      ],
    },
  ];
  settings.policy.steps = [{ rotas: ["syd"], waitSeconds: 60 }];
}

async function deadlines(code: string): Promise<number> {
  return night.store(async (store) => (await store.episodes.dueOf(night.episode(code).id)).length);
}

test("a gap in the rota: whoever leads is paged at once, again every round, and can take it", async () => {
  night = await Night.open({ settings: staffedByDay });
  const fell = night.now;
  await night.fall("38");
  const told = await night.text("leader", /^LARM \d{3} INGEN LEDIG.*Ingen är på pass/);
  expect(told.at - fell).toBeLessThan(5_000);
  expect(await deadlines(told.code)).toBeGreaterThan(0);
  const again = await night.text("leader", new RegExp(`^LARM ${told.code} INGEN LEDIG`), 2 * minute);
  expect(again.at - told.at).toBeLessThan(1.2 * minute);
  expect(night.texts("patrol-1", /^LARM/)).toEqual([]);
  await night.reply("leader", `${told.code} T`);
  await night.text("leader", /DU HAR LARMET/);
});

test("the day begins while an alarm is open: the shift's phones are paged in the next round", async () => {
  night = await Night.open({ settings: staffedByDay, startAt: Date.UTC(2026, 10, 24, 5, 58, 30) });
  await night.fall("38");
  const { code } = await night.text("leader", /INGEN LEDIG/);
  for (const id of ["patrol-1", "patrol-2"] as const)
    await night.text(id, new RegExp(`^LARM FALL ${code}`), 4 * minute);
});

test("people taken out of the settings at a restart, in mid-escalation: whoever leads is paged, and it goes on", async () => {
  night = await Night.open();
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.restart((settings) => {
    settings.responders = settings.responders.filter(({ id }) => id === "leader" || id === "keys");
    settings.policy.steps = [{ responders: ["keys"], waitSeconds: 60 }];
  });
  // The episode keeps its policy, in which nobody is left: that does not cost a wait for each.
  const told = await night.text("leader", new RegExp(`^LARM ${code} (EJ TAGET|INGEN LEDIG)`), 75_000);
  await night.text("leader", new RegExp(`^LARM ${code} (EJ TAGET|INGEN LEDIG)`), 2 * minute);
  expect(await deadlines(code)).toBeGreaterThan(0);
  // A new one knows the new settings.
  await night.fall("54");
  await night.text("keys", /^LARM FALL.*Nyckel 54/);
  await night.reply("leader", `${told.code} T`);
  await night.text("leader", /DU HAR LARMET/);
});

test("everybody says no: whoever leads is told at once", async () => {
  night = await Night.open({ speed: 2 });
  await night.fall("38");
  for (const id of ["patrol-1", "patrol-2"] as const) {
    const { code } = await night.text(id, /^LARM FALL/);
    await night.reply(id, `${code} N`);
  }
  const { code } = await night.text("patrol-3", /^LARM FALL/);
  const said = night.now;
  await night.reply("patrol-3", `${code} N`);
  expect((await night.text("leader", /EJ TAGET/)).at - said).toBeLessThan(2_000);
});
