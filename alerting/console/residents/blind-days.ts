import { clipped, sumsByReason } from "../../blind-time/blind-time.ts";
import { blindReasons } from "../../blind-time/causes.ts";
import { readLedger } from "../../blind-time/ledger.ts";
import { cellsOfDay } from "../../blind-time/strip.ts";
import { dateOfDay, type Zone } from "../../rota/local-time.ts";
import type { BlindTimeStore } from "../../store/store.ts";
import type { BlindDays } from "./api.ts";

const minutesOf = (ms: number) => Math.round(ms / 60_000);

/** Blind time of one dwelling on today and the days before, the newest first; days of which nothing is known are left out. */
export async function blindDays(
  store: BlindTimeStore,
  zone: Zone,
  { dwellingId, days, now }: { dwellingId: string; days: number; now: number },
): Promise<BlindDays> {
  const today = zone.dayOf(now);
  const first = today - days + 1;
  const [ledger] = await readLedger(store, { from: zone.at(first, 0), until: now, dwellingId });
  if (!ledger) return { days: [] };
  const told: BlindDays["days"] = [];
  for (let day = today; day >= first; day--) {
    const from = Math.max(ledger.from, zone.at(day, 0));
    const until = Math.min(ledger.until, zone.at(day + 1, 0));
    if (from >= until) continue;
    const sums = sumsByReason(clipped(ledger.spans, from, until));
    const reasons = blindReasons
      .map((reason) => ({ reason, minutes: minutesOf(sums[reason] ?? 0) }))
      .filter(({ minutes }) => minutes > 0)
      .sort((a, b) => b.minutes - a.minutes);
    told.push({
      date: dateOfDay(day),
      knownMinutes: minutesOf(until - from),
      blindMinutes: minutesOf(Object.values(sums).reduce((sum, ms) => sum + ms, 0)),
      reasons,
      cells: cellsOfDay(ledger, day, zone),
    });
  }
  return { days: told };
}
