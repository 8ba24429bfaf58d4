import { afterEach, expect, test } from "vitest";
import { Night } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const minute = 60_000;

/** Patrol 1 is paged and takes it. Returns the code and when. */
async function taken(key = "38"): Promise<{ code: string; at: number }> {
  await night.fall(key);
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  await night.reply("patrol-1", `${code} T`);
  const { at } = await night.text("patrol-1", /DU HAR LARMET/);
  return { code, at };
}

/** Local time in so many minutes, as texts write it. */
function clockIn(minutes: number): string {
  return new Intl.DateTimeFormat("sv", { timeZone: "Europe/Stockholm", hour: "2-digit", minute: "2-digit" })
    .format(night.clock.wallNow() + minutes * minute)
    .replace(":", ".");
}

test("nobody on the way in 5 min: a reminder that names the next and the time, and 2 min later they are paged", async () => {
  night = await Night.open();
  const { code, at } = await taken();
  const announced = [clockIn(7), clockIn(6.9)];
  const reminder = await night.text("patrol-1", /^PÅMINNELSE/, 6 * minute);
  expect(reminder.at - at).toBeGreaterThan(4.9 * minute);
  expect(reminder.at - at).toBeLessThan(5.2 * minute);
  const [, who, when] = /Utan svar larmas (.+) kl (\d\d\.\d\d)\.$/.exec(reminder.body) ?? [];
  expect(who).toBe("Patrull 2");
  expect(announced).toContain(when);
  expect(night.texts("patrol-2")).toEqual([]);

  const next = await night.text("patrol-2", new RegExp(`^LARM FALL ${code}`), 3 * minute);
  expect(next.at - reminder.at).toBeGreaterThan(1.9 * minute);
  expect(next.at - reminder.at).toBeLessThan(2.2 * minute);
  expect((await night.text("leader", /INGEN FRAMME/)).body).toContain("av Patrull 1");
});

test("V in time: no reminder; nobody there in the time to arrive: everybody is asked again", async () => {
  night = await Night.open({
    settings: ({ policy }) => {
      policy.arriveWithinMinutes = 10;
    },
  });
  const { code, at } = await taken();
  await night.reply("patrol-1", `${code} V`);
  await night.text("patrol-1", /på väg/);
  const reminder = await night.text("patrol-1", /ingen är framme/, 12 * minute);
  expect(reminder.at - at).toBeGreaterThan(9.9 * minute);
  expect(night.texts("patrol-1", /ingen är på väg/)).toEqual([]);
  await night.text("patrol-2", new RegExp(`^LARM FALL ${code}`));
  await night.text("leader", /INGEN FRAMME/);
});

test("a dwelling that takes a boat trip has its own time to arrive", async () => {
  night = await Night.open({
    settings: ({ policy }) => {
      policy.arriveWithinMinutes = 3;
    },
  });
  await night.store(async (store) => {
    const dwelling = (await store.registry.device("belt-54"))?.dwelling?.id ?? "";
    expect(await store.registry.setArriveMinutes(dwelling, 8)).toBe(true);
  });
  const { code, at } = await taken("54");
  await night.reply("patrol-1", `${code} V`);
  await night.pass(5 * minute);
  expect(night.episode(code).status).toBe("taken");
  const reminder = await night.text("patrol-1", /ingen är framme/, 5 * minute);
  expect(reminder.at - at).toBeGreaterThan(7.9 * minute);
});

test("there, and nothing reported: asked again, and again", async () => {
  night = await Night.open({
    settings: ({ policy }) => {
      policy.outcomeWithinMinutes = 5;
    },
  });
  const { code } = await taken();
  await night.reply("patrol-1", `${code} F`);
  const { at } = await night.text("patrol-1", /Hur gick det/);
  const asked = await night.text("patrol-1", /inte avslutat/, 6 * minute);
  expect(asked.at - at).toBeGreaterThan(4.9 * minute);
  await night.text("patrol-1", /inte avslutat/, 6 * minute);
  expect(night.episode(code).status).toBe("arrived");
});

test("N pages the next within 2 s, before taking it and after", async () => {
  night = await Night.open({ speed: 2 });
  await night.fall("38");
  const { code } = await night.text("patrol-1", /^LARM FALL/);
  let said = night.now;
  await night.reply("patrol-1", `${code} N`);
  expect((await night.text("patrol-2", /^LARM FALL/)).at - said).toBeLessThan(2_000);

  await night.reply("patrol-2", `${code} T`);
  await night.text("patrol-2", /DU HAR LARMET/);
  said = night.now;
  await night.reply("patrol-2", `${code} N`);
  expect((await night.text("patrol-3", /^LARM FALL/)).at - said).toBeLessThan(2_000);
});

test("an acknowledgement stops further pages within 2 s, and touches no other episode", async () => {
  night = await Night.open();
  await night.fall("38");
  await night.fall("54");
  const [one, other] = [await night.text("patrol-1", /^LARM FALL/), await night.text("patrol-1", /^LARM FALL/)];
  // A moment before the next would be paged about both.
  await night.pass(52_000 - (night.now - other.at));
  await night.reply("patrol-1", `${one.code} T`);
  const next = await night.text("patrol-2", /^LARM FALL/, 20_000);
  expect(next.code).toBe(other.code);
  await night.text("patrol-3", new RegExp(`^LARM FALL ${other.code}`), 70_000);
  const about = (code: string) =>
    [...night.texts("patrol-2"), ...night.texts("patrol-3")].filter((body) => body.includes(code));
  expect(about(one.code)).toEqual([]);
  expect(night.episode(one.code).status).toBe("taken");
  expect(night.episode(other.code)).toMatchObject({ status: "open", takenAt: null });
});
