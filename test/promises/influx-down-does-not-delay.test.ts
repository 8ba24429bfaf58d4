import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../front-door/free-port.ts";
import { Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  // Nobody listens there.
  town = await Town.open({
    waitSeconds: 3600,
    influx: { url: `http://127.0.0.1:${await freePort()}`, database: "fallvakt" },
  });
});
afterAll(() => town.close());

test("with InfluxDB gone a fall pages as soon as ever, and its events wait on disk", async () => {
  const watch = await town.device("belt-1", "38");
  await town.fall(watch);
  await town.text("patrol-1", /^LARM FALL/);
  const detection = town.events.find((event) => event.type === "detection");
  const sentAt = town.phone("patrol-1").inbox[0]?.at ?? 0;
  // From the detection to the phone, in the town's clock, which runs eight times as fast.
  expect(sentAt - (detection?.at ?? 0)).toBeLessThan(8_000);
  const { written, spooled, dropped } = town.alerting.eventsLogged();
  expect({ written, dropped }).toEqual({ written: 0, dropped: 0 });
  expect(spooled).toBeGreaterThan(0);
});
