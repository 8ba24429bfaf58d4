import { Command, InvalidArgumentError } from "commander";
import type { ThresholdGrounds, ThresholdVersion } from "../alerting/store/store.ts";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { tuneOnRecordings } from "../detector/tuning/recordings.ts";
import { suggestThreshold } from "../detector/tuning/suggest.ts";
import { print, printTable } from "./table.ts";
import { type DeviceEvidence, gatherEvidence, readEither } from "./tune-evidence.ts";
import { limitWords, mediumNow, reportOf, scoreText, type TuneReport } from "./tune-report.ts";
import { reportText, timeWords, versionRows } from "./tune-text.ts";
import { type WithConfig, withConfig, withRegister } from "./with-register.ts";

interface Options extends WithConfig {
  device: string;
  threshold?: number;
  suggest: boolean;
  history: boolean;
  revert: boolean;
  to?: number;
  days: number;
  apply: boolean;
  approvedBy?: string;
  reason?: string;
}

/** `fallvakt tune`: what another threshold would have changed for one device; with a manager's approval it is set. */
export function tuneCommand(): Command {
  return withConfig(new Command("tune"))
    .description(
      "what another threshold would have changed for one device: alarms lost and gained, one by one; and set it, once a manager has approved",
    )
    .argument("[dir...]", "recording sets to try it on, instead of the gateway's log")
    .requiredOption("--device <id>", "the device")
    .option("--threshold <score>", "the score, 0.02 to 0.98, from which a movement may be a fall", score)
    .option("--suggest", "take the threshold that confirmed outcomes suggest", false)
    .option("--days <number>", "how far back to look in the gateway's log", days, 14)
    .option("--apply", "set it, if it is within bounds and loses no confirmed fall", false)
    .option("--history", "list the thresholds that the device was given", false)
    .option("--revert", "put back what was in force before the last change", false)
    .option("--to <version>", "with --revert: put back this version; 0 is the model's own", version)
    .option("--approved-by <name>", "the manager who has approved it")
    .option("--reason <text>", "why, in a few words and without a name; it is erased with the dwelling")
    .addHelpText(
      "after",
      `
A lower threshold finds more falls and raises more false alarms, a higher one the other way round. "Already up" counts as a
fall: people who got up deny it. "No fall" teaches something only where somebody had been there.
Examples:
  fallvakt tune --device watch-17 --threshold 0.9
  fallvakt tune --device watch-17 --suggest --json
  fallvakt tune --device watch-17 --threshold 0.9 recordings/weda-fall
  fallvakt tune --device watch-17 --threshold 0.9 --apply --approved-by maria --reason "three false alarms a night"
  fallvakt tune --device watch-17 --history
  fallvakt tune --device watch-17 --revert --to 2 --approved-by maria`,
    )
    .action(run);
}

async function run(folders: string[], options: Options): Promise<void> {
  const { threshold, suggest, history, revert, apply, to, approvedBy } = options;
  const asked = [threshold !== undefined, suggest, history, revert].filter(Boolean).length;
  if (asked !== 1) throw new Error("give one of --threshold, --suggest, --history and --revert");
  if (to !== undefined && !revert) throw new Error("--to goes with --revert");
  if (apply && threshold === undefined) {
    throw new Error("--apply takes the --threshold that was approved; what is suggested is not approved yet");
  }
  if (apply && folders.length > 0) {
    throw new Error("a threshold is applied on what the device itself has seen: leave the recordings out");
  }
  if ((apply || revert) && approvedBy === undefined) {
    throw new Error("a threshold moves only with --approved-by, the manager who has approved it");
  }
  if (history) return showHistory(options);
  const evidence = await gatherEvidence(options.config, options.device, options.days);
  if (revert) return putBack(options, evidence);
  const suggestion = suggest ? suggested(evidence) : null;
  const proposed = threshold ?? suggestion?.threshold ?? null;
  const time = timeWords(readEither(options.config).alerting?.timeZone);
  if (proposed === null) {
    const words = nothingSuggested(evidence, suggestion?.remain ?? 0);
    return print(options.json ? JSON.stringify({ deviceId: options.device, suggested: null, why: words }) : words);
  }
  const report = await reported(evidence, proposed, folders);
  if (!options.json) process.stdout.write(reportText(report, time));
  // Nothing is set before what it costs was told.
  const applied = apply && report.refused.length === 0 ? await applyTo(options, evidence, report) : null;
  if (options.json) print(JSON.stringify({ ...report, suggestion, applied }));
  else if (applied) print(`Applied as version ${applied.version}. Gateways follow within seconds.`);
  else for (const why of report.refused) print(`It may not be applied: ${why}`);
  if (apply && report.refused.length > 0) throw new Error(`nothing was changed: ${report.refused.join("; ")}`);
}

async function reported(evidence: DeviceEvidence, proposed: number, folders: string[]): Promise<TuneReport> {
  if (folders.length === 0) return reportOf(evidence, proposed);
  const classifier = await loadClassifier({ backend: "auto" });
  try {
    const { placement, threshold: now } = evidence;
    const { operatingPoints, score: scores } = classifier;
    const tuned = await tuneOnRecordings(folders, { operatingPoints, score: scores, placement, now, proposed });
    for (const { where, why } of tuned.problems) process.stderr.write(`left out: ${where}: ${why}\n`);
    return reportOf(evidence, proposed, { folders, tuned });
  } finally {
    classifier.dispose();
  }
}

function suggested(evidence: DeviceEvidence) {
  const { alarms, limits } = evidence;
  if (!alarms) throw new Error("what was found at the alarms is in alerting's store: run it where alerting runs");
  const scoresOf = (lesson: "fall" | "no-fall") =>
    alarms.filter((alarm) => alarm.lesson === lesson).map((alarm) => alarm.score);
  return suggestThreshold({ falls: scoresOf("fall"), noFalls: scoresOf("no-fall") }, limits, mediumNow(evidence));
}

function nothingSuggested({ deviceId, limits }: DeviceEvidence, remain: number): string {
  if (remain === 0) {
    return `Nothing to suggest for ${deviceId}: no alarm of its was confirmed to be no fall by somebody who had been there.`;
  }
  return `Nothing to suggest for ${deviceId}: its ${remain} confirmed false alarms score as high as a confirmed fall did, or beyond the bounds (${limitWords(limits)}).`;
}

/** The counts that stand with a change, in its version and in the audit log. */
function countsOf({ confirmed, alarms, source, lost, gained }: TuneReport): Record<string, number> {
  return {
    ...(confirmed && {
      falls: confirmed.falls,
      fallsLost: confirmed.fallsLost.length,
      noFalls: confirmed.noFalls,
      noFallsDropped: confirmed.noFallsDropped,
    }),
    ...(alarms &&
      source?.kind === "log" && { candidates: source.candidates, lost: lost.length, gained: gained.length }),
  };
}

async function applyTo(options: Options, evidence: DeviceEvidence, report: TuneReport): Promise<ThresholdVersion> {
  return setThreshold(options, report.threshold.proposed, {
    how: "tuned",
    model: report.model,
    evidence: countsOf(report),
    from: evidence.threshold,
  });
}

function setThreshold(
  options: Options,
  threshold: number | null,
  grounds: ThresholdGrounds,
): Promise<ThresholdVersion> {
  const { device, reason, approvedBy = "" } = options;
  return withRegister(options, async ({ registry }) => {
    if (grounds.from === threshold) throw new Error(`the threshold of ${device} is so already: nothing was changed`);
    await registry.setThreshold(device, threshold, approvedBy, { ...grounds, reason });
    return (await registry.thresholdVersions(device)).at(-1)!;
  });
}

async function showHistory(options: Options): Promise<void> {
  const { config, device, json } = options;
  const versions = await withRegister({ config }, async ({ registry }) => {
    const known = (await registry.list()).some(({ deviceId }) => deviceId === device);
    if (!known) throw new Error(`no device has the id ${device}; see fallvakt device list`);
    return registry.thresholdVersions(device);
  });
  if (json) return print(JSON.stringify(versions));
  if (versions.length === 0) return print(`${device} has the model's own threshold, and never had another.`);
  const time = timeWords(readEither(config).alerting?.timeZone);
  const head = ["version", "when", "threshold", "before", "approved by", "how", "model", "why"];
  printTable(head, versionRows(versions, time));
}

/** What was in force before was approved then: the way back is always open, and what it loses is said. */
async function putBack(options: Options, evidence: DeviceEvidence): Promise<void> {
  const { versions, deviceId, card } = evidence;
  const last = versions.at(-1);
  if (!last) throw new Error(`${deviceId} has had no threshold of its own: there is nothing to put back`);
  const { to } = options;
  const wanted = to === undefined ? null : versions.find((one) => one.version === to);
  if (wanted === undefined && to !== 0) {
    throw new Error(`${deviceId} has no version ${to}; see fallvakt tune --device ${deviceId} --history`);
  }
  const threshold = to === undefined ? last.before : (wanted?.threshold ?? null);
  const back = { ...evidence, threshold };
  const report = reportOf(evidence, mediumNow(back));
  const lost = report.confirmed?.fallsLost.length ?? 0;
  const applied = await setThreshold(options, threshold, {
    how: "reverted",
    revertsTo: to ?? versionBefore(versions),
    model: card.version,
    evidence: countsOf(report),
    from: evidence.threshold,
  });
  if (options.json) return print(JSON.stringify({ ...report, suggestion: null, applied }));
  const shown = threshold === null ? "the model's own" : scoreText(threshold);
  print(`${deviceId}: ${shown} is in force again, as version ${applied.version}. Gateways follow within seconds.`);
  if (lost > 0) print(`${lost} confirmed falls score less than that: such falls raise no alarm.`);
}

/** The version whose threshold was in force before the last; 0 where that was the model's own, before any. */
function versionBefore(versions: readonly ThresholdVersion[]): number {
  return versions.at(-2)?.version ?? 0;
}

function score(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("a score from 0.02 to 0.98");
  return value;
}

function days(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 30) throw new InvalidArgumentError("whole days, 1 to 30");
  return value;
}

function version(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || text.trim() === "") {
    throw new InvalidArgumentError("a version's number, as --history shows it");
  }
  return value;
}
