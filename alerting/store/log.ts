import type { EpisodeInput } from "../episode-state.ts";
import { type ChainCheck, chainBeginning, checkChain, digestOf, joined, linkHash, sha256 } from "./chain.ts";
import type { Database } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import type { LogEntry } from "./store.ts";
import { readInput } from "./upcast.ts";

export interface LogRow {
  seq: number;
  episode_id: string;
  at: number;
  /** JSON, or sealed where `key_id` says with which key. */
  input: string;
  key_id: number | null;
  hash: string;
}

const placeOf = (seq: number) => ({ table: "episode_log", row: seq, column: "input" });

/** Stands for a sealed entry in its chain; null for one of before entries were sealed, whose hash is over the text itself. */
export function digestOfRow({ key_id, input }: Pick<LogRow, "key_id" | "input">): string | null {
  return key_id === null ? null : digestOf(String(key_id), input);
}

export function hashOfRow(previous: string, row: Omit<LogRow, "hash">): string {
  const { seq, at, episode_id: subject, input } = row;
  const digest = digestOfRow(row);
  if (digest !== null) return linkHash(previous, { seq, at, subject, digest });
  return sha256(joined([previous, String(seq), subject, String(at), input]));
}

/** Appends one entry, sealed for the episode's dwelling, inside the caller's transaction. */
export function appendLog(
  db: Database,
  keyring: Keyring,
  episode: { id: string; dwelling: string },
  at: number,
  input: EpisodeInput,
): void {
  const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM episode_log ORDER BY seq DESC LIMIT 1");
  const seq = (last?.seq ?? 0) + 1;
  const sealed = keyring.seal(episode.dwelling, JSON.stringify(input), placeOf(seq), at);
  const row = { seq, episode_id: episode.id, at, input: sealed.text, key_id: sealed.keyId };
  db.run(
    "INSERT INTO episode_log (seq, episode_id, at, input, key_id, hash) VALUES (?, ?, ?, ?, ?, ?)",
    seq,
    episode.id,
    at,
    sealed.text,
    sealed.keyId,
    hashOfRow(last?.hash ?? chainBeginning, row),
  );
}

/** What an entry says, or null where its key was destroyed. @throws where it was changed. */
export function openEntry(keyring: Keyring, { seq, input, key_id }: LogRow): EpisodeInput | null {
  const text = key_id === null ? input : keyring.unseal({ keyId: key_id, text: input }, placeOf(seq));
  return text === null ? null : readInput(text);
}

/** An episode's entries, the oldest first. Those that were erased are left out: an episode is erased as a whole. */
export function readLog(db: Database, keyring: Keyring, episodeId: string): LogEntry[] {
  return db.all<LogRow>("SELECT * FROM episode_log WHERE episode_id = ? ORDER BY seq", episodeId).flatMap((row) => {
    const input = openEntry(keyring, row);
    return input === null ? [] : [{ seq: row.seq, episodeId: row.episode_id, at: row.at, input, hash: row.hash }];
  });
}

/** Walks the chain from its beginning. It needs no key. */
export function verifyLog(db: Database): ChainCheck {
  return checkChain(db.each<LogRow>("SELECT * FROM episode_log ORDER BY seq"), hashOfRow);
}
