import { expect, test } from "vitest";
import { killRounds } from "./kill-rounds.ts";

test("killed 40 times at a random moment 0–500 ms after a fall or a help call: what was acknowledged is paged", {
  timeout: 300_000,
}, async () => {
  const seed = Math.trunc(performance.timeOrigin) % 1_000_000;
  const report = await killRounds(40, seed);
  console.info(`${report.kills} kills, ${report.acknowledged} acknowledged, ${report.lost.length} lost (seed ${seed})`);
  expect(report.lost).toEqual([]);
  expect(report.kills).toBe(40);
  // Kills that all came before any acknowledgement, or all long after, would show nothing.
  expect(report.acknowledgedBeforeKill).toBeGreaterThan(10);
});
