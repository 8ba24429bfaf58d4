import { afterEach, expect, test } from "vitest";
import { Night, type NightOptions } from "./night.ts";

let night: Night;
afterEach(() => night.close());

const settings: NightOptions["settings"] = ({ policy }) => {
  policy.operatorsFirstDays = 14;
};
const soft = { strength: "medium", reason: "soft" } as const;

test("a medium fall goes to whoever leads first, and to staff where nobody takes it in 60 s", async () => {
  night = await Night.open({ settings });
  await night.fall("38", soft);
  const first = await night.text("leader", /^LARM FALL/);
  expect(night.texts("patrol-1")).toEqual([]);
  const staff = await night.text("patrol-1", new RegExp(`^LARM FALL ${first.code}`), 70_000);
  expect(staff.at - first.at).toBeGreaterThan(55_000);
  expect(staff.at - first.at).toBeLessThan(65_000);
});

test("taken in that time: staff sleep on", async () => {
  night = await Night.open({ settings });
  await night.fall("38", soft);
  const { code } = await night.text("leader", /^LARM FALL/);
  await night.reply("leader", `${code} T`);
  await night.text("leader", /DU HAR LARMET/);
  await night.pass(90_000);
  expect(night.texts("patrol-1")).toEqual([]);
});

test.each([
  ["a strong fall", { strength: "strong" }],
  ["the help button", { kind: "help", strength: "medium" }],
] as const)("%s pages staff at once, also where it comes after a medium fall", async (_, change) => {
  night = await Night.open({ settings, speed: 2 });
  await night.fall("54", change);
  await night.text("patrol-1", /^LARM.*Nyckel 54/);
  await night.fall("38", soft);
  const { code } = await night.text("leader", /^LARM FALL.*Nyckel 38/);
  const more = night.now;
  await night.fall("38", change);
  expect((await night.text("patrol-1", new RegExp(`^LARM \\S+ ${code}`))).at - more).toBeLessThan(3_000);
});

test("two weeks later a medium fall pages staff at once", async () => {
  night = await Night.open({ settings });
  night.setClock(14 * 86_400_000 + 60_000);
  await night.fall("38", soft);
  await night.text("patrol-1", /^LARM FALL/);
  expect(night.texts("leader")).toEqual([]);
});
