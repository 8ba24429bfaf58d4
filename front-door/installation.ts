import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** One installed Fallvakt, as `fallvakt upgrade` changes it. */
export interface Installation {
  /** `fallvakt` of the version in force, with its arguments so far. */
  readonly launcher: readonly string[];
  /** Keeps what is installed now, so that `putBack` can have it back. @throws where that cannot be done. */
  keep(folder: string): void;
  /** Puts the package in force; the running service goes on as it is. */
  install(): void;
  putBack(): void;
}

export interface Package {
  /** As its package.json says. */
  version: string;
  installation: Installation;
}

/**
 * A package to upgrade to: a `.deb`, or a folder with bin/node, dist/ and node_modules/ for an installation in release folders (`root/releases/VERSION`, with
 * `root/current` as a link to the one in force).
 * @param root of the release folders. @throws where it is no package of Fallvakt, or not for this machine.
 */
export function openPackage(path: string, root: string | undefined): Package {
  if (!existsSync(path)) throw new Error(`${path} is not there`);
  if (path.endsWith(".deb")) return { version: debVersion(path), installation: debian(path) };
  if (!lstatSync(path).isDirectory())
    throw new Error(`${path} is neither a .deb nor a folder; make one with: npm run package:deb`);
  if (root === undefined)
    throw new Error("say with --root where the release folders are; without it a .deb is expected");
  const { name, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Record<string, string>;
  if (name !== "fallvakt" || !version) throw new Error(`${path} is no package of Fallvakt`);
  return { version, installation: releases(path, version, root) };
}

function releases(from: string, version: string, root: string): Installation {
  const current = join(root, "current");
  const target = join(root, "releases", version);
  let before: string | null = null;
  const pointTo = (release: string) => {
    // One rename: there is always a version in force.
    const draft = `${current}.new`;
    rmSync(draft, { force: true });
    symlinkSync(join("releases", release), draft);
    renameSync(draft, current);
  };
  return {
    launcher: [join(current, "bin/node"), join(current, "dist/fallvakt.js")],
    keep() {
      const { version: now } = JSON.parse(readFileSync(join(current, "package.json"), "utf8")) as { version: string };
      if (now === version) throw new Error(`version ${version} is installed already`);
      before = now;
    },
    install() {
      const draft = `${target}.new`;
      rmSync(draft, { recursive: true, force: true });
      cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
      rmSync(target, { recursive: true, force: true });
      renameSync(draft, target);
      pointTo(version);
    },
    putBack() {
      if (before !== null) pointTo(before);
    },
  };
}

const field = (path: string, name: string) => execFileSync("dpkg-deb", ["-f", path, name], { encoding: "utf8" }).trim();

function debVersion(path: string): string {
  if (field(path, "Package") !== "fallvakt") throw new Error(`${path} is no package of Fallvakt`);
  const [its, ours] = [
    field(path, "Architecture"),
    execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim(),
  ];
  if (its !== ours) throw new Error(`${path} is for ${its}, and this machine is ${ours}`);
  return field(path, "Version").replace("~", "-");
}

/** By dpkg. The old version is packed again from what is installed, as its own file may be long gone. */
function debian(path: string): Installation {
  let old = "";
  const dpkg = (deb: string) =>
    execFileSync("dpkg", ["--install", "--force-confold", deb], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", FALLVAKT_UPGRADE: "1" },
    });
  return {
    launcher: ["/usr/bin/fallvakt"],
    keep(folder) {
      if (process.getuid?.() !== 0) throw new Error("a .deb is installed by root: sudo fallvakt upgrade …");
      old = repack(folder);
    },
    install: () => void dpkg(path),
    putBack: () => void dpkg(old),
  };
}

const information = "/var/lib/dpkg/info/fallvakt";

function repack(folder: string): string {
  const tree = join(folder, "installed");
  const control = join(tree, "DEBIAN");
  mkdirSync(control, { recursive: true, mode: 0o755 });
  const list = execFileSync("dpkg-query", ["--listfiles", "fallvakt"], { encoding: "utf8" });
  for (const file of list.split("\n")) {
    // /lib is a link to a folder where /usr was merged; the package's own links are to files.
    if (file === "" || file === "/." || statSync(file).isDirectory()) continue;
    const to = join(tree, file);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(file, to, { verbatimSymlinks: true });
  }
  const status = execFileSync("dpkg-query", ["--status", "fallvakt"], { encoding: "utf8" });
  // What dpkg adds about this machine is no field of a package.
  const text = status.replaceAll(/^(Status|Conffiles):.*\n(?: .*\n)*/gm, "");
  writeFileSync(join(control, "control"), text);
  for (const name of ["postinst", "prerm", "postrm", "conffiles", "md5sums"])
    if (existsSync(`${information}.${name}`)) cpSync(`${information}.${name}`, join(control, name));
  const deb = join(folder, `before-${basename(folder)}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build", tree, deb], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  rmSync(tree, { recursive: true, force: true });
  return deb;
}
