import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { foundBy, plantedFaults } from "./planted-faults.ts";
import { playSeed } from "./seed.ts";

/** A fault must show within so many seeds. */
const mostSeeds = 400;

describe("a planted fault is found, and the seed that finds it is clean without it", () => {
  test("there are at least twelve", () => {
    expect(Object.keys(plantedFaults).length).toBeGreaterThanOrEqual(12);
  });

  test.each(Object.entries(plantedFaults))("%s", { timeout: 300_000 }, async (name, fault) => {
    for (let seed = 1; seed <= mostSeeds; seed++) {
      const { violation, story } = await playSeed(seed, fault);
      if (!violation) continue;
      expect(foundBy[name]).toContain(violation.rule);
      expect(story.at(-1)).toContain(`VIOLATION ${violation.rule}`);
      expect((await playSeed(seed)).violation).toBeNull();
      return;
    }
    throw new Error(`${mostSeeds} seeds did not find it: ${fault.tells}`);
  });
});

test("the README lists each planted fault", () => {
  const readme = readFileSync(new URL("./README.md", import.meta.url), "utf8");
  for (const [name, { tells }] of Object.entries(plantedFaults)) expect(readme).toContain(`| \`${name}\` | ${tells} |`);
});
