import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacksMount, mountSmallDisk, type SmallDisk } from "../test/services/small-disk.ts";
import { type Bench, openBench } from "./test-bench.ts";

const skipped = lacksMount();

describe.skipIf(skipped)("a disk of its own, of 64 MiB (needs root)", () => {
  let disk: SmallDisk;
  let bench: Bench;
  beforeEach(async () => {
    disk = mountSmallDisk(64);
    bench = await openBench({ devices: [], parent: disk.folder });
  });
  afterEach(async () => {
    await bench.close();
    disk.unmount();
  });

  test("fills up while nothing happens: not ready within 5 s, and ready within 10 s of space coming back", async () => {
    expect(bench.gateway.problems()).toEqual([]);
    const giveBack = disk.fill();
    await expect.poll(() => bench.gateway.problems(), { timeout: 5000 }).toEqual(["the disk is full"]);
    expect(bench.gateway.ready()).toBe(false);
    giveBack();
    await expect.poll(() => bench.gateway.ready(), { timeout: 10_000 }).toBe(true);
  });
});
