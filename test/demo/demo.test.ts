import { spawn } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { DemoSummary } from "../../simulators/demo/summary.ts";
import { lacks } from "../services/needs.ts";

/** Runs the demo as a newcomer does, and returns what it printed. */
function demo(...args: string[]): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "-s", "demo", "--", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("close", (code) => resolve({ stdout, stderr, code }));
  });
}

describe("the shipped set", () => {
  let summary: DemoSummary;
  beforeAll(async () => {
    const run = await demo("--json", "--speed", "8");
    expect(run.code, run.stderr).toBe(0);
    // One JSON object and nothing else.
    summary = JSON.parse(run.stdout);
  }, 240_000);

  test("every hard fall and at least one soft one alarms, with at most one false alarm", () => {
    expect(summary.falls.labelled).toBe(18);
    expect(summary.falls.alarmed).toBeGreaterThanOrEqual(15);
    expect(summary.falseAlarms).toBeLessThanOrEqual(1);
  });

  test("all are taken, nothing is lost, everything is logged", () => {
    expect(summary.acknowledged).toBe(summary.falls.alarmed + summary.falseAlarms);
    expect(summary.pages).toBeGreaterThanOrEqual(summary.acknowledged);
    expect(summary.lost).toBe(0);
    expect(summary.eventsLogged).toBeGreaterThan(summary.acknowledged * 4);
    expect(summary.impactToSmsSeconds.median).toBeLessThan(10);
  });
});

test.skipIf(lacks("FALLVAKT_RECORDINGS"))(
  "real recordings of people and devices never seen: at least 29 of 35 falls, at most 4 false alarms (needs FALLVAKT_RECORDINGS)",
  { timeout: 240_000 },
  async () => {
    const folder = join(process.env.FALLVAKT_RECORDINGS ?? "", "umafall-sample");
    const run = await demo("--json", "--speed", "8", "--recordings", folder);
    expect(run.code, run.stderr).toBe(0);
    const summary: DemoSummary = JSON.parse(run.stdout);
    expect(summary.falls.labelled).toBe(35);
    expect(summary.falls.alarmed).toBeGreaterThanOrEqual(29);
    expect(summary.falseAlarms).toBeLessThanOrEqual(4);
    expect(summary.acknowledged).toBe(summary.falls.alarmed + summary.falseAlarms);
    expect(summary.lost).toBe(0);
  },
);
