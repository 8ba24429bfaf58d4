import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const script = new URL("small.ts", import.meta.url).pathname;
const env = { ...process.env, FALLVAKT_RECORDINGS: undefined };
const tiny = [
  "--from-source",
  "--devices",
  "3",
  "--starts",
  "1",
  "--warm-seconds",
  "0.2",
  "--seconds",
  "1.5",
  "--json",
];

test.skipIf(process.platform !== "linux")(
  "what the service takes is measured, with a verdict on each limit",
  {
    timeout: 60_000,
  },
  async () => {
    const { stdout } = await run(process.execPath, [script, ...tiny], { env, timeout: 55_000 });
    const results = JSON.parse(stdout) as Record<string, number | object>[];
    expect(results.map(({ role }) => role)).toEqual(["gateway", "all"]);
    for (const result of results) {
      expect(result.residentMib).toBeGreaterThan(50);
      expect(result.peakMib).toBeGreaterThanOrEqual(Number(result.residentMib) - 1);
      expect(result.coreShare).toBeGreaterThan(0);
      expect(result.readySeconds).toBeGreaterThan(0);
      expect(result.framesSent).toBeGreaterThan(3);
      expect(result.framesAcknowledged).toBe(result.framesSent);
      expect(Object.keys(result.met as object)).toEqual(["resident", "ready", "core"]);
    }
  },
);
