import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { findMosquitto } from "./servers.ts";

// Five servers start, two of them with the model: about 10 s, and more on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

const run = promisify(execFile);
const script = new URL("gateway.ts", import.meta.url).pathname;
// Recordings would take longer to read than all else; the generator's trials are always there.
const env = { ...process.env, FALLVAKT_RECORDINGS: undefined };
const tiny = ["--quick", "--publishers", "10", "--rounds", "1", "--seconds", "0.2", "--connections", "5,20"];
const bench = (...more: string[]) => run(process.execPath, [script, ...tiny, ...more], { env, timeout: 80_000 });

test.skipIf(process.platform !== "linux")("the benchmark prints its rows, and the ratio last", async () => {
  const { stdout, stderr } = await bench();
  const lines = stdout.trimEnd().split("\n");
  const begins = (text: string) => lines.filter((line) => line.startsWith(text)).length;
  for (const row of ["aedes, no subscriber", "aedes, one subscriber", "gateway, daily life", "gateway, quiet frames"]) {
    expect(begins(row), row).toBe(1);
  }
  expect(begins("Mosquitto, one subscriber")).toBe(findMosquitto() ? 1 : 0);
  expect(begins("generated, daily life")).toBe(1);
  expect(stdout).toMatch(/^ +0 idle +5 idle +20 idle$/m);
  expect(lines.at(-1)).toMatch(/^ratio \d+\.\d\d$/);
  expect(stderr).toContain("round 1 of 1: gateway, daily life");
});

test.skipIf(process.platform !== "linux")(
  "with --json it prints one object, and every frame was acknowledged",
  async () => {
    const { stdout } = await bench("--json", "--no-share", "--connections", "none");
    const result = JSON.parse(stdout);
    expect(result.ratio).toBeGreaterThan(0);
    expect([result.load.publishers, result.load.rounds, result.memory, result.shares]).toEqual([10, 1, [], {}]);
    for (const row of result.rows) {
      expect(row.messagesPerSecond, row.name).toBeGreaterThan(0);
      expect(row.cpuSecondsPer100k, row.name).toBeGreaterThan(0);
      expect(row.rounds.length).toBe(1);
    }
  },
);

test("a mistake on the command line is told, and how it is used", async () => {
  await expect(bench("--rounds", "none")).rejects.toThrow(/--rounds.*whole number/s);
  expect((await bench("--help")).stdout).toContain("Examples:");
});
