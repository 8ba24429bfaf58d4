import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeArch } from "./control.ts";
import { nodeBinary } from "./node-binary.ts";
import { type Lock, productionPackages } from "./production-packages.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** The kernel runs the model; TensorFlow.js (110 MB) trains it. Node comes as a binary. */
const leftOut = (name: string) => name.startsWith("@tensorflow/") || name === "node";
/** Of a package's files: what no program reads. */
const isUseless = (path: string) => /\.(d\.[cm]?ts|map)$/.test(path);

/** package.json of this repository. */
export function manifest(): Record<string, string> {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, string>;
}

/** Compiles the service into a folder: dist/ and package.json, apart from the repository's own dist/. @throws where tsc or Vite fails. */
export function compileService(lib: string, version: string): void {
  mkdirSync(lib, { recursive: true });
  const dist = join(lib, "dist");
  const run = (script: string, ...args: string[]) =>
    execFileSync(process.execPath, [join(root, "node_modules", script), ...args], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json", "--outDir", dist], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  cpSync(join(root, "detector/model"), join(dist, "detector/model"), { recursive: true });
  const web = ["--config", "alerting/console/web/vite.config.ts", "--logLevel", "warn"];
  run("vite/bin/vite.js", "build", ...web, "--emptyOutDir", "--outDir", join(dist, "alerting/console/web/dist"));
  const { name, type, license, description } = manifest();
  writeFileSync(
    join(lib, "package.json"),
    `${JSON.stringify({ name, version, type, license, description }, null, 2)}\n`,
  );
}

/** Puts the whole service into a folder, as it is installed: what is compiled, node_modules/ and bin/node. @throws where tsc, Vite or npm fails. */
export function stageService(lib: string, arch: NodeArch, version: string, say: (line: string) => void): void {
  say("compiling …");
  compileService(lib, version);
  say("gathering packages and Node …");
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
  for (const path of productionPackages(lock, leftOut)) {
    if (!existsSync(join(root, path))) continue; // An optional one for another machine.
    cpSync(join(root, path), join(lib, path), { recursive: true, filter: (from) => !isUseless(from) });
  }
  mkdirSync(join(lib, "bin"));
  copyFileSync(nodeBinary(arch), join(lib, "bin/node"));
}
