import { beginGatewayOutage, endGatewayOutage } from "./blind-time.ts";
import type { Database } from "./database.ts";
import type { GatewayStore } from "./store.ts";

interface Row {
  id: string;
  every_ms: number;
  control_version: number;
  last_seen_at: number;
  lost_at: number | null;
}

/** A heartbeat that says nothing new is written down this often at least, ms. */
const writtenEveryMs = 30_000;
const missedLimit = 3;

const limitOf = (everyMs: number) => missedLimit * everyMs + writtenEveryMs;

/**
 * Until when a gateway was heard, at least. Not each heartbeat is written down: one that was not lost yet when the service itself went down was heard
 * until then.
 */
function heardUntil(db: Database, lastSeenAt: number, everyMs: number): number {
  const down = db.get<{ at: number | null }>(
    "SELECT MIN(from_at) AS at FROM service_gaps WHERE from_at > ? AND from_at <= ?",
    lastSeenAt,
    lastSeenAt + limitOf(everyMs),
  );
  return down?.at ?? lastSeenAt;
}

/** From when it was there again, at the latest: one that is heard within its limit after a start was there at the start. */
function heardSince(db: Database, heardAt: number, everyMs: number): number {
  const up = db.get<{ at: number | null }>(
    "SELECT MAX(until_at) AS at FROM service_gaps WHERE until_at <= ? AND until_at >= ?",
    heardAt,
    heardAt - missedLimit * everyMs,
  );
  return up?.at ?? heardAt;
}

/**
 * A gateway that was silent for longer than its limit while nobody watched for so long, as the service began anew meanwhile, was lost all the same. What the
 * service itself was down does not count: of that nobody knows anything.
 */
function putUnnoticed(db: Database, before: Row, heardAt: number): void {
  const { id, every_ms: everyMs } = before;
  const from = heardUntil(db, before.last_seen_at, everyMs);
  const down =
    db.get<{ ms: number | null }>(
      "SELECT SUM(MIN(until_at, ?) - MAX(from_at, ?)) AS ms FROM service_gaps WHERE until_at > ? AND from_at < ?",
      heardAt,
      from,
      from,
      heardAt,
    )?.ms ?? 0;
  if (heardAt - from - down <= limitOf(everyMs)) return;
  beginGatewayOutage(db, id, "lost", from);
  endGatewayOutage(db, id, "lost", heardSince(db, heardAt, everyMs));
}

export function gatewayStore(db: Database): GatewayStore {
  return {
    gateways: async () =>
      db.all<Row>("SELECT * FROM gateways ORDER BY id").map((row) => ({
        gatewayId: row.id,
        everyMs: row.every_ms,
        controlVersion: row.control_version,
        lastSeenAt: row.last_seen_at,
        lostAt: row.lost_at,
      })),
    putGateway: async ({ gatewayId, everyMs, controlVersion, lastSeenAt, lostAt }) =>
      db.transaction(() => {
        const before = db.get<Row>("SELECT * FROM gateways WHERE id = ?", gatewayId);
        db.run(
          `INSERT INTO gateways (id, every_ms, control_version, last_seen_at, lost_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET every_ms = excluded.every_ms, control_version = excluded.control_version,
             last_seen_at = excluded.last_seen_at, lost_at = excluded.lost_at`,
          gatewayId,
          everyMs,
          controlVersion,
          lastSeenAt,
          lostAt,
        );
        // Nothing came through it from when it was last heard, which is before it was found to be lost.
        if (lostAt !== null) beginGatewayOutage(db, gatewayId, "lost", heardUntil(db, lastSeenAt, everyMs));
        else if (before && before.lost_at === null) putUnnoticed(db, before, lastSeenAt);
        else endGatewayOutage(db, gatewayId, "lost", heardSince(db, lastSeenAt, everyMs));
      }),
    forgetGateway: async (gatewayId) => db.run("DELETE FROM gateways WHERE id = ?", gatewayId) > 0,
  };
}
