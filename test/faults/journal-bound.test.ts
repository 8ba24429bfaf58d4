import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, devicesNamed, fallFrames, openBench, publishFrames, until } from "../../gateway/test-bench.ts";

/** The least that can be set. */
const maxBytes = 2 ** 20;
const segmentBytes = 65_536;
const houses = Array.from({ length: 10 }, (_, house) => [1, 2, 3, 4].map((n) => `belt-${house}-${n}`));
/** Falls of each: 40 × 10 × 10 frames of 356 bytes are more than the bound. */
const fallsEach = 10;
let bench: Bench;

beforeAll(async () => {
  const config = { journal: { maxBytes, segmentBytes } };
  bench = await openBench({ devices: await devicesNamed("watch-1", ...houses.flat()), config });
});
afterAll(() => bench?.close());

function journalBytes(): number {
  const folder = join(bench.dataDir, "journal");
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** The devices of a house fall all at once, again and again. */
async function fallIn(house: readonly string[]): Promise<void> {
  const clients = await Promise.all(house.map((id) => bench.connect(id)));
  for (let fall = 0; fall < fallsEach; fall++) {
    const frames = fallFrames({ bootId: 100 + fall }).slice(2, 18);
    await Promise.all(clients.map((client, i) => publishFrames(client, house[i] ?? "", frames)));
  }
}

test("a flood of falls stays within the journal's bound, and neither a Detection nor the fall that is undecided is given up", {
  timeout: 90_000,
}, async () => {
  // Alerting is away: each Detection has only the gateway.
  bench.intake.failing = true;
  const last = houses.slice(8);
  for (const house of houses.slice(0, 8)) await fallIn(house);
  const { "journal.bytes": written = 0, "journal.segments-given-up": givenUp = 0 } = bench.gateway.counters();
  console.info(`${written} bytes written, ${journalBytes()} on disk, ${givenUp} files given up`);
  expect(written).toBeGreaterThan(maxBytes + 3 * segmentBytes);
  expect(journalBytes()).toBeLessThan(maxBytes + 2 * segmentBytes);

  // One falls and is not heard of again; others go on filling the journal before that is decided.
  const watch = await bench.connect("watch-1");
  await publishFrames(watch, "watch-1", fallFrames({ bootId: 77, after: 0 }));
  watch.end(true);
  for (const house of last) await fallIn(house);
  expect(bench.intake.detections()).toEqual([]);
  await bench.restart();
  bench.intake.failing = false;
  const falls = houses.flat().flatMap((id) => Array.from({ length: fallsEach }, (_, i) => `${id}.${100 + i}.12.fall`));
  const expected = new Set(["watch-1.77.12.fall", ...falls]);
  await until("all are told", () => bench.intake.detections().length >= expected.size, 45_000);
  expect(new Set(bench.intake.detections().map(({ id }) => id))).toEqual(expected);
});
