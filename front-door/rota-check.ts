import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AlertingConfig } from "../alerting/config.ts";
import { type RotaChange, withKnownPeople } from "../alerting/rota/changes.ts";
import { gapsAhead, lastHoliday } from "../alerting/rota/faults.ts";
import { dateOfDay, zoneOf } from "../alerting/rota/local-time.ts";
import { createPlan, type Span } from "../alerting/rota/shifts.ts";
import { rotaWords } from "../alerting/rota/words.ts";
import { openForReading } from "../alerting/store/database.ts";
import { changesSince } from "../alerting/store/rota.ts";

/** What is to be said of a rota, and at which key. */
export interface RotaFinding {
  key: string;
  says: string;
}

/**
 * Gaps of the next week with all changes, gaps of the weekly pattern itself, and holidays that run out. Nothing of it keeps the service from starting: in a gap
 * the fallback is paged. `folder` is alerting's; nothing in it is changed.
 */
export function checkRotas(alerting: AlertingConfig, folder: string, now: number): RotaFinding[] {
  const { holidays, timeZone, rotas } = alerting;
  const words = rotaWords("en", zoneOf(timeZone));
  const told = ({ from, until }: Span) => `${words.moment(from)} – ${words.moment(until)}`;
  const known = new Set(alerting.responders.map(({ id }) => id));
  const changes = withKnownPeople(changesIn(folder, now), (id) => known.has(id));
  const findings: RotaFinding[] = [];
  for (const [i, rota] of rotas.entries()) {
    const key = `alerting.rotas.${i}`;
    const plan = createPlan({ rota, holidays, changes, timeZone });
    const { gaps, ofPattern } = gapsAhead({ rota, plan, timeZone, now });
    const [gap, ...more] = gaps;
    const [patternGap, ...others] = ofPattern;
    if (gap) {
      findings.push({
        key,
        says: `nobody is on call in ${rota.id} ${told(gap)}${andMore(more)}; add a shift, or: fallvakt rota override ${rota.id} --from "${asTyped(gap.from, timeZone)}" --until "${asTyped(gap.until, timeZone)}" --responder ID --by NAME`,
      });
    }
    if (patternGap) {
      findings.push({
        key: `${key}.shifts`,
        says: `the weekly pattern of ${rota.id} leaves gaps: ${told(patternGap)}${andMore(others)}; add a shift for these hours, else the fallback is paged`,
      });
    }
  }
  const last = lastHoliday(holidays, zoneOf(timeZone), now);
  if (last !== null && rotas.length > 0) {
    findings.push({ key: "alerting.holidays", says: `the last one is ${last}; fill in those that come after it` });
  }
  return findings;
}

const andMore = (gaps: readonly Span[]) => (gaps.length === 0 ? "" : ` and ${gaps.length} more`);

function asTyped(at: number, timeZone: string): string {
  const zone = zoneOf(timeZone);
  const minute = zone.minuteOf(at);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${dateOfDay(zone.dayOf(at))} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** Changes that are kept, without touching the store; none where it is not there, or of another version. @throws where it cannot be read. */
function changesIn(folder: string, now: number): RotaChange[] {
  const path = join(folder, "alerting.db");
  if (!existsSync(path)) return [];
  const db = openForReading(path);
  if (!db) return [];
  try {
    return changesSince(db, now);
  } finally {
    db.close();
  }
}
