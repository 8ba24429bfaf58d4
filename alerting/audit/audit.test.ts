import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { start } from "../../test/alerting/episode-play.ts";
import { names, playAlarm, settle, timeZone } from "../../test/alerting/played-night.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { IncidentRecord, Store } from "../store/store.ts";
import { checkExport, exportAudit } from "./export.ts";
import { incidentOf, incidentText } from "./incident.ts";
import { isWhole, verifyAudit } from "./verify.ts";

const clock = systemClock();
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "alerting-audit-"));
  store = openSqliteStore(folder);
  for (const [n, key] of [
    [1, "A38"],
    [2, "B61"],
  ] as const) {
    const dwelling = await settle(store, clock, `watch-${n}`, key);
    await playAlarm(store, { id: `e${n}`, code: `27${n}`, dwelling, deviceId: `watch-${n}`, key });
  }
  await store.audit.append({ at: start, by: "eva", via: "cli", act: "resident-shown", subject: "d1" });
  await store.audit.append({ at: start + 1, by: "maria", via: "cli", act: "resident-shown", subject: "d1" });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function meddle(sql: string): void {
  const db = new DatabaseSync(join(folder, "alerting.db"));
  db.exec(sql);
  db.close();
}

async function exported(options: { from?: number; to?: number } = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportAudit(store, { now: start, ...options })) lines.push(line);
  return lines;
}

describe("verify", () => {
  test("both chains whole, and every episode rebuilt from its log", async () => {
    const report = await verifyAudit(store);
    expect(report).toMatchObject({ episodes: { entries: 8, brokenAt: null }, acts: { entries: 2, brokenAt: null } });
    expect(report).toMatchObject({ rebuilt: 2, erased: 0, differ: [] });
    expect(isWhole(report)).toBe(true);
  });

  test.each([
    [
      "a state that its log does not give",
      "UPDATE episodes SET state = replace(state, '\"unhurt\"', '\"injury\"') WHERE id = 'e2'",
      { differ: ["e2"] },
    ],
    [
      "an entry taken out",
      "DROP TRIGGER episode_log_no_delete; DELETE FROM episode_log WHERE seq = 3",
      { episodes: { brokenAt: 4 } },
    ],
    [
      "a time changed",
      "DROP TRIGGER episode_log_no_update; UPDATE episode_log SET at = at + 1 WHERE seq = 5",
      { episodes: { brokenAt: 5 } },
    ],
    [
      "an entry given to another key",
      "DROP TRIGGER episode_log_no_update; UPDATE episode_log SET key_id = 2 WHERE seq = 1",
      { episodes: { brokenAt: 1 }, differ: ["e1"] },
    ],
    [
      "an act changed",
      "DROP TRIGGER audit_log_no_update; UPDATE audit_log SET body = replace(body, 'eva', 'ida') WHERE seq = 1",
      { acts: { brokenAt: 1 } },
    ],
  ])("%s is found", async (_name, sql, found) => {
    meddle(sql);
    const report = await verifyAudit(store);
    expect(report).toMatchObject(found);
    expect(isWhole(report)).toBe(false);
  });

  test("the audit log cannot be changed through the database", () => {
    expect(() => meddle("UPDATE audit_log SET at = 1")).toThrow(/append-only/);
    expect(() => meddle("DELETE FROM audit_log")).toThrow(/append-only/);
  });

  test("entries cut off the end show in the head", async () => {
    const { head } = (await verifyAudit(store)).episodes;
    meddle("DROP TRIGGER episode_log_no_delete; DELETE FROM episode_log WHERE seq = 8");
    expect((await verifyAudit(store)).episodes.head).not.toBe(head);
  });
});

describe("an export", () => {
  test("holds no identities, and is whole by itself", async () => {
    const text = (await exported()).join("\n");
    expect(text).toContain('"letter":"T"');
    expect(text).toContain('"by":"person-2"');
    for (const word of ["A38", "B61", "Gustavsberg", "badrum", "watch-1", "Patrull", "eva", "maria"]) {
      expect(text).not.toContain(word);
    }
    expect(checkExport(text)).toMatchObject({
      episodes: { entries: 8, brokenAt: null },
      acts: { entries: 2, brokenAt: null },
      onTrust: 0,
    });
  });

  test("of a part of the time can be checked too", async () => {
    const lines = await exported({ from: start + 1000, to: start + 2000 });
    expect(checkExport(lines.join("\n"))).toMatchObject({ episodes: { brokenAt: null }, acts: { entries: 0 } });
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.length).toBeLessThan(9);
  });

  test("a line taken out, changed or moved is found", async () => {
    const lines = await exported();
    const broken = (change: (all: string[]) => string[]) =>
      checkExport(change([...lines]).join("\n")).episodes.brokenAt;
    expect(broken((all) => all.toSpliced(3, 1))).toBe(4);
    expect(broken((all) => all.with(3, (all[3] ?? "").replace(/"at":\d+/, '"at":1')))).toBe(3);
    expect(broken((all) => all.with(3, all[4] ?? "").with(4, all[3] ?? ""))).toBe(4);
    expect(() => checkExport("{}")).toThrow(/no export/);
    expect(() => checkExport([lines[0], "x"].join("\n"))).toThrow(/line 2/);
  });

  test("an entry of before entries were sealed gives nothing away, and is said to be taken on trust", async () => {
    const { hashOfRow } = await import("../store/log.ts");
    const db = new DatabaseSync(join(folder, "alerting.db"));
    const last = db.prepare("SELECT * FROM episode_log WHERE seq = 8").get() as { hash: string };
    const row = { seq: 9, episode_id: "e1", at: start, input: '{"type":"due","purpose":"A38"}', key_id: null };
    const hash = hashOfRow(last.hash, row);
    db.prepare("INSERT INTO episode_log (seq, episode_id, at, input, hash) VALUES (9, 'e1', ?, ?, ?)").run(
      start,
      row.input,
      hash,
    );
    db.close();
    expect((await verifyAudit(store)).episodes).toMatchObject({ entries: 9, brokenAt: null });
    expect(checkExport((await exported()).join("\n"))).toMatchObject({
      episodes: { entries: 9, brokenAt: null },
      onTrust: 1,
    });
  });
});

describe("an incident", () => {
  const options = {
    now: start,
    fallvakt: "0.1.0",
    timeZone,
    responders: Object.entries(names).map(([id, name]) => ({ id, name })),
  };
  const record = async () => (await store.audit.incident("e1")) as IncidentRecord;
  const identities = ["A38", "Gustavsberg", "badrum", "watch-1", "Patrull", "Natt 3", "Gruppchef"];

  test("tells what happened and each text as sent, without identities; in JSON and to be read", async () => {
    const incident = incidentOf(await record(), options);
    const [alarm] = incident.pages;
    expect(alarm?.text).toMatch(/^LARM FALL 271\. Nyckel \[key\], \[area\], \[room\]\. Hårt fall/);
    // The same text, but for what was put in the place of what tells where it was.
    const sent = (await record()).pages[0]?.body
      .replace("A38", "[key]")
      .replace("Gustavsberg syd", "[area]")
      .replace("badrum", "[room]");
    expect(alarm?.text).toBe(sent);
    expect(incident.pages.every(({ text }) => text !== null)).toBe(true);
    expect(incident.episode).toMatchObject({ takenBy: "p1", status: "closed", outcome: "unhurt" });
    expect(incident.versions).toEqual({ fallvakt: "0.1.0", model: "m1", policy: "v" });
    expect(incident.timeline.map(({ what }) => what.letter ?? what.type)).toEqual(["opened", "T", "F", "U"]);
    const read = incidentText(incident, (at) => new Date(at).toISOString());
    for (const text of [JSON.stringify(incident), read]) {
      for (const word of identities) expect(text).not.toContain(word);
      expect(text).toContain("Left out: residents");
    }
  });

  test("a text that would be worded otherwise today is left out, and said to be", async () => {
    const renamed = options.responders.map((one) => ({ ...one, name: `${one.name} Ny` }));
    const kept = await record();
    kept.pages = kept.pages.map((page) => ({ ...page, body: `${page.body} Patrull 1 A38` }));
    const incident = incidentOf(kept, { ...options, responders: renamed });
    expect(incident.pages.length).toBeGreaterThan(0);
    for (const { text, textLeftOut } of incident.pages)
      expect([text, textLeftOut]).toEqual([null, expect.stringMatching(/worded otherwise/)]);
    for (const word of identities) expect(JSON.stringify(incident)).not.toContain(word);
  });
});
