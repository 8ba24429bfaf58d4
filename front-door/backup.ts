import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Command } from "commander";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import { integrityProblem, isArchive, type Manifest, manifestFile, pack, sha256Of } from "./backup-file.ts";
import { type Config, credentialSections, defaultConfigPath, readConfig } from "./config.ts";
import { certificatesFolder } from "./init.ts";
import { progressOf } from "./progress.ts";
import { databases } from "./restore-swap.ts";
import { parts } from "./service-socket.ts";
import { print } from "./table.ts";

/** In a backup with keys: what stands beside the configuration. */
export const configurationFolder = "configuration";

export interface BackupOptions {
  config: Config;
  /** The configuration's file. */
  configFile: string;
  /** Version of Fallvakt. */
  version: string;
  /** A folder that is there, a new one, or an archive. */
  where: string;
  withKeys: boolean;
  clock: Clock;
  /** Called for each step that is done, of `backupSteps`. */
  onStep?(): void;
}

/** Of each database: copied, checked, its hash taken; and the rest. */
export const backupSteps = parts.length * 3 + 1;

/**
 * Makes a backup beside a running service, which goes on: of each store one moment, whole.
 * @returns where it is. @throws with the mend; then nothing is left of it.
 */
export async function makeBackup(options: BackupOptions): Promise<{ path: string; manifest: Manifest }> {
  const { config, version, withKeys, clock, onStep = () => {} } = options;
  const where = resolve(options.where);
  const madeAt = new Date(clock.wallNow()).toISOString();
  const archive = isArchive(where);
  const isFolder = !archive && existsSync(where) && statSync(where).isDirectory();
  const target = isFolder ? join(where, `fallvakt-${madeAt.replaceAll(/[:.]/g, "-")}`) : where;
  if (existsSync(target)) throw new Error(`${target} is there already; name another`);
  // Under another name until it is whole: one that was cut off is not taken for a backup.
  const folder = makeDraft(target);
  try {
    const manifest: Manifest = {
      v: 1,
      fallvakt: version,
      madeAt,
      files: [],
      masterKey: null,
      withKeys,
      openEpisodes: null,
    };
    for (const part of parts) {
      const from = join(config.dataDir, databases[part]);
      if (!existsSync(from)) {
        for (let i = 0; i < 3; i++) onStep();
        continue;
      }
      const to = join(folder, databases[part]);
      mkdirSync(dirname(to), { mode: 0o700 });
      const { schema, ...found } = copyDatabase(from, to);
      if (part === "alerting") Object.assign(manifest, found);
      onStep();
      const problem = integrityProblem(to);
      if (problem !== null)
        throw new Error(`${from} is damaged: ${problem}. Restore an earlier backup: fallvakt restore FILE`);
      onStep();
      const [bytes, sha256] = [statSync(to).size, await sha256Of(to)];
      manifest.files.push({ path: databases[part], bytes, sha256, part, schema });
      onStep();
    }
    if (manifest.files.length === 0) throw new Error(`${config.dataDir} holds no store yet; is dataDir right?`);
    if (withKeys) {
      for (const path of copyKeys(options, join(folder, configurationFolder))) {
        const at = join(folder, path);
        manifest.files.push({ path, bytes: statSync(at).size, sha256: await sha256Of(at) });
      }
    }
    writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    if (archive) pack(folder, target);
    else renameSync(folder, target);
    onStep();
    return { path: target, manifest };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeDraft(target: string): string {
  const parent = dirname(target);
  try {
    mkdirSync(parent, { recursive: true });
    return mkdtempSync(join(parent, ".fallvakt-backup-"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${parent} cannot be written to (${code}); name a folder that the service's user may write to`);
  }
}

/** One moment of the database, in a file of its own without a WAL. Writers go on meanwhile. */
function copyDatabase(from: string, to: string): { schema: number; masterKey?: string | null; openEpisodes?: number } {
  const file = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    file.prepare("VACUUM INTO ?").run(to);
  } finally {
    file.close();
  }
  chmodSync(to, 0o600);
  const copy = new DatabaseSync(to, { readOnly: true });
  try {
    const { user_version: schema } = copy.prepare("PRAGMA user_version").get() as { user_version: number };
    const has = (table: string) => copy.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined;
    if (!has("episodes")) return { schema };
    const key = has("master_key") ? copy.prepare("SELECT fingerprint FROM master_key").get() : undefined;
    const { n } = copy.prepare("SELECT COUNT(*) AS n FROM episodes WHERE closed_at IS NULL").get() as { n: number };
    return { schema, masterKey: key ? String(key.fingerprint) : null, openEpisodes: n };
  } finally {
    copy.close();
  }
}

/** Copies what stands beside the configuration and is named in it. Returns the paths within the backup. */
function copyKeys({ config, configFile }: BackupOptions, to: string): string[] {
  const home = dirname(resolve(configFile));
  const named = credentialSections(config).flatMap((one) => [one?.certFile, one?.keyFile, one?.caFile]);
  const certificates = join(home, certificatesFolder);
  const authority = existsSync(certificates) ? readdirSync(certificates).map((name) => join(certificates, name)) : [];
  const wanted = [resolve(configFile), config.alerting?.masterKeyFile, ...named, ...authority];
  return [...new Set(wanted)].flatMap((file) => {
    if (file === undefined || !existsSync(file)) return [];
    const path = relative(home, file);
    if (path.startsWith("..")) {
      throw new Error(
        `${file} is not below ${home}, beside the configuration: back it up by itself, and leave --with-keys out`,
      );
    }
    const at = join(to, path);
    mkdirSync(dirname(at), { recursive: true, mode: 0o700 });
    copyFileSync(file, at);
    chmodSync(at, 0o600);
    return [join(configurationFolder, path)];
  });
}

interface CommandOptions {
  config: string;
  withKeys: boolean;
  json: boolean;
}

/** `fallvakt backup`: the stores, beside a running service. */
export function backupCommand(version: string): Command {
  return new Command("backup")
    .description("copy the stores, each as it is at one moment, beside a running service")
    .argument(
      "<where>",
      "a folder, in which it gets a name with the time, or a file that ends in .tar, .tar.gz or .tgz",
    )
    .option("--config <file>", "the configuration", defaultConfigPath)
    .option(
      "--with-keys",
      "the master key, the configuration and the certificates too: whoever has such a backup opens everything",
      false,
    )
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
Examples:
  fallvakt backup /mnt/backups                  /mnt/backups/fallvakt-2026-11-27T02-00-00-000Z
  fallvakt backup /mnt/backups/monday.tar.gz
  fallvakt backup /media/safe --with-keys       once, and after each change of keys or configuration
Not in it: movements that are being judged, those kept for tuning, and what waits for InfluxDB.`,
    )
    .action(async (where: string, options: CommandOptions) => {
      const config = readConfig(options.config, null);
      const progress = progressOf(backupSteps, options.json, "steps");
      const { withKeys } = options;
      const made = await makeBackup({
        ...{ config, configFile: options.config, version, where, withKeys, clock: systemClock() },
        onStep: progress.step,
      }).finally(progress.stop);
      const { path, manifest } = made;
      if (options.json) return print(JSON.stringify({ path, ...manifest }));
      const open = manifest.openEpisodes;
      print(
        `Wrote ${path}: ${manifest.files.length} files, each checked${open === null ? "" : `, ${open} open episodes`}.`,
      );
      if (withKeys) print("The master key is in it: keep it where nobody else comes.");
      else if (manifest.masterKey !== null) {
        print(
          `Without the master key (fingerprint ${manifest.masterKey}) nobody reads it, you neither: is that backed up, elsewhere?`,
        );
      }
    });
}
