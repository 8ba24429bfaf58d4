import type { Language } from "../config.ts";
import { callingOut, type PagePurpose, type SendResult } from "../episode-state.ts";
import type { Database } from "./database.ts";
import type {
  AttemptEnd,
  NewPage,
  PageRow,
  PageShift,
  PageStatus,
  PageStore,
  ReceiptRow,
  ReplyRow,
  TextRow,
} from "./store.ts";

interface Row {
  id: string;
  episode_id: string | null;
  responder_id: string;
  purpose: PagePurpose;
  step: number;
  created_at: number;
  not_before: number;
  status: PageStatus;
  language: Language;
  body: string;
  tries: number;
  resent: number;
  provider_id: string | null;
  reason: string | null;
}

const statusAfter: Record<SendResult["outcome"], PageStatus> = {
  accepted: "accepted",
  retryable: "failed",
  permanent: "failed",
  unknown: "unknown",
};

const pageOf = (row: Row): PageRow => ({
  id: row.id,
  episodeId: row.episode_id,
  responderId: row.responder_id,
  purpose: row.purpose,
  step: row.step,
  createdAt: row.created_at,
  notBefore: row.not_before,
  status: row.status,
  language: row.language,
  body: row.body,
  tries: row.tries,
  resent: row.resent === 1,
  providerId: row.provider_id,
  reason: row.reason,
});

export function pageIn(db: Database, id: string): PageRow | null {
  const row = db.get<Row>("SELECT * FROM pages WHERE id = ?", id);
  return row ? pageOf(row) : null;
}

/** To somebody who has an alarm, or has just written and waits; and a welfare alarm, which waits for falls and help calls. */
const awaited: ReadonlySet<PagePurpose> = new Set(["welfare", "taken", "answer", "reminder"]);
const leastUrgent = 3;

/** 0 calls somebody out, 1 is awaited, 2 informs, 3 is about equipment: the order in which they are sent. */
function urgencyOf(purpose: PagePurpose): number {
  if (callingOut.has(purpose)) return 0;
  if (purpose === "technical") return leastUrgent;
  return awaited.has(purpose) ? 1 : 2;
}

export function insertPage(db: Database, page: NewPage, episodeId: string | null, at: number): void {
  db.run(
    `INSERT INTO pages (id, episode_id, responder_id, purpose, step, urgency, created_at, not_before, status, language, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    page.id,
    episodeId,
    page.responderId,
    page.purpose,
    page.step,
    urgencyOf(page.purpose),
    at,
    Math.ceil(page.notBefore ?? at),
    page.language,
    page.body,
  );
}

/** Calls off what would still call somebody out, or remind, for nothing. Answers and the other texts go. Returns their ids. */
export function callsOff(db: Database, episodeId: string, at: number): string[] {
  const rows = db.all<{ id: string }>(
    `UPDATE pages SET status = 'withdrawn', ended_at = ?
     WHERE episode_id = ? AND status = 'pending' AND purpose IN ('alarm', 'welfare', 'technical', 'sign-on', 'test', 'not-taken', 'not-arrived', 'reminder')
     RETURNING id`,
    at,
    episodeId,
  );
  return rows.map(({ id }) => id);
}

export function endAttempt(db: Database, { pageId, endedAt, result }: AttemptEnd): void {
  const providerId = result.outcome === "accepted" ? result.providerId : null;
  const reason = result.outcome === "accepted" ? null : result.reason;
  db.run(
    "UPDATE attempts SET ended_at = ?, outcome = ?, provider_id = ?, reason = ? WHERE page_id = ? AND ended_at IS NULL",
    endedAt,
    result.outcome,
    providerId,
    reason,
    pageId,
  );
  // A receipt can come before the provider's own answer: what it said stands.
  db.run(
    `UPDATE pages SET status = CASE WHEN status = 'sending' THEN ? ELSE status END,
       provider_id = COALESCE(?, provider_id), reason = COALESCE(?, reason), ended_at = ? WHERE id = ?`,
    statusAfter[result.outcome],
    providerId,
    reason,
    endedAt,
    pageId,
  );
}

export function insertReceipt(db: Database, receipt: ReceiptRow, at: number): void {
  const { pageId, providerId, status, errorCode } = receipt;
  db.run(
    "INSERT OR IGNORE INTO receipts (page_id, provider_id, status, error_code, at) VALUES (?, ?, ?, ?, ?)",
    pageId,
    providerId,
    status,
    errorCode,
    at,
  );
  if (status === "delivered") {
    db.run("UPDATE pages SET status = 'delivered', ended_at = ? WHERE id = ?", at, pageId);
  } else if (status === "undelivered" || status === "failed") {
    // Delivered once is delivered, whatever a second message of the same page met.
    db.run(
      "UPDATE pages SET status = 'failed', reason = ?, ended_at = ? WHERE id = ? AND status <> 'delivered'",
      errorCode ?? status,
      at,
      pageId,
    );
  }
}

export function insertReply(db: Database, reply: ReplyRow, episodeId: string | null, at: number): void {
  db.run(
    "INSERT INTO replies (provider_id, responder_id, episode_id, letter, effect, at) VALUES (?, ?, ?, ?, ?, ?)",
    reply.providerId,
    reply.responderId,
    episodeId,
    reply.letter,
    reply.effect,
    at,
  );
}

/** What waits to be sent waits as long as before, and never beyond `latest`; what calls somebody out not beyond `latestCall`. */
export function shiftPending(db: Database, { jumpMs, latest, latestCall }: PageShift): void {
  db.run(
    "UPDATE pages SET not_before = MIN(not_before + ?, CASE urgency WHEN 0 THEN ? ELSE ? END) WHERE status = 'pending'",
    Math.round(jumpMs),
    Math.ceil(latestCall),
    Math.ceil(latest),
  );
}

function beginAttempt(db: Database, pageId: string, at: number): boolean {
  return db.transaction(() => beginAttemptWithin(db, pageId, at, null));
}

/** Within a transaction of the caller. `leaderId`: the page in whose text this one goes. */
function beginAttemptWithin(db: Database, pageId: string, at: number, leaderId: string | null): boolean {
  const begun = db.run(
    "UPDATE pages SET status = 'sending', tries = tries + 1, sent_with = ? WHERE id = ? AND status = 'pending'",
    leaderId,
    pageId,
  );
  if (begun === 0) return false;
  db.run("INSERT INTO attempts (page_id, started_at) VALUES (?, ?)", pageId, at);
  return true;
}

function resumeCutOff(db: Database, at: number): number {
  return db.transaction(() => {
    db.run("UPDATE attempts SET ended_at = ?, outcome = 'unknown', reason = 'restart' WHERE ended_at IS NULL", at);
    // Taken or closed while it was on its way: it would call somebody out for nothing.
    db.run(
      `UPDATE pages SET status = 'unknown', reason = 'restart', ended_at = ? WHERE status = 'sending' AND purpose IN ('alarm', 'welfare', 'not-taken')
         AND EXISTS (SELECT 1 FROM episodes WHERE episodes.id = episode_id AND episodes.status <> 'open')`,
      at,
    );
    return db.run("UPDATE pages SET status = 'pending', not_before = ?, resent = 1 WHERE status = 'sending'", at);
  });
}

function textsOf(db: Database, episodeId: string, latest: number): TextRow[] {
  const rows = db
    .all<Row & { is_shared: number }>(
      `SELECT *, sent_with IS NOT NULL OR EXISTS (SELECT 1 FROM pages AS other WHERE other.sent_with = pages.id) AS is_shared
       FROM pages WHERE episode_id = ? ORDER BY created_at DESC, rowid DESC LIMIT ?`,
      episodeId,
      latest,
    )
    .reverse();
  return rows.map((row) => ({
    page: pageOf(row),
    attempts: db.all<TextRow["attempts"][number]>(
      "SELECT started_at AS startedAt, ended_at AS endedAt, outcome, reason FROM attempts WHERE page_id = ? ORDER BY id",
      row.id,
    ),
    receipts: db.all<TextRow["receipts"][number]>(
      "SELECT at, status, error_code AS errorCode FROM receipts WHERE page_id = ? ORDER BY at",
      row.id,
    ),
    isShared: row.is_shared === 1,
  }));
}

export function pageStore(db: Database): PageStore {
  return {
    textsOf: async (episodeId, latest) => textsOf(db, episodeId, latest),
    pagesOf: async (episodeId, latest = -1) =>
      db
        .all<Row>(
          "SELECT * FROM pages WHERE episode_id = ? ORDER BY created_at DESC, rowid DESC LIMIT ?",
          episodeId,
          latest,
        )
        .map(pageOf)
        .reverse(),
    page: async (id) => pageIn(db, id),
    sendable: async (at, limit, callingOutOnly = false) => {
      const most = callingOutOnly ? 0 : leastUrgent;
      // Asked after each commit, and mostly there is nothing: that is told without sorting.
      const any = "SELECT 1 FROM pages WHERE status = 'pending' AND not_before <= ? AND urgency <= ? LIMIT 1";
      if (!db.get(any, at, most)) return [];
      return db
        .all<Row>(
          "SELECT * FROM pages WHERE status = 'pending' AND not_before <= ? AND urgency <= ? ORDER BY urgency, not_before, rowid LIMIT ?",
          at,
          most,
          limit,
        )
        .map(pageOf);
    },
    earliestPending: async (callingOutOnly = false) =>
      db.get<{ at: number | null }>(
        "SELECT MIN(not_before) AS at FROM pages WHERE status = 'pending' AND urgency <= ?",
        callingOutOnly ? 0 : leastUrgent,
      )?.at ?? null,
    beginAttempt: async (pageId, at) => beginAttempt(db, pageId, at),
    technicalFor: async (responderId, limit) =>
      db
        .all<Row>(
          "SELECT * FROM pages WHERE status = 'pending' AND purpose = 'technical' AND responder_id = ? ORDER BY created_at, rowid LIMIT ?",
          responderId,
          limit,
        )
        .map(pageOf),
    lastTechnicalTo: async (responderId) =>
      db.get<{ at: number | null }>(
        "SELECT MAX(ended_at) AS at FROM pages WHERE purpose = 'technical' AND responder_id = ? AND status <> 'withdrawn'",
        responderId,
      )?.at ?? null,
    sendWith: async (pageIds, leaderId, at) =>
      db.transaction(() => pageIds.filter((id) => beginAttemptWithin(db, id, at, leaderId))),
    sentWith: async (leaderId) =>
      db.all<Row>("SELECT * FROM pages WHERE sent_with = ? ORDER BY rowid", leaderId).map(pageOf),
    endLooseAttempt: async (end, retryAt) =>
      db.transaction(() => {
        endAttempt(db, end);
        if (retryAt !== null) {
          db.run("UPDATE pages SET status = 'pending', not_before = ? WHERE id = ?", Math.ceil(retryAt), end.pageId);
        }
      }),
    resumeCutOff: async (at) => resumeCutOff(db, at),
    commitLooseReply: async (reply, page, at) =>
      db.transaction(() => {
        insertReply(db, reply, null, at);
        if (page) insertPage(db, page, null, at);
      }),
    commitLooseReceipt: async (receipt, at) => db.transaction(() => insertReceipt(db, receipt, at)),
    hasReceipt: async (providerId, status) =>
      db.get("SELECT 1 FROM receipts WHERE provider_id = ? AND status = ?", providerId, status) !== undefined,
    hasReply: async (providerId) => db.get("SELECT 1 FROM replies WHERE provider_id = ?", providerId) !== undefined,
    unknownCodesSince: async (responderId, at) =>
      db.get<{ n: number }>(
        "SELECT COUNT(*) AS n FROM replies WHERE responder_id = ? AND effect IN ('unknown-code', 'unanswered') AND at >= ?",
        responderId,
        at,
      )?.n ?? 0,
    // STOP counts too: the provider will refuse every further text to that phone. What has arrived since, or START, is the end of it.
    failedContactsSince: async (at) =>
      db
        .all<{ responder_id: string; reason: string | null }>(
          `SELECT responder_id, reason FROM (
             SELECT responder_id, MAX(reason) AS reason, MAX(ended_at) AS last FROM pages
               WHERE status = 'failed' AND ended_at >= ? GROUP BY responder_id
             UNION SELECT responder_id, 'stop', MAX(at) FROM replies WHERE effect = 'stop' AND at >= ? GROUP BY responder_id
           ) AS failed
           WHERE NOT EXISTS (SELECT 1 FROM pages WHERE responder_id = failed.responder_id AND status = 'delivered' AND created_at > failed.last)
             AND NOT EXISTS (SELECT 1 FROM replies WHERE responder_id = failed.responder_id AND effect = 'start' AND at >= failed.last)`,
          at,
          at,
        )
        .map((row) => ({ responderId: row.responder_id, reason: row.reason ?? "failed" })),
  };
}
