import type { Lesson } from "../alerting/registry/confirmed.ts";
import type { Lane } from "../detector/operating-points.ts";
import type { ThresholdLimits } from "../detector/tuning/limits.ts";
import type { RecordedChange, RecordingsTuned } from "../detector/tuning/recordings.ts";
import { type Redecided, redecide, without } from "../detector/tuning/redecide.ts";
import type { DeviceEvidence, LoggedCandidate } from "./tune-evidence.ts";

/** What no tuning can see, said with each report. */
export const blindness =
  "It cannot see below the gate: a fall that reached neither 1.45 g nor a change of posture was never scored, and neither was what came within a minute of an alarm that was told.";

/** An alarm of the log that one threshold raises and the other does not. */
export interface LoggedChange {
  /** ISO 8601, UTC. */
  at: string;
  detectionId: string;
  score: number;
  lane: Lane;
  strength: "strong" | "medium";
  /** False: at most an alarm. */
  sure: boolean;
  why: string;
  /** What became of it in truth. */
  decided: LoggedCandidate["decided"];
  /** What was found, where alerting's store is here and it was told. */
  outcome: string | null;
  lesson: Lesson | null;
}

/** What the outcomes of this device's alarms say of the proposed threshold. */
export interface ConfirmedFigures {
  falls: number;
  /** Confirmed falls that score less than the proposed threshold. */
  fallsLost: { at: string; detectionId: string; score: number; outcome: string | null }[];
  noFalls: number;
  noFallsDropped: number;
  /** "No fall" without an arrival. */
  teachNothing: number;
  unknown: number;
  /** Of another model or place: held against nothing. */
  notComparable: number;
}

export interface TuneReport {
  deviceId: string;
  placement: string;
  ranges: string[];
  model: string;
  threshold: { now: number; own: boolean; proposed: number; models: { medium: number; strong: number } };
  limits: ThresholdLimits;
  /** Null where there is neither a log nor recordings. */
  source:
    | { kind: "log"; days: number; candidates: number; otherModel: number; otherPlace: number }
    | { kind: "recordings"; folders: string[]; trials: number; falls: number; problems: number }
    | null;
  alarms: { now: number; proposed: number } | null;
  lost: LoggedChange[] | RecordedChange[];
  gained: LoggedChange[] | RecordedChange[];
  /** Scores of all candidates, and those of confirmed alarms, for the picture. */
  scores: number[];
  /** Null where alerting's store is elsewhere. */
  confirmed: ConfirmedFigures | null;
  /** Why it may not be applied. */
  refused: string[];
  warnings: string[];
  blindness: string;
}

export const isoOf = (at: number) => new Date(at).toISOString();
export const scoreText = (score: number) => score.toFixed(4);

/** The score at which the aftermath is awaited now. Of two ranges, that of the one that is awaited first. */
export function mediumNow({ card, model, ranges, threshold }: DeviceEvidence): number {
  if (threshold !== null) return threshold;
  const all = ranges.length > 0 ? ranges : (["wide"] as const);
  return Math.min(...all.map((range) => card.operatingPoints[model][range].medium));
}

function pointsOf(evidence: DeviceEvidence) {
  const [range = "wide"] = evidence.ranges;
  return evidence.card.operatingPoints[evidence.model][range];
}

/** What would change. `recordings` stand in for the gateway's log. */
export function reportOf(
  evidence: DeviceEvidence,
  proposed: number,
  recordings?: { folders: string[]; tuned: RecordingsTuned },
): TuneReport {
  const { deviceId, placement, ranges, card, limits, threshold, log } = evidence;
  const confirmed = confirmedBy(evidence, proposed);
  const report: TuneReport = {
    deviceId,
    placement,
    ranges,
    model: card.version,
    threshold: { now: mediumNow(evidence), own: threshold !== null, proposed, models: pointsOf(evidence) },
    limits,
    source: null,
    alarms: null,
    lost: [],
    gained: [],
    scores: [],
    confirmed,
    refused: refusals(evidence, proposed, confirmed),
    warnings: warningsOf(evidence),
    blindness,
  };
  if (recordings) {
    const { folders, tuned } = recordings;
    const { trials, falls, problems, lost, gained, scores } = tuned;
    const alarmsOf = ({ found, falseAlarms }: { found: number; falseAlarms: number }) => found + falseAlarms;
    return {
      ...report,
      source: { kind: "recordings", folders, trials, falls, problems: problems.length },
      alarms: { now: alarmsOf(tuned.now), proposed: alarmsOf(tuned.proposed) },
      lost,
      gained,
      scores,
    };
  }
  if (!log) return report;
  const { candidates, days, otherModel, otherPlace } = log;
  const points = card.operatingPoints[evidence.model];
  const now = redecide(candidates, points, threshold);
  const then = redecide(candidates, points, proposed);
  const change = (one: Redecided<LoggedCandidate>) => changeOf(evidence, one, proposed);
  return {
    ...report,
    source: { kind: "log", days, candidates: candidates.length, otherModel, otherPlace },
    alarms: { now: now.length, proposed: then.length },
    lost: without(now, then).map(change),
    gained: without(then, now).map(change),
    scores: candidates.map(({ score }) => score),
  };
}

function changeOf(
  { alarms }: DeviceEvidence,
  { candidate, strength, sure }: Redecided<LoggedCandidate>,
  proposed: number,
): LoggedChange {
  const { at, detectionId, score, lane, decided, afterwards } = candidate;
  const told = alarms?.find((alarm) => alarm.detectionId === detectionId);
  return {
    at: isoOf(at),
    detectionId,
    score,
    lane,
    strength,
    sure,
    why: whyOf(score, proposed, sure, afterwards),
    decided,
    outcome: told?.outcome ?? null,
    lesson: told?.lesson ?? null,
  };
}

function whyOf(score: number, proposed: number, sure: boolean, afterwards: LoggedCandidate["afterwards"]): string {
  if (score < proposed) return "scores less than the proposed threshold";
  if (!sure) return "would await the aftermath, which nobody saw: at most an alarm";
  return afterwards === "stayed" ? "would be told after the aftermath: nobody walked" : "would be told";
}

function confirmedBy({ alarms, notComparable }: DeviceEvidence, proposed: number): ConfirmedFigures | null {
  if (!alarms) return null;
  const of = (lesson: Lesson) => alarms.filter((alarm) => alarm.lesson === lesson);
  const noFalls = of("no-fall");
  return {
    falls: of("fall").length,
    fallsLost: of("fall")
      .filter(({ score }) => score < proposed)
      .map(({ impactAt, detectionId, score, outcome }) => ({ at: isoOf(impactAt), detectionId, score, outcome })),
    noFalls: noFalls.length,
    noFallsDropped: noFalls.filter(({ score }) => score < proposed).length,
    teachNothing: of("nothing").length,
    unknown: of("unknown").length,
    notComparable,
  };
}

/** A threshold that is lowered loses nobody: what it does not reach is not reached now either. */
function refusals(evidence: DeviceEvidence, proposed: number, confirmed: ConfirmedFigures | null): string[] {
  const { limits } = evidence;
  const refused: string[] = [];
  if (proposed < limits.least) refused.push(`no threshold is under ${limits.least}: it would page for every movement`);
  if (proposed > limits.most) refused.push(`${scoreText(proposed)} is too high: ${limitWords(limits)}`);
  if (!confirmed) refused.push("alerting's register is not here: run it where alerting runs");
  const lost = confirmed?.fallsLost.length ?? 0;
  if (lost > 0 && proposed > mediumNow(evidence)) {
    const highest = Math.min(...confirmed!.fallsLost.map(({ score }) => score));
    refused.push(
      `${lost} confirmed ${lost === 1 ? "fall" : "falls"} would raise no alarm; the highest threshold that loses none is ${scoreText(Math.floor(highest * 10_000) / 10_000)}`,
    );
  }
  return refused;
}

/** Why a threshold may go no higher. */
export function limitWords({ most, by }: ThresholdLimits): string {
  const upTo = `up to ${scoreText(Math.floor(most * 10_000) / 10_000)}`;
  if (by === "bank") return `${upTo} 97 % of the falls of people left out are kept`;
  if (by === "medium-without-bank")
    return `the model's card has no bank of falls, and without one it goes ${upTo}, the model's own`;
  if (by === "medium-above-bank")
    return `it goes ${upTo}, the model's own, which is higher than keeps 97 % of the falls of people left out`;
  return `no device's goes higher than ${most}`;
}

function warningsOf({ log, card, versions, threshold, ranges }: DeviceEvidence): string[] {
  const warnings: string[] = [];
  const last = versions.at(-1);
  if (threshold !== null && last?.model && last.model !== card.version) {
    warnings.push(`The threshold in force was set for model ${last.model}; scores of ${card.version} are others.`);
  }
  if (ranges.length > 1) warnings.push("It has sent frames of both range classes; what is stricter holds.");
  if (ranges.length === 0) warnings.push("Its range class is not known here yet; what is stricter holds.");
  if (log && ranges.includes("wide") && log.largest.windows >= 20 && log.largest.milliG <= 2060) {
    warnings.push(
      `It says that it measures beyond ±2 g, but none of ${log.largest.windows} windows has more: it may clip, and would then be judged by the wrong thresholds.`,
    );
  }
  return warnings;
}
