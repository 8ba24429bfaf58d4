import { afterAll, beforeAll, expect, test } from "vitest";
import { codeIn, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 20 });
});
afterAll(() => town.close());

test("a reply takes the alarm, the others are told, and the outcome closes it", async () => {
  const watch = await town.device("belt-1", "38");
  await town.fall(watch);
  const code = codeIn(await town.text("patrol-1", /^LARM FALL/));
  await town.text("patrol-2", /^LARM FALL/);

  await town.phone("patrol-1").reply(`${code.toLowerCase()}t`);
  expect(await town.text("patrol-1", /DU HAR LARMET/)).toContain(code);
  expect(await town.text("patrol-2", /är taget av Patrull 1/)).toContain("Du behöver inte åka");

  // A second one who wants it is told whose it is; it changes nothing.
  await town.phone("patrol-2").reply(`${code} T`);
  await town.until("an answer to the second", () => town.phone("patrol-2").inbox.length >= 3);
  expect(town.alerting.backend.board()[0]?.takenBy).toBe("Patrull 1");

  // Nothing is closed from afar.
  await town.phone("patrol-1").reply(`${code} X`);
  await town.text("patrol-1", /är du hos personen/);
  expect(town.alerting.episodes()[0]?.status).toBe("taken");

  await town.phone("patrol-1").reply(`${code} F`);
  await town.text("patrol-1", /Hur gick det/);
  await town.phone("patrol-1").reply(`${code} U`);
  await town.until("the episode closed", () => town.alerting.episodes()[0]?.status === "closed");
  expect(town.alerting.backend.board()[0]).toMatchObject({ outcome: "unhurt", takenBy: "Patrull 1" });
});

test("a new fall after closing is a new episode", async () => {
  const watch = await town.device("belt-2", "54");
  await town.fall(watch);
  await town.until("a second episode", () => town.alerting.episodes().length === 2);
});
