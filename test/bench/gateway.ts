import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { positive, whole } from "./arguments.ts";
import { sources } from "./frames.ts";
import { measure } from "./measure.ts";
import { tableOf } from "./table.ts";

// `npm run -s bench:gateway`: what the gateway costs beside bare brokers.

function wholeList(text: string): number[] {
  return text === "none" ? [] : text.split(",").map(whole);
}

interface Options {
  source?: (typeof sources)[number];
  publishers?: number;
  window?: number;
  rounds?: number;
  seconds?: number;
  connections?: number[];
  share: boolean;
  folder?: string;
  profile?: string;
  quick?: boolean;
  json?: boolean;
}

const usual = {
  publishers: 100,
  window: 16,
  rounds: 5,
  seconds: 5,
  warmSeconds: 1,
  connections: [1000, 5000],
  settleSeconds: 2,
};
const quick = {
  publishers: 100,
  window: 16,
  rounds: 3,
  seconds: 1,
  warmSeconds: 0.5,
  connections: [200, 1000],
  settleSeconds: 0.3,
};

const program = new Command("bench:gateway")
  .description(
    "measure the gateway beside bare aedes and Mosquitto: messages a second, CPU, frames journaled, memory of idle connections (Linux)",
  )
  .addOption(
    new Option(
      "--source <set>",
      "whose daily life is played (default: stress-predict; generated where it is not there)",
    ).choices(sources),
  )
  .option("--publishers <n>", `devices that publish (default: ${usual.publishers})`, whole)
  .option("--window <n>", `frames of one device that are on their way at most (default: ${usual.window})`, whole)
  .option("--rounds <n>", `alternating rounds (default: ${usual.rounds})`, whole)
  .option("--seconds <s>", `measured time of each server in a round (default: ${usual.seconds})`, positive)
  .option("--connections <list>", `idle connections for memory, or none (default: ${usual.connections})`, wholeList)
  .option("--no-share", "leave out the share of frames journaled")
  .option("--folder <dir>", "where the gateway keeps its data: the disk whose syncs count (default: temporary files)")
  .option("--profile <dir>", "leave CPU profiles of the gateway there, for Chrome's or VS Code's profiler")
  .option("--quick", "short rounds: figures for a first look")
  .option("--json", "print one JSON object instead of tables")
  .addHelpText(
    "after",
    `
Examples:
  $ npm run -s bench:gateway                                  about four minutes
  $ npm run -s bench:gateway -- --quick                       half a minute
  $ npm run -s bench:gateway -- --source sisfall --json > figures.json
  $ npm run -s bench:gateway -- --folder /mnt/sd-card --connections none --no-share

Recordings are read from the folder that FALLVAKT_RECORDINGS names. The last line is "ratio 0.xx": messages a second, the gateway to bare aedes without
subscribers.`,
  )
  .action(async (options: Options) => {
    if (process.platform !== "linux")
      throw new Error("CPU time and memory are read from /proc: this runs on Linux only");
    const { quick: isQuick, json, ...given } = options;
    const settings = { ...(isQuick ? quick : usual), ...given, secret: randomBytes(20).toString("base64url") };
    const result = await measure(settings, (line) => process.stderr.write(`${line}\n`));
    console.log(json ? JSON.stringify(result, null, 2) : tableOf(result));
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench:gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
