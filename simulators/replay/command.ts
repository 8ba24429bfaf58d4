import { readFile } from "node:fs/promises";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import colours from "picocolors";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { Placement } from "../../firmware-contracts/detection.ts";
import { chooseRecordings } from "./choose.ts";
import { readCredentials } from "./credentials.ts";
import { replaySet } from "./replay.ts";

interface Options {
  url: string;
  credentials: string;
  devices?: number;
  speed: number;
  part?: string;
  placement?: Placement;
  limit?: number;
  pause: number;
  frame: number;
  json?: boolean;
}

/** `fallvakt replay`: plays a recording set to a gateway, over MQTT, on simulated devices. */
export function replayCommand(): Command {
  return new Command("replay")
    .description("play a recording set to a gateway over MQTT, on simulated devices side by side")
    .argument("<dir>", "folder of a recording set: manifest.json and its *.bin.gz files")
    .requiredOption("--url <url>", "the gateway's broker, mqtt://host:port")
    .requiredOption(
      "--credentials <file>",
      "CSV of devices the gateway knows, with consent on record: deviceId,secret[,placement]",
    )
    .option("--devices <n>", "how many of them play at a time (default: all)", whole)
    .option("--speed <factor>", "how many times as fast as it was recorded", positive, 1)
    .option("--part <name>", "only this part of the set")
    .addOption(
      new Option("--placement <place>", "only parts worn here; names the place of a part that does not tell").choices(
        Placement.options,
      ),
    )
    .option("--limit <n>", "at most this many trials a part", whole)
    .option("--pause <seconds>", "silence between two trials on a device, in recording time", positive, 30)
    .option("--frame <seconds>", "seconds of samples in a frame", positive, 1)
    .option("--json", "the result as one JSON object on stdout")
    .addHelpText(
      "after",
      `
With --speed 8 the devices' clocks run 8 times as fast as the gateway's: their times are ahead of it (the gateway flags that and goes
by arrival), ages are in the devices' seconds, and the gateway's own waits last 8 times as long in recording time. At speed 1 all agree.

Examples:
  fallvakt replay recordings/umafall --url mqtt://127.0.0.1:1883 --credentials devices.csv
  fallvakt replay recordings/weda-fall --url mqtt://gw-3:1883 --credentials devices.csv --devices 20 --limit 50
  fallvakt replay recordings/sisfall --url mqtt://127.0.0.1:1883 --credentials devices.csv --placement waist --json`,
    )
    .action(run);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("a number above 0");
  return value;
}

function whole(text: string): number {
  const value = positive(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("a whole number");
  return value;
}

async function run(folder: string, options: Options): Promise<void> {
  const credentials = readCredentials(await readFile(options.credentials, "utf8"), options.credentials);
  const devices = options.devices ?? credentials.length;
  if (credentials.length < devices || devices === 0) {
    throw new Error(
      `${options.credentials} has ${credentials.length} devices, and ${devices} are to play; "fallvakt device add --consent-by" makes more`,
    );
  }
  const { part, placement, limit } = options;
  const set = await chooseRecordings(folder, { part, placement, limit });
  const total = set.parts.reduce((sum, { recordings }) => sum + recordings.length, 0);
  // An interrupt ends the trials that play; the result of what was played is still told. A second one ends at once.
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const bar = new SingleBar({
    stream: process.stderr,
    format: "{bar} {value}/{total} trials · {eta_formatted} left",
    hideCursor: true,
  });
  bar.start(total, 0);
  const result = await replaySet({
    set,
    credentials: credentials.slice(0, devices),
    url: options.url,
    clock: systemClock(options.speed),
    pauseSeconds: options.pause,
    frameSeconds: options.frame,
    onTrial: () => bar.increment(),
    signal: stop.signal,
  }).finally(() => bar.stop());
  for (const { where, why } of result.problems) process.stderr.write(`${colours.yellow(where)}: ${why}\n`);
  if (result.trials === 0 && total > 0) process.exitCode = 1;
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { trials, falls, frames, seconds } = result;
  process.stdout.write(
    `${result.dataset}: ${trials} of ${total} trials played (${falls} falls, ${Math.round(seconds / 60)} min) on ${result.devices} devices; ` +
      `${frames.acknowledged} of ${frames.sent} frames acknowledged\n`,
  );
}
