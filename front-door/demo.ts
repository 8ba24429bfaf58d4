import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { Placement } from "../firmware-contracts/detection.ts";
import { type DemoRun, runDemo } from "./demo-run.ts";
import { summaryText } from "./demo-story.ts";

/** The command line's words; the rest of a run is this command's business. */
type DemoOptions = Omit<DemoRun, "dataDir" | "say" | "quiet" | "throughIntake"> & { json: boolean };

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000)) throw new InvalidArgumentError("a number over 0, at most 1000");
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}

/** `fallvakt demo`: the whole chain on generated falls, or on recordings. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("watch falls travel from simulated sensors over MQTT to a patrol's phone, and be taken")
    .option("--speed <factor>", "how fast the clock of everything runs", positive, 1)
    .option("--recordings <dir>", "play this recording set instead of the generated one")
    .option("--part <name>", "only this part of the set")
    .addOption(
      new Option("--placement <place>", "the wearing place, where the set does not tell it").choices(Placement.options),
    )
    .option("--limit <n>", "at most this many trials of each part", whole)
    .option("--seed <n>", "seed of the generated set", whole, 1)
    .option("--side-by-side <n>", "devices at a time", whole, 200)
    .addOption(new Option("--language <language>", "of the texts on the phones").choices(["sv", "en"]).default("sv"))
    .option("--stay", "keep everything running afterwards, with the console open", false)
    .option("--json", "print only the figures, as one JSON object", false)
    .addHelpText(
      "after",
      `
Examples:
  fallvakt demo --speed 4
  fallvakt demo --speed 8 --json
  fallvakt demo --recordings recordings/my-set --part wrist --limit 10 --stay`,
    )
    .action(async (options: DemoOptions) => {
      const dataDir = await mkdtemp(join(tmpdir(), "fallvakt-demo-"));
      const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
      try {
        const { summary, events } = await runDemo({
          ...options,
          dataDir,
          say,
          // With --json a viewer is a script: only what went wrong, and what was missed, is said beside.
          quiet: options.json,
        });
        process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : summaryText(summary, events));
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    });
}
