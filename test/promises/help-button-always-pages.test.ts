import { afterAll, beforeAll, expect, test } from "vitest";
import { Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
});
afterAll(() => town.close());

test("the help button pages, with what was measured: a button was pressed", async () => {
  const watch = await town.device("watch-1", "38", { placement: "wrist" });
  await watch.help();
  const page = await town.text("patrol-1", /Nyckel 38/);
  expect(page).toMatch(/Tryckte på larmknappen \d\d\.\d\d/);
  expect(page).not.toMatch(/fall/i);
});

test("pressed again while the alarm is open it joins; pressed by a device that nobody placed it still reaches somebody", async () => {
  const [device] = town.alerting.backend.board();
  expect(device?.kind).toBe("help");
  const item = {
    v: 1 as const,
    id: "nobodys-watch.1.1.help",
    deviceId: "nobodys-watch",
    kind: "help" as const,
    strength: "strong" as const,
    reason: "help-button" as const,
    impactAt: town.clock.wallNow(),
    detectedAt: town.clock.wallNow(),
    arrivedAt: town.clock.wallNow(),
    late: false,
    clockSuspect: false,
    evidence: null,
    model: null,
    test: false,
  };
  await town.alerting.intake.submit({ type: "detection", detection: item });
  await town.until("an episode of its own", () => town.alerting.episodes().length === 2);
  const phones = ["patrol-1", "patrol-2", "leader"] as const;
  await town.until("a page about it", () => phones.reduce((sum, id) => sum + town.pagesOn(id).length, 0) >= 2);
});

test("it pages while the same device's frames are refused", async () => {
  const watch = await town.device("watch-2", "54", { placement: "wrist" });
  await watch.publishRaw("accel", new Uint8Array([9, 9, 9]));
  await watch.help();
  await town.text("patrol-1", /Nyckel 54/);
});
