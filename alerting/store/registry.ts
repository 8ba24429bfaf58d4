import { appendAct } from "./acts.ts";
import { followRecords } from "./consent-records.ts";
import { type Change, recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import { deviceRow, deviceRows, deviceRowsOf } from "./device-rows.ts";
import { putDeviceSeen } from "./device-seen.ts";
import { beginOperation, putDwelling, setOperation } from "./operation.ts";
import type { Act, DeviceAddition, Dwelling, Household, OperationState, RegistryStore } from "./store.ts";
import { setThreshold, thresholdVersions } from "./thresholds.ts";
import { putConsent } from "./watching.ts";

/** What a person does to a device is in the audit log too; what the service does by itself only in the history. */
function appendDone(db: Database, { at, by, via = "cli" }: Act, act: string, subject: string | null): void {
  if (by !== null) appendAct(db, { at, by, via, act, subject });
}

function addDevices(db: Database, added: readonly DeviceAddition[], act: Act): void {
  const changes: Change[] = [];
  for (const { device, dwelling, consentBy, inOperation } of added) {
    putDwelling(db, dwelling);
    db.run(
      `INSERT INTO devices (id, dwelling_id, placement, room, secret_hash, revoked, added_at, leads_out)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      device.deviceId,
      dwelling.id,
      device.placement,
      device.room,
      device.secretHash,
      device.revoked ? 1 : 0,
      device.addedAt,
      device.leadsOut ? 1 : 0,
    );
    const { deviceId, placement, leadsOut } = device;
    const operation = beginOperation(db, { id: deviceId, dwelling_id: dwelling.id }, act, inOperation);
    const what = `added, ${placement}${leadsOut ? ", at a door that leads out" : ""}${operation}`;
    changes.push({ part: "registry", deviceId, dwellingId: dwelling.id, what });
    appendDone(db, act, "device-added", dwelling.id);
    if (consentBy !== null && putConsent(db, dwelling.id, "given", { at: act.at, by: consentBy })) {
      changes.push({ part: "consents", dwellingId: dwelling.id, what: "given", by: consentBy });
    }
  }
  recordChanges(db, act, changes);
}

interface ChangeableDevice {
  placement: string;
  threshold: number | null;
  leads_out: number;
  operation: OperationState;
}

/** What was done to a device, and by which name it stands in the audit log. */
interface DeviceChange extends Pick<Change, "part" | "what"> {
  act?: string;
}

/** Changes a device that is not revoked, by `change`, which returns what it did or null where all is so already. False where there is no such device. */
function changeDevice(
  db: Database,
  deviceId: string,
  act: Act,
  change: (now: ChangeableDevice & { dwelling_id: string | null }) => DeviceChange | null,
): boolean {
  return db.transaction(() => {
    const now = db.get<ChangeableDevice & { dwelling_id: string | null }>(
      "SELECT dwelling_id, placement, threshold, leads_out, operation FROM devices WHERE id = ? AND revoked = 0",
      deviceId,
    );
    if (!now) return false;
    const done = change(now);
    if (!done) return true;
    const dwelling = now.dwelling_id === null ? {} : { dwellingId: now.dwelling_id };
    const { part, what } = done;
    recordChanges(db, act, [{ part, what, deviceId, ...dwelling }]);
    if (done.act) appendDone(db, act, done.act, now.dwelling_id);
    return true;
  });
}

export function registryStore(db: Database): RegistryStore {
  return {
    dwellings: async () =>
      db.all<Dwelling>(
        `SELECT id, alias, unit, area, room FROM dwellings
         WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE dwelling_id = dwellings.id AND erased_at IS NOT NULL) ORDER BY unit, alias`,
      ),
    dwellingTerms: async (dwellingId) =>
      db.get<{ since: number | null; arriveMinutes: number | null }>(
        `SELECT (SELECT MIN(added_at) FROM devices WHERE dwelling_id = dwellings.id) AS since, arrive_minutes AS arriveMinutes
         FROM dwellings WHERE id = ?`,
        dwellingId,
      ) ?? { since: null, arriveMinutes: null },
    households: async () =>
      db.all<{ dwellingId: string; household: Household }>(
        "SELECT id AS dwellingId, household FROM dwellings WHERE household IS NOT NULL",
      ),
    setArriveMinutes: async (dwellingId, minutes) =>
      db.run("UPDATE dwellings SET arrive_minutes = ? WHERE id = ?", minutes, dwellingId) > 0,
    devices: async (at) => deviceRows(db, at),
    devicesOf: async (dwellingId, at) => deviceRowsOf(db, dwellingId, at),
    device: async (deviceId) => {
      const device = deviceRow(db, deviceId);
      if (!device) return null;
      const dwelling =
        device.dwellingId === null
          ? undefined
          : db.get<Dwelling>("SELECT id, alias, unit, area, room FROM dwellings WHERE id = ?", device.dwellingId);
      return { device, dwelling: dwelling ?? null };
    },
    dwelling: async (dwellingId) =>
      db.get<Dwelling>(
        `SELECT id, alias, unit, area, room FROM dwellings WHERE id = ?
           AND NOT EXISTS (SELECT 1 FROM erasures WHERE dwelling_id = dwellings.id)`,
        dwellingId,
      ) ?? null,
    dwellingsInArea: async (area, unit) =>
      db.get<{ n: number }>(
        "SELECT COUNT(*) AS n FROM dwellings WHERE area = ? AND COALESCE(unit, '') = ?",
        area,
        unit ?? "",
      )?.n ?? 0,
    addDwelling: async (dwelling, act) =>
      db.transaction(() => {
        putDwelling(db, dwelling);
        recordChanges(db, act, [
          { part: "registry", dwellingId: dwelling.id, what: "a dwelling, without devices yet" },
        ]);
        appendAct(db, { ...act, act: "dwelling-added", subject: dwelling.id });
      }),
    addDevices: async (added, act) => db.transaction(() => addDevices(db, added, act)),
    revokeDevice: async (deviceId, act) => {
      const isDone = changeDevice(db, deviceId, act, () => {
        db.run("UPDATE devices SET revoked = 1, revoked_at = ? WHERE id = ?", act.at, deviceId);
        return { part: "revocations", what: "revoked", act: "device-revoked" };
      });
      return isDone || db.get("SELECT 1 FROM devices WHERE id = ?", deviceId) !== undefined;
    },
    replaceSecret: async (deviceId, secretHash, previousUntil, act) =>
      changeDevice(db, deviceId, act, () => {
        const keepsPrevious = previousUntil !== null;
        db.run(
          `UPDATE devices SET previous_secret_hash = iif(?, secret_hash, NULL), previous_secret_until = ?, secret_since = ?,
             secret_hash = ? WHERE id = ?`,
          keepsPrevious ? 1 : 0,
          previousUntil,
          act.at,
          secretHash,
          deviceId,
        );
        const what = keepsPrevious ? "new secret" : "new secret, the old one ended at once";
        return { part: "registry", what, act: "device-secret-replaced" };
      }),
    endPreviousSecret: async (deviceId, usedAt, act) =>
      void changeDevice(db, deviceId, act, () => {
        const ended = db.run(
          `UPDATE devices SET previous_secret_hash = NULL, previous_secret_until = NULL
           WHERE id = ? AND previous_secret_hash IS NOT NULL AND secret_since <= ?`,
          deviceId,
          usedAt,
        );
        return ended > 0 ? { part: "registry", what: "old secret ended: the new one was used" } : null;
      }),
    placeDevice: async (deviceId, placement, act) =>
      changeDevice(db, deviceId, act, (now) => {
        if (now.placement === placement) return null;
        db.run("UPDATE devices SET placement = ? WHERE id = ?", placement, deviceId);
        const what = `${placement}, before: ${now.placement}`;
        const changed = { part: "placements", act: "device-placed" } as const;
        if (now.operation !== "in-operation") return { ...changed, what };
        // Worn elsewhere it is judged by another model: what was tried is not what is worn.
        const device = { id: deviceId, dwelling_id: now.dwelling_id };
        const operation = setOperation(db, device, { state: "awaiting-test" }, act);
        return { ...changed, what: `${what}, ${operation.what}` };
      }),
    setThreshold: async (deviceId, threshold, act, grounds) => setThreshold(db, deviceId, threshold, act, grounds),
    thresholdVersions: async (deviceId) => thresholdVersions(db, deviceId),
    setLeadsOut: async (deviceId, leadsOut, act) =>
      changeDevice(db, deviceId, act, (now) => {
        if (now.leads_out === (leadsOut ? 1 : 0)) return null;
        db.run("UPDATE devices SET leads_out = ? WHERE id = ?", leadsOut ? 1 : 0, deviceId);
        return { part: "registry", what: leadsOut ? "at a door that leads out" : "at no door that leads out" };
      }),
    setStaffTag: async (deviceId, isTag, act) =>
      changeDevice(db, deviceId, act, () => {
        if (isTag && db.get("SELECT 1 FROM detections WHERE device_id = ?", deviceId)) {
          throw new Error(
            `${deviceId} has raised an alarm: it is somebody's own, and its help button must page. Take another device`,
          );
        }
        const changed = db.run(
          "UPDATE devices SET staff_tag = ? WHERE id = ? AND staff_tag <> ?",
          isTag ? 1 : 0,
          deviceId,
          isTag ? 1 : 0,
        );
        return changed > 0 ? { part: "registry", what: isTag ? "a staff's tag" : "no staff's tag" } : null;
      }),
    setHousehold: async (dwellingId, household, act) =>
      db.transaction(() => {
        const before = db.get<{ household: Household | null }>(
          "SELECT household FROM dwellings WHERE id = ?",
          dwellingId,
        );
        if (!before || before.household === household) return false;
        db.run("UPDATE dwellings SET household = ? WHERE id = ?", household, dwellingId);
        const shown = (value: Household | null) => value ?? "not known";
        const what = `household: ${shown(household)}, before: ${shown(before.household)}`;
        recordChanges(db, act, [{ part: "registry", dwellingId, what }]);
        appendAct(db, { ...act, act: "household-set", subject: dwellingId, detail: { household } });
        followRecords(db, dwellingId, act);
        return true;
      }),
    deviceSeen: async (deviceId, at, seen) => db.transaction(() => putDeviceSeen(db, deviceId, at, seen)),
  };
}
