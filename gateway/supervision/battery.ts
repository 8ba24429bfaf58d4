import type { WallMs } from "../../firmware-contracts/clock.ts";

const dayMs = 86_400_000;
/** Levels told within so long are one point of the trend, their mean: a load of the moment pulls a battery's voltage down and lets it up again. */
const binMs = 6 * 3_600_000;
/** The trend is over so much at most, and needs so much at least. */
const longestTrendMs = 28 * dayMs;
const shortestTrendMs = 2 * dayMs;
/** A level that has risen by so much, per cent, is of another battery, or of this one charged. */
const rechargedBy = 10;

/** A battery's levels since it was last charged or changed. Plain data of bounded size: 112 bins at most. */
export interface Battery {
  /** As told last, per cent. */
  level: number;
  bins: { at: WallMs; mean: number; count: number }[];
}

/** Takes in a level, per cent. @returns the battery as it is then. */
export function takeLevel(battery: Battery | null, level: number, now: WallMs): Battery {
  const last = battery?.bins.at(-1);
  if (!battery || !last || level > last.mean + rechargedBy)
    return { level, bins: [{ at: now, mean: level, count: 1 }] };
  const bins = battery.bins.filter(({ at }) => at > now - longestTrendMs);
  const open = bins.at(-1);
  if (open && now - open.at < binMs) {
    const count = open.count + 1;
    return {
      level,
      bins: [...bins.slice(0, -1), { at: open.at, mean: open.mean + (level - open.mean) / count, count }],
    };
  }
  return { level, bins: [...bins, { at: now, mean: level, count: 1 }] };
}

/** Days until it is empty, by least squares over its levels; null where they are too few or do not fall. */
export function daysLeft({ bins }: Battery): number | null {
  const first = bins[0];
  const last = bins.at(-1);
  if (!first || !last || last.at - first.at < shortestTrendMs) return null;
  const days = bins.map(({ at }) => (at - first.at) / dayMs);
  const meanDay = days.reduce((sum, day) => sum + day, 0) / bins.length;
  const meanLevel = bins.reduce((sum, { mean }) => sum + mean, 0) / bins.length;
  let both = 0;
  let squares = 0;
  for (const [n, { mean }] of bins.entries()) {
    const from = days[n]! - meanDay;
    both += from * (mean - meanLevel);
    squares += from * from;
  }
  const perDay = both / squares;
  if (!(perDay < 0)) return null;
  const now = meanLevel + perDay * (days.at(-1)! - meanDay);
  return Math.max(0, now / -perDay);
}
