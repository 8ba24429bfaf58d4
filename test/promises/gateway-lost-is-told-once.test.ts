import { afterAll, beforeAll, expect, test } from "vitest";
import type { BoardMessage } from "../../alerting/console/api.ts";
import { pointOf } from "../../alerting/event-log/points.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { Town } from "./town.ts";

let town: Town;
let belt: SimulatedDevice;
let button: SimulatedDevice;
let cookie: string;
beforeAll(async () => {
  // At a higher speed a busy machine would keep a heartbeat waiting for as long as a lost gateway does.
  town = await Town.open({ speed: 4, waitSeconds: 3600, apart: true });
  belt = await town.device("belt-1", "38");
  button = await town.device("button-1", "54");
  await town.alerting.users.addUser("eva", "en lång natt i november", "operator");
  cookie = await login("eva", "en lång natt i november");
});
afterAll(() => town.close());

async function login(name: string, password: string): Promise<string> {
  const answer = await fetch(`${town.service.consoleUrl}/api/v1/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Fallvakt-Console": "1" },
    body: JSON.stringify({ name, password }),
  });
  expect(answer.status).toBe(200);
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** What stands above the board on an operator's screen. */
async function troubles(): Promise<string[]> {
  const answer = await fetch(`${town.service.consoleUrl}/api/v1/episodes`, { headers: { cookie } });
  return ((await answer.json()) as BoardMessage).troubles;
}

const told = () => town.events.filter((event) => event.type === "gateway");

test("the wire to a gateway is dead: after three heartbeats operators are told, once, and once when it is back", async () => {
  expect(await troubles()).toEqual([]);
  town.wire?.silence();
  await expect.poll(troubles, { timeout: 20_000 }).toContain("gateway-lost");

  // It stays on the screen, and is no news any more.
  await town.pass(12_000);
  expect(await troubles()).toContain("gateway-lost");
  expect(told().map(({ event }) => event)).toEqual(["gateway-lost"]);
  expect(told().map(pointOf)[0]).toMatchObject({ measurement: "gateway", tags: { event: "gateway-lost" } });

  town.wire?.restore();
  await expect.poll(troubles, { timeout: 20_000 }).toEqual([]);
  await town.pass(10_000);
  expect(told().map(({ event }) => event)).toEqual(["gateway-lost", "gateway-back"]);
  // One technical alarm for one outage, which is over when the gateway is back.
  const technical = town.alerting.episodes().filter(({ kind }) => kind === "technical");
  expect(technical.map(({ status }) => status)).toEqual(["closed"]);
});

test("meanwhile the gateway goes on hearing and detecting, and hands it all over in the order in which it happened", async () => {
  town.wire?.silence();
  await button.help();
  await town.fall(belt);
  await town.until("the fall is found", () => town.gateway.counters()["detections.fall"] === 1);
  await belt.help();
  await town.until("the last call is taken", () => town.gateway.counters()["detections.help"] === 2);
  expect(town.gateway.ready()).toBe(true);
  // A device that comes anew comes in: the last that alerting wanted stays in force.
  await belt.reboot();
  expect(belt.connected).toBe(true);
  await town.pass(5_000);
  expect(town.alerting.episodes().filter(({ kind }) => kind !== "technical")).toEqual([]);

  town.wire?.restore();
  await town.text("patrol-1", /^LARM FALL .*Nyckel 38/);
  await town.text("patrol-1", /^LARM HJÄLP .*Nyckel 54/);
  await town.until("all are told", () => detections().length === 3);
  expect(detections()).toEqual(["button-1 help", "belt-1 fall", "belt-1 help"]);
});

const detections = () =>
  town.events.flatMap((event) => (event.type === "detection" ? [`${event.deviceId} ${event.kind}`] : []));
