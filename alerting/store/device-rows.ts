import type { Placement } from "../../firmware-contracts/detection.ts";
import type { ControlDevice, PauseReason } from "../../firmware-contracts/intake.ts";
import type { Database } from "./database.ts";
import type { DeviceRow, Household, OperationHow, OperationState } from "./store.ts";

/** A device with what its dwelling's consent and pause say. */
interface Row {
  id: string;
  dwelling_id: string | null;
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
  threshold: number | null;
  consent: "given" | "withdrawn" | null;
  pause_from: number | null;
  pause_until: number | null;
  pause_reason: PauseReason | null;
  gateway_id: string | null;
  leads_out: number;
  staff_tag: number;
  tells_presence: number;
  firmware: string | null;
  operation: OperationState;
  operation_since: number;
  operation_by: string | null;
  operation_how: OperationHow | null;
  self_test: number;
  household: Household | null;
  residents: number;
}

const select = `SELECT devices.*,
    (SELECT gateway_id FROM device_gateways WHERE device_id = devices.id ORDER BY id DESC LIMIT 1) AS gateway_id, consents.state AS consent, dwellings.household AS household,
    (SELECT COUNT(*) FROM residents WHERE residents.dwelling_id = devices.dwelling_id) AS residents,
    pauses.from_at AS pause_from, pauses.until_at AS pause_until, pauses.reason AS pause_reason
  FROM devices
    LEFT JOIN dwellings ON dwellings.id = devices.dwelling_id
    LEFT JOIN consents ON consents.dwelling_id = devices.dwelling_id
    LEFT JOIN pauses ON pauses.dwelling_id = devices.dwelling_id AND pauses.until_at > ?`;

/** Pauses that are over at `at` are left out. */
export function deviceRows(db: Database, at: number): DeviceRow[] {
  return db.all<Row>(`${select} ORDER BY devices.id`, at).map(deviceOf);
}

/** Those of one dwelling; a pause that is over at `at` is left out. */
export function deviceRowsOf(db: Database, dwellingId: string, at: number): DeviceRow[] {
  return db.all<Row>(`${select} WHERE devices.dwelling_id = ? ORDER BY devices.id`, at, dwellingId).map(deviceOf);
}

/** Its pause may be over. */
export function deviceRow(db: Database, deviceId: string): DeviceRow | null {
  const row = db.get<Row>(`${select} WHERE devices.id = ?`, 0, deviceId);
  return row ? deviceOf(row) : null;
}

/** The devices as gateways must know them at `at`. */
export function controlDevices(db: Database, at: number): ControlDevice[] {
  return db.all<Row>(`${select} ORDER BY devices.id`, at).map(controlDeviceOf);
}

function controlDeviceOf(row: Row): ControlDevice {
  return {
    deviceId: row.id,
    secretHash: row.secret_hash,
    ...(row.previous_secret_hash !== null && row.previous_secret_until !== null
      ? { previousSecretHash: row.previous_secret_hash, previousSecretUntil: row.previous_secret_until }
      : {}),
    placement: row.placement,
    revoked: row.revoked === 1,
    // Nobody lives where the self-test's device is.
    consent: row.self_test === 1 ? "given" : (row.consent ?? "missing"),
    ...(row.pause_from !== null && row.pause_until !== null && row.pause_reason !== null
      ? { pause: { from: row.pause_from, until: row.pause_until, reason: row.pause_reason } }
      : {}),
    ...(row.threshold !== null ? { threshold: row.threshold } : {}),
    ...(row.dwelling_id !== null ? { dwelling: row.dwelling_id } : {}),
    ...livesAloneOf(row),
    ...(row.leads_out === 1 ? { leadsOut: true } : {}),
  };
}

/** One resident in the register may have somebody beside them who is not: only who says so knows it. */
function livesAloneOf({ household, residents }: Row): Pick<ControlDevice, "livesAlone"> {
  if (residents > 1) return { livesAlone: false };
  return household === null ? {} : { livesAlone: household === "alone" };
}

function deviceOf(row: Row): DeviceRow {
  return {
    ...controlDeviceOf(row),
    dwellingId: row.dwelling_id,
    operation: {
      state: row.operation,
      since: row.operation_since,
      by: row.operation_by,
      how: row.operation_how,
    },
    isSelfTest: row.self_test === 1,
    room: row.room,
    addedAt: row.added_at,
    lastSeenAt: row.last_seen_at,
    online: row.online === null ? null : row.online === 1,
    battery: row.battery,
    ...(row.staff_tag === 1 ? { staffTag: true } : {}),
    ...(row.firmware === null ? {} : { firmware: row.firmware }),
    ...(row.tells_presence === 1 ? { tellsPresence: true } : {}),
    gatewayId: row.gateway_id,
  };
}
