import type { DeviceOutage, Span, Wearable } from "../blind-time/causes.ts";
import { deafTroubles } from "../trouble-kinds.ts";
import type { Database } from "./database.ts";
import type { BlindTimeStore, DwellingWithCauses, ToldBlindTime } from "./store.ts";

interface BeatRow {
  since: number;
  at: number;
}

interface DeviceRow {
  id: string;
  dwelling_id: string;
  added_at: number;
  revoked_at: number | null;
  first_heard_at: number | null;
  sees_falls: number;
}

interface OfDwelling {
  dwelling_id: string;
}

const touches = "(until_at IS NULL OR until_at > ?)";

/**
 * Outages of devices that bear on any time from `from` on. What else comes to know of them is added here: nothing else of the ledger asks where an outage
 * comes from.
 */
function deviceOutages(db: Database, from: number): DeviceOutage[] {
  return db.all<DeviceOutage>(
    `SELECT device_id AS deviceId, CASE kind WHEN 'offline' THEN 'overdue' ELSE 'not-worn' END AS reason, from_at AS "from", until_at AS until
     FROM device_outages WHERE ${touches}
     UNION ALL
     SELECT device_id, CASE trouble WHEN 'overdue' THEN 'overdue' ELSE 'not-worn' END, since, ended_at
     FROM device_troubles WHERE trouble IN (${deafTroubles.map(() => "?").join(", ")}) AND (ended_at IS NULL OR ended_at > ?)
     ORDER BY 3`,
    from,
    ...deafTroubles,
    from,
  );
}

/** A device's time in one dwelling. */
interface Stay {
  row: DeviceRow;
  dwellingId: string;
  from: number;
  until: number | null;
}

/** Where each device has been: it moves, and goes back into store. Of the time before that was kept, where it was first known to be. */
function staysOfDevices(db: Database): Stay[] {
  const rows = db.all<DeviceRow>(
    `SELECT id, dwelling_id, added_at, revoked_at, first_heard_at, leads_out = 0 AND tells_presence = 0 AND staff_tag = 0 AS sees_falls
     FROM devices WHERE self_test = 0 ORDER BY id`,
  );
  const changes = Map.groupBy(
    db.all<{ device_id: string; dwelling_id: string | null; state: string; at: number }>(
      "SELECT device_id, dwelling_id, state, at FROM operation_changes ORDER BY id",
    ),
    ({ device_id }) => device_id,
  );
  return rows.flatMap((row) => staysOf(row, changes.get(row.id) ?? []));
}

function staysOf(
  row: DeviceRow,
  changes: readonly { dwelling_id: string | null; state: string; at: number }[],
): Stay[] {
  const stays: Stay[] = [];
  const enter = (dwellingId: string | null, at: number) => {
    const last = stays.at(-1);
    if (last && last.until === null && last.dwellingId === dwellingId) return;
    leave(at);
    if (dwellingId !== null) stays.push({ row, dwellingId, from: last ? at : row.added_at, until: null });
  };
  const leave = (at: number) => {
    const last = stays.at(-1);
    if (last && last.until === null) last.until = at;
  };
  for (const { dwelling_id, state, at } of changes) {
    // Of a device in store it is told which dwelling it left.
    if (stays.length === 0 || state !== "in-store") enter(dwelling_id, at);
    if (state === "in-store") leave(at);
  }
  if (changes.length === 0) enter(row.dwelling_id, row.added_at);
  if (row.revoked_at !== null) leave(row.revoked_at);
  return stays;
}

function dwellings(db: Database, from: number, only: string | null): DwellingWithCauses[] {
  const devices = Map.groupBy(
    staysOfDevices(db).filter(({ dwellingId }) => only === null || dwellingId === only),
    ({ dwellingId }) => dwellingId,
  );
  const outages = Map.groupBy(deviceOutages(db, from), ({ deviceId }) => deviceId);
  const through = Map.groupBy(
    db.all<{ device_id: string; gatewayId: string; at: number }>(
      "SELECT device_id, gateway_id AS gatewayId, at FROM device_gateways ORDER BY id",
    ),
    (row) => row.device_id,
  );
  const wearableOf = ({ row, from: begun, until }: Stay): Wearable => ({
    registered: { from: begun, until },
    firstHeardAt: row.first_heard_at,
    heardThrough: (through.get(row.id) ?? []).map(({ gatewayId, at }) => ({ gatewayId, at })),
    outages: outages.get(row.id) ?? [],
  });
  const consents = Map.groupBy(
    db.all<OfDwelling & { at: number; what: string }>(
      "SELECT dwelling_id, at, what FROM control_changes WHERE part = 'consents' AND dwelling_id IS NOT NULL AND (? IS NULL OR dwelling_id = ?) ORDER BY id",
      only,
      only,
    ),
    (row) => row.dwelling_id,
  );
  const pauses = Map.groupBy(
    db.all<OfDwelling & { from: number; until: number }>(
      `SELECT dwelling_id, from_at AS "from", MIN(until_at, COALESCE(ended_at, until_at)) AS until FROM pause_history WHERE until_at > ?`,
      from,
    ),
    (row) => row.dwelling_id,
  );
  const rows = db.all<{ dwellingId: string; alias: string; unit: string | null }>(
    `SELECT id AS dwellingId, alias, unit FROM dwellings WHERE (? IS NULL OR id = ?)
       AND NOT EXISTS (SELECT 1 FROM erasures WHERE dwelling_id = dwellings.id) ORDER BY unit, alias`,
    only,
    only,
  );
  return rows.flatMap((dwelling) => {
    const own = devices.get(dwelling.dwellingId) ?? [];
    if (own.length === 0) return [];
    return {
      ...dwelling,
      causes: {
        since: Math.min(...own.map((stay) => stay.from)),
        consents: (consents.get(dwelling.dwellingId) ?? []).map(({ at, what }) => ({ at, isGiven: what === "given" })),
        pauses: (pauses.get(dwelling.dwellingId) ?? []).map(({ from, until }) => ({ from, until })),
        wearables: own.filter(({ row }) => row.sees_falls === 1).map(wearableOf),
      },
    };
  });
}

function beat(db: Database, at: number, limitMs: number, isSure: boolean): boolean {
  const last = db.get<BeatRow>("SELECT since, at FROM service_beat");
  if (!last) {
    db.run("INSERT INTO service_beat (one, since, at) VALUES (1, ?, ?)", at, at);
    return true;
  }
  if (at < last.at) {
    if (!isSure) return false;
    // The clock was ahead: what has not been yet was no gap.
    db.run("UPDATE service_gaps SET until_at = MAX(from_at, ?) WHERE until_at > ?", at, at);
    db.run("UPDATE service_beat SET at = ?, since = MIN(since, ?)", at, at);
    return true;
  }
  if (at - last.at > limitMs) db.run("INSERT INTO service_gaps (from_at, until_at) VALUES (?, ?)", last.at, at);
  db.run("UPDATE service_beat SET at = ?", at);
  return true;
}

/** Begins an outage of a gateway, unless one of the kind is open. Within a transaction of the caller. */
export function beginGatewayOutage(db: Database, gatewayId: string, kind: "lost" | "broker-lost", at: number): void {
  db.run(
    "INSERT INTO gateway_outages (gateway_id, kind, from_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    gatewayId,
    kind,
    at,
  );
}

/** Ends it, where one is open. */
export function endGatewayOutage(db: Database, gatewayId: string, kind: "lost" | "broker-lost", at: number): void {
  db.run(
    "UPDATE gateway_outages SET until_at = MAX(from_at, ?) WHERE gateway_id = ? AND kind = ? AND until_at IS NULL",
    at,
    gatewayId,
    kind,
  );
}

export function blindTimeStore(db: Database): BlindTimeStore {
  return {
    beat: async (at, limitMs, isSure) => db.transaction(() => beat(db, at, limitMs, isSure)),
    brokerLost: async (gatewayId, at) => beginGatewayOutage(db, gatewayId, "broker-lost", at),
    brokerBack: async (gatewayId, at) => endGatewayOutage(db, gatewayId, "broker-lost", at),
    causes: async (from, dwellingId) =>
      db.transaction(() => {
        const last = db.get<BeatRow>("SELECT since, at FROM service_beat");
        return {
          knownSince: last?.since ?? null,
          lastBeatAt: last?.at ?? null,
          serviceGaps: db.all<Span>(
            'SELECT from_at AS "from", until_at AS until FROM service_gaps WHERE until_at > ? ORDER BY id',
            from,
          ),
          gatewayOutages: db.all<Span & { gatewayId: string }>(
            `SELECT gateway_id AS gatewayId, from_at AS "from", until_at AS until FROM gateway_outages WHERE ${touches} ORDER BY id`,
            from,
          ),
          gateways: db.all<{ id: string }>("SELECT id FROM gateways ORDER BY id").map(({ id }) => id),
          dwellings: dwellings(db, from, dwellingId ?? null),
        };
      }),
    told: async (from, dwellingIds) =>
      db.all<ToldBlindTime>(
        `SELECT dwelling_id AS dwellingId, hour_at AS hourAt, reason, seconds FROM blind_time_told
         WHERE dwelling_id IN (SELECT value FROM json_each(?)) AND hour_at >= ?`,
        JSON.stringify(dwellingIds),
        from,
      ),
    forgetTold: async (before) => void db.run("DELETE FROM blind_time_told WHERE hour_at < ?", before),
    tell: async (told) =>
      db.transaction(() => {
        for (const { dwellingId, hourAt, reason, seconds } of told) {
          db.run(
            `INSERT INTO blind_time_told (dwelling_id, hour_at, reason, seconds) VALUES (?, ?, ?, ?)
             ON CONFLICT (dwelling_id, hour_at, reason) DO UPDATE SET seconds = excluded.seconds`,
            dwellingId,
            hourAt,
            reason,
            seconds,
          );
        }
      }),
  };
}
