import type { EpisodeKind } from "../episode-state.ts";
import type { Database } from "./database.ts";
import { holdersOf } from "./holders.ts";
import type { AuditEntry, LookUp } from "./store.ts";

interface LookRow {
  seq: number;
  at: number;
  body: string;
  dwelling_id: string;
  alias: string | null;
  unit: string | null;
}

interface OpenSpan {
  id: string;
  code: string;
  kind: EpisodeKind | null;
  opened_at: number;
  closed_at: number | null;
}

const kinds: Record<string, LookUp["what"]> = { "resident-shown": "sheet", "consent-shown": "consents" };

/** Looks at what is sealed, with the episodes that were open about then. */
export function lookUps(db: Database, from: number, until: number, marginMs: number): LookUp[] {
  const rows = db.all<LookRow>(
    `SELECT seq, audit_log.at, body, body ->> 'subject' AS dwelling_id, alias, unit
     FROM audit_log LEFT JOIN dwellings ON dwellings.id = body ->> 'subject'
       AND NOT EXISTS (SELECT 1 FROM erasures WHERE dwelling_id = dwellings.id AND erased_at IS NOT NULL)
     WHERE audit_log.at >= ? AND audit_log.at < ? AND body ->> 'act' IN ('resident-shown', 'consent-shown') ORDER BY seq`,
    from,
    until,
  );
  const spans = new Map<string, OpenSpan[]>();
  const spansOf = (dwellingId: string) => {
    const known = spans.get(dwellingId) ?? episodesBetween(db, dwellingId, from - marginMs, until + marginMs);
    spans.set(dwellingId, known);
    return known;
  };
  return rows.map(({ seq, at, body, dwelling_id: dwellingId, alias, unit }) => {
    const { act, by, via, detail = {} } = JSON.parse(body) as AuditEntry;
    const { episode, onShift } = detail;
    const open = spansOf(dwellingId).filter(
      ({ opened_at, closed_at }) => opened_at - marginMs <= at && (closed_at === null || at <= closed_at + marginMs),
    );
    return {
      ...{ seq, at, by, via, what: kinds[act] ?? "sheet", dwellingId, key: alias, unit },
      episode: typeof episode === "string" ? episode : null,
      onShift: typeof onShift === "boolean" ? onShift : null,
      episodes: open.map(({ id, code, kind }) => ({ id, code, kind: kind ?? "fall" })),
    };
  });
}

/** Those that were open at any time from `from` up to `until`. */
function episodesBetween(db: Database, dwellingId: string, from: number, until: number): OpenSpan[] {
  return db.all<OpenSpan>(
    `SELECT id, code, state ->> '$.facts.kind' AS kind, opened_at, closed_at FROM episodes
     WHERE dwelling IN (SELECT value FROM json_each(?)) AND opened_at < ? AND (closed_at IS NULL OR closed_at >= ?) ORDER BY opened_at`,
    JSON.stringify(holdersOf(db, dwellingId)),
    until,
    from,
  );
}
