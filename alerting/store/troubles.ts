import type { DeviceClass, DeviceTrouble } from "../../firmware-contracts/intake.ts";
import type { Database } from "./database.ts";
import type { DeviceTroubleKey, DeviceTroubleRow, DeviceTroubleStore } from "./store.ts";

interface Row {
  device_id: string;
  trouble: DeviceTrouble;
  since: number;
  at: number;
  ended_at: number | null;
  device_class: DeviceClass | null;
  gateway_id: string | null;
  battery: number | null;
  days_left: number | null;
  drift_ms: number | null;
  raised: number;
}

const ofKey = "device_id = ? AND trouble = ? AND since = ?";
const keyOf = ({ deviceId, trouble, since }: DeviceTroubleKey) => [deviceId, trouble, since] as const;

export function troubleStore(db: Database): DeviceTroubleStore {
  return {
    begin: async (row) =>
      db.transaction(() => {
        const { at, endedAt, deviceClass, gatewayId, battery, daysLeft, driftMs } = row;
        db.run(
          `INSERT INTO device_troubles
             (device_id, trouble, since, at, ended_at, device_class, gateway_id, battery, days_left, drift_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
          ...[...keyOf(row), at, endedAt, deviceClass, gatewayId, battery, daysLeft, driftMs],
        );
        return rowOf(db.get<Row>(`SELECT * FROM device_troubles WHERE ${ofKey}`, ...keyOf(row)) as Row);
      }),
    raised: async (key) => void db.run(`UPDATE device_troubles SET raised = 1 WHERE ${ofKey}`, ...keyOf(key)),
    end: async (key, at) =>
      db.run(`UPDATE device_troubles SET ended_at = ? WHERE ${ofKey} AND ended_at IS NULL`, at, ...keyOf(key)) > 0,
    open: async () =>
      db.all<Row>("SELECT * FROM device_troubles WHERE ended_at IS NULL ORDER BY since, device_id").map(rowOf),
    ofDevice: async (deviceId, limit) =>
      db
        .all<Row>("SELECT * FROM device_troubles WHERE device_id = ? ORDER BY since DESC LIMIT ?", deviceId, limit)
        .map(rowOf),
    between: async (from, until) =>
      db
        .all<Row>(
          "SELECT * FROM device_troubles WHERE since < ? AND (ended_at IS NULL OR ended_at > ?) ORDER BY device_id, since",
          until,
          from,
        )
        .map(rowOf),
  };
}

function rowOf(row: Row): DeviceTroubleRow {
  return {
    deviceId: row.device_id,
    trouble: row.trouble,
    since: row.since,
    at: row.at,
    endedAt: row.ended_at,
    deviceClass: row.device_class,
    gatewayId: row.gateway_id,
    battery: row.battery,
    daysLeft: row.days_left,
    driftMs: row.drift_ms,
    isRaised: row.raised === 1,
  };
}
