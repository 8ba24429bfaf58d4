import type { KeyObject } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { masterKeyText, newKey, readMasterKey } from "../sealing/seal.ts";

/** Where the master key is: in a file of its own, or its text as the configuration has it. */
export type MasterKeySource = { file: string } | { text: string };

/** Where the master key is. A relative path that no configuration file has placed is the data folder's: in trials. */
export function masterKeySource(
  { masterKey, masterKeyFile }: { masterKey?: string | undefined; masterKeyFile: string },
  dataDir: string,
): MasterKeySource {
  if (masterKey !== undefined) return { text: masterKey };
  return { file: isAbsolute(masterKeyFile) ? masterKeyFile : join(dataDir, masterKeyFile) };
}

/** Reads it. Null where the file is not there. @throws where it is no master key or cannot be read. */
export function loadMasterKey(source: MasterKeySource): KeyObject | null {
  if ("text" in source) {
    const key = readMasterKey(source.text);
    if (key) return key;
    throw new Error("alerting.masterKey is no master key: give the whole line of the file that `fallvakt init` wrote");
  }
  let text: string;
  try {
    text = readFileSync(source.file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Error(`the master key ${source.file} cannot be read; give it to the user that Fallvakt runs as`);
  }
  const key = readMasterKey(text);
  if (!key) throw new Error(`${source.file} holds no master key; restore it from its backup`);
  return key;
}

/**
 * Makes a master key, on the disk before anything can be sealed with it. Of two that make it at once one wins, and both get the same.
 * @returns the key, and whether it is new.
 */
export function makeMasterKey(file: string): { key: KeyObject; isNew: boolean } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const made = newKey();
  const draft = `${file}.${process.pid}.draft`;
  writeDurably(draft, masterKeyText(made));
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const key = loadMasterKey({ file });
    if (!key) throw error;
    return { key, isNew: false };
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(file);
  return { key: made, isNew: true };
}

/** The next master key of a rotation, beside the one in force until the store has taken it. */
export const nextKeyFile = (file: string) => `${file}.next`;

export function writeNextKey(file: string, key: KeyObject): void {
  rmSync(nextKeyFile(file), { force: true });
  writeDurably(nextKeyFile(file), masterKeyText(key));
  syncFolder(file);
}

/** The next one becomes the one in force. */
export function takeNextKey(file: string): void {
  renameSync(nextKeyFile(file), file);
  syncFolder(file);
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, `${text}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(file: string): void {
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
