import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { goldenTolerance } from "../../detector/classifier/network.ts";

// The generator takes some seconds, and the figures about as long.
vi.setConfig({ testTimeout: 90_000 });

const run = promisify(execFile);
const script = new URL("detector.ts", import.meta.url).pathname;
const env = { ...process.env, FALLVAKT_RECORDINGS: undefined };
const tiny = ["--quick", "--devices", "300", "--rounds", "2"];
const bench = (...more: string[]) => run(process.execPath, [script, ...tiny, ...more], { env, timeout: 80_000 });

test("the benchmark prints its three tables, and the ratio last", async () => {
  const { stdout, stderr } = await bench();
  const lines = stdout.trimEnd().split("\n");
  for (const row of [
    "bare loop over magnitudes",
    "one stream",
    "300 streams in turn",
    "window and features",
    "kernel, one by one",
    "kernel, batches of 64",
    "TensorFlow.js, WASM, one by one",
    "TensorFlow.js, WASM, batches of 64",
    "quiet ",
    "seated and at easy tasks",
    "scripted daily life",
  ]) {
    expect(lines.filter((line) => line.startsWith(row)).length, row).toBeGreaterThan(0);
  }
  expect(lines.at(-1)).toMatch(/^ratio \d+\.\d\d$/);
  expect(stderr).toContain("300 devices, quiet");
});

test("with --json it prints one object: scores agree, gates open as often as was asked, and the kernel is the faster one by one", async () => {
  const { classifiers, differences, compared, shares, bytesPerDevice, quiet } = JSON.parse(
    (await bench("--json")).stdout,
  );
  expect(compared).toBeGreaterThan(20);
  expect(differences.wasm).toBeLessThan(goldenTolerance);
  expect(differences.batch).toBe(0);
  const us = (name: string, batch: number) =>
    classifiers.find((row: { name: string; batch: number }) => row.name === name && row.batch === batch).us;
  expect(us("TensorFlow.js, WASM", 1) / us("kernel", 1)).toBeGreaterThan(2);
  expect(quiet.all / quiet.loop).toBeGreaterThan(1);
  const [calm, seated, scripted] = shares;
  expect([calm.gatesAnHour, calm.windowsAnHour]).toEqual([0, 0]);
  expect(seated.gatesAnHour / 107).toBeGreaterThan(0.5);
  expect(seated.gatesAnHour / 107).toBeLessThan(2);
  expect(scripted.gatesAnHour).toBeGreaterThan(3 * seated.gatesAnHour);
  expect(scripted.windowsAnHour / scripted.gatesAnHour).toBeGreaterThan(0.8);
  // The ring of 41 s alone takes 16,384.
  expect(bytesPerDevice).toBeGreaterThan(16_384);
  expect(bytesPerDevice).toBeLessThan(32_768);
});

test("a mistake on the command line is told, and how it is used", async () => {
  await expect(bench("--devices", "none")).rejects.toThrow(/--devices.*whole number/s);
  expect((await bench("--help")).stdout).toContain("Examples:");
});
