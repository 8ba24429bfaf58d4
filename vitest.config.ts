import { defineConfig } from "vitest/config";

const alone = ["test/simulation/simulation.test.ts", "test/bench/*.test.ts"];

export default defineConfig({
  test: {
    // Servers, brokers and browsers of one file must not starve those of another on two cores.
    maxWorkers: 2,
    projects: [
      // What takes every core and is held to a time has the machine for itself, one file after the other, before all else.
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: "beside",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**", ...alone],
          sequence: { groupOrder: 2 },
        },
      },
    ],
    // What a command prints is compared as text, also where CI would have it coloured.
    env: { NO_COLOR: "1" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/counts-reporter.ts"],
  },
});
