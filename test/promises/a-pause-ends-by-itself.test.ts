import { afterAll, beforeAll, expect, test } from "vitest";
import type { Intake } from "../../firmware-contracts/intake.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { hardFall, Town } from "./town.ts";

let town: Town;
let belt: SimulatedDevice;
let isAway = false;
let endOfPause: number;
/** Between gateway and alerting, until it is cut. */
const line = (intake: Intake): Intake => ({
  submit: (item) => (isAway ? Promise.reject(new Error("cut")) : intake.submit(item)),
  control: (have, heartbeat) => (isAway ? Promise.reject(new Error("cut")) : intake.control(have, heartbeat)),
});
const falls = () => town.gateway.counters()["detections.fall"] ?? 0;

beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600, throughIntake: line });
  belt = await town.device("belt-1", "38");
});
afterAll(() => town.close());

test("a visit: the dwelling is paused, and a fall in it pages nobody", async () => {
  const { dwellings, registry } = town.alerting;
  ({ until: endOfPause } = await dwellings.pause({ key: "38" }, { minutes: 2, reason: "visit", by: "eva" }));
  const wanted = (await registry.controlSince(-1))?.version;
  await town.until("the gateway follows", () => town.gateway.controlVersion === wanted);
  await town.fall(belt);
  await town.pass(30_000);
  expect(falls()).toBe(0);
  expect(town.gateway.counters()["frames.dropped.paused"]).toBeGreaterThan(5);
  expect(town.alerting.episodes()).toEqual([]);
});

test("the help button pages through the pause, and next door a fall does", async () => {
  expect(await town.alerting.dwellings.pauses()).toHaveLength(1);
  await belt.help();
  await town.text("patrol-1", /Nyckel 38.*Tryckte på larmknappen/);
  const [help] = town.alerting.episodes();
  await town.alerting.backend.act(
    help?.id ?? "",
    { action: "close", outcome: "unhurt", reason: "Personalen är där" },
    { name: "eva", role: "operator" },
  );
  await town.fall(await town.device("belt-2", "54"));
  await town.text("patrol-1", /LARM FALL.*Nyckel 54/);
});

test("with alerting out of reach the pause ends all the same, and the next fall is told as soon as there is contact", async () => {
  isAway = true;
  await town.until("its time is over", () => town.clock.wallNow() > endOfPause + 1000, 30);
  await town.fall(belt, hardFall(3, 1));
  await town.until("the fall found", () => falls() === 2);
  expect(town.pagesOn("patrol-1").some((page) => /LARM FALL.*Nyckel 38/.test(page))).toBe(false);
  isAway = false;
  await town.text("patrol-1", /LARM FALL.*Nyckel 38/);
});

test("staff say by their tag that they are there: falls page nobody for half an hour, and pressed again the tag calls for help", async () => {
  const { dwellings, registry } = town.alerting;
  const tag = await town.device("tag-1", "61");
  const watch = await town.device("watch-1", "61");
  await registry.setStaffTag("tag-1", true, "eva");
  const found = falls();
  await tag.help();
  let isPaused = false;
  for (let tries = 0; tries < 100 && !isPaused; tries++) {
    isPaused = (await dwellings.pauses()).some(({ key, reason }) => key === "61" && reason === "staff-in-dwelling");
    await town.pass(200);
  }
  expect(isPaused).toBe(true);
  const wanted = (await registry.controlSince(-1))?.version;
  await town.until("the gateway follows", () => town.gateway.controlVersion === wanted);
  await town.fall(watch, hardFall(3, 2));
  await town.pass(30_000);
  expect(falls()).toBe(found);
  expect(town.pagesOn("patrol-1").some((page) => /Nyckel 61/.test(page))).toBe(false);
  await tag.help();
  const pages = () => (["patrol-1", "patrol-2", "leader"] as const).flatMap((id) => town.pagesOn(id));
  await town.until("a page about it", () => pages().some((page) => /Nyckel 61.*Tryckte på larmknappen/.test(page)));
});
