import type { Zone } from "../rota/local-time.ts";
import { type BlindSpan, clipped, sumsByReason } from "./blind-time.ts";
import { type BlindReason, blindReasons } from "./causes.ts";

/** Half an hour of a strip, minutes. */
const cellMinutes = 30;

/** What was so in one half hour: `unknown` where it is not in the ledger, else the reason that took most of it, and whether that was half of it or more. */
export type Cell = "unknown" | "seen" | { reason: BlindReason; isMost: boolean };

/** A local day in 48 cells, by the clock on the wall. An hour that is skipped in spring is unknown, one that comes twice in autumn is in one cell. */
export function cellsOfDay(
  { from, until, spans }: { from: number; until: number; spans: readonly BlindSpan[] },
  day: number,
  zone: Zone,
): Cell[] {
  return Array.from({ length: 1440 / cellMinutes }, (_, i) => {
    const begins = Math.max(from, zone.at(day, i * cellMinutes));
    const ends = Math.min(until, zone.at(day, (i + 1) * cellMinutes));
    if (begins >= ends) return "unknown";
    const sums = sumsByReason(clipped(spans, begins, ends));
    const blindMs = Object.values(sums).reduce((sum, ms) => sum + ms, 0);
    // What is shorter than a minute is no minute.
    if (blindMs < 60_000) return "seen";
    const [reason] = blindReasons.toSorted((a, b) => (sums[b] ?? 0) - (sums[a] ?? 0));
    return { reason: reason as BlindReason, isMost: blindMs * 2 >= ends - begins };
  });
}
