import { afterEach, expect, test } from "vitest";
import { Night, type NightOptions } from "./night.ts";
import { codeIn, Town } from "./town.ts";

let close = async () => {};
afterEach(() => close());

const minute = 60_000;

/** Each step waits for 20 min: within five nobody else is paged by that. */
const patient: NonNullable<NightOptions["settings"]> = ({ policy }) => {
  policy.steps = ["patrol-1", "patrol-2", "patrol-3"].map((id) => ({ responders: [id], waitSeconds: 1200 }));
};

async function night(options: NightOptions = {}): Promise<Night> {
  const one = await Night.open({ settings: patient, ...options });
  close = () => one.close();
  return one;
}

test("over MQTT: a fall is told, the device goes silent and nobody takes it; after five minutes the next is paged at once, and the text says why", {
  timeout: 180_000,
}, async () => {
  const town = await Town.open({ waitSeconds: 1200 });
  close = () => town.close();
  const watch = await town.device("belt-1", "38");
  await town.fall(watch);
  const code = codeIn(await town.text("patrol-1", /^LARM FALL/));
  const fell = town.alerting.episodes()[0]!.openedAt;
  await town.until("nobody was seen to get up", () => town.events.some(({ type }) => type === "long-lie"), 60);
  expect(town.pagesOn("patrol-2").filter((body) => !body.includes("BRÅDSKAR"))).toEqual([]);
  const urgent = await town.text("patrol-2", /BRÅDSKAR/);
  expect(urgent).toMatch(
    new RegExp(`^LARM FALL ${code} BRÅDSKAR\\. Nyckel 38.* Ingen stadig signal sedan fallet \\d\\d\\.\\d\\d\\. Svara`),
  );
  const told = town.events.find(({ type }) => type === "long-lie")!;
  expect(told.at - fell).toBeGreaterThan(4.7 * minute);
  expect(told.at - fell).toBeLessThan(5.2 * minute);
  expect(town.alerting.backend.board()[0]).toMatchObject({ code, longLie: { isUnheard: true }, status: "open" });

  // Who is there ends the urgency, and nothing else does.
  await town.phone("patrol-2").reply(`${code} T`);
  await town.text("patrol-2", /DU HAR LARMET/);
  expect(town.alerting.backend.board()[0]?.longLie).not.toBeNull();
  await town.phone("patrol-2").reply(`${code} F`);
  await town.text("patrol-2", /Hur gick det/);
  expect(town.alerting.backend.board()[0]?.longLie).toBeNull();
});

test("heard all the while, and no steps: the text says that, on every phone that is paged from then on", async () => {
  const one = await night();
  const fall = await one.fall("38");
  const { code } = await one.text("patrol-1", /^LARM FALL/);
  await one.pass(5 * minute);
  expect(one.texts("patrol-2")).toEqual([]);
  await one.lieLong(fall);
  const next = await one.text("patrol-2", /^LARM FALL/);
  expect(next.body).toMatch(/BRÅDSKAR\. Nyckel 38, .*badrum\. Inga steg uppmätta sedan fallet \d\d\.\d\d\. Svara/);
  await one.reply("patrol-2", `${code} N`);
  expect((await one.text("patrol-3", /^LARM FALL/)).body).toContain("Inga steg uppmätta");
});

test("taken and nobody there: whoever has it is told, and nobody else is called out", async () => {
  const one = await night();
  const fall = await one.fall("38");
  const { code } = await one.text("patrol-1", /^LARM FALL/);
  await one.reply("patrol-1", `${code} T`);
  await one.text("patrol-1", /DU HAR LARMET/);
  await one.reply("patrol-1", `${code} V`);
  await one.text("patrol-1", /på väg/);
  await one.pass(4 * minute);
  await one.lieLong(fall, 250);
  const told = await one.text("patrol-1", /BRÅDSKAR/);
  expect(told.body).toMatch(/Ingen stadig signal sedan fallet .* Svara \d+ F när du är framme/);
  await one.pass(minute);
  expect([...one.texts("patrol-2"), ...one.texts("leader")]).toEqual([]);
  expect(one.episode(code).status).toBe("taken");
});

test("told twice, of a fall that is not known, or when somebody is there: nothing but the log", async () => {
  const one = await night();
  const fall = await one.fall("38");
  const { code } = await one.text("patrol-1", /^LARM FALL/);
  await one.reply("patrol-1", `${code} T`);
  await one.text("patrol-1", /DU HAR LARMET/);
  await one.reply("patrol-1", `${code} F`);
  await one.text("patrol-1", /Hur gick det/);
  const before = one.texts("patrol-1").length;
  await one.lieLong(fall);
  await one.lieLong(fall);
  await one.lieLong({ ...fall, id: "belt-54.9.9.fall" });
  await one.pass(minute);
  expect(one.texts("patrol-1")).toHaveLength(before);
  expect(one.events.filter(({ type }) => type === "long-lie")).toHaveLength(1);
  expect(one.alerting.counters()).toMatchObject({
    "intake.fall-update": 3,
    "intake.fall-update.known": 1,
    "intake.fall-update.unknown": 1,
  });
  const story = one.alerting.backend.episode(one.episode(code).id)?.timeline ?? [];
  expect(story.map(({ what }) => what)).toContain("long-lie");

  await one.reply("patrol-1", `${code} U`);
  await one.text("patrol-1", /avslutat/);
  const again = await one.fall("54");
  await one.lieLong(fall);
  await one.text("patrol-1", /^LARM FALL/);
  await one.lieLong(again);
  await one.text("patrol-2", /BRÅDSKAR/);
});
