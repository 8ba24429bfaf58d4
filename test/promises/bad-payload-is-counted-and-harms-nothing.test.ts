import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeFrame } from "../../firmware-contracts/frame.ts";
import { Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open({ waitSeconds: 3600 });
});
afterAll(() => town.close());

const good = encodeFrame({
  bootId: 1,
  sequence: 0,
  deviceTimeMs: 0,
  ageMs: 0,
  rateHz: 50,
  rangeG: 8,
  stored: false,
  clockUnset: false,
  samples: new Int16Array([0, 0, 1000, 0, 0, 1000]),
});
function altered(change: (view: DataView) => void): Uint8Array {
  const bytes = good.slice();
  change(new DataView(bytes.buffer));
  return bytes;
}
/** Where a field stands is the contract's business: find the rate by its value. */
const rateAt =
  [...good.keys()].find((i) => new DataView(good.buffer).getUint16(Math.min(i, good.length - 2), true) === 5000) ?? -1;

const bad: [name: string, payload: Uint8Array | string, uplink: "accel" | "accel-json" | "status" | "help"][] = [
  ["nothing at all", new Uint8Array(), "accel"],
  ["a torn header", good.slice(0, 11), "accel"],
  ["samples missing", good.slice(0, good.length - 3), "accel"],
  ["a future version", altered((view) => view.setUint8(0, 2)), "accel"],
  ["a rate of 300 Hz", altered((view) => view.setUint16(rateAt, 30_000, true)), "accel"],
  ["no JSON", "{", "accel-json"],
  ["NaN as JSON has it", '{"v":1,"boot":1,"seq":1,"t":0,"rate":50,"range":8,"samples":[[null,0,1000]]}', "accel-json"],
  [
    "a number beyond int16",
    '{"v":1,"boot":1,"seq":1,"t":0,"rate":50,"range":8,"samples":[[1e9,0,1000]]}',
    "accel-json",
  ],
  ["a status that is none", '{"v":1,"kind":"dancing"}', "status"],
  ["a help report without identity", '{"v":1}', "help"],
];

test("bad payloads are acknowledged, counted by reason and harm nothing: the fall behind them pages", async () => {
  const watch = await town.device("belt-1", "38");
  const before = town.gateway.counters();
  const refusedBefore = refusals(before);
  for (const [, payload, uplink] of bad) await watch.publishRaw(uplink, payload);
  // An outside broker acknowledges before the gateway has seen it.
  await town.until("all refused", () => refusals(town.gateway.counters()) - refusedBefore === bad.length);
  expect(watch.connected).toBe(true);

  await town.fall(watch);
  expect(await town.text("patrol-1", /^LARM/)).toContain("Nyckel 38");
  expect(town.alerting.episodes()).toHaveLength(1);
});

function refusals(counters: Record<string, number>): number {
  return Object.entries(counters)
    .filter(([name]) => name.startsWith("publish.refused."))
    .reduce((sum, [, count]) => sum + count, 0);
}
