import { putContact } from "./contacts.ts";
import type { Database } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { appendLog } from "./log.ts";
import { keepTestStep } from "./operation.ts";
import { callsOff, endAttempt, insertPage, insertReceipt, insertReply, pageIn, shiftPending } from "./pages.ts";
import type { EpisodeChange, PageRow, PageShift } from "./store.ts";

/** Keeps one step: state, log, deadlines and pages, as one transaction. Returns the pages it made or changed. */
export function commitStep(db: Database, keyring: Keyring, change: EpisodeChange): PageRow[] {
  return db.transaction(() => keepStep(db, keyring, change).flatMap((id) => pageIn(db, id) ?? []));
}

/** The wall clock was set: a step of each episode whose deadlines move, and the pages that wait, as one transaction. */
export function followClock(db: Database, keyring: Keyring, changes: readonly EpisodeChange[], shift: PageShift): void {
  db.transaction(() => {
    for (const change of changes) keepStep(db, keyring, change);
    shiftPending(db, shift);
  });
}

/** Returns the ids of the pages it made or changed. */
function keepStep(db: Database, keyring: Keyring, change: EpisodeChange): string[] {
  const { state, input, at } = change;
  const { id, dwelling } = state.facts;
  putEpisode(db, change);
  appendLog(db, keyring, { id, dwelling }, at, input);
  db.run("DELETE FROM due WHERE episode_id = ?", id);
  for (const [purpose, dueAt] of Object.entries(state.due)) {
    db.run("INSERT INTO due (episode_id, purpose, at) VALUES (?, ?, ?)", id, purpose, Math.ceil(dueAt));
  }
  const { detection } = change;
  if (detection) {
    db.run(
      "INSERT INTO detections (id, episode_id, device_id, received_at, body) VALUES (?, ?, ?, ?, ?)",
      detection.id,
      id,
      detection.deviceId,
      at,
      JSON.stringify(detection),
    );
  }
  if (change.attemptEnd) endAttempt(db, change.attemptEnd);
  if (change.receipt) insertReceipt(db, change.receipt, at);
  const calledOff = change.withdraw ? callsOff(db, id, at) : [];
  for (const page of change.pages) insertPage(db, page, id, at);
  for (const retry of change.retries) {
    db.run(
      "UPDATE pages SET status = 'pending', not_before = ? WHERE id = ? AND status <> 'delivered'",
      Math.ceil(retry.at),
      retry.pageId,
    );
  }
  if (change.reply) insertReply(db, change.reply, id, at);
  if (change.operationTest) keepTestStep(db, id, change.operationTest, at);
  if (change.contact) putContact(db, change.contact, at);
  const touched = [change.attemptEnd?.pageId, change.receipt?.pageId, ...calledOff];
  for (const { pageId } of change.retries) touched.push(pageId);
  for (const page of change.pages) touched.push(page.id);
  return [...new Set(touched)].filter((pageId) => pageId !== undefined);
}

function putEpisode(db: Database, { state }: EpisodeChange): void {
  const { facts } = state;
  const changed = db.run(
    `INSERT INTO episodes (id, code, dwelling, test, status, opened_at, closed_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, closed_at = excluded.closed_at, state = excluded.state
       WHERE erasure_id IS NULL`,
    facts.id,
    facts.code,
    facts.dwelling,
    facts.test ? 1 : 0,
    state.status,
    state.openedAt,
    state.closedAt,
    JSON.stringify(state),
  );
  // Erased since its state was read: nothing may bring it back.
  if (changed === 0) throw new Error(`episode ${facts.id} was erased`);
}
