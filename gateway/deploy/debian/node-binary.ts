import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { NodeArch } from "./control.ts";

const require = createRequire(import.meta.url);

/** Where binaries for other machines are kept from one use to the next. */
const cacheFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fallvakt");

/**
 * Node of the version that package-lock.json names, for Linux on this kind of machine. For another kind than this one's it is fetched from npm's registry,
 * by npm, once.
 * @throws where npm cannot have it.
 */
export function nodeBinary(arch: NodeArch): string {
  const own = require.resolve("node/bin/node");
  if (arch === process.arch) return own;
  const { version } = JSON.parse(readFileSync(join(dirname(own), "../package.json"), "utf8")) as { version: string };
  const name = `node-linux-${arch}`;
  const folder = join(cacheFolder, `${name}-${version}`);
  const binary = join(folder, "package/bin/node");
  if (existsSync(binary)) return binary;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", draft, `${name}@${version}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    const tarball = packed.trim().split("\n").at(-1) ?? "";
    execFileSync("tar", ["-xzf", join(draft, tarball), "-C", draft]);
    rmSync(join(draft, tarball));
    renameSync(draft, folder);
  } catch (error) {
    // Of two that fetch it at once, one is first.
    if (!existsSync(binary)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return binary;
}
