import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { parts } from "./service-socket.ts";

/** What a backup holds, as its `manifest.json` says. */
export const Manifest = z.strictObject({
  v: z.literal(1),
  /** Version of Fallvakt that made it. */
  fallvakt: z.string(),
  madeAt: z.iso.datetime(),
  files: z.array(
    z.strictObject({
      /** Within the backup. */
      path: z.string().regex(/^(?!\/)(?!.*\.\.)[\w./-]+$/),
      bytes: z.number().int().min(0),
      sha256: z.string().length(64),
      /** Of a database: whose it is, and SQLite's user_version. */
      part: z.enum(parts).optional(),
      schema: z.number().int().optional(),
    }),
  ),
  /** Fingerprint of the master key that opens what is sealed; null where nothing is. */
  masterKey: z.string().nullable(),
  /** Whether the master key, the configuration and the certificates are in it. */
  withKeys: z.boolean(),
  openEpisodes: z.number().int().nullable(),
});
export type Manifest = z.infer<typeof Manifest>;

export const manifestFile = "manifest.json";

/** A name that tar is used for; anything else is a folder. */
export function isArchive(path: string): boolean {
  return /\.(tar|tar\.gz|tgz)$/.test(path);
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Packs a folder's content. The archive is its owner's alone. @throws where tar fails. */
export function pack(folder: string, archive: string): void {
  const draft = `${archive}.part`;
  writeFileSync(draft, "", { mode: 0o600 });
  tar(archive.endsWith(".tar") ? "-cf" : "-czf", draft, "-C", folder, ".");
  renameSync(draft, archive);
}

/**
 * A backup as a folder: the folder itself, or an archive unpacked beside where it is needed. Everything in it is checked against the manifest.
 * @param workFolder where an archive may be unpacked. @throws with what is wrong with it.
 */
export async function openBackup(path: string, workFolder: string): Promise<OpenBackup> {
  if (!existsSync(path)) throw new Error(`${path} is not there`);
  let folder = path;
  let done = () => {};
  if (!statSync(path).isDirectory()) {
    mkdirSync(workFolder, { recursive: true, mode: 0o700 });
    const unpacked = mkdtempSync(join(workFolder, "unpacked-"));
    folder = unpacked;
    done = () => rmSync(unpacked, { recursive: true, force: true });
    try {
      tar("-xf", path, "-C", unpacked, "--no-same-owner");
    } catch {
      done();
      throw new Error(`${path} is no backup: tar cannot read it. Take another copy of it`);
    }
  }
  try {
    return { folder, manifest: await checked(path, folder), done };
  } catch (error) {
    done();
    throw error;
  }
}

export interface OpenBackup {
  folder: string;
  manifest: Manifest;
  /** Removes what was unpacked. */
  done(): void;
}

async function checked(path: string, folder: string): Promise<Manifest> {
  const file = join(folder, manifestFile);
  if (!existsSync(file))
    throw new Error(`${path} is no backup of Fallvakt, or an unfinished one: it has no ${manifestFile}`);
  const parsed = Manifest.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success)
    throw new Error(`${path}: its ${manifestFile} is of another kind: ${z.prettifyError(parsed.error)}`);
  for (const { path: name, sha256, part } of parsed.data.files) {
    const at = join(folder, name);
    if (!existsSync(at)) throw new Error(`${path}: ${name} is missing in it. Take another copy of the backup`);
    if ((await sha256Of(at)) !== sha256)
      throw new Error(`${path}: ${name} was changed or damaged. Take another copy of the backup`);
    const problem = part === undefined ? null : integrityProblem(at);
    if (problem !== null) throw new Error(`${path}: ${name} is damaged: ${problem}`);
  }
  return parsed.data;
}

/** What SQLite finds wrong in a database that nobody writes to; null where it is whole. */
export function integrityProblem(path: string): string | null {
  try {
    const file = new DatabaseSync(path, { readOnly: true });
    try {
      const { integrity_check: result } = file.prepare("PRAGMA integrity_check(1)").get() as {
        integrity_check: string;
      };
      return result === "ok" ? null : result;
    } finally {
      file.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function tar(...args: string[]): void {
  execFileSync("tar", args, { stdio: ["ignore", "ignore", "pipe"] });
}
