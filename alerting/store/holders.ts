import { deviceTestsOf } from "../test-alarm-facts.ts";
import { deviceTroubleKinds, dwellingTroubleKinds } from "../trouble-kinds.ts";
import { troubleKey, welfareKey } from "../welfare-keys.ts";
import type { Database } from "./database.ts";

/** Whose keys and episodes are the dwelling's: its own, those of its presence, of its devices' faults, and of its devices before they were in the register. */
export function holdersOf(db: Database, dwellingId: string): string[] {
  const devices = db.all<{ id: string }>("SELECT id FROM devices WHERE dwelling_id = ?", dwellingId);
  const ofDwelling = [
    welfareKey(dwellingId),
    ...dwellingTroubleKinds.map((kind) => troubleKey({ kind, subject: dwellingId })),
  ];
  const ofDevices = devices.flatMap(({ id }) => [
    `device:${id}`,
    ...deviceTroubleKinds.map((kind) => troubleKey({ kind, subject: id })),
  ]);
  const tests = deviceTestsOf(dwellingId);
  const tried = db.all<{ dwelling: string }>(
    "SELECT DISTINCT dwelling FROM episodes WHERE substr(dwelling, 1, ?) = ?",
    tests.length,
    tests,
  );
  return [dwellingId, ...ofDwelling, ...tried.map(({ dwelling }) => dwelling), ...ofDevices];
}
