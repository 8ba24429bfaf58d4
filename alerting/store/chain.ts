import { hash } from "node:crypto";

/** What the first link of a chain is tied to. */
export const chainBeginning = "0".repeat(64);

/** One entry as its chain sees it. `digest` stands for what it holds, so that a chain can be checked by whoever may not read it. */
export interface Link {
  seq: number;
  at: number;
  /** What it is about: an episode, or nothing. */
  subject: string;
  digest: string;
}

export const sha256 = (text: string) => hash("sha256", text, "hex");

/** Each part with its length, so that no two entries read alike. */
export const joined = (parts: readonly string[]) => parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(",");

/** Stands for what is stored in an entry. */
export function digestOf(...stored: string[]): string {
  return sha256(joined(stored));
}

/** A link's hash, over the one before and this one. */
export function linkHash(previous: string, { seq, at, subject, digest }: Link): string {
  return sha256(joined([previous, String(seq), subject, String(at), digest, "link"]));
}

export interface ChainCheck {
  entries: number;
  /** The first entry whose hash is wrong or that is not the next; null where the chain is whole. */
  brokenAt: number | null;
  /** Hash of the last whole entry. Written down elsewhere, it shows that none was cut off the end. */
  head: string;
}

/** Walks a chain. `hashOf` gives an entry's hash as it must be. */
export function checkChain<T extends { seq: number; hash: string }>(
  rows: Iterable<T>,
  hashOf: (previous: string, row: T) => string,
  from: { seq: number; hash: string } = { seq: 0, hash: chainBeginning },
): ChainCheck {
  let { seq, hash } = from;
  let entries = 0;
  for (const row of rows) {
    entries++;
    if (row.seq !== seq + 1 || hashOf(hash, row) !== row.hash) return { entries, brokenAt: row.seq, head: hash };
    ({ seq, hash } = row);
  }
  return { entries, brokenAt: null, head: hash };
}
