import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { architectures, controlText, debianVersion, type NodeArch } from "./control.ts";
import { manifest, stageService } from "./stage.ts";

// `npm run package:deb`: dist/, the packages that it needs, Node and the systemd unit as one Debian package. Only npm's registry is asked, and only for another machine's Node.

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");

export interface DebOptions {
  out: string;
  arch: NodeArch;
  compression: "xz" | "gzip" | "none";
  /** Another version than package.json's, for trials of an upgrade. */
  packageVersion?: string;
  say(line: string): void;
}

/** Builds it and returns its path. @throws where tsc, npm or dpkg-deb fails. */
export function packageDeb({ out, arch, compression, packageVersion, say }: DebOptions): string {
  const { version: own = "0", description = "" } = manifest();
  const version = packageVersion ?? own;
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-deb-"));
  try {
    stageService(join(folder, "usr/lib/fallvakt"), arch, version, say);
    for (const [from, to, mode] of placed) place(join(root, from), join(folder, to), mode);
    writeControl(folder, { version, arch, description });
    say(`packing (${compression}) …`);
    mkdirSync(out, { recursive: true });
    const deb = join(out, `fallvakt_${debianVersion(version)}_${architectures[arch]}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", folder, deb], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return deb;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const placed: readonly (readonly [from: string, to: string, mode: number])[] = [
  ["gateway/deploy/debian/launcher.sh", "usr/bin/fallvakt", 0o755],
  ["gateway/deploy/systemd/fallvakt@.service", "lib/systemd/system/fallvakt@.service", 0o644],
  ["gateway/deploy/debian/environment", "etc/fallvakt/environment", 0o600],
  ["README.md", "usr/share/doc/fallvakt/README.md", 0o644],
  ["CHANGELOG.md", "usr/share/doc/fallvakt/CHANGELOG.md", 0o644],
  ["LICENSE", "usr/share/doc/fallvakt/copyright", 0o644],
  ["docs/configuration.md", "usr/share/doc/fallvakt/configuration.md", 0o644],
];

function place(from: string, to: string, mode: number): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}

function writeControl(folder: string, fields: { version: string; arch: NodeArch; description: string }): void {
  const control = join(folder, "DEBIAN");
  const files = globSync("**/*", { cwd: folder }).filter((path) => lstatSync(join(folder, path)).isFile());
  const bytes = files.reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0);
  const sums = files
    .filter((path) => !path.startsWith("etc/"))
    .sort()
    .map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(join(folder, path)))
          .digest("hex")}  ${path}\n`,
    );
  mkdirSync(control, { mode: 0o755 });
  writeFileSync(join(control, "control"), controlText({ ...fields, installedKib: Math.ceil(bytes / 1024) }));
  writeFileSync(join(control, "conffiles"), "/etc/fallvakt/environment\n");
  writeFileSync(join(control, "md5sums"), sums.join(""));
  for (const script of ["postinst", "prerm", "postrm"]) place(join(here, script), join(control, script), 0o755);
}

if (import.meta.main) {
  const program = new Command("package:deb")
    .description("build a Debian package of the service in dist-deb/")
    .option("--out <folder>", "where to put it", join(root, "dist-deb"))
    .addOption(
      new Option("--arch <arch>", "for which machine; Node for another one comes from npm's registry")
        .choices(Object.keys(architectures))
        .default(process.arch),
    )
    .addOption(new Option("--compression <kind>", "of the package").choices(["xz", "gzip", "none"]).default("gzip"))
    .option("--package-version <version>", "another version than package.json's")
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      `
Examples:
  npm run -s package:deb
  npm run -s package:deb -- --arch arm64 --out /tmp`,
    )
    .action((options: Omit<DebOptions, "say"> & { json: boolean }) => {
      const deb = packageDeb({ ...options, say: (line) => process.stderr.write(`${line}\n`) });
      const bytes = lstatSync(deb).size;
      const text = `Wrote ${resolve(deb)}, ${(bytes / 1e6).toFixed(0)} MB. Install it with: apt install ${resolve(deb)}`;
      process.stdout.write(`${options.json ? JSON.stringify({ deb: resolve(deb), bytes }) : text}\n`);
    });
  program.parse();
}
