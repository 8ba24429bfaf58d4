import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const alone = ["test/simulation/simulation.test.ts", "test/bench/detector.test.ts", "test/bench/gateway.test.ts"];
/** Stories that mostly wait for deadlines of minutes: under a fifth of a core each. */
const waiting = [
  "gateway/watching.test.ts",
  "test/chain/adapters.test.ts",
  "test/faults/slow-disk.test.ts",
  "test/promises/the-clock-is-set.test.ts",
  "gateway/long-lie.test.ts",
  "gateway/crash.test.ts",
  "test/chain/promises-on-mosquitto.test.ts",
  "test/chain/tune.test.ts",
  "test/promises/a-long-lie-is-urgent.test.ts",
  "test/promises/forged-webhook-changes-nothing.test.ts",
];

/** Short files that take long: begun first, or at the end one worker would have them while the others have nothing. */
const early = [
  "test/faults/random-kills.test.ts",
  "test/chain/trouble-on-mosquitto.test.ts",
  "test/pack.test.ts",
  "test/promises/nobody-takes-it-escalates.test.ts",
  "test/simulation/planted-faults.test.ts",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isEarly = ({ moduleId }: TestSpecification) => early.some((path) => moduleId.endsWith(path));
    const sorted = await super.sort(files);
    return [...sorted.filter(isEarly), ...sorted.filter((file) => !isEarly(file))];
  }
}

export default defineConfig({
  test: {
    // Servers, brokers and browsers of one file must not starve those of another on two cores; most of them wait half of their time.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    projects: [
      // What takes every core and is held to a time has the machine for itself, one file after the other, before all else.
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: { name: "waiting", include: waiting, maxWorkers: waiting.length, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: {
          name: "beside",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**", ...alone, ...waiting],
          sequence: { groupOrder: 3 },
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
