import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // Servers, brokers and browsers of one file must not starve those of another on two cores.
    maxWorkers: 2,
    // What a command prints is compared as text, also where CI would have it coloured.
    env: { NO_COLOR: "1" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/counts-reporter.ts"],
  },
});
