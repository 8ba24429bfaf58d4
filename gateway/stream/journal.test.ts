import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { VirtualTime } from "../../test/simulation/virtual-time.ts";
import { createCounters } from "../counters.ts";
import { createJournal } from "./journal.ts";
import { decodeRecords, encodeRecords, type JournalRecord } from "./journal-format.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-journal-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const counters = createCounters();
const open = (
  segmentBytes = 1 << 20,
  maxBytes = 1 << 30,
  letGo: (deviceId: string) => void = () => {},
  clock = systemClock(),
) =>
  createJournal({
    folder,
    segmentBytes,
    maxBytes,
    keepMs: 3_600_000,
    letGo,
    clock,
    counters,
    log: pino({ level: "silent" }),
  });
const frame = (deviceId: string, at: number, size = 100): JournalRecord => ({
  kind: "frame",
  deviceId,
  at,
  bytes: new Uint8Array(size).fill(at % 256),
});
const times = (records: JournalRecord[] | undefined) => records?.map(({ at }) => at);

describe("records", () => {
  const record = fc.record({
    kind: fc.constantFrom("frame" as const, "cancel" as const, "decided" as const),
    deviceId: fc.stringMatching(/^[a-z0-9][a-z0-9-]{2,31}$/),
    at: fc.double({ noNaN: true, noDefaultInfinity: true }),
    bytes: fc.uint8Array({ maxLength: 300 }),
  });

  test("property: a segment cut anywhere gives the whole records before the cut, and no other", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.nat(), (records, cutAt) => {
        const parts = records.map((one) => encodeRecords([one]));
        const whole = encodeRecords(records);
        const cut = cutAt % (whole.length + 1);
        const { records: read, torn } = decodeRecords(whole.subarray(0, cut));
        const endOf = (i: number) => parts.slice(0, i + 1).reduce((sum, part) => sum + part.length, 0);
        const expected = records.filter((_, i) => endOf(i) <= cut);
        expect(read.map(({ bytes, ...rest }) => ({ ...rest, bytes: [...bytes] }))).toEqual(
          expected.map(({ bytes, ...rest }) => ({ ...rest, bytes: [...bytes] })),
        );
        expect(torn).toBe(cut - (expected.length > 0 ? endOf(expected.length - 1) : 0));
      }),
    );
  });

  test("property: one changed byte ends the reading at its record at the latest", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (records, at, by) => {
          const whole = encodeRecords(records);
          const place = at % whole.length;
          whole[place] = whole[place]! ^ by;
          const { torn } = decodeRecords(whole);
          expect(torn).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe("what is read after a restart", () => {
  test("all that was appended and is undecided, by device, in order", async () => {
    const journal = open();
    await journal.start();
    await Promise.all([journal.append([frame("a-1", 1), frame("a-1", 2)]), journal.append([frame("b-1", 3)])]);
    await journal.append([frame("a-1", 4)]);
    journal.release("b-1", 5);
    await journal.append([frame("c-1", 6)]);
    // No stop: the process was killed.
    const { undecided, latest } = await open().start();
    expect([...undecided.keys()]).toEqual(["a-1", "c-1"]);
    expect(times(undecided.get("a-1"))).toEqual([1, 2, 4]);
    expect(latest).toBe(6);
    await journal.stop();
  });

  test("a torn tail is left out, and later files are still read", async () => {
    const first = open();
    await first.start();
    await first.append([frame("a-1", 1)]);
    await first.stop();
    const [name = ""] = await readdir(folder);
    await appendFile(join(folder, name), encodeRecords([frame("a-1", 2)]).subarray(0, 50));
    const second = open();
    await second.start();
    await second.append([frame("a-1", 3)]);
    await second.stop();
    const { undecided } = await open().start();
    expect(times(undecided.get("a-1"))).toEqual([1, 3]);
  });

  test("files that nobody needs are deleted, oldest first; one undecided device keeps its own", async () => {
    const journal = open(65_536);
    await journal.start();
    await journal.append([frame("a-1", 1, 70_000)]);
    await journal.append([frame("b-1", 2, 70_000)]);
    await journal.append([frame("a-1", 3, 70_000)]);
    expect(await readdir(folder)).toHaveLength(3);
    journal.release("b-1", 4);
    await journal.append([frame("c-1", 5, 10)]);
    expect(await readdir(folder)).toHaveLength(4);
    journal.release("a-1", 6);
    await journal.append([frame("c-1", 7, 10)]);
    await journal.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await readdir(folder)).toHaveLength(1);
    const { undecided } = await open().start();
    expect([...undecided.keys()]).toEqual(["c-1"]);
  });
});

describe("beyond its bound", () => {
  const undecided = new Set<string>();
  let journal: ReturnType<typeof open>;
  beforeEach(async () => {
    undecided.clear();
    journal = open(65_536, 300_000, (deviceId) => {
      if (!undecided.has(deviceId)) journal.release(deviceId, 0);
    });
    await journal.start();
  });
  afterEach(() => journal.stop());
  const sizeOnDisk = async () => {
    const names = await readdir(folder);
    const sizes = await Promise.all(names.map(async (name) => (await readFile(join(folder, name))).length));
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  test("the oldest goes, of devices with nothing undecided", async () => {
    for (let i = 0; i < 40; i++) await journal.append([frame(`quiet-${i}`, i + 1, 30_000)]);
    await journal.append([frame("last-1", 100)]);
    await expect.poll(sizeOnDisk).toBeLessThan(300_000 + 2 * 65_536);
    const { undecided: left } = await open().start();
    expect(left.has("quiet-0")).toBe(false);
    expect(left.has("quiet-39")).toBe(true);
    expect(left.has("last-1")).toBe(true);
  });

  test("what is undecided stays, whatever that costs, until it is decided", async () => {
    undecided.add("falls-1");
    await journal.append([frame("falls-1", 1, 30_000)]);
    for (let i = 0; i < 40; i++) await journal.append([frame(`quiet-${i}`, i + 2, 30_000)]);
    expect(counters.read()["journal.over-bound"]).toBeGreaterThan(0);
    expect((await open().start()).undecided.get("falls-1")).toHaveLength(1);
    undecided.clear();
    for (let i = 40; i < 50; i++) await journal.append([frame(`quiet-${i}`, i + 2, 30_000)]);
    await expect.poll(sizeOnDisk).toBeLessThan(300_000 + 2 * 65_536);
  });
});

describe("after an hour", () => {
  const time = new VirtualTime(0);
  let letGo: string[];
  let journal: ReturnType<typeof open>;
  beforeEach(() => {
    letGo = [];
    journal = open(
      1 << 20,
      1 << 30,
      (deviceId) => letGo.push(deviceId),
      time.clock(() => true, false),
    );
  });
  afterEach(() => journal.stop());

  async function pass(minutes: number): Promise<void> {
    const end = time.now + minutes * 60_000;
    for (let happens = time.next(end, false, () => null); happens; happens = time.next(end, false, () => null)) {
      happens();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Commits are some time apart, which must pass. */
  async function append(records: JournalRecord[]): Promise<void> {
    const appended = journal.append(records);
    await pass(1);
    await appended;
  }

  /** The machine's disk has its own time: another minute of ours is given until it is done. */
  const nothingIsLeft = () =>
    expect
      .poll(
        async () => {
          await pass(1);
          return readdir(folder);
        },
        { timeout: 5000 },
      )
      .toEqual([]);

  test("nothing decided is left, though little was written and the file never became full", async () => {
    await journal.start();
    await append([frame("a-1", 1)]);
    journal.release("a-1", 2);
    await pass(5);
    expect(await readdir(folder)).toHaveLength(1);
    await pass(55);
    await nothingIsLeft();
    await append([frame("a-1", 3)]);
    expect(times((await open().start()).undecided.get("a-1"))).toEqual([3]);
  });

  test("who still holds it is asked to let go; what is undecided stays until then", async () => {
    await journal.start();
    await append([frame("a-1", 1)]);
    await pass(60);
    expect(letGo).toContain("a-1");
    expect(await readdir(folder)).toHaveLength(1);
    journal.release("a-1", 2);
    await pass(60);
    await nothingIsLeft();
  });

  test("what an earlier run left goes too", async () => {
    await journal.start();
    await append([frame("a-1", 1)]);
    await journal.stop();
    journal = open(
      1 << 20,
      1 << 30,
      (deviceId) => journal.release(deviceId, 2),
      time.clock(() => true, false),
    );
    await journal.start();
    await pass(120);
    await nothingIsLeft();
  });
});

test("whatever is appended in the moments around the end of a commit is written too", async () => {
  const journal = open();
  await journal.start();
  for (let round = 0; round < 30; round++) {
    let done = 0;
    const first = journal.append([frame("a-1", round)]).then(async () => {
      for (let turn = 0; turn < round % 6; turn++) await null;
      await journal.append([frame("b-1", round)]);
      done++;
    });
    await first;
    expect(done).toBe(1);
  }
  await journal.stop();
});

test("commits begin some time apart: what comes meanwhile is one, and a stop waits for no rest", async () => {
  const time = new VirtualTime(0);
  const commits = () => counters.read()["journal.commits"] ?? 0;
  const journal = open(
    1 << 20,
    1 << 30,
    () => {},
    time.clock(() => true, false),
  );
  await journal.start();
  // After a rest at once.
  await journal.append([frame("a-1", 1)]);
  const before = commits();
  const waiting = [2, 3, 4].map((at) => journal.append([frame("a-1", at)]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(commits()).toBe(before);
  time.next(100, false, () => null)?.();
  await Promise.all(waiting);
  expect(commits()).toBe(before + 1);
  const last = journal.append([frame("a-1", 5)]);
  await journal.stop();
  await last;
  expect(times((await open().start()).undecided.get("a-1"))).toEqual([1, 2, 3, 4, 5]);
});

test("appends of one turn are one commit", async () => {
  const journal = open();
  await journal.start();
  const before = counters.read()["journal.commits"] ?? 0;
  await Promise.all(Array.from({ length: 1000 }, (_, i) => journal.append([frame(`device-${i}`, i)])));
  expect((counters.read()["journal.commits"] ?? 0) - before).toBe(1);
  await journal.stop();
});

test("where the folder is gone an append is refused, and all is well again once it is back", async () => {
  const journal = open();
  await journal.start();
  await rm(folder, { recursive: true });
  await writeFile(folder, "");
  await expect(journal.append([frame("a-1", 1)])).rejects.toThrow();
  expect(journal.healthy).toBe(false);
  await rm(folder);
  const again = open();
  await again.start();
  await journal.append([frame("a-1", 2)]);
  expect(journal.healthy).toBe(true);
  await journal.stop();
  const names = await readdir(folder);
  expect(decodeRecords(await readFile(join(folder, names[0]!))).records.map(({ at }) => at)).toEqual([2]);
});
