import { afterAll, beforeAll, expect, test } from "vitest";
import { hardFall, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
});
afterAll(() => town.close());

test("after a reboot the sequence starts again, and the next fall is no duplicate", async () => {
  const watch = await town.device("belt-1", "38");
  await town.fall(watch);
  await town.text("patrol-1", /^LARM FALL/);
  const [first] = town.alerting.episodes();
  await town.alerting.backend.act(
    first?.id ?? "",
    { action: "close", outcome: "unhurt", reason: "Anhörig på plats" },
    { name: "eva", role: "operator" },
  );

  await watch.reboot();
  const again = await town.fall(watch, hardFall(3));
  expect(again.frames.map((frame) => frame.sequence)).toEqual(again.frames.map((_, i) => i));
  await town.until("a second episode", () => town.alerting.episodes().length === 2);
});

test("a reboot in the middle of a fall hides it neither", async () => {
  const watch = await town.device("belt-2", "54");
  // The battery breaks loose at the impact: the frame with the peak is the last of this start.
  const trial = hardFall(3);
  const cut = Math.round(((trial.trial.peakS ?? 0) + 0.6) * trial.trial.rateHz);
  await town.fall(watch, {
    ...trial,
    trial: { ...trial.trial, samples: cut },
    samples: trial.samples.slice(0, cut * 3),
  });
  await watch.reboot();
  await town.until("an episode of the second dwelling", () =>
    town.alerting.backend.board().some((episode) => episode.alias === "54"),
  );
});
