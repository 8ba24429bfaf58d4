import type { KeyObject } from "node:crypto";
import { fingerprint, newKey, type Place, seal, unseal, unwrapKey, wrapKey } from "../sealing/seal.ts";
import type { Database } from "./database.ts";
import {
  loadMasterKey,
  type MasterKeySource,
  makeMasterKey,
  nextKeyFile,
  takeNextKey,
  writeNextKey,
} from "./master-key-file.ts";

/** Unwrapped keys in memory: those of the dwellings last heard of. */
const mostInMemory = 2_000;

interface KeyRow {
  id: number;
  holder: string;
  wrapped: string | null;
}

/** What is sealed, and with which key. */
export interface Sealed {
  keyId: number;
  text: string;
}

/**
 * The keys of dwellings, as the store has them: each wrapped by the master key. The master key is read when it is first needed, so that whoever works
 * on the register of devices alone does without.
 */
export interface Keyring {
  /** Reads the master key, or makes it where nothing was ever sealed. @throws with the mend where it is missing or another. */
  open(): void;
  /** Seals for a holder with its key, which is made where it has none. Inside the caller's transaction. */
  seal(holder: string, plain: string, place: Place, at: number): Sealed;
  /** Null where the key was destroyed. @throws where it was changed. */
  unseal(sealed: Sealed, place: Place): string | null;
  /** Destroys every key of a holder, inside the caller's transaction. Returns how many. */
  destroy(holder: string, at: number): number;
  /** Lets go of the keys in memory; those that are still there come back from the store. */
  forget(): void;
  /** Puts a new master key in the place of the old one, and wraps every key anew. Returns how many. */
  rotate(): number;
}

/** @param onMade told the file of a master key that was made. */
export function createKeyring(db: Database, source: MasterKeySource, onMade: (file: string) => void): Keyring {
  // By the wrapped text, which no two keys share: a key of a transaction that was rolled back serves nobody.
  const unwrapped = new Map<string, KeyObject>();
  let master: KeyObject | null = null;

  const inForce = () => db.get<{ fingerprint: string }>("SELECT fingerprint FROM master_key")?.fingerprint ?? null;

  /** The master key that the store was sealed with. */
  function readMaster(): KeyObject {
    const wanted = inForce();
    const found = loadMasterKey(source);
    if (wanted === null) return adopt(found);
    if (found && fingerprint(found) === wanted) return found;
    // A rotation that was cut off between the store and the file.
    if ("file" in source) {
      const next = loadMasterKey({ file: nextKeyFile(source.file) });
      if (next && fingerprint(next) === wanted) {
        takeNextKey(source.file);
        return next;
      }
    }
    const where = "file" in source ? source.file : "the one in alerting.masterKey";
    const what = found
      ? `the store was sealed with another master key than ${where}`
      : `the master key ${where} is missing`;
    throw new Error(
      `${what}: nothing that is sealed can be read or added. Put back the key with the fingerprint ${wanted} from its backup, or name its place in alerting.masterKeyFile. Only where it is lost for good: begin with an empty data folder`,
    );
  }

  function adopt(found: KeyObject | null): KeyObject {
    let key = found;
    if (!key) {
      if (!("file" in source)) throw new Error("alerting.masterKey is missing");
      const made = makeMasterKey(source.file);
      key = made.key;
      if (made.isNew) onMade(source.file);
    }
    db.run("INSERT INTO master_key (one, fingerprint) VALUES (1, ?)", fingerprint(key));
    return key;
  }

  function unwrap({ holder, wrapped }: KeyRow & { wrapped: string }): KeyObject {
    const kept = unwrapped.get(wrapped);
    if (kept) return kept;
    master ??= readMaster();
    let key: KeyObject;
    try {
      key = unwrapKey(master, wrapped, holder);
    } catch {
      // Another process may have rotated the master key.
      master = readMaster();
      key = unwrapKey(master, wrapped, holder);
    }
    if (unwrapped.size >= mostInMemory) unwrapped.clear();
    unwrapped.set(wrapped, key);
    return key;
  }

  function keyOf(holder: string, at: number): { id: number; key: KeyObject } {
    const row = db.get<KeyRow & { wrapped: string }>(
      "SELECT id, holder, wrapped FROM sealing_keys WHERE holder = ? AND wrapped IS NOT NULL",
      holder,
    );
    if (row) return { id: row.id, key: unwrap(row) };
    // Looked at anew: wrapped by a master key that was rotated away, this key would be lost.
    if (!master || fingerprint(master) !== inForce()) master = readMaster();
    const key = newKey();
    const wrapped = wrapKey(master, key, holder);
    db.run("INSERT INTO sealing_keys (holder, wrapped, made_at) VALUES (?, ?, ?)", holder, wrapped, at);
    const id = db.get<{ id: number }>("SELECT last_insert_rowid() AS id")?.id ?? 0;
    unwrapped.set(wrapped, key);
    return { id, key };
  }

  return {
    open() {
      master = db.transaction(readMaster);
    },
    seal(holder, plain, place, at) {
      const { id, key } = keyOf(holder, at);
      return { keyId: id, text: seal(key, plain, place) };
    },
    unseal({ keyId, text }, place) {
      const row = db.get<KeyRow>("SELECT id, holder, wrapped FROM sealing_keys WHERE id = ?", keyId);
      if (!row || row.wrapped === null) return null;
      return unseal(unwrap({ ...row, wrapped: row.wrapped }), text, place).toString("utf8");
    },
    destroy(holder, at) {
      unwrapped.clear();
      return db.run(
        "UPDATE sealing_keys SET wrapped = NULL, destroyed_at = ? WHERE holder = ? AND wrapped IS NOT NULL",
        at,
        holder,
      );
    },
    forget: () => unwrapped.clear(),
    rotate() {
      if (!("file" in source)) {
        throw new Error("the master key stands in alerting.masterKey: only one in a file of its own can be rotated");
      }
      const { file } = source;
      const next = newKey();
      const count = db.transaction(() => {
        const old = readMaster();
        const rows = db.all<KeyRow & { wrapped: string }>(
          "SELECT id, holder, wrapped FROM sealing_keys WHERE wrapped IS NOT NULL",
        );
        // Before the commit: whichever of the two counts after a crash, its key is on the disk.
        writeNextKey(file, next);
        for (const { id, holder, wrapped } of rows) {
          const key = unwrapKey(old, wrapped, holder);
          db.run("UPDATE sealing_keys SET wrapped = ? WHERE id = ?", wrapKey(next, key, holder), id);
        }
        db.run("UPDATE master_key SET fingerprint = ?", fingerprint(next));
        return rows.length;
      });
      takeNextKey(file);
      unwrapped.clear();
      master = next;
      return count;
    },
  };
}
