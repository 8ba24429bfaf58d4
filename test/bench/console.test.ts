import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { lacks } from "../services/needs.ts";

vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);
const script = new URL("console.ts", import.meta.url).pathname;
const bench = (...given: string[]) => run(process.execPath, [script, ...given], { timeout: 110_000 });

describe.skipIf(lacks("chromium"))("the console's benchmark (needs chromium)", () => {
  test("measures paint, weight and presses on both screens, and ends with 1 where a limit is broken", async () => {
    const small = ["--episodes", "3", "--devices", "10", "--rounds", "1", "--json"];
    // On a busy machine times may be over their limits: then it must say so.
    const ended = await bench(...small).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    );
    const { figures } = JSON.parse(ended.stdout) as {
      figures: { screen: string; what: string; median: number; limit: number; values: number[] }[];
    };
    for (const screen of ["desktop", "phone"]) {
      const own = figures.filter((figure) => figure.screen === screen);
      for (const what of ["first paint", "weight of the board", "a new fall is on the board", "taking an episode"]) {
        expect(own.find((figure) => figure.what === what)?.values, `${screen}: ${what}`).toHaveLength(1);
      }
    }
    const weight = figures.find(({ what }) => what === "weight of the board")!;
    expect(weight.median).toBeGreaterThan(20);
    expect(weight.median).toBeLessThan(weight.limit);
    expect(ended.code).toBe(figures.some(({ median, limit }) => !(median <= limit)) ? 1 : 0);
  });

  test("a mistake on the command line is told, and how it is used", async () => {
    await expect(bench("--rounds", "none")).rejects.toThrow(/--rounds.*whole number/s);
    expect((await bench("--help")).stdout).toContain("Examples:");
  });
});
