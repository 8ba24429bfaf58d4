import type { EvidenceScores, EvidenceWindow } from "../../../../firmware-contracts/detection.ts";

/** Seconds from the impact, then total, x, y and z in g; null where the signal has a gap. */
export function plotData(window: EvidenceWindow): [number[], ...(number | null)[][]] {
  const seconds = window.x.map((_, index) => secondOf(window, index));
  const inG = (axis: (number | null)[]) => axis.map((value) => (value === null ? null : value / 1000));
  const [x, y, z] = [inG(window.x), inG(window.y), inG(window.z)];
  const total = x.map((value, index) => {
    const [b, c] = [y[index] ?? null, z[index] ?? null];
    return value === null || b === null || c === null ? null : Math.hypot(value, b, c);
  });
  return [seconds, total, x, y, z];
}

const secondOf = ({ startMs, rateHz }: EvidenceWindow, index: number) => (startMs + (index * 1000) / rateHz) / 1000;

/** The first and the last second of the picture. */
export function endsOf(window: EvidenceWindow): [first: number, last: number] {
  return [secondOf(window, 0), secondOf(window, window.x.length - 1)];
}

/** A stretch of the picture, seconds from the impact. */
export interface MovementSpan {
  what: "weightless" | "still" | "gap";
  from: number;
  to: number;
}

/** A body on its way down, g; and how short a dip is nothing, s. As the detector has it. */
const weightlessG = 0.6;
const shortestDip = 0.08;
/** Rest: the spread of the vector over half a second, g; after the impact and its rebound. As the detector has it. */
const restSpread = 0.06;
const settleSeconds = 2.5;
const blockSeconds = 0.5;

/**
 * What can be seen in the picture itself: nearly weightless in the second before the impact, still after it, without signal. Read from the samples that are
 * drawn, by the detector's own bounds, so that nothing is marked that is not there.
 */
export function spansOf(window: EvidenceWindow): MovementSpan[] {
  const [seconds, total = []] = plotData(window);
  const step = 1 / window.rateHz;
  const isWeightless = (index: number) => {
    const [at = 0, g = null] = [seconds[index], total[index]];
    return at >= -1 && at < 0 && g !== null && g < weightlessG;
  };
  const dips = runsOf(total.length, isWeightless).filter(([from, until]) => (until - from) * step >= shortestDip);
  const gaps = runsOf(total.length, (index) => total[index] === null);
  const spanOf = (what: MovementSpan["what"], [from, until]: Run): MovementSpan => ({
    what,
    from: secondOf(window, from),
    to: secondOf(window, until),
  });
  return [
    ...dips.map((run) => spanOf("weightless", run)),
    ...stillRuns(window).map((run) => spanOf("still", run)),
    ...gaps.map((run) => spanOf("gap", run)),
  ];
}

type Run = [from: number, until: number];

/** Stretches in which `holds`, as from and up to and without. */
function runsOf(length: number, holds: (index: number) => boolean): Run[] {
  const runs: Run[] = [];
  for (let index = 0; index < length; index++) {
    if (!holds(index)) continue;
    const last = runs.at(-1);
    if (last && last[1] === index) last[1]++;
    else runs.push([index, index + 1]);
  }
  return runs;
}

function stillRuns(window: EvidenceWindow): Run[] {
  const { startMs, rateHz, x } = window;
  const block = Math.round(blockSeconds * rateHz);
  const runs: Run[] = [];
  const first = Math.max(0, Math.ceil(((settleSeconds * 1000 - startMs) * rateHz) / 1000));
  for (let from = first; from + block <= x.length; from += block) {
    const spread = spreadOf(window, from, from + block);
    if (spread === null || spread >= restSpread) continue;
    const last = runs.at(-1);
    if (last && last[1] === from) last[1] = from + block;
    else runs.push([from, from + block]);
  }
  return runs;
}

/** In g; null where anything of it is unknown. */
function spreadOf({ x, y, z }: EvidenceWindow, from: number, until: number): number | null {
  let variance = 0;
  for (const axis of [x, y, z]) {
    const values = axis.slice(from, until);
    if (values.some((value) => value === null)) return null;
    const known = values as number[];
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    variance += known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length;
  }
  return Math.sqrt(variance) / 1000;
}

/** Seconds from the impact, and the scores of the movement around them; null where too little is known. */
export function scoreData({ startMs, stepMs, values }: EvidenceScores): [number[], (number | null)[]] {
  return [values.map((_, index) => (startMs + index * stepMs) / 1000), [...values]];
}

/** The highest score, and its second. */
export function highestScore(scores: EvidenceScores): { score: number; at: number } {
  const [seconds, values] = scoreData(scores);
  let highest = { score: 0, at: 0 };
  for (const [index, score] of values.entries()) {
    if (score !== null && score > highest.score) highest = { score, at: seconds[index] ?? 0 };
  }
  return highest;
}

/** The total in each second of the picture: least and most, g; null in a second without signal. */
export interface SecondOfMovement {
  second: number;
  least: number | null;
  most: number | null;
}

export function secondsOf(window: EvidenceWindow): SecondOfMovement[] {
  const [seconds, total = []] = plotData(window);
  const rows = new Map<number, SecondOfMovement>();
  for (const [index, at] of seconds.entries()) {
    const second = Math.floor(at + 1e-9);
    const row = rows.get(second) ?? { second, least: null, most: null };
    const g = total[index] ?? null;
    if (g !== null) {
      row.least = Math.min(row.least ?? g, g);
      row.most = Math.max(row.most ?? g, g);
    }
    rows.set(second, row);
  }
  return [...rows.values()];
}

/** Each second's highest score; null where too little is known in all of it. */
export function scoresBySecond(scores: EvidenceScores): { second: number; score: number | null }[] {
  const rows = new Map<number, number | null>();
  const [moments, values] = scoreData(scores);
  for (const [index, score] of values.entries()) {
    const second = Math.floor((moments[index] ?? 0) + 1e-9);
    const earlier = rows.get(second) ?? null;
    rows.set(second, score === null ? earlier : Math.max(earlier ?? 0, score));
  }
  return [...rows].map(([second, score]) => ({ second, score }));
}
