/** A figure with the ends of its 95 % interval. `value` is null where nothing was counted. */
export interface Figure {
  value: number | null;
  low: number;
  high: number;
}

const z = 1.959964;

/** A share with Wilson's interval. */
export function share(hits: number, of: number): Figure {
  if (of === 0) return { value: null, low: 0, high: 1 };
  const p = hits / of;
  const centre = (p + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Events per unit of `time`, with the exact Poisson interval (Garwood). */
export function rate(events: number, time: number): Figure {
  if (!(time > 0)) return { value: null, low: 0, high: Number.MAX_VALUE };
  const low = events === 0 ? 0 : meanWhere((mean) => 1 - atMost(events - 1, mean) - 0.025, events);
  const high = meanWhere((mean) => 0.025 - atMost(events, mean), events);
  return { value: events / time, low: low / time, high: high / time };
}

/** Probability of at most `events` where `mean` are expected. */
function atMost(events: number, mean: number): number {
  let log = -mean;
  let sum = Math.exp(log);
  for (let k = 1; k <= events; k++) {
    log += Math.log(mean / k);
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/** The mean at which an increasing `difference` crosses 0, by bisection. */
function meanWhere(difference: (mean: number) => number, events: number): number {
  let from = 0;
  let to = events + 10 * Math.sqrt(events + 1) + 10;
  for (let i = 0; i < 100; i++) {
    const middle = (from + to) / 2;
    if (difference(middle) < 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

/** The value below which a share of the sorted `values` lies; null where there are none. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? below) - below);
}
