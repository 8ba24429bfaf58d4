import { bootstrapOverPeople, type Range } from "./bootstrap.ts";
import { type Figure, quantile, rate, share } from "./intervals.ts";
import type { TrialResult } from "./trials.ts";

/** Hours that a resident wears the device in a week: 16 a day. */
export const hoursWornInWeek = 112;

/** A share of trials with Wilson's interval, and that over people by bootstrap. */
export interface TrialShare extends Figure {
  overPeople: Range | null;
}

/** Seconds from the impact, in recording time. */
export interface Latency {
  median: number | null;
  p95: number | null;
  p99: number | null;
}

/** What trials showed. Shares are of trials, rates have Poisson's interval; both of 95 %. */
export interface Figures {
  falls: number;
  adls: number;
  people: number;
  /** Length of all trials. */
  hours: number;
  sensitivity: TrialShare;
  specificity: TrialShare;
  falseAlarmsPerHour: Figure;
  falseAlarmsPerResidentWeek: Figure;
  /** To the alarm, over the falls found. */
  latencySeconds: Latency;
  /** Falls that reached the medium threshold, whatever was made of them afterwards. */
  suspected: { sensitivity: TrialShare; latencySeconds: Latency };
}

export function figuresOf(trials: readonly TrialResult[]): Figures {
  const falls = trials.filter(({ label }) => label === "fall");
  const adls = trials.filter(({ label }) => label === "adl");
  const falseAlarms = trials.reduce((sum, one) => sum + one.falseAlarms, 0);
  const hours = trials.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return {
    falls: falls.length,
    adls: adls.length,
    people: new Set(trials.map(({ subject }) => subject)).size,
    hours,
    sensitivity: shareOf(falls, ({ found }) => found),
    specificity: shareOf(adls, isQuiet),
    falseAlarmsPerHour: rate(falseAlarms, hours),
    falseAlarmsPerResidentWeek: rate(falseAlarms, hours / hoursWornInWeek),
    latencySeconds: latencyOf(falls.map(({ latencyS }) => latencyS)),
    suspected: {
      sensitivity: shareOf(falls, ({ suspected }) => suspected),
      latencySeconds: latencyOf(falls.map(({ suspectedAfterS }) => suspectedAfterS)),
    },
  };
}

/** Daily life that raised no alarm. */
export const isQuiet = ({ falseAlarms }: TrialResult) => falseAlarms === 0;

export function shareOf(trials: readonly TrialResult[], isHit: (trial: TrialResult) => boolean): TrialShare {
  const people = [...Map.groupBy(trials, ({ subject }) => subject).values()].map((own) => ({
    hits: own.filter(isHit).length,
    of: own.length,
  }));
  return { ...share(trials.filter(isHit).length, trials.length), overPeople: bootstrapOverPeople(people) };
}

export function latencyOf(seconds: readonly (number | null)[]): Latency {
  const known = seconds.filter((value) => value !== null);
  return { median: quantile(known, 0.5), p95: quantile(known, 0.95), p99: quantile(known, 0.99) };
}
