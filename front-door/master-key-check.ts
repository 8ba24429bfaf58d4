import { existsSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fingerprint } from "../alerting/sealing/seal.ts";
import { openForReading } from "../alerting/store/database.ts";
import { loadMasterKey, masterKeySource } from "../alerting/store/master-key-file.ts";
import type { Config } from "./config.ts";
import { alertingFolder } from "./service.ts";

export interface MasterKeyFinding {
  level: "ok" | "warn" | "mend";
  says: string;
}

/** What there is to say of the master key, without making one. */
export function checkMasterKey(config: Config, alerting: NonNullable<Config["alerting"]>): MasterKeyFinding {
  const source = masterKeySource(alerting, alertingFolder(config));
  const sealedWith = fingerprintIn(join(alertingFolder(config), "alerting.db"));
  try {
    const key = loadMasterKey(source);
    const where = "file" in source ? source.file : "alerting.masterKey";
    if (!key) {
      if (sealedWith === null) return { level: "ok", says: `${where} is made at the first start; back it up then` };
      return { level: "mend", says: `${where} is missing: put it back from its backup (fingerprint ${sealedWith})` };
    }
    const own = fingerprint(key);
    if (sealedWith !== null && own !== sealedWith) {
      return { level: "mend", says: `${where} is not the one that the store was sealed with; restore ${sealedWith}` };
    }
    if ("file" in source && (statSync(source.file).mode & 0o077) !== 0) {
      return { level: "mend", says: `${where} can be read by others: chmod 600 ${where}` };
    }
    if ("file" in source && isWithin(source.file, config.dataDir)) {
      const mend =
        "a copy of the folder has both key and data; name another place in alerting.masterKeyFile and move it";
      return { level: "warn", says: `${where} lies in the data folder: ${mend}` };
    }
    return { level: "ok", says: `${where}, fingerprint ${own}` };
  } catch (error) {
    return { level: "mend", says: error instanceof Error ? error.message : String(error) };
  }
}

const isWithin = (file: string, folder: string) => !relative(resolve(folder), resolve(file)).startsWith("..");

function fingerprintIn(path: string): string | null {
  const db = existsSync(path) ? openForReading(path) : null;
  try {
    return db?.get<{ fingerprint: string }>("SELECT fingerprint FROM master_key")?.fingerprint ?? null;
  } finally {
    db?.close();
  }
}
