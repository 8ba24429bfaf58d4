import type { Database } from "./database.ts";
import type { GatewayStore } from "./store.ts";

interface Row {
  id: string;
  every_ms: number;
  control_version: number;
  last_seen_at: number;
  lost_at: number | null;
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
      void db.run(
        `INSERT INTO gateways (id, every_ms, control_version, last_seen_at, lost_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET every_ms = excluded.every_ms, control_version = excluded.control_version,
           last_seen_at = excluded.last_seen_at, lost_at = excluded.lost_at`,
        gatewayId,
        everyMs,
        controlVersion,
        lastSeenAt,
        lostAt,
      ),
    forgetGateway: async (gatewayId) => db.run("DELETE FROM gateways WHERE id = ?", gatewayId) > 0,
  };
}
