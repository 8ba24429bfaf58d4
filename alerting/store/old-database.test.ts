import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrations } from "./migrations.ts";
import { openSqliteStore } from "./sqlite.ts";

const episodeId = "e0123456789abcdef";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alerting-old-"));
  const db = new DatabaseSync(join(folder, "alerting.db"), { enableForeignKeyConstraints: false });
  db.exec(readFileSync(new URL("fixtures/store-of-0.1.sql", import.meta.url), "utf8"));
  db.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function schema(): number {
  const db = new DatabaseSync(join(folder, "alerting.db"), { readOnly: true });
  try {
    return Number(db.prepare("PRAGMA user_version").get()?.user_version);
  } finally {
    db.close();
  }
}

/** The episode is there and open, with its deadline and what it had paged; its log is whole. */
async function expectAlarmIsThere(): Promise<void> {
  const store = openSqliteStore(folder);
  try {
    const state = await store.episodes.episode(episodeId);
    expect(state).toMatchObject({ status: "open", facts: { id: episodeId, code: "274", kind: "fall" } });
    expect(await store.episodes.dueOf(episodeId)).toEqual([{ episodeId, purpose: "next-page", at: 1_795_486_440_000 }]);
    expect((await store.pages.sendable(1_795_486_440_000, 10)).map(({ id }) => id).sort()).toEqual([
      `${episodeId}.1`,
      `${episodeId}.2`,
    ]);
    expect(await store.episodes.episodeOfDetection("watch-38.1.7.fall")).toBe(episodeId);
    expect((await store.watching.consents()).map(({ state }) => state)).toEqual(["given"]);
    expect((await store.control.since(-1, 1_795_486_440_000))?.devices.map(({ deviceId }) => deviceId)).toEqual([
      "watch-38",
    ]);
    // Its steps are this version's to read, not to take again: the rules of escalation have changed since.
    expect(await store.audit.verify("episodes")).toMatchObject({ entries: 2, brokenAt: null });
    expect(await store.episodes.log(episodeId)).toHaveLength(2);
  } finally {
    await store.close();
  }
  expect(schema()).toBe(migrations.length);
}

test("a store of the first release is opened with its open alarm, twice", async () => {
  expect(schema()).toBe(1);
  await expectAlarmIsThere();
  await expectAlarmIsThere();
});

test("killed while it is migrated, it is as it was or as it shall be, and opens", { timeout: 60_000 }, async () => {
  const database = fileURLToPath(new URL("database.ts", import.meta.url));
  const script = `const { openDatabase } = await import(${JSON.stringify(database)}); process.stdout.write("go"); openDatabase(${JSON.stringify(join(folder, "alerting.db"))}); process.stdout.write("done"); setInterval(() => {}, 1000);`;
  for (const afterMs of [0, 1, 2, 4, 8, 16]) {
    const db = new DatabaseSync(join(folder, "alerting.db"));
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    child.kill("SIGKILL");
    await once(child, "exit");
    expect([1, migrations.length]).toContain(schema());
    if (schema() === migrations.length) break;
  }
  await expectAlarmIsThere();
});
