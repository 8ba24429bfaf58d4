import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { migrations } from "../store/migrations.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { lessonOf } from "./confirmed.ts";
import { createRegistry, type Registry } from "./registry.ts";

let folder: string;
let store: Store;
let registry: Registry;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-thresholds-"));
  store = openSqliteStore(folder);
  registry = createRegistry(() => store, systemClock());
  await registry.addDevice({ deviceId: "watch-1", placement: "wrist", key: "38", consentBy: "eva" });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const acts = async () =>
  (await store.audit.entries("acts", 0, 100)).flatMap(({ act }) => (act?.act.startsWith("threshold") ? [act] : []));

describe("each change of a threshold is a version", () => {
  test("with who approved it, why, by which model and on what evidence; the act is in the audit log without the reason", async () => {
    await registry.setThreshold("watch-1", 0.4, "maria");
    const evidence = { falls: 3, fallsLost: 0, noFalls: 2 };
    await registry.setThreshold("watch-1", 0.5, " maria ", {
      how: "tuned",
      reason: "Larmar när hon bäddar",
      model: "1.1.0",
      evidence,
      from: 0.4,
    });
    await registry.setThreshold("watch-1", null, "eva", { how: "reverted", revertsTo: 0 });
    expect(await registry.thresholdVersions("watch-1")).toMatchObject([
      { version: 1, threshold: 0.4, before: null, approvedBy: "maria", how: "set", reason: null, evidence: null },
      {
        version: 2,
        threshold: 0.5,
        before: 0.4,
        approvedBy: "maria",
        how: "tuned",
        reason: "Larmar när hon bäddar",
        model: "1.1.0",
        evidence,
      },
      { version: 3, threshold: null, before: 0.5, approvedBy: "eva", how: "reverted", revertsTo: 0 },
    ]);
    expect((await acts()).map(({ act, by, detail }) => [act, by, detail?.version, detail?.from, detail?.to])).toEqual([
      ["threshold-set", "maria", 1, null, 0.4],
      ["threshold-tuned", "maria", 2, 0.4, 0.5],
      ["threshold-reverted", "eva", 3, 0.5, null],
    ]);
    expect((await acts())[1]?.detail).toMatchObject({ model: "1.1.0", ...evidence });
    expect(JSON.stringify(await acts())).not.toContain("bäddar");
    expect((await store.audit.verify("acts")).brokenAt).toBeNull();
  });

  test("one that changes nothing is none", async () => {
    await registry.setThreshold("watch-1", 0.4, "maria");
    await registry.setThreshold("watch-1", 0.4, "eva");
    expect(await registry.thresholdVersions("watch-1")).toHaveLength(1);
    expect(await acts()).toHaveLength(1);
  });

  test("one that was judged against another threshold than is in force changes nothing", async () => {
    await registry.setThreshold("watch-1", 0.4, "maria");
    const { version } = await store.control.versions();
    await expect(registry.setThreshold("watch-1", 0.6, "eva", { how: "tuned", from: null })).rejects.toThrow(
      /changed meanwhile, to 0.4/,
    );
    expect(await registry.thresholdVersions("watch-1")).toHaveLength(1);
    expect((await store.control.versions()).version).toBe(version);
  });

  test("without a name, or with a reason that is none, nothing is changed", async () => {
    await expect(registry.setThreshold("watch-1", 0.4, " ")).rejects.toThrow(/by: give the name/);
    for (const reason of ["", "a\nb", "x".repeat(201)])
      await expect(registry.setThreshold("watch-1", 0.4, "maria", { how: "tuned", reason })).rejects.toThrow(/reason:/);
    expect(await registry.thresholdVersions("watch-1")).toEqual([]);
  });

  test("nothing changes a version, but an erased dwelling's go", async () => {
    await registry.setThreshold("watch-1", 0.4, "maria", { how: "tuned", reason: "hennes egna ord" });
    const file = new DatabaseSync(join(folder, "alerting.db"));
    expect(() => file.exec("UPDATE threshold_versions SET approved_by = 'eva'")).toThrow(/append-only/);
    const dwelling = (await store.registry.dwellings())[0]?.id ?? "";
    const act = { at: 1, by: "eva", via: "cli" as const };
    const { id } = await store.erasure.begin(dwelling, act);
    await store.erasure.forget(id, 2);
    expect(file.prepare("SELECT count(*) AS n FROM threshold_versions").get()).toEqual({ n: 0 });
    file.close();
  });

  test("one that was set before versions were kept is the first", async () => {
    const older = mkdtempSync(join(tmpdir(), "fallvakt-thresholds-older-"));
    const file = new DatabaseSync(join(older, "alerting.db"));
    for (const sql of migrations.slice(0, 8)) file.exec(sql);
    file.exec(`PRAGMA user_version = 8;
      INSERT INTO dwellings (id, alias) VALUES ('d1', '38');
      INSERT INTO devices (id, dwelling_id, placement, secret_hash, added_at, threshold) VALUES ('w1', 'd1', 'wrist', '', 5, 0.3), ('w2', 'd1', 'wrist', '', 6, NULL);
      INSERT INTO control_changes (version, at, part, device_id, by, what) VALUES (2, 70, 'thresholds', 'w1', 'maria', '0.3');`);
    file.close();
    const opened = openSqliteStore(older);
    expect(await opened.registry.thresholdVersions("w1")).toMatchObject([
      { version: 1, threshold: 0.3, at: 70, approvedBy: "maria", how: "set" },
    ]);
    expect(await opened.registry.thresholdVersions("w2")).toEqual([]);
    await opened.close();
    rmSync(older, { recursive: true, force: true });
  });
});

test.each([
  ["injury", null, "fall"],
  ["unhurt", 1, "fall"],
  // People who got up deny the fall.
  ["already-up", null, "fall"],
  ["already-up", 1, "fall"],
  ["no-fall", 1, "no-fall"],
  // Nobody was there to see.
  ["no-fall", null, "nothing"],
  ["not-home", 1, "unknown"],
  ["help-call", 1, "unknown"],
  ["unknown", 1, "unknown"],
  [null, 1, "unknown"],
] as const)("outcome %s, arrived %s: %s", (outcome, arrivedAt, lesson) => {
  expect(lessonOf({ outcome, arrivedAt })).toBe(lesson);
});
