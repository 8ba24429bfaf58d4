import { appendAct } from "./acts.ts";
import { type Change, recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { Act, ThresholdGrounds, ThresholdVersion } from "./store.ts";

interface Row {
  version: number;
  threshold: number | null;
  before: number | null;
  at: number;
  approved_by: string;
  how: ThresholdVersion["how"];
  reverts_to: number | null;
  reason: string | null;
  model: string | null;
  evidence: string | null;
}

export function thresholdVersions(db: Database, deviceId: string): ThresholdVersion[] {
  return db
    .all<Row>("SELECT * FROM threshold_versions WHERE device_id = ? ORDER BY version", deviceId)
    .map(({ approved_by: approvedBy, reverts_to: revertsTo, evidence, ...row }) => ({
      version: row.version,
      threshold: row.threshold,
      before: row.before,
      at: row.at,
      approvedBy,
      how: row.how,
      revertsTo,
      reason: row.reason,
      model: row.model,
      evidence: evidence === null ? null : (JSON.parse(evidence) as Record<string, number>),
    }));
}

/** A device's threshold, its version, the line that gateways follow and the act, as one. Changes nothing where it is so already. */
export function setThreshold(
  db: Database,
  deviceId: string,
  threshold: number | null,
  act: Act & { by: string },
  grounds: ThresholdGrounds,
): boolean {
  return db.transaction(() => changeThreshold(db, deviceId, threshold, act, grounds));
}

/** The same within a transaction of the caller. */
export function changeThreshold(
  db: Database,
  deviceId: string,
  threshold: number | null,
  act: Act & { by: string },
  grounds: ThresholdGrounds,
): boolean {
  const now = db.get<{ dwelling_id: string | null; threshold: number | null }>(
    "SELECT dwelling_id, threshold FROM devices WHERE id = ? AND revoked = 0",
    deviceId,
  );
  if (!now) return false;
  const { how, revertsTo, reason, model, evidence, from } = grounds;
  if (from !== undefined && from !== now.threshold) {
    throw new Error(`the threshold of ${deviceId} was changed meanwhile, to ${shown(now.threshold)}: look again`);
  }
  if (now.threshold === threshold) return true;
  db.run("UPDATE devices SET threshold = ? WHERE id = ?", threshold, deviceId);
  const what = `${shown(threshold)}, before: ${shown(now.threshold)}`;
  const dwelling = now.dwelling_id === null ? {} : { dwellingId: now.dwelling_id };
  const change: Change = { part: "thresholds", deviceId, ...dwelling, what };
  recordChanges(db, act, [change]);
  const version = (thresholdVersions(db, deviceId).at(-1)?.version ?? 0) + 1;
  db.run(
    `INSERT INTO threshold_versions (device_id, version, threshold, before, at, approved_by, how, reverts_to, reason, model, evidence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    deviceId,
    version,
    threshold,
    now.threshold,
    act.at,
    act.by,
    how,
    revertsTo ?? null,
    reason ?? null,
    model ?? null,
    evidence ? JSON.stringify(evidence) : null,
  );
  appendAct(db, {
    ...act,
    via: "cli",
    act: `threshold-${how}`,
    subject: now.dwelling_id,
    detail: { version, from: now.threshold, to: threshold, model: model ?? null, ...evidence },
  });
  return true;
}

const shown = (value: number | null) => value ?? "the model's own";
