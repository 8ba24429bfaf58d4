import { copyFileSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { systemClock } from "../firmware-contracts/clock.ts";
import { configurationFolder } from "./backup.ts";
import { type Manifest, type OpenBackup, openBackup } from "./backup-file.ts";
import { defaultConfigPath, readConfig } from "./config.ts";
import { openLog } from "./log.ts";
import { progressOf } from "./progress.ts";
import { databases, type RestoreOrder, type RestoreReport, removeStaged, swapIn } from "./restore-swap.ts";
import { askToRestore, openServiceSocket, type Part, parts, serviceOf } from "./service-socket.ts";
import { print } from "./table.ts";

interface RestoreOptions {
  config: string;
  withoutPresent: boolean;
  withKeys: boolean;
  by?: string;
  json: boolean;
}

/** Opened and checked, staged, swapped. */
const steps = 3;

/** `fallvakt restore`: a backup in the place of the stores, also while the service runs. */
export function restoreCommand(version: string): Command {
  return new Command("restore")
    .description("put a backup in the place of the stores; a running service stops for a moment and goes on with it")
    .argument("<backup>", "a folder or archive that fallvakt backup made")
    .option("--config <file>", "the configuration", defaultConfigPath)
    .option(
      "--without-present",
      "take nothing over from what is there now, because it is damaged: alarms since the backup are given up",
      false,
    )
    .option(
      "--with-keys",
      "on a new machine: put back the configuration, the certificates and the master key first",
      false,
    )
    .option("--by <name>", "who does it, for the audit log")
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
Examples:
  fallvakt restore /mnt/backups/monday.tar.gz --by eva
  fallvakt restore /media/safe/fallvakt-2026-11-01 --with-keys --by eva     on a new machine
Episodes that began or changed since the backup are taken over from the present store, so that no alarm is lost.
The register, residents and accounts become the backup's. What was replaced is kept in the data folder.`,
    )
    .action(async (backup: string, options: RestoreOptions) => {
      const progress = progressOf(steps, options.json, "steps");
      try {
        const done = await restore(backup, options, version, progress.step);
        progress.stop();
        if (options.json) print(JSON.stringify(done));
        else for (const line of wordsOf(done.manifest, done.report)) print(line);
      } finally {
        progress.stop();
      }
    });
}

async function restore(backup: string, options: RestoreOptions, version: string, step: () => void) {
  if (options.withKeys) await restoreKeys(backup, options.config);
  const config = readConfig(options.config, null);
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const work = join(dataDir, "restoring");
  const opened = await openBackup(backup, work);
  try {
    step();
    const { manifest } = opened;
    const wanted = parts.filter(
      (part) => manifest.files.some((file) => file.part === part) && (part === "gateway" || config.alerting),
    );
    if (wanted.length === 0) throw new Error(`${backup} holds nothing for this configuration`);
    const staged = stage(opened, wanted, work);
    step();
    try {
      const order: Omit<RestoreOrder, "parts"> = {
        staged,
        madeAt: manifest.madeAt,
        withoutPresent: options.withoutPresent,
        by: options.by ?? null,
      };
      const report: RestoreReport = { alerting: null, gateway: null, replaced: null };
      for (const { owner, owned } of await ownersOf(dataDir, wanted)) {
        const whole = { ...order, parts: owned };
        const partly = owner
          ? ((await askToRestore(dataDir, owned[0] as Part, whole)) as RestoreReport)
          : await swapOurselves(whole);
        report.alerting ??= partly.alerting;
        report.gateway ??= partly.gateway;
        report.replaced ??= partly.replaced;
      }
      step();
      return { manifest, report };
    } finally {
      removeStaged(staged);
    }
  } finally {
    opened.done();
  }

  /** Nobody has the files: this command has them meanwhile, and a service that starts now is refused. */
  async function swapOurselves(order: RestoreOrder): Promise<RestoreReport> {
    const state = { version, pid: process.pid, parts: order.parts, isUp: false, problems: [] };
    const socket = await openServiceSocket(dataDir, order.parts, {
      state: async () => state,
      restore: async () => Promise.reject(new Error("a restore is under way already")),
    });
    try {
      return await swapIn({ config, order, clock: systemClock(), log: openLog("error") });
    } finally {
      await socket.close();
    }
  }
}

/** Parts by the process that has them; a process with several has one turn. */
async function ownersOf(dataDir: string, wanted: readonly Part[]): Promise<{ owner: number | null; owned: Part[] }[]> {
  const groups = new Map<number | null, Part[]>();
  for (const part of wanted) {
    const owner = (await serviceOf(dataDir, part))?.pid ?? null;
    groups.set(owner, [...(groups.get(owner) ?? []), part]);
  }
  return [...groups].map(([owner, owned]) => ({ owner, owned }));
}

/** Copies the databases to where one rename makes them the stores. */
function stage({ folder }: OpenBackup, wanted: readonly Part[], work: string): string {
  mkdirSync(work, { recursive: true, mode: 0o700 });
  const staged = mkdtempSync(join(work, "staged-"));
  for (const part of wanted) {
    const to = join(staged, databases[part]);
    mkdirSync(dirname(to), { mode: 0o700 });
    copyFileSync(join(folder, databases[part]), to);
  }
  return staged;
}

/** On a new machine. What is there already stays. */
async function restoreKeys(backup: string, config: string): Promise<void> {
  if (existsSync(config)) throw new Error(`${config} is there already; leave --with-keys out, or move it away first`);
  const home = dirname(config);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const opened = await openBackup(backup, join(home, ".restoring"));
  try {
    const { folder, manifest } = opened;
    if (!manifest.withKeys)
      throw new Error(
        `${backup} holds no keys: it was made without --with-keys. Write a configuration, put the master key where it says, and leave --with-keys out`,
      );
    for (const { path } of manifest.files) {
      if (!path.startsWith(`${configurationFolder}/`)) continue;
      const to = join(home, path.slice(configurationFolder.length + 1));
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      if (!existsSync(to)) copyFileSync(join(folder, path), to);
    }
  } finally {
    opened.done();
  }
}

/** What a person must know afterwards, one thing a line. */
export function wordsOf(manifest: Manifest, { alerting, gateway, replaced }: RestoreReport): string[] {
  const lines: string[] = [];
  if (alerting) {
    const { episodes, open, hadPresent, revoked, withdrawn, moved, eraseAgain, unknownDevices, shutOff } = alerting;
    lines.push(`Alerting: restored from the backup of ${manifest.madeAt}.`);
    if (hadPresent && episodes > 0)
      lines.push(`${episodes} alarms that came or went on since were taken over, ${open} of them open.`);
    else
      lines.push(
        "Nothing since then was taken over. Alarms that came after it are not in it: call on whoever may have fallen.",
      );
    for (const id of revoked) lines.push(`${id} stays revoked.`);
    for (const key of withdrawn) lines.push(`The consent of ${key} stays withdrawn.`);
    for (const name of shutOff)
      lines.push(`The account ${name} was shut off or removed since, and is shut off: fallvakt user open ${name}`);
    for (const id of moved)
      lines.push(
        `MEND ${id} had left its dwelling since: it is in store. fallvakt device move ${id} --key KEY --by NAME`,
      );
    for (const key of eraseAgain)
      lines.push(`MEND ${key} was erased since: fallvakt resident erase --key ${key} --by NAME`);
    for (const id of unknownDevices)
      lines.push(`MEND ${id} was added, or got its secret, since: it cannot come in. fallvakt device add, or rotate`);
  }
  if (gateway?.kept) lines.push("Gateway: its own store is good and newer; it stays.");
  else if (gateway) {
    const { waiting } = gateway;
    const told =
      waiting === null ? "what it still had to tell could not be read" : `${waiting} things to tell taken over`;
    lines.push(`Gateway: restored from the backup; ${told}.`);
  }
  if (replaced !== null) lines.push(`What was replaced is in ${replaced}: delete it when all is well.`);
  return lines;
}
