import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, devicesNamed, fallFrames, openBench, publishFrames, until } from "../../gateway/test-bench.ts";

/** The least that can be set. */
const maxBytes = 2 ** 20;
const segmentBytes = 65_536;
const busy = ["belt-1", "belt-2", "belt-3", "belt-4"];
/** Falls of each: 4 × 80 × 12 frames of 356 bytes are more than the bound. */
const fallsEach = 80;
let bench: Bench;

beforeAll(async () => {
  const config = { journal: { maxBytes, segmentBytes } };
  bench = await openBench({ devices: await devicesNamed("watch-1", ...busy), config });
});
afterAll(() => bench?.close());

function journalBytes(): number {
  const folder = join(bench.dataDir, "journal");
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

test("a flood of falls stays within the journal's bound, and neither a Detection nor the fall that is undecided is given up", {
  timeout: 90_000,
}, async () => {
  // Alerting is away: each Detection has only the gateway.
  bench.intake.failing = true;
  const watch = await bench.connect("watch-1");
  // The flood is written between the frames before this fall and its impact.
  const falling = fallFrames({ bootId: 77 }).slice(0, 13);
  await publishFrames(watch, "watch-1", falling);
  watch.end(true);
  const clients = await Promise.all(busy.map((id) => bench.connect(id)));
  for (let fall = 0; fall < fallsEach; fall++) {
    const frames = fallFrames({ bootId: 100 + fall }).slice(2, 18);
    await Promise.all(clients.map((client, i) => publishFrames(client, busy[i] ?? "", frames)));
  }
  const { "journal.bytes": written = 0, "journal.segments-given-up": givenUp = 0 } = bench.gateway.counters();
  console.info(`${written} bytes written, ${journalBytes()} on disk, ${givenUp} files given up`);
  expect(written).toBeGreaterThan(1.1 * maxBytes);
  await expect.poll(journalBytes, { timeout: 40_000 }).toBeLessThan(maxBytes + 3 * segmentBytes);
  await bench.restart();
  bench.intake.failing = false;
  const expected = [
    "watch-1.77.12.fall",
    ...busy.flatMap((id) => Array.from({ length: fallsEach }, (_, i) => `${id}.${100 + i}.12.fall`)),
  ];
  await until("all are told", () => bench.intake.detections().length >= expected.length, 45_000);
  expect(new Set(bench.intake.detections().map(({ id }) => id))).toEqual(new Set(expected));
});
