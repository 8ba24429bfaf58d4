import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Detection } from "../../firmware-contracts/detection.ts";
import { step } from "../episode.ts";
import type { EpisodeFacts, EpisodeInput, EpisodeState } from "../episode-state.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { EpisodeChange, Store } from "./store.ts";

const at = 1_800_000_000_000;
let dataDir: string;
let store: Store;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "alerting-store-"));
  store = openSqliteStore(dataDir);
});
afterEach(async () => {
  await store.close().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

function detection(id: string): Detection {
  return {
    v: 1,
    id,
    deviceId: "watch-1",
    kind: "fall",
    strength: "strong",
    reason: "still",
    impactAt: at,
    detectedAt: at,
    arrivedAt: at,
    late: false,
    clockSuspect: false,
    evidence: null,
    model: null,
    test: false,
  };
}

function facts(id: string, code: string, dwelling = id): EpisodeFacts {
  const { evidence: _e, model: _m, ...rest } = detection(`${id}.fall`);
  return {
    id,
    code,
    dwelling,
    place: { alias: "38", area: null, areaInTexts: false, room: null },
    kind: "fall",
    test: false,
    since: at,
    detection: rest,
    trouble: null,
    signOn: null,
    operatorsFirstMs: null,
    policy: {
      version: "v",
      steps: [{ responders: ["p1"], waitMs: 60_000 }],
      operators: ["p2"],
      shortestRoundMs: 60_000,
      receiptWithinMs: 20_000,
      setOffWithinMs: 5 * 60_000,
      graceMs: 2 * 60_000,
      arriveWithinMs: 60_000,
      outcomeWithinMs: 60_000,
    },
  };
}

async function apply(
  state: EpisodeState | null,
  input: EpisodeInput,
  now: number,
  also: Partial<EpisodeChange> = {},
): Promise<EpisodeState> {
  const [next, commands] = step(state, input, now);
  const pages = commands.flatMap((c) =>
    c.do === "page"
      ? [
          {
            id: c.pageId,
            responderId: c.responderId,
            purpose: c.purpose,
            step: c.step,
            language: "sv" as const,
            body: "text",
          },
        ]
      : [],
  );
  const retries = commands.flatMap((c) => (c.do === "retry" ? [{ pageId: c.pageId, at: c.at }] : []));
  const withdraw = commands.some((c) => c.do === "withdraw");
  await store.episodes.commitStep({ state: next, input, at: now, pages, withdraw, retries, ...also });
  return next;
}

const open = (id: string, code: string, dwelling?: string) =>
  apply(null, { type: "opened", facts: facts(id, code, dwelling) }, at, { detection: detection(`${id}.fall`) });

describe("one step is kept whole or not at all", () => {
  test("state, log, deadline, page and detection, also after a restart", async () => {
    const state = await open("e1", "274");
    await store.close();
    store = openSqliteStore(dataDir);
    expect(await store.episodes.episode("e1")).toEqual(state);
    expect(await store.episodes.dueOf("e1")).toContainEqual({ episodeId: "e1", purpose: "next-page", at: at + 60_000 });
    expect(await store.episodes.episodeOfDetection("e1.fall")).toBe("e1");
    expect((await store.pages.sendable(at, 10)).map((page) => page.id)).toEqual(["e1.1"]);
    expect(await store.episodes.log("e1")).toHaveLength(1);
  });

  test("a detection that is known, a second open episode of a dwelling or of a code: refused, and nothing is left", async () => {
    await open("e1", "274");
    await expect(
      apply(null, { type: "opened", facts: facts("e2", "385") }, at, { detection: detection("e1.fall") }),
    ).rejects.toThrow();
    await expect(open("e3", "385", "e1")).rejects.toThrow();
    await expect(open("e4", "274")).rejects.toThrow();
    expect(await store.episodes.episodesSince(0)).toHaveLength(1);
    expect(await store.episodes.verifyLog()).toEqual({ entries: 1, brokenAt: null });
    expect(await store.pages.sendable(at, 10)).toHaveLength(1);
  });

  test("a database of a newer version is not touched", async () => {
    await store.close();
    const file = new DatabaseSync(join(dataDir, "alerting.db"));
    file.exec("PRAGMA user_version = 99");
    file.close();
    expect(() => openSqliteStore(dataDir)).toThrow(/schema 99.*newer version/s);
  });

  test("commits are synced: a power cut takes none back", () => {
    const file = new DatabaseSync(join(dataDir, "alerting.db"));
    expect(file.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    file.close();
  });
});

describe("the log", () => {
  test("replaying it gives the state", async () => {
    let state = await open("e1", "274");
    state = await apply(state, { type: "reply", responderId: "p1", letter: "T" }, at + 1000);
    state = await apply(state, { type: "reply", responderId: "p1", letter: "F" }, at + 2000);
    state = await apply(state, { type: "reply", responderId: "p1", letter: "S" }, at + 3000);
    let again: EpisodeState | null = null;
    for (const entry of await store.episodes.log("e1")) again = step(again, entry.input, entry.at)[0];
    expect(again).toEqual(state);
    expect(await store.episodes.dueOf("e1")).toEqual([]);
  });

  test("it cannot be changed through the database, and a changed file is found", async () => {
    const state = await open("e1", "274");
    await apply(state, { type: "reply", responderId: "p1", letter: "T" }, at + 1000);
    await open("e2", "385");
    expect(await store.episodes.verifyLog()).toEqual({ entries: 3, brokenAt: null });
    const file = new DatabaseSync(join(dataDir, "alerting.db"));
    expect(() => file.exec("UPDATE episode_log SET at = 1")).toThrow(/append-only/);
    expect(() => file.exec("DELETE FROM episode_log")).toThrow(/append-only/);
    file.exec(
      "DROP TRIGGER episode_log_no_update; UPDATE episode_log SET input = (SELECT input FROM episode_log WHERE seq = 3) WHERE seq = 2",
    );
    file.close();
    expect((await store.episodes.verifyLog()).brokenAt).toBe(2);
  });
});

describe("pages", () => {
  test("those that call somebody out go first; what was being sent at a crash is sent again, marked", async () => {
    const state = await open("e1", "274");
    await apply(state, { type: "reply", responderId: "p1", letter: null }, at + 10);
    await open("e2", "385");
    expect((await store.pages.sendable(at + 10, 10)).map((page) => page.purpose)).toEqual(["alarm", "alarm", "answer"]);
    expect(await store.pages.beginAttempt("e1.1", at)).toBe(true);
    expect(await store.pages.beginAttempt("e1.1", at)).toBe(false);
    await store.close();
    store = openSqliteStore(dataDir);
    expect(await store.pages.resumeCutOff(at + 50)).toBe(1);
    expect((await store.pages.sendable(at + 50, 10)).find((page) => page.id === "e1.1")).toMatchObject({
      resent: true,
      tries: 1,
    });
  });

  test("taken: alarms not yet sent are called off, answers are not", async () => {
    const state = await open("e1", "274");
    await apply(state, { type: "reply", responderId: "p1", letter: "T" }, at + 10);
    expect((await store.pages.pagesOf("e1")).map((page) => `${page.purpose} ${page.status}`)).toEqual([
      "alarm withdrawn",
      "taken pending",
    ]);
    expect(await store.pages.beginAttempt("e1.1", at)).toBe(false);
  });

  test("a receipt before the answer: delivered stays delivered, and is not tried again", async () => {
    let state = await open("e1", "274");
    await store.pages.beginAttempt("e1.1", at);
    const about = { pageId: "e1.1", responderId: "p1", purpose: "alarm" } as const;
    state = await apply(state, { type: "receipt", ...about, status: "delivered", errorCode: null }, at + 5, {
      receipt: { pageId: "e1.1", providerId: "SM1", status: "delivered", errorCode: null },
    });
    const result = { outcome: "unknown", reason: "timeout" } as const;
    await apply(state, { type: "page-result", ...about, tries: 1, result }, at + 10, {
      attemptEnd: { pageId: "e1.1", endedAt: at + 10, result },
    });
    expect(await store.pages.page("e1.1")).toMatchObject({ status: "delivered" });
  });
});
