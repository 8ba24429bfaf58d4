import { recordChanges } from "./control.ts";
import type { Database } from "./database.ts";
import type { SelfTestRow, SelfTestStore } from "./store.ts";
import { openSelfTest, type SelfTestBody, type SelfTestDatabaseRow, selfTestOf } from "./wanted-self-test.ts";

/** So many that have ended are kept: eight months of two a day. */
const kept = 500;

const bodyOf = ({ device, limits, links, detail, isCutOff }: SelfTestRow) =>
  JSON.stringify({ device, limits, links, detail, isCutOff } satisfies SelfTestBody);

export function selfTestStore(db: Database): SelfTestStore {
  return {
    ask: async ({ id, askedAt, by, device, limits }) =>
      db.transaction(() => {
        const open = openSelfTest(db);
        if (open) throw new Error("a self-test is under way; wait for its end: fallvakt self-test list");
        const body: SelfTestBody = { device, limits, links: {}, detail: null, isCutOff: false };
        db.run(
          "INSERT INTO self_tests (id, asked_at, by, body) VALUES (?, ?, ?, ?)",
          id,
          askedAt,
          by,
          JSON.stringify(body),
        );
        recordChanges(db, { at: askedAt, by }, [{ part: "registry", deviceId: device, what: "self-test asked for" }]);
      }),
    findById: async (id) => {
      const row = db.get<SelfTestDatabaseRow>("SELECT * FROM self_tests WHERE id = ?", id);
      return row ? selfTestOf(row) : null;
    },
    findOpen: async () => openSelfTest(db),
    list: async (limit) =>
      db
        .all<SelfTestDatabaseRow>("SELECT * FROM self_tests ORDER BY asked_at DESC, rowid DESC LIMIT ?", limit)
        .map(selfTestOf),
    put: async (test) =>
      db.transaction(() => {
        const { id, episodeId, endedAt, failed } = test;
        db.run(
          "UPDATE self_tests SET body = ?, episode_id = ?, ended_at = ?, failed = ? WHERE id = ?",
          bodyOf(test),
          episodeId,
          endedAt,
          failed,
          id,
        );
        if (endedAt === null) return;
        db.run(
          `DELETE FROM self_tests WHERE ended_at IS NOT NULL AND id NOT IN
             (SELECT id FROM self_tests WHERE ended_at IS NOT NULL ORDER BY asked_at DESC LIMIT ?)`,
          kept,
        );
      }),
    putDevice: async (deviceId, secretHash, act) =>
      db.transaction(() => {
        const known = db.get<{ self_test: number }>("SELECT self_test FROM devices WHERE id = ?", deviceId);
        if (known && known.self_test !== 1) {
          throw new Error(`${deviceId} is a resident's device; name another in alerting.selfTest.device`);
        }
        if (known) {
          db.run(
            "UPDATE devices SET secret_hash = ?, secret_since = ?, revoked = 0 WHERE id = ?",
            secretHash,
            act.at,
            deviceId,
          );
        } else {
          db.run(
            `INSERT INTO devices (id, placement, secret_hash, added_at, operation, operation_since, self_test)
             VALUES (?, 'wrist', ?, ?, 'in-operation', ?, 1)`,
            deviceId,
            secretHash,
            act.at,
            act.at,
          );
        }
        recordChanges(db, act, [{ part: "registry", deviceId, what: "the self-test's device, new secret" }]);
      }),
  };
}
