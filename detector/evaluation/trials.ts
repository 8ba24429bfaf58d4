import { impactSpan } from "../../firmware-contracts/recordings/format.ts";
import type { Alarm, Judged, Played } from "./play.ts";

/** Alarms whose impacts lie this close are one for whoever answers them, seconds. */
const mergeS = 60;

/** What became of one trial, as a report keeps it. Times in seconds. */
export interface TrialResult {
  id: string;
  subject: string;
  ageGroup: string | null;
  activity: string;
  name: string | null;
  label: "fall" | "adl";
  seconds: number;
  /** Whether the labelled fall raised an alarm; false for daily life. */
  found: boolean;
  /** Whether the labelled fall was suspected at least. */
  suspected: boolean;
  /** Alarms that were not the labelled fall's. */
  falseAlarms: number;
  /** From the impact to the alarm, and to the first suspicion, of a fall found. */
  latencyS: number | null;
  suspectedAfterS: number | null;
  strength: "strong" | "medium" | null;
  /** The largest score of any window; null where the gate stayed shut. */
  score: number | null;
}

/** Alarms within a minute of a first one are one alarm, and that first one stands for it. In the order in which they were raised. */
export function merged(alarms: readonly Alarm[]): Alarm[] {
  const firsts: Alarm[] = [];
  for (const alarm of alarms.toSorted((a, b) => a.detectedS - b.detectedS)) {
    const joins = firsts.some(({ impactS }) => Math.abs(alarm.impactS - impactS) < mergeS);
    if (!joins) firsts.push(alarm);
  }
  return firsts;
}

/**
 * Judges a trial. Alarms within a minute merge; a fall is found where the first of such a group has its impact in the labelled span
 * (−2 s to +5 s around peak, or onset to end). A fall that was only swept up by a false alarm before it is missed, and that alarm is false,
 * as are all others.
 */
export function judgeTrial({ recording, alarms, judged }: Played): TrialResult & { hit: Alarm | null; wrong: Alarm[] } {
  const { trial, samples } = recording;
  const span = impactSpan(trial);
  const inSpan = ({ impactS }: { impactS: number }) => span !== null && impactS >= span.from && impactS <= span.to;
  const firsts = merged(alarms);
  const hit = firsts.find(inSpan) ?? null;
  const wrong = firsts.filter((alarm) => alarm !== hit);
  const suspicions = judged.filter((one) => one.suspectedS !== null && inSpan(one));
  const first = suspicions.toSorted((a, b) => a.suspectedS! - b.suspectedS!)[0];
  return {
    id: trial.id,
    subject: trial.subject,
    ageGroup: trial.ageGroup ?? null,
    activity: trial.activity,
    name: trial.activityName ?? null,
    label: trial.label,
    seconds: samples.length / 3 / trial.rateHz,
    found: hit !== null,
    suspected: first !== undefined,
    falseAlarms: wrong.length,
    latencyS: hit && hit.detectedS - hit.impactS,
    suspectedAfterS: first ? first.suspectedS! - first.impactS : null,
    strength: hit?.conclusion.strength ?? null,
    score: bestScore(judged),
    hit,
    wrong,
  };
}

/** What became of the labelled fall's likeliest candidate; `no-gate` where none was in the span, or the trial has none. */
export function endInSpan({ recording, judged }: Played): NonNullable<Judged["outcome"]> | "no-gate" {
  const span = impactSpan(recording.trial);
  const inSpan = judged.filter(({ impactS }) => span !== null && impactS >= span.from && impactS <= span.to);
  const likeliest = inSpan.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0))[0];
  return likeliest?.outcome ?? "no-gate";
}

/** The largest score of any window; null where none was judged. */
export function bestScore(judged: Played["judged"]): number | null {
  return judged.reduce<number | null>((best, { score }) => (score === null ? best : Math.max(best ?? 0, score)), null);
}
