import { afterAll, beforeAll, expect, test } from "vitest";
import { pointOf } from "../../alerting/event-log/points.ts";
import { Town } from "../promises/town.ts";
import { lacks } from "../services/needs.ts";

const skipped = lacks("mosquitto");
let town: Town;
beforeAll(async () => {
  if (!skipped) town = await Town.open({ waitSeconds: 3600, broker: "outside" });
});
afterAll(() => town?.close());

const told = () => town.events.filter((event) => event.type === "gateway");
const troubles = () => town.alerting.backend.troubles();

test.skipIf(skipped)(
  "a gateway that has lost its broker: in the event log once, among the console's troubles while it lasts, and falls page when it is back (needs mosquitto)",
  async () => {
    const watch = await town.device("belt-1", "38");
    expect(town.gateway.ready()).toBe(true);
    await town.mosquitto?.stop();
    await town.until("told", () => troubles().includes("broker-lost"));
    expect(town.gateway.problems()).toEqual(["no connection to the broker"]);
    // It is said again each minute, for an alerting that was restarted; and is news once.
    await town.pass(70_000);
    expect(told().map((event) => event.event)).toEqual(["broker-lost"]);
    await town.mosquitto?.start();
    await town.until("over", () => !troubles().includes("broker-lost"));
    expect(told().map((event) => event.event)).toEqual(["broker-lost", "broker-back"]);
    expect(told().map(pointOf)[0]).toMatchObject({
      measurement: "gateway",
      tags: { gateway: "gateway-1", event: "broker-lost" },
    });
    await town.until("ready", () => town.gateway.ready() && watch.connected);
    await town.fall(watch);
    await town.text("patrol-1", /^LARM FALL/);
  },
);
