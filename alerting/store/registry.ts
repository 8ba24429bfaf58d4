import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Control, ControlDevice } from "../../firmware-contracts/intake.ts";
import type { Database } from "./database.ts";
import type { DeviceRow, Dwelling, RegistryStore } from "./store.ts";

interface Row {
  id: string;
  dwelling_id: string;
  placement: Placement;
  room: string | null;
  secret_hash: string;
  previous_secret_hash: string | null;
  previous_secret_until: number | null;
  revoked: number;
  added_at: number;
  last_seen_at: number | null;
  online: number | null;
  battery: number | null;
}

const controlDeviceOf = (row: Row): ControlDevice => ({
  deviceId: row.id,
  secretHash: row.secret_hash,
  ...(row.previous_secret_hash !== null && row.previous_secret_until !== null
    ? { previousSecretHash: row.previous_secret_hash, previousSecretUntil: row.previous_secret_until }
    : {}),
  placement: row.placement,
  revoked: row.revoked === 1,
});

const deviceOf = (row: Row): DeviceRow => ({
  ...controlDeviceOf(row),
  dwellingId: row.dwelling_id,
  room: row.room,
  addedAt: row.added_at,
  lastSeenAt: row.last_seen_at,
  online: row.online === null ? null : row.online === 1,
  battery: row.battery,
});

const nextVersion = (db: Database) => db.run("UPDATE control SET version = version + 1");

function addDevices(db: Database, added: { device: DeviceRow; dwelling: Dwelling }[]): void {
  db.transaction(() => {
    for (const { device, dwelling } of added) {
      db.run(
        `INSERT INTO dwellings (id, alias, unit, area, room) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET area = COALESCE(excluded.area, area), room = COALESCE(excluded.room, room)`,
        dwelling.id,
        dwelling.alias,
        dwelling.unit,
        dwelling.area,
        dwelling.room,
      );
      db.run(
        "INSERT INTO devices (id, dwelling_id, placement, room, secret_hash, revoked, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        device.deviceId,
        dwelling.id,
        device.placement,
        device.room,
        device.secretHash,
        device.revoked ? 1 : 0,
        device.addedAt,
      );
    }
    nextVersion(db);
  });
}

function control(db: Database, haveVersion: number): Control | null {
  return db.transaction(() => {
    const version = db.get<{ version: number }>("SELECT version FROM control")?.version ?? 0;
    // A gateway can also hold a newer one: alerting was restored from a backup. Then ours counts.
    if (version === haveVersion) return null;
    const devices = db.all<Row>("SELECT * FROM devices ORDER BY id").map(controlDeviceOf);
    return { v: 1, version, devices };
  });
}

export function registryStore(db: Database): RegistryStore {
  return {
    dwellings: async () => db.all<Dwelling>("SELECT id, alias, unit, area, room FROM dwellings ORDER BY unit, alias"),
    devices: async () => db.all<Row>("SELECT * FROM devices ORDER BY id").map(deviceOf),
    device: async (deviceId) => {
      const row = db.get<Row>("SELECT * FROM devices WHERE id = ?", deviceId);
      if (!row) return null;
      const dwelling = db.get<Dwelling>(
        "SELECT id, alias, unit, area, room FROM dwellings WHERE id = ?",
        row.dwelling_id,
      );
      return dwelling ? { device: deviceOf(row), dwelling } : null;
    },
    dwellingsInArea: async (area, unit) =>
      db.get<{ n: number }>(
        "SELECT COUNT(*) AS n FROM dwellings WHERE area = ? AND COALESCE(unit, '') = ?",
        area,
        unit ?? "",
      )?.n ?? 0,
    addDevices: async (added) => addDevices(db, added),
    revokeDevice: async (deviceId) =>
      db.transaction(() => {
        const known = db.run("UPDATE devices SET revoked = 1 WHERE id = ?", deviceId) > 0;
        if (known) nextVersion(db);
        return known;
      }),
    replaceSecret: async (deviceId, secretHash, at, previousUntil) =>
      db.transaction(() => {
        const keepsPrevious = previousUntil !== null;
        const known =
          db.run(
            `UPDATE devices SET previous_secret_hash = iif(?, secret_hash, NULL), previous_secret_until = ?, secret_since = ?,
               secret_hash = ? WHERE id = ? AND revoked = 0`,
            keepsPrevious ? 1 : 0,
            previousUntil,
            at,
            secretHash,
            deviceId,
          ) > 0;
        if (known) nextVersion(db);
        return known;
      }),
    endPreviousSecret: async (deviceId, usedAt) =>
      db.transaction(() => {
        const ended =
          db.run(
            `UPDATE devices SET previous_secret_hash = NULL, previous_secret_until = NULL
             WHERE id = ? AND previous_secret_hash IS NOT NULL AND secret_since <= ?`,
            deviceId,
            usedAt,
          ) > 0;
        if (ended) nextVersion(db);
      }),
    control: async (haveVersion) => control(db, haveVersion),
    deviceSeen: async (deviceId, at, { online, battery }) =>
      void db.run(
        `UPDATE devices SET last_seen_at = MAX(COALESCE(last_seen_at, 0), ?), online = COALESCE(?, online),
           battery = COALESCE(?, battery) WHERE id = ?`,
        at,
        online === null ? null : online ? 1 : 0,
        battery,
        deviceId,
      ),
  };
}
