import { afterAll, beforeAll, expect, test } from "vitest";
import { codeIn, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ speed: 20, waitSeconds: 60 });
});
afterAll(() => town.close());

test("nobody takes it: the next is paged, then the first again, and the operators are told", async () => {
  const watch = await town.device("belt-1", "38");
  await town.fall(watch);

  const page = await town.text("patrol-1", /^LARM FALL/);
  const code = codeIn(page);
  await town.text("patrol-2", new RegExp(`^LARM FALL ${code}`));
  const told = await town.text("leader", new RegExp(`^LARM ${code} EJ TAGET`));
  expect(told).toContain("Nyckel 38");

  // It never stops: the first is paged again, and the operators are told again.
  await town.until(
    "a second round",
    () => town.pagesOn("patrol-1").length >= 2 && town.pagesOn("patrol-2").length >= 2,
  );
  await town.until("the operators told twice", () => town.pagesOn("leader").length >= 2);
  expect(town.alerting.episodes()[0]?.status).toBe("open");

  // Until somebody takes it.
  await town.phone("patrol-2").reply(`${code} T`);
  await town.text("patrol-2", /DU HAR LARMET/);
  const before = town.pagesOn("patrol-1").length + town.pagesOn("patrol-2").length;
  await town.pass(200_000);
  expect(town.pagesOn("patrol-1").length + town.pagesOn("patrol-2").length).toBe(before);
});
