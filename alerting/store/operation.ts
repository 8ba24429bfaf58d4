import { appendAct } from "./acts.ts";
import { type Change, recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import { insertPage } from "./pages.ts";
import type {
  Act,
  DoneAct,
  Dwelling,
  OperationChange,
  OperationHow,
  OperationState,
  OperationStore,
  OperationTest,
  OperationTestStep,
} from "./store.ts";
import { changeThreshold } from "./thresholds.ts";

interface DeviceState {
  id: string;
  dwelling_id: string | null;
  operation: OperationState;
}

interface NewState {
  state: OperationState;
  how?: OperationHow;
  reason?: string;
}

const words: Record<OperationState, string> = {
  "awaiting-test": "awaits its test alarm",
  "in-operation": "in operation",
  "in-store": "in store",
};

const shown = ({ state, how }: NewState) => `${words[state]}${how ? `, by ${how}` : ""}`;

/**
 * The one place that changes whether a device is in operation, within the caller's transaction, who records the line that is returned with other
 * changes. A test that is open is called off: it was of the device as it stood before.
 */
export function setOperation(
  db: Database,
  device: Pick<DeviceState, "id" | "dwelling_id">,
  to: NewState,
  { at, by, via = "cli" }: Act,
  isNew = false,
): Change {
  const { id: deviceId, dwelling_id: dwellingId } = device;
  const { state, how = null, reason = null } = to;
  db.run(
    "UPDATE devices SET operation = ?, operation_since = ?, operation_by = ?, operation_how = ? WHERE id = ?",
    state,
    at,
    by,
    how,
    deviceId,
  );
  db.run(
    "INSERT INTO operation_changes (device_id, dwelling_id, state, at, by, how, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
    deviceId,
    dwellingId,
    state,
    at,
    by,
    how,
    reason,
  );
  if (state !== "in-operation" || how === "bulk") {
    db.run(
      "UPDATE operation_tests SET ended_at = ?, outcome = 'called-off' WHERE device_id = ? AND ended_at IS NULL",
      at,
      deviceId,
    );
  }
  if (!isNew) appendAct(db, { at, by, via, act: `device-${state}`, subject: dwellingId, detail: { how } });
  return { part: "registry", deviceId, ...(dwellingId === null ? {} : { dwellingId }), what: shown(to) };
}

/** A new device begins so; adding it is no act of its own. Returns what its line for gateways says of it. */
export function beginOperation(
  db: Database,
  device: Pick<DeviceState, "id" | "dwelling_id">,
  act: Act,
  inOperation: { by: string; reason: string } | undefined,
): string {
  if (!inOperation) {
    setOperation(db, device, { state: "awaiting-test" }, act, true);
    return "";
  }
  const { by, reason } = inOperation;
  const to: NewState = { state: "in-operation", how: "bulk", reason };
  return `, ${setOperation(db, device, to, { ...act, by }).what}`;
}

const stateOf = (db: Database, deviceId: string) =>
  db.get<DeviceState>(
    "SELECT id, dwelling_id, operation FROM devices WHERE id = ? AND revoked = 0 AND self_test = 0",
    deviceId,
  );

function commission(
  db: Database,
  deviceIds: readonly string[] | null,
  act: Act & { by: string },
  reason: string,
): string[] {
  const devices = db
    .all<DeviceState>(
      "SELECT id, dwelling_id, operation FROM devices WHERE operation = 'awaiting-test' AND dwelling_id IS NOT NULL AND revoked = 0 ORDER BY id",
    )
    .filter(({ id }) => deviceIds === null || deviceIds.includes(id));
  const to: NewState = { state: "in-operation", how: "bulk", reason };
  const changes = devices.map((device) => setOperation(db, device, to, act));
  if (changes.length > 0) recordChanges(db, act, changes);
  return devices.map(({ id }) => id);
}

export function putInStore(db: Database, deviceId: string, act: Act & { by: string }): boolean {
  const device = stateOf(db, deviceId);
  if (!device) return false;
  if (device.operation === "in-store") return true;
  leaveDwelling(db, deviceId, act);
  db.run("UPDATE devices SET dwelling_id = NULL, room = NULL WHERE id = ?", deviceId);
  recordChanges(db, act, [setOperation(db, device, { state: "in-store" }, act)]);
  return true;
}

/** What was set for whoever wore it there is not the next one's. */
function leaveDwelling(db: Database, deviceId: string, act: Act & { by: string }): void {
  changeThreshold(db, deviceId, null, act, { how: "set" });
  db.run("UPDATE devices SET leads_out = 0 WHERE id = ?", deviceId);
}

/** Makes the dwelling where it is new; what is not said of one that is known stays. */
export function putDwelling(db: Database, { id, alias, unit, area, room }: Dwelling): void {
  db.run(
    `INSERT INTO dwellings (id, alias, unit, area, room) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET area = COALESCE(excluded.area, area), room = COALESCE(excluded.room, room)`,
    id,
    alias,
    unit,
    area,
    room,
  );
}

const moveDevice: (db: Database, ...args: Parameters<OperationStore["moveDevice"]>) => boolean = (
  db,
  deviceId,
  { dwelling, placement, room },
  act,
) => {
  const device = stateOf(db, deviceId);
  if (!device) return false;
  putDwelling(db, dwelling);
  if (device.dwelling_id !== dwelling.id) leaveDwelling(db, deviceId, act);
  db.run(
    "UPDATE devices SET dwelling_id = ?, placement = ?, room = ? WHERE id = ?",
    dwelling.id,
    placement,
    room,
    deviceId,
  );
  const change = setOperation(db, { id: deviceId, dwelling_id: dwelling.id }, { state: "awaiting-test" }, act);
  recordChanges(db, act, [{ ...change, what: `moved, ${placement}, ${change.what}` }]);
  return true;
};

/** Within the step of a test alarm. @throws where the device was moved meanwhile: then nothing of the step is kept. */
export function keepTestStep(db: Database, episodeId: string, step: OperationTestStep, at: number): void {
  const { testId } = step;
  if (step.what === "came") db.run("UPDATE operation_tests SET episode_id = ? WHERE id = ?", episodeId, testId);
  if (step.what === "wrong") db.run("UPDATE operation_tests SET wrong = wrong + 1 WHERE id = ?", testId);
  if (step.what === "ended") {
    db.run(
      "UPDATE operation_tests SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL",
      at,
      step.outcome,
      testId,
    );
  }
  if (step.what !== "passed") return;
  const device = db.get<DeviceState>(
    `SELECT devices.id, devices.dwelling_id, devices.operation FROM operation_tests JOIN devices ON devices.id = device_id
     WHERE operation_tests.id = ? AND ended_at IS NULL AND devices.dwelling_id = operation_tests.dwelling_id
       AND operation = 'awaiting-test' AND revoked = 0`,
    testId,
  );
  if (!device) throw new Error("the device of this test was moved or stored meanwhile");
  const act: DoneAct = { at, by: step.by, via: "service" };
  recordChanges(db, act, [setOperation(db, device, { state: "in-operation", how: "test-alarm" }, act)]);
  db.run("UPDATE operation_tests SET ended_at = ?, outcome = 'passed' WHERE id = ?", at, testId);
}

const selectTest = `SELECT id, device_id AS deviceId, dwelling_id AS dwellingId, responder_id AS responderId, by, opened_at AS openedAt,
  until_at AS untilAt, episode_id AS episodeId, wrong, ended_at AS endedAt, outcome FROM operation_tests`;

export function operationStore(db: Database): OperationStore {
  return {
    commission: async (deviceIds, act, reason) => db.transaction(() => commission(db, deviceIds, act, reason)),
    putInStore: async (deviceId, act) => db.transaction(() => putInStore(db, deviceId, act)),
    moveDevice: async (deviceId, to, act) => db.transaction(() => moveDevice(db, deviceId, to, act)),
    readChanges: async (deviceId) =>
      db.all<OperationChange>(
        `SELECT device_id AS deviceId, dwelling_id AS dwellingId, state, at, by, how, reason FROM operation_changes
         WHERE device_id = ? ORDER BY id`,
        deviceId,
      ),
    openTest: async ({ id, deviceId, dwellingId, responderId, by, openedAt, untilAt }, via = "cli") =>
      db.transaction(() => {
        db.run(
          "UPDATE operation_tests SET ended_at = ?, outcome = 'called-off' WHERE device_id = ? AND ended_at IS NULL",
          openedAt,
          deviceId,
        );
        db.run(
          `INSERT INTO operation_tests (id, device_id, dwelling_id, responder_id, by, opened_at, until_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
          id,
          deviceId,
          dwellingId,
          responderId,
          by,
          openedAt,
          untilAt,
        );
        const detail = { minutes: Math.round((untilAt - openedAt) / 60_000) };
        appendAct(db, { at: openedAt, by, via, act: "device-test-opened", subject: dwellingId, detail });
      }),
    callOffTest: async (deviceId, { at, by, via = "cli" }) =>
      db.transaction(() => {
        const test = db.get<OperationTest>(`${selectTest} WHERE device_id = ? AND ended_at IS NULL`, deviceId);
        if (!test) return null;
        db.run("UPDATE operation_tests SET ended_at = ?, outcome = 'called-off' WHERE id = ?", at, test.id);
        appendAct(db, { at, by, via, act: "device-test-called-off", subject: test.dwellingId });
        return { ...test, endedAt: at, outcome: "called-off" };
      }),
    findTest: async (deviceId) =>
      db.get<OperationTest>(`${selectTest} WHERE device_id = ? ORDER BY rowid DESC LIMIT 1`, deviceId) ?? null,
    findTestById: async (id) => db.get<OperationTest>(`${selectTest} WHERE id = ?`, id) ?? null,
    listOpenTests: async () => db.all<OperationTest>(`${selectTest} WHERE ended_at IS NULL ORDER BY until_at`),
    endTest: async (id, outcome, at, pages) =>
      db.transaction(() => {
        const ended = db.run(
          "UPDATE operation_tests SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL AND episode_id IS NULL",
          at,
          outcome,
          id,
        );
        if (ended > 0) for (const page of pages) insertPage(db, page, null, at);
      }),
    findSetTime: async (what) => db.get<{ at: number }>("SELECT at FROM set_times WHERE what = ?", what)?.at ?? null,
    putSetTime: async (what, at) =>
      void db.run(
        "INSERT INTO set_times (what, at) VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET at = excluded.at",
        what,
        Math.ceil(at),
      ),
  };
}
