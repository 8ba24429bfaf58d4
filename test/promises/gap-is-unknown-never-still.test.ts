import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { wait } from "../../simulators/replay/play.ts";
import { hardFall, Town } from "./town.ts";

/** The frame with the impact, of frames of one second. */
const impactFrame = 3;
/** By then what follows the impact has been judged: 22 s after it. */
const seconds = 30;

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
  // The classifier says "perhaps" to all of it, so that what follows the impact decides, whatever the model knows.
  const { classifier } = town.service;
  if (!classifier) throw new Error("the town has no classifier");
  const { medium, strong } = classifier.operatingPoints.waist.wide;
  Object.assign(classifier, { score: (_: unknown, inputs: unknown[]) => inputs.map(() => (medium + strong) / 2) });
});
afterAll(() => town.close());

/** Falls, and then lies as quietly as anybody can, for as long as the story lasts. */
function fallAndLie(): Recording {
  const fall = hardFall(impactFrame + 0.5);
  const { rateHz } = fall.trial;
  const samples = new Int16Array(seconds * rateHz * 3);
  samples.set(fall.samples);
  const [x = 0, y = 0, z = 0] = fall.samples.slice(-3);
  const oneG = 1000 / Math.hypot(x, y, z);
  for (let i = fall.samples.length; i < samples.length; i++) samples[i] = ([x, y, z][i % 3] ?? 0) * oneG + (i % 5);
  return { ...fall, samples };
}

/** Sends it second by second as it happens; what `isLost` says never reaches anybody, and is not sent again. */
async function live(watch: SimulatedDevice, isLost: (second: number) => boolean): Promise<void> {
  const { trial, samples } = fallAndLie();
  const { rateHz } = trial;
  const began = town.clock.monotonicNow();
  const startedAt = town.clock.wallNow();
  for (let second = 0; second < seconds; second++) {
    await wait(town.clock, began + (second + 1) * 1000 - town.clock.monotonicNow());
    if (isLost(second)) continue;
    const part = samples.slice(second * rateHz * 3, (second + 1) * rateHz * 3);
    const about = { bootId: watch.bootId, sequence: second, deviceTimeMs: startedAt + second * 1000, ageMs: 0 };
    const sensor = { rateHz, rangeG: 16, stored: false, clockUnset: false };
    await watch.publishRaw("accel", encodeFrame({ ...about, ...sensor, samples: part }));
  }
}

/** The text about this dwelling, once it has come. */
const page = (key: string) => town.text("patrol-1", new RegExp(`^LARM FALL .*Nyckel ${key}\\b`));

test("who is seen to lie still is told as still; whose signal ends or has a gap is not", async () => {
  const watched = await town.device("belt-1", "38");
  const silent = await town.device("belt-2", "54");
  const broken = await town.device("belt-3", "76");
  await Promise.all([
    live(watched, () => false),
    // The device is torn off, or lies under its wearer: nothing comes after the impact.
    live(silent, (second) => second > impactFrame),
    // Six seconds are lost for good; before and after them nothing moves.
    live(broken, (second) => second > impactFrame + 2 && second <= impactFrame + 8),
  ]);

  expect(await page("38")).toMatch(/Hårt fall \d\d\.\d\d, stilla sedan dess\./);
  expect(await page("54")).toMatch(/Hårt fall \d\d\.\d\d, ingen signal efter\./);
  const withGap = await page("76");
  expect(withGap).toMatch(/Hårt fall \d\d\.\d\d\. Svara/);
  expect(withGap).not.toMatch(/stilla|ingen signal/);
  expect(town.alerting.episodes()).toHaveLength(3);
});

// Presence doubts medium evidence alone, and only where it has spoken twice.
test("an empty room, a taken bed, a sensor that begins anew, a gateway too: no word of presence keeps a fall from being told", async () => {
  const watch = await town.device("belt-4", "92");
  const room = await town.device("room-4", "92");
  const wanted = (await town.alerting.registry.controlSince(-1))?.version;
  await town.until("the gateway knows who shares a dwelling", () => town.gateway.controlVersion === wanted);
  await room.presence({ sensor: "bed", state: "on", room: "sovrum" });
  await room.presence({ sensor: "motion", state: "off", room: "badrum" });
  await town.until("both told", () => town.events.filter((event) => event.type === "device").length >= 2);
  await town.until("both taken", () => town.gateway.counters()["presence.taken"] === 2);
  // Nothing is heard of the room from here on; and a gateway that begins anew has only what it was told before.
  await room.reboot();
  await town.restart();
  await town.until("the belt is back", () => watch.connected);
  await town.fall(watch);
  await page("92");
});
