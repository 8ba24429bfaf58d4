import { relative } from "node:path";
import { Command } from "commander";
import type { SelfTestRow } from "../alerting/store/store.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { type SelfTestLink, selfTestLinks } from "../firmware-contracts/self-test.ts";
import { readConfig } from "./config.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

/** What a test tried, for people. */
const linkNames: Record<SelfTestLink, string> = {
  connect: "the test device connects",
  acknowledged: "its fall is acknowledged",
  detected: "the detector finds it",
  intake: "alerting has committed it",
  paged: "the SMS provider accepts its text",
  delivered: "the phone has it",
};

/** Asked for so often whether it is over, ms. */
const pollMs = 250;
/** Beside its limits: until the service and the gateway have seen that it is wanted, ms. */
const untilSeenMs = 60_000;

/** How a self-test went. `ok` only where every link held. */
export interface SelfTestVerdict {
  ok: boolean;
  test: SelfTestRow;
}

/**
 * Has the running service try the whole chain, and waits for how it goes: from the test device over its true path to the phone that is signed on.
 * @throws where no service takes it up, or the configuration has no self-test.
 */
export async function runSelfTest(
  options: WithConfig & { by?: string | undefined; onLink?: (link: SelfTestLink, ms: number) => void },
): Promise<SelfTestVerdict> {
  const { selfTest } = readConfig(options.config, "alerting").alerting ?? {};
  if (!selfTest) {
    throw new Error(
      "alerting.selfTest is missing in the configuration; `fallvakt self-test device` says what to write",
    );
  }
  const clock = systemClock();
  return withRegister(options, async ({ selfTests }) => {
    const id = await selfTests.ask(selfTest, options.by);
    const limitMs = selfTestLinks.reduce((sum, link) => sum + selfTest.limits[link] * 1000, untilSeenMs);
    const until = clock.monotonicNow() + limitMs;
    while (clock.monotonicNow() < until) {
      const test = await selfTests.find(id);
      if (test?.isCutOff) throw new Error("the service was restarted meanwhile: run it again");
      if (test?.endedAt != null) {
        for (const link of selfTestLinks) if (test.links[link] !== undefined) options.onLink?.(link, test.links[link]);
        return { ok: test.failed === null, test };
      }
      await new Promise<void>((resolve) => clock.after(pollMs, resolve));
    }
    throw new Error("no service has taken the self-test up; is it running? fallvakt start");
  });
}

const length = (ms: number | undefined) => (ms === undefined ? "–" : `${(ms / 1000).toFixed(2)} s`);

function printTest({ links, failed, detail, limits }: SelfTestRow): void {
  const failedAt = failed === null ? selfTestLinks.length : selfTestLinks.indexOf(failed);
  const rows = selfTestLinks.map((link, i) => [
    link,
    linkNames[link],
    length(links[link]),
    `${limits[link]} s`,
    i < failedAt ? "held" : i === failedAt ? `FAILED${detail ? `: ${detail}` : ""}` : "not reached",
  ]);
  printTable(["link", "", "took", "limit", ""], rows);
}

/** `fallvakt self-test`: the whole chain, tried for real. */
export function selfTestCommand(): Command {
  const command = new Command("self-test").description(
    "try the whole chain for real: a test device's fall, to the phone that is signed on",
  );
  withConfig(command.command("run", { isDefault: true }))
    .description("try it now, with the service that is running; the exit code is 1 where a link failed")
    .option("--by <name>", "who asks for it, for the history")
    .addHelpText(
      "after",
      `
The phone that is on call gets a text marked PROVLARM and need not answer. A link that fails raises a technical alarm, which
the next success ends.
Examples:
  fallvakt self-test
  fallvakt self-test --json`,
    )
    .action(async (options: WithConfig & { by?: string }) => {
      const { ok, test } = await runSelfTest(options);
      if (!ok) process.exitCode = 1;
      if (options.json) return print(JSON.stringify({ ok, ...test }));
      printTest(test);
      print(ok ? "Every link held." : `FAILED at ${test.failed}.`);
    });

  withConfig(command.command("list"))
    .description("the last self-tests, the newest first")
    .option("--last <number>", "how many", "20")
    .action(async (options: WithConfig & { last: string }) => {
      const tests = await withRegister(options, ({ selfTests }) =>
        selfTests.list(Math.max(1, Number(options.last) || 20)),
      );
      if (options.json) return print(JSON.stringify(tests));
      if (tests.length === 0) return print("No self-test yet: fallvakt self-test");
      printTable(
        ["asked for", "by", ...selfTestLinks, "verdict"],
        tests.map(({ askedAt, by, links, failed, detail, endedAt, isCutOff }) => [
          timeOf(askedAt),
          by ?? "its time",
          ...selfTestLinks.map((link) => length(links[link])),
          isCutOff
            ? "cut off by a restart"
            : endedAt === null
              ? "under way"
              : failed === null
                ? "held"
                : `FAILED at ${failed}${detail ? `: ${detail}` : ""}`,
        ]),
      );
    });

  withConfig(command.command("device"))
    .description(
      "put the test device into the register, or give it another secret, and say what the configuration needs",
    )
    .requiredOption("--out <file>", "where to write its secret; only its owner may read it")
    .option("--by <name>", "who does it, for the history")
    .addHelpText("after", "\nExample:\n  fallvakt self-test device --out keys/self-test.secret")
    .action(async (options: WithConfig & { out: string; by?: string }) => {
      const { writeSecret } = await import("./certificates.ts");
      const device = readConfig(options.config, "alerting").alerting?.selfTest?.device ?? "self-test";
      const { secret } = await withRegister(options, ({ selfTests }) => selfTests.putDevice(device, options.by));
      writeSecret(options.out, `${secret}\n`);
      if (options.json) return print(JSON.stringify({ deviceId: device, file: options.out }));
      print(`Wrote the secret of ${device} to ${options.out}. In ${relative(".", options.config)}, where they are not there yet:

gateway:
  selfTest: { device: ${device}, secret: { file: ${options.out} } }
alerting:
  selfTest: { device: ${device}, times: ["10:05", "21:40"] }

With an outside broker the device needs an account there too. Then start the service again, and: fallvakt self-test`);
    });
  return command;
}
