import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "fallvakt-pack-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the packed tarball installs and answers --help and --version", { timeout: 300_000 }, () => {
  const run = (command: string, args: string[], cwd: string) =>
    execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 240_000 });
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], root).trim().split("\n").at(-1) ?? "";
  const listed = run("tar", ["-tzf", join(folder, packed)], root).split("\n");
  expect(listed).toContain("package/dist/fallvakt.js");
  expect(listed).toContain("package/dist/detector/model/card.json");
  expect(listed.some((path) => path.startsWith("package/dist/alerting/console/web/dist/"))).toBe(true);
  expect(listed.filter((path) => /\.test\.|\.ts$/.test(path) && !path.endsWith(".d.ts"))).toEqual([]);

  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "installs-fallvakt", private: true }));
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder, packed)], folder);
  const bin = join(folder, "node_modules/.bin/fallvakt");
  const help = run(bin, ["--help"], folder);
  for (const command of ["demo", "init", "check", "start", "device", "evaluate", "replay"])
    expect(help).toContain(command);
  expect(run(bin, ["--version"], folder).trim()).toMatch(/^\d+\.\d+\.\d+/);
  // The model and its backend come along too, not only the command line.
  expect(run(bin, ["check", "--model"], folder)).toContain("kernel");
});
