import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeRecords } from "../../gateway/stream/journal-format.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import { hardFall, Town } from "./town.ts";

let town: Town;
let belt: SimulatedDevice;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
  belt = await town.device("belt-1", "38", { consentBy: undefined });
});
afterAll(() => town.close());

/** Every frame of this device that lies in the gateway's journal. */
function framesOnDisk(): number {
  const folder = join(town.dataDir, "gateway", "journal");
  return readdirSync(folder)
    .flatMap((name) => decodeRecords(readFileSync(join(folder, name))).records)
    .filter(({ kind, deviceId }) => kind === "frame" && deviceId === "belt-1").length;
}
const count = (name: string) => town.gateway.counters()[name] ?? 0;
const pagesAboutFalls = () => town.pagesOn("patrol-1").filter((page) => page.startsWith("LARM FALL"));

async function followed(): Promise<void> {
  const wanted = (await town.alerting.registry.controlSince(-1))?.version;
  await town.until("the gateway follows", () => town.gateway.controlVersion === wanted);
}

test("before consent is on record no frame is stored or judged, and the device may let go of each", async () => {
  const { frames } = await town.fall(belt);
  await town.pass(30_000);
  expect(frames.every(({ acked }) => acked)).toBe(true);
  expect(count("frames.dropped.no-consent")).toBe(frames.length);
  expect(framesOnDisk()).toBe(0);
  expect(count("candidates.opened")).toBe(0);
  expect(town.alerting.episodes()).toEqual([]);
});

test("once it is given, a fall pages", async () => {
  await town.alerting.dwellings.giveConsent({ key: "38" }, "eva");
  await followed();
  await town.fall(belt, hardFall(3, 1));
  await town.text("patrol-1", /^LARM FALL.*Nyckel 38/);
  expect(framesOnDisk()).toBeGreaterThan(0);
});

test("withdrawn, nothing is stored any more within 60 s, and falls page nobody; the help button does", async () => {
  const withdrawnAt = town.clock.wallNow();
  await town.alerting.dwellings.withdrawConsent({ key: "38" }, "eva");
  await followed();
  expect(town.clock.wallNow() - withdrawnAt).toBeLessThan(60_000);
  const [before, pages] = [framesOnDisk(), pagesAboutFalls().length];
  const [episode] = town.alerting.episodes();
  await town.alerting.backend.act(
    episode?.id ?? "",
    { action: "close", outcome: "unhurt", reason: "Anhörig på plats" },
    { name: "eva", role: "operator" },
  );
  await town.fall(belt, hardFall(3, 2));
  await town.pass(30_000);
  expect(framesOnDisk()).toBe(before);
  expect(count("detections.fall")).toBe(1);
  expect(pagesAboutFalls()).toHaveLength(pages);
  await belt.help();
  await town.text("patrol-1", /Tryckte på larmknappen/);
});

test("who gave and who withdrew it is in the history", async () => {
  expect(await town.alerting.dwellings.consents()).toMatchObject([{ key: "38", state: "withdrawn", by: "eva" }]);
});
