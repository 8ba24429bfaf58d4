import { createHash } from "node:crypto";
import type { EpisodeInput } from "../episode-state.ts";
import type { Database } from "./database.ts";
import type { LogEntry } from "./store.ts";
import { readInput } from "./upcast.ts";

/** What the first entry's hash is chained to. */
const beginning = "0".repeat(64);

interface Row {
  seq: number;
  episode_id: string;
  at: number;
  input: string;
  hash: string;
}

/** sha256 over the entry before and this one, each part with its length so that no two entries read alike. */
function hashOf(previous: string, seq: number, episodeId: string, at: number, input: string): string {
  const parts = [previous, String(seq), episodeId, String(at), input];
  return createHash("sha256")
    .update(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(","))
    .digest("hex");
}

/** Appends one entry, inside the caller's transaction. */
export function appendLog(db: Database, episodeId: string, at: number, input: EpisodeInput): void {
  const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM episode_log ORDER BY seq DESC LIMIT 1");
  const seq = (last?.seq ?? 0) + 1;
  const text = JSON.stringify(input);
  db.run(
    "INSERT INTO episode_log (seq, episode_id, at, input, hash) VALUES (?, ?, ?, ?, ?)",
    seq,
    episodeId,
    at,
    text,
    hashOf(last?.hash ?? beginning, seq, episodeId, at, text),
  );
}

export function readLog(db: Database, episodeId: string): LogEntry[] {
  return db.all<Row>("SELECT * FROM episode_log WHERE episode_id = ? ORDER BY seq", episodeId).map((row) => ({
    seq: row.seq,
    episodeId: row.episode_id,
    at: row.at,
    input: readInput(row.input),
    hash: row.hash,
  }));
}

/** Walks the chain from its beginning. */
export function verifyLog(db: Database): { entries: number; brokenAt: number | null } {
  let previous = beginning;
  let entries = 0;
  for (const row of db.each<Row>("SELECT * FROM episode_log ORDER BY seq")) {
    entries++;
    const isNext = row.seq === entries;
    if (!isNext || hashOf(previous, row.seq, row.episode_id, row.at, row.input) !== row.hash) {
      return { entries, brokenAt: row.seq };
    }
    previous = row.hash;
  }
  return { entries, brokenAt: null };
}
