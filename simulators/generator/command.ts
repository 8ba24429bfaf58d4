import { Command, InvalidArgumentError } from "commander";
import { generateSet, softBelowG } from "./set.ts";
import { writeSet } from "./write.ts";

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || text.trim() === "") throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

/** `fallvakt generate DIR`. */
export function generateCommand(): Command {
  return new Command("generate")
    .description("make a recording set of falls and daily life at wrist and waist from a body model")
    .argument("<DIR>", "folder to write the set into; made where it is missing")
    .option("--seed <N>", "whole number; the same number gives the same set", wholeNumber, 1)
    .option("--json", "print what was written as one JSON object on stdout")
    .addHelpText(
      "after",
      `
Examples:
  $ fallvakt generate recordings            a set of 38 trials in ./recordings
  $ fallvakt generate recordings --seed 7   other people, other falls
  $ fallvakt evaluate recordings            what the detector makes of it
  $ fallvakt replay recordings --url mqtt://localhost --devices 8`,
    )
    .action(async (folder: string, options: { seed: number; json?: boolean }) => {
      const set = generateSet({ seed: options.seed });
      await writeSet(folder, set);
      const { trials } = set.manifest;
      const falls = trials.filter(({ label }) => label === "fall");
      const summary = {
        folder,
        seed: options.seed,
        trials: trials.length,
        falls: falls.length,
        softFalls: falls.filter(({ peakG }) => peakG < softBelowG).length,
        adls: trials.length - falls.length,
        minutes: Number((trials.reduce((sum, { samples, rateHz }) => sum + samples / rateHz, 0) / 60).toFixed(1)),
      };
      console.log(
        options.json
          ? JSON.stringify(summary)
          : `${folder}: ${summary.trials} trials (${summary.falls} falls, ${summary.softFalls} of them soft; ${summary.adls} of daily life), ${summary.minutes} minutes, seed ${summary.seed}`,
      );
    });
}
