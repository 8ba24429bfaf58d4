import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { findInfluxd } from "./servers.ts";

// Three times alerting and a provider start: some seconds each on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);
const script = new URL("alerting.ts", import.meta.url).pathname;
const tiny = ["--quick", "--episodes", "30", "--seconds", "0.5", "--provider-ms", "20"];
const bench = (...more: string[]) => run(process.execPath, [script, ...tiny, ...more], { timeout: 110_000 });
const names = findInfluxd() ? ["without", "reachable", "gone"] : ["without", "gone"];

test("the benchmark prints a row for each InfluxDB, what must be, and the ratio last", async () => {
  const { stdout, stderr } = await bench();
  const lines = stdout.trimEnd().split("\n");
  for (const name of names)
    expect(
      lines.filter((line) => line.startsWith(`InfluxDB ${name} `)),
      name,
    ).toHaveLength(1);
  expect(lines.at(-2)).toMatch(/^first SMS request after intake with InfluxDB gone: p99 [\d.]+ ms \(must 2000\)$/);
  expect(lines.at(-1)).toMatch(/^ratio \d+\.\d\d$/);
  expect(stderr).toContain("InfluxDB gone: 30 episodes in 0.5 s");
});

test("with --json it prints one object: every alarm came to a phone, and only a server that is there has the events", async () => {
  const { results } = JSON.parse((await bench("--json")).stdout);
  expect(results.map(({ influx }: { influx: string }) => influx)).toEqual(names);
  for (const { influx, firstText, committed, commitsPerSecond, events } of results) {
    for (const { p50, p99, longest } of [firstText, committed]) {
      expect(p50, influx).toBeLessThanOrEqual(p99);
      expect(p99, influx).toBeLessThanOrEqual(longest);
      expect(longest, influx).toBeGreaterThan(0);
    }
    expect(commitsPerSecond, influx).toBeGreaterThan(0);
    expect(events.dropped, influx).toBe(0);
    if (influx === "reachable") expect(events.written).toBeGreaterThan(100);
    else expect([events.written, events.spooled > 100], influx).toEqual([0, true]);
  }
});

test("a mistake on the command line is told, and how it is used", async () => {
  await expect(bench("--episodes", "none")).rejects.toThrow(/--episodes.*whole number/s);
  expect((await bench("--help")).stdout).toContain("Examples:");
});
