import type { Database } from "./database.ts";
import type { DeviceSeen } from "./store.ts";

/** What a device's own words tell of it, and what they begin and end. Within a transaction of the caller. */
export function putDeviceSeen(db: Database, deviceId: string, at: number, seen: DeviceSeen): void {
  const {
    online,
    battery,
    goodbye = false,
    worn = null,
    gatewayId = null,
    tellsPresence = false,
    firmware = null,
  } = seen;
  const isKnown = db.run(
    `UPDATE devices SET last_seen_at = MAX(COALESCE(last_seen_at, 0), ?), online = COALESCE(?, online), battery = COALESCE(?, battery),
       first_heard_at = COALESCE(first_heard_at, ?), tells_presence = MAX(tells_presence, ?), firmware = COALESCE(?, firmware)
     WHERE id = ?`,
    at,
    online === null ? null : online ? 1 : 0,
    battery,
    at,
    tellsPresence ? 1 : 0,
    firmware,
    deviceId,
  );
  if (isKnown === 0) return;
  // A device that says goodbye comes back when it has something to say: only its own limit tells whether it is late.
  if (online === false && !goodbye) begin(db, deviceId, "offline", at);
  if (online === true) end(db, deviceId, "offline", at);
  if (worn === false) begin(db, deviceId, "not-worn", at);
  if (worn === true) end(db, deviceId, "not-worn", at);
  if (gatewayId !== null) heardThrough(db, deviceId, gatewayId, at);
}

function begin(db: Database, deviceId: string, kind: "offline" | "not-worn", at: number): void {
  db.run(
    "INSERT INTO device_outages (device_id, kind, from_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    deviceId,
    kind,
    at,
  );
}

function end(db: Database, deviceId: string, kind: "offline" | "not-worn", at: number): void {
  db.run(
    "UPDATE device_outages SET until_at = MAX(from_at, ?) WHERE device_id = ? AND kind = ? AND until_at IS NULL",
    at,
    deviceId,
    kind,
  );
}

function heardThrough(db: Database, deviceId: string, gatewayId: string, at: number): void {
  db.run(
    `INSERT INTO device_gateways (device_id, gateway_id, at) SELECT ?, ?, ?
     WHERE ? IS NOT (SELECT gateway_id FROM device_gateways WHERE device_id = ? ORDER BY id DESC LIMIT 1)`,
    deviceId,
    gatewayId,
    at,
    gatewayId,
    deviceId,
  );
}
