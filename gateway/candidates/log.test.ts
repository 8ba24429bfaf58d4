import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { createCounters } from "../counters.ts";
import { until } from "../test-bench.ts";
import { type CandidateLog, createCandidateLog } from "./log.ts";
import { readCandidates } from "./read.ts";
import type { CandidateRow } from "./row.ts";
import { candidatesFile, createCandidateTables } from "./tables.ts";

const dayMs = 86_400_000;
/** A minute of it is a second. */
const clock = systemClock(60);

let folder: string;
let counters: ReturnType<typeof createCounters>;
let log: CandidateLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-candidates-"));
  counters = createCounters();
});
afterEach(async () => {
  await log?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(config: Partial<{ days: number; maxRows: number; maxBytes: number }> = {}): CandidateLog {
  log = createCandidateLog({
    folder,
    config: { days: 14, floor: 0.3, maxRows: 1000, maxBytes: 1e9, ...config },
    clock,
    counters,
    log: pino({ level: "silent" }),
  });
  log.start();
  return log;
}

let number = 0;
const row = (more: Partial<CandidateRow> = {}): CandidateRow => ({
  deviceId: "belt-1",
  candidateId: `1.${number++}.0`,
  impactAt: Math.round(clock.wallNow()),
  lane: "impact",
  placement: "waist",
  rangeG: 16,
  bootId: 1,
  sequence: 5,
  score: 0.625,
  model: "1.1.0",
  threshold: 0.75,
  decided: "below-threshold",
  afterwards: "walked",
  features: Float32Array.from({ length: 42 }, (_, i) => i / 3),
  window: Int16Array.from({ length: 800 }, (_, i) => i - 400),
  ...more,
});
const kept = (deviceId = "belt-1", since = 0) => readCandidates(folder, deviceId, since);
const count = (name: string) => counters.read()[name] ?? 0;

describe("what is kept", () => {
  test("comes back as it was, the oldest first, by device and time; without a log there is nothing to read", async () => {
    expect(kept()).toBeNull();
    open();
    const second = row({ window: null, afterwards: null, decided: "medium" });
    const first = row({ impactAt: second.impactAt - 5000 });
    for (const one of [second, first, row({ deviceId: "belt-2" })]) log.keep(one);
    await log.stop();
    expect(kept()).toEqual([first, second]);
    expect(kept("belt-1", second.impactAt)).toEqual([second]);
    expect(kept("belt-3")).toEqual([]);
  });

  test("is written in batches, within some seconds and without a stop; the same candidate decided anew replaces itself", async () => {
    open();
    const one = row();
    log.keep(one);
    log.keep({ ...one, decided: "strong" });
    expect(kept()).toBeNull();
    await until("written", () => kept()?.length === 1);
    expect(kept()).toMatchObject([{ decided: "strong" }]);
    for (let i = 0; i < 200; i++) log.keep(row());
    await until("a full batch at once", () => kept()?.length === 201);
    await until("counted", () => count("candidates.kept") === 202);
  });

  test("goes after its days, and so does what a wrong clock dated; by a clock of 1970 nothing goes", async () => {
    const now = clock.wallNow();
    open({ days: 2 });
    for (const impactAt of [now - 3 * dayMs, now - dayMs, now + 3 * dayMs]) log.keep(row({ impactAt }));
    await log.stop();
    expect(kept()).toHaveLength(3);
    log = createCandidateLog({
      folder,
      config: { days: 2, floor: 0.3, maxRows: 1000, maxBytes: 1e9 },
      clock: { ...clock, wallNow: () => 5000 },
      counters,
      log: pino({ level: "silent" }),
    });
    log.start();
    await log.stop();
    expect(kept()).toHaveLength(3);
    open({ days: 2 });
    await until("pruned", () => kept()?.length === 1);
    expect(kept()).toMatchObject([{ impactAt: Math.round(now - dayMs) }]);
  });

  test("is bounded in rows: the oldest go, of whoever has the most", async () => {
    open({ maxRows: 100 });
    const quiet = row({ deviceId: "belt-2", impactAt: 1_000_000 });
    log.keep(quiet);
    for (let i = 0; i < 120; i++) log.keep(row({ impactAt: 2_000_000 + i }));
    await log.stop();
    expect(kept("belt-2")).toEqual([quiet]);
    const left = kept() ?? [];
    expect(left.length).toBeLessThan(100);
    expect(left.length).toBeGreaterThan(85);
    expect(left.at(-1)?.impactAt).toBe(2_000_119);
    expect(count("candidates.dropped-early")).toBe(120 - left.length);
  });

  test("is bounded in bytes", async () => {
    open({ maxBytes: 100_000 });
    for (let i = 0; i < 120; i++) log.keep(row());
    await log.stop();
    const left = kept() ?? [];
    expect(left.length * (200 + 168 + 1600)).toBeLessThan(100_000);
    expect(left.length).toBeGreaterThan(40);
  });
});

describe("what may no longer be kept", () => {
  test("is gone from the disk, bytes and all, also what waited to be written", async () => {
    open();
    const marked = row({ model: "a-model-of-its-own" });
    log.keep(marked);
    log.keep(row({ deviceId: "belt-2" }));
    await until("written", () => kept()?.length === 1);
    log.keep(row());
    const files = () => ["", "-wal"].map((end) => readFileSync(`${candidatesFile(folder)}${end}`, "latin1")).join("");
    expect(files()).toContain("a-model-of-its-own");
    log.retain((deviceId) => deviceId !== "belt-1");
    await until("forgotten", () => kept()?.length === 0);
    log.keep(row());
    await log.stop();
    expect(kept()).toEqual([]);
    expect(readFileSync(candidatesFile(folder), "latin1")).not.toContain("a-model-of-its-own");
    expect(kept("belt-2")).toHaveLength(1);
  });

  test("is tried again where the file is locked, and is gone once it is not", async () => {
    open();
    log.keep(row());
    await until("written", () => kept()?.length === 1);
    const other = new DatabaseSync(candidatesFile(folder));
    other.exec("BEGIN IMMEDIATE");
    log.retain(() => false);
    await until("the try failed", () => count("candidates.log-failed") > 0);
    other.exec("ROLLBACK");
    other.close();
    await until("forgotten", () => kept()?.length === 0);
  });

  test("a log of another version is begun anew, and until then not read", async () => {
    const tables = createCandidateTables(folder);
    tables.open();
    tables.put([row()], { maxRows: 10, maxBytes: 1e6 });
    tables.close();
    const other = new DatabaseSync(candidatesFile(folder));
    other.exec("PRAGMA user_version = 99");
    other.close();
    expect(() => kept()).toThrow(/another version/);
    open();
    await until("begun anew", () => {
      try {
        return kept()?.length === 0;
      } catch {
        return false;
      }
    });
  });
});
