import { afterAll, beforeAll, expect, test } from "vitest";
import { codeIn, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
});
afterAll(() => town.close());

test("a fall in a dwelling pages the first responder, and nobody else yet", async () => {
  const watch = await town.device("belt-1", "38");
  const played = await town.fall(watch);

  const page = await town.text("patrol-1", /^LARM FALL/);
  expect(page).toContain("Nyckel 38");
  expect(page).toMatch(/Hårt fall \d\d\.\d\d/);
  expect(page).toContain(`${codeIn(page)} T`);
  expect(page.length).toBeLessThanOrEqual(160);
  // One dwelling in the area: its name would tell who it is.
  expect(page).not.toContain("Gustavsberg");
  expect(town.pagesOn("patrol-2")).toEqual([]);

  // Every frame was acknowledged, and the alarm is about this fall.
  expect(played.frames.every((frame) => frame.acked)).toBe(true);
  const [episode] = town.alerting.episodes();
  const impact = town.events.find((event) => event.type === "detection")?.impactAt ?? 0;
  expect(episode?.code).toBe(codeIn(page));
  expect(Math.abs(impact - (played.startedAt + (played.trial.peakS ?? 0) * 1000))).toBeLessThan(2000);
});
