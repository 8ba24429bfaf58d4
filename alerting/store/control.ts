import { type ControlPart, controlParts } from "../../firmware-contracts/control-parts.ts";
import type { Control, ControlVersions } from "../../firmware-contracts/intake.ts";
import type { Database } from "./database.ts";
import { controlDevices } from "./device-rows.ts";
import type { Act, ControlChange, ControlStore } from "./store.ts";
import { wantedSelfTest } from "./wanted-self-test.ts";

/** What changed, for the history. `what` names no resident. */
export interface Change {
  part: ControlPart;
  deviceId?: string;
  dwellingId?: string;
  what: string;
  /** Who stands for it, where that is not who acted. */
  by?: string;
}

/**
 * The only place that changes what gateways follow: it raises the version and writes down what changed, in the transaction of the caller, who has
 * changed it. Several changes at once are one version.
 */
export function recordChanges(db: Database, { at, by }: Act, changes: readonly Change[]): void {
  db.run("UPDATE control SET version = version + 1");
  const version = versionOf(db);
  for (const change of changes) {
    db.run(
      "INSERT INTO control_changes (version, at, part, device_id, dwelling_id, by, what) VALUES (?, ?, ?, ?, ?, ?, ?)",
      version,
      at,
      change.part,
      change.deviceId ?? null,
      change.dwellingId ?? null,
      change.by ?? by,
      change.what,
    );
  }
}

/** Within a transaction of the caller, who records the next change: that one is then above `version`, whatever a gateway may hold. */
export function raiseVersion(db: Database, version: number): void {
  db.run("UPDATE control SET version = MAX(version, ?)", version);
}

export function versionOf(db: Database): number {
  return db.get<{ version: number }>("SELECT version FROM control")?.version ?? 0;
}

function versionsOf(db: Database): ControlVersions {
  const rows = db.all<{ part: ControlPart; version: number }>(
    "SELECT part, MAX(version) AS version FROM control_changes GROUP BY part",
  );
  const last = new Map(rows.map(({ part, version }) => [part, version]));
  return Object.fromEntries(controlParts.map((part) => [part, last.get(part) ?? 0])) as ControlVersions;
}

export function controlStore(db: Database): ControlStore {
  return {
    since: async (haveVersion, at) =>
      db.transaction((): Control | null => {
        const version = versionOf(db);
        // A gateway can also hold a newer one: alerting was restored from a backup. Then ours counts.
        if (version === haveVersion) return null;
        return { v: 1, version, at, versions: versionsOf(db), devices: controlDevices(db, at), ...wantedSelfTest(db) };
      }),
    versions: async () => db.transaction(() => ({ version: versionOf(db), versions: versionsOf(db) })),
    changes: async () =>
      db.all<ControlChange>(
        `SELECT version, at, part, device_id AS deviceId, dwellings.alias AS key, dwellings.unit AS unit, by, what
         FROM control_changes LEFT JOIN dwellings ON dwellings.id = dwelling_id ORDER BY control_changes.id`,
      ),
  };
}
