import type { Control } from "../../firmware-contracts/intake.ts";
import type { Database } from "./database.ts";
import type { SelfTestRow } from "./store.ts";

interface Row {
  id: string;
  asked_at: number;
  by: string | null;
  body: string;
  episode_id: string | null;
  ended_at: number | null;
  failed: string | null;
}

/** What a self-test's row holds beside its columns. */
export type SelfTestBody = Pick<SelfTestRow, "device" | "limits" | "links" | "detail" | "isCutOff">;

export function openSelfTest(db: Database): SelfTestRow | null {
  const row = db.get<Row>("SELECT * FROM self_tests WHERE ended_at IS NULL ORDER BY asked_at DESC LIMIT 1");
  return row ? selfTestOf(row) : null;
}

export function selfTestOf(row: Row): SelfTestRow {
  return {
    ...(JSON.parse(row.body) as SelfTestBody),
    id: row.id,
    askedAt: row.asked_at,
    by: row.by,
    episodeId: row.episode_id,
    endedAt: row.ended_at,
    failed: row.failed as SelfTestRow["failed"],
  };
}

export type { Row as SelfTestDatabaseRow };

/** What gateways are told of a self-test that is under way. */
export function wantedSelfTest(db: Database): Pick<Control, "selfTest"> {
  const open = openSelfTest(db);
  if (!open) return {};
  const { id, device, limits } = open;
  const { connect, acknowledged, detected } = limits;
  return { selfTest: { run: id, device, limits: { connect, acknowledged, detected } } };
}
