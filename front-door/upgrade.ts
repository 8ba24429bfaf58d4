import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Command } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { type Clock, systemClock } from "../firmware-contracts/clock.ts";
import type { Manifest } from "./backup-file.ts";
import { defaultConfigPath } from "./config.ts";
import { openPackage } from "./installation.ts";
import { type Part, parts, serviceOf } from "./service-socket.ts";
import { print } from "./table.ts";
import { checkUpgrade } from "./upgrade-check.ts";
import { whyNotNow } from "./upgrade-time.ts";

export interface UpgradeOptions {
  package: string;
  config: UpgradeSettings;
  configFile: string;
  /** Version in force. */
  version: string;
  force: boolean;
  /** Of release folders; left out for a `.deb`. */
  root?: string | undefined;
  /** Run by the shell; left out: systemd restarts the units that run. */
  restart?: string | undefined;
  /** Run by the shell after the rest of the self-test. */
  selfTest?: string | undefined;
  /** How long a version may take to be ready, ms. */
  readyWithinMs: number;
  clock: Clock;
  say(line: string): void;
}

export interface Upgraded {
  from: string;
  to: string;
  /** What the self-test of the new version found; null: it is in force. */
  failed: string | null;
  /** Whether the stores were restored from the backup of before: the old version could not go on with what the new one had left. */
  restored: boolean;
  backup: string;
}

/**
 * Switches to another version by day, with a backup before and a self-test after it. Where that fails the old version is put back; only where it cannot go on
 * with the stores as they are, the backup too, with every alarm since.
 * @throws with the mend where nothing was changed, and where neither version runs.
 */
export async function upgrade(options: UpgradeOptions): Promise<Upgraded> {
  const { config, configFile, version: from, force, clock, say } = options;
  const { dataDir, alerting } = config;
  const holidays = (alerting?.holidays ?? []).map(({ date }) => date);
  const why = whyNotNow(clock.wallNow(), alerting?.timeZone ?? "Europe/Stockholm", holidays);
  if (why !== null && !force) {
    throw new Error(
      `${why}: an upgrade that goes wrong then has nobody to see it. Come back on a weekday between 07 and 16, or say --force`,
    );
  }
  const { version: to, installation } = openPackage(options.package, options.root);
  const { launcher } = installation;
  const wanted: Part[] = [];
  for (const part of parts) if (await serviceOf(dataDir, part)) wanted.push(part);
  const restart = restartCommand(options.restart, wanted.length > 0);
  const work = mkdtempSync(join(tmpdir(), "fallvakt-upgrade-"));
  const fallvakt = (...args: string[]) => {
    const [program = "", ...first] = launcher;
    return execFileSync(program, [...first, ...args, "--config", configFile], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  };
  const test = (version: string) =>
    checkUpgrade({
      ...{ dataDir, wanted, version, launcher, clock, command: options.selfTest, withinMs: options.readyWithinMs },
      chain: alerting?.selfTest === undefined ? undefined : configFile,
    });
  try {
    say(`1/4 backup, and the present version ${from} kept …`);
    const made = fallvakt("backup", join(dataDir, "backups", `before-${to}-${clock.wallNow()}`), "--json");
    const { path: backup, files } = JSON.parse(made) as { path: string } & Pick<Manifest, "files">;
    installation.keep(work);
    say(`2/4 installing ${to} …`);
    let failed: string | null = null;
    try {
      installation.install();
      say("3/4 restarting …");
      shell(restart);
      say("4/4 self-test …");
      failed = await test(to);
    } catch (error) {
      failed = error instanceof Error ? error.message : String(error);
    }
    if (failed === null) return { from, to, failed, restored: false, backup };
    say(`the self-test of ${to} fails: ${failed}`);
    say(`rolling back to ${from} …`);
    installation.putBack();
    shell(restart);
    const isNewer = files.some((file) => file.part && schemaOf(join(dataDir, file.path)) > (file.schema ?? 0));
    let still = isNewer ? `${to} has changed the stores` : await test(from);
    const restored = still !== null;
    if (restored) {
      say(`${from} cannot go on with the stores as they are (${still}); restoring the backup …`);
      await restoreWhenFree(() => fallvakt("restore", backup, "--by", "upgrade"), clock);
      shell(restart);
      still = await test(from);
    }
    if (still !== null) {
      throw new Error(
        `NEITHER VERSION RUNS. ${to}: ${failed}. ${from}: ${still}. The backup is ${backup}. Call whoever is on duty: nobody is paged now`,
      );
    }
    return { from, to, failed, restored, backup };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * What an upgrade reads of the configuration. Not the whole: it runs as root, who is not given the service's secrets.
 * @throws where there is no such file, or it has no such keys.
 */
const Settings = z.looseObject({
  dataDir: z.string().default("data"),
  alerting: z
    .looseObject({
      timeZone: z.string().default("Europe/Stockholm"),
      holidays: z.array(z.looseObject({ date: z.string() })).default([]),
    })
    .optional(),
});
export type UpgradeSettings = z.infer<typeof Settings>;

function readUpgradeSettings(path: string): UpgradeSettings {
  const settings = Settings.parse(parse(readFileSync(path, "utf8")));
  return { ...settings, dataDir: resolve(dirname(path), settings.dataDir) };
}

/** Null where nothing runs that could be restarted. @throws where it is not known how. */
function restartCommand(given: string | undefined, isRunning: boolean): string | null {
  if (given !== undefined) return given;
  if (!isRunning) return null;
  try {
    execFileSync("systemctl", ["is-system-running"], { stdio: "ignore" });
  } catch (error) {
    // It answers with a code of its own where some other unit has failed.
    if ((error as { status?: number }).status !== 1) {
      throw new Error(
        "systemd does not run here: say with --restart COMMAND how the service is restarted. Nothing was changed",
      );
    }
  }
  return "systemctl daemon-reload && systemctl restart 'fallvakt@*.service'";
}

/** SQLite's user_version; 0 where there is no database that can be read. */
function schemaOf(path: string): number {
  try {
    const file = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    try {
      return Number(file.prepare("PRAGMA user_version").get()?.user_version ?? 0);
    } finally {
      file.close();
    }
  } catch {
    return 0;
  }
}

/** A service that cannot come up is started again and again, and has its files for a moment each time. */
async function restoreWhenFree(run: () => void, clock: Clock): Promise<void> {
  for (let left = 10; ; left--) {
    try {
      run();
      return;
    } catch (error) {
      const said = String((error as { stderr?: unknown }).stderr ?? error);
      if (left === 0) throw new Error(`the backup cannot be restored: ${said}`);
    }
    await new Promise<void>((resolve) => clock.after(500, resolve));
  }
}

function shell(command: string | null): void {
  if (command !== null) execFileSync("/bin/sh", ["-c", command], { stdio: ["ignore", "ignore", "inherit"] });
}

interface CommandOptions {
  config: string;
  force: boolean;
  root?: string;
  restart?: string;
  selfTest?: string;
  readyWithin: number;
  json: boolean;
}

/** `fallvakt upgrade`. */
export function upgradeCommand(version: string): Command {
  return new Command("upgrade")
    .description("switch to another version: backup, self-test, and back by itself where that fails")
    .argument("<package>", "a .deb, or with --root a folder that holds bin/node, dist/ and node_modules/")
    .option("--config <file>", "the configuration", defaultConfigPath)
    .option("--force", "also between 16 and 07, on weekends and on holidays", false)
    .option("--root <folder>", "of an installation in release folders: releases/VERSION, and current, a link")
    .option("--restart <command>", "how the service is restarted; left out: by systemd")
    .option("--ready-within <seconds>", "how long a version may take to be ready", Number, 120)
    .option("--self-test <command>", "must succeed too, after the built-in self-test")
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
Examples:
  sudo fallvakt upgrade ./fallvakt_0.2.0_amd64.deb
  sudo fallvakt upgrade ./fallvakt_0.2.0_amd64.deb --force --self-test "fallvakt check"`,
    )
    .action(async (path: string, options: CommandOptions) => {
      const { config: configFile, force, root, restart, json } = options;
      const done = await upgrade({
        ...{ package: path, config: readUpgradeSettings(configFile), configFile, version, force, root, restart },
        selfTest: options.selfTest,
        readyWithinMs: options.readyWithin * 1000,
        clock: systemClock(),
        say: (line) => process.stderr.write(`${line}\n`),
      });
      const { from, to, failed, restored, backup } = done;
      if (failed !== null) process.exitCode = 1;
      if (json) return print(JSON.stringify(done));
      if (failed === null) print(`${to} is in force. The backup of before: ${backup}`);
      else {
        const stores = restored
          ? "the stores were restored from the backup, with every alarm since"
          : "the stores are as they were";
        print(`${to} failed its self-test: ${failed}. ${from} is in force again, and ready; ${stores}.`);
      }
    });
}
