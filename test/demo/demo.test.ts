import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runDemo } from "../../front-door/demo-run.ts";
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
  let said: string;
  beforeAll(async () => {
    const run = await demo("--json", "--speed", "8");
    expect(run.code, run.stderr).toBe(0);
    // One JSON object and nothing else.
    summary = JSON.parse(run.stdout);
    said = run.stderr;
  }, 240_000);

  test("every hard fall and at least one soft one alarms, with at most one false alarm", () => {
    const missed = said.split("\n").filter((line) => line.startsWith("missed:"));
    expect(missed.filter((line) => !/soft/i.test(line))).toEqual([]);
    expect(summary.falls).toEqual({ labelled: 18, alarmed: 18 - missed.length });
    expect(missed.length).toBeLessThan(4);
    expect(summary.falseAlarms).toBeLessThanOrEqual(1);
  });

  test("all are taken, nothing is lost, everything is logged", () => {
    expect(summary.acknowledged).toBe(summary.falls.alarmed + summary.falseAlarms);
    expect(summary.pages).toBeGreaterThanOrEqual(summary.acknowledged);
    expect(summary.lost).toBe(0);
    expect(summary.eventsLogged).toBeGreaterThan(summary.acknowledged * 4);
    // About 6 s; at eight times real time each second that a busy machine is late adds eight to it.
    expect(summary.impactToSmsSeconds.median).toBeLessThan(40);
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

test("a Detection that is dropped between gateway and alerting is counted as lost", { timeout: 120_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "fallvakt-drop-"));
  let dropped = 0;
  try {
    const { summary } = await runDemo({
      dataDir,
      speed: 8,
      seed: 1,
      limit: 2,
      sideBySide: 10,
      language: "en",
      stay: false,
      quiet: true,
      say: () => {},
      throughIntake: (intake) => ({
        control: (have, heartbeat) => intake.control(have, heartbeat),
        async submit(item) {
          // Says that it was committed, and forgets it.
          if (item.type === "detection" && dropped === 0) dropped++;
          else await intake.submit(item);
        },
      }),
    });
    expect(dropped).toBe(1);
    expect(summary.lost).toBe(1);
    expect(summary.acknowledged).toBe(summary.falls.alarmed);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
