import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Logger } from "pino";
import { z } from "zod";
import { type CarriedOver, carryOver } from "../alerting/store/carry-over.ts";
import { masterKeySource } from "../alerting/store/master-key-file.ts";
import type { Clock } from "../firmware-contracts/clock.ts";
import { carryOver as carryOverGateway, gatewayStoreFile, isUsable } from "../gateway/outbox/carry-over.ts";
import { integrityProblem } from "./backup-file.ts";
import type { Config } from "./config.ts";
import { alertingFolder } from "./service.ts";
import { parts } from "./service-socket.ts";

/** What is to be put in the place of what: made by `fallvakt restore`, done by whoever has the files. */
export const RestoreOrder = z.strictObject({
  /** Folder within the data folder that holds the backup's databases; they are moved out of it. */
  staged: z.string(),
  parts: z.array(z.enum(parts)).min(1),
  madeAt: z.iso.datetime(),
  /** Nothing is taken over from the present store: what came since the backup is given up. */
  withoutPresent: z.boolean(),
  by: z.string().nullable(),
});
export type RestoreOrder = z.infer<typeof RestoreOrder>;

/** What a restore did. */
export interface RestoreReport {
  /** Null: the order was not about it. */
  alerting: (CarriedOver & { hadPresent: boolean }) | null;
  /** `kept`: what was there is newer and good. `waiting`: what it still has to tell; null where that could not be read. */
  gateway: { kept: boolean; waiting: number | null } | null;
  /** Where the replaced files are; null where there were none. */
  replaced: string | null;
}

/** The files of alerting and of the gateway that a backup holds, in the data folder and in a backup alike. */
export const databases = {
  alerting: "alerting/alerting.db",
  gateway: `gateway/${gatewayStoreFile}`,
} as const;

/**
 * Puts a backup in the place of the stores. Nobody may have them open. Each store is changed by one rename: cut off anywhere, there is the old one or the new.
 * @throws with the mend; then the store that it is about is as it was.
 */
export async function swapIn(options: {
  config: Config;
  order: RestoreOrder;
  clock: Clock;
  log: Logger;
}): Promise<RestoreReport> {
  const { config, order, clock, log } = options;
  const { dataDir } = config;
  const { staged, madeAt, withoutPresent } = order;
  const at = Math.round(clock.wallNow());
  const keptIn = join(dataDir, `replaced-${new Date(at).toISOString().replaceAll(/[:.]/g, "-")}`);
  const report: RestoreReport = { alerting: null, gateway: null, replaced: null };
  const replace = (file: string) => {
    if (replaceFile(join(staged, file), join(dataDir, file), join(keptIn, file))) report.replaced = keptIn;
  };

  if (order.parts.includes("alerting") && config.alerting) {
    const present = join(dataDir, databases.alerting);
    const hadPresent = existsSync(present);
    const problem = hadPresent && !withoutPresent ? integrityProblem(present) : null;
    if (problem !== null) {
      throw new Error(
        `the present store ${present} is damaged (${problem}), so alarms that came since the backup of ${madeAt} cannot be taken over. Nothing was changed. Look at the console and call on whoever may have fallen since; then restore with --without-present, which gives them up`,
      );
    }
    const carried = carryOver({
      backup: join(staged, databases.alerting),
      present: hadPresent && !withoutPresent ? present : null,
      masterKey: masterKeySource(config.alerting, alertingFolder(config)),
      act: { at, by: order.by },
      madeAt,
    });
    replace(databases.alerting);
    report.alerting = { ...carried, hadPresent };
    log.warn({ madeAt, ...carried, replaced: report.replaced }, "alerting's store was restored from a backup");
  }
  if (order.parts.includes("gateway")) {
    const folder = join(dataDir, "gateway");
    const isKept = isUsable(folder);
    const present = join(dataDir, databases.gateway);
    const waiting = isKept || !existsSync(present) ? null : carryOverGateway(join(staged, databases.gateway), present);
    if (!isKept) replace(databases.gateway);
    report.gateway = { kept: isKept, waiting };
    if (!isKept)
      log.warn({ madeAt, waiting, replaced: report.replaced }, "the gateway's store was restored from a backup");
  }
  return report;
}

/** Puts `from` in the place of `to`, which is kept at `kept`. Returns whether there was one. */
function replaceFile(from: string, to: string, kept: string): boolean {
  sync(from);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const isThere = existsSync(to);
  if (isThere) {
    mkdirSync(dirname(kept), { recursive: true, mode: 0o700 });
    emptyWal(to);
    linkSync(to, kept);
    // A WAL that could not be emptied is the old file's: under the new one it would be read as its own.
    for (const suffix of ["-wal", "-shm"]) {
      if (existsSync(`${to}${suffix}`)) renameSync(`${to}${suffix}`, `${kept}${suffix}`);
    }
    const { uid, gid } = statSync(to);
    chownSync(from, uid, gid);
  }
  renameSync(from, to);
  sync(dirname(to));
  return isThere;
}

/** Writes what is in the WAL into the file; where the file is damaged, its WAL goes with it. */
function emptyWal(path: string): void {
  try {
    const file = new DatabaseSync(path);
    try {
      file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      file.close();
    }
  } catch {
    // Damaged: it is kept as it is.
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what an order has staged. */
export function removeStaged(staged: string): void {
  rmSync(staged, { recursive: true, force: true });
}
