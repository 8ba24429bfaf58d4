import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { impact, lying, standing } from "../synthetic-wearer.ts";
import { evaluateCommand } from "./command.ts";
import type { EvaluationReport } from "./evaluate.ts";
import { writeSet } from "./made-up-set.ts";

const exec = promisify(execFile);
let folder: string;
let set: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
  set = await writeSet(folder, [
    { motion: impact(10.3, 4, standing, lying), label: "fall" },
    { motion: standing, label: "fall", more: { activityName: "Falls that nobody can see" } },
    { motion: standing, label: "adl" },
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(...args: string[]) {
  const file = new URL("./command.ts", import.meta.url).href;
  const script = `const { evaluateCommand } = await import(${JSON.stringify(file)}); await evaluateCommand().parseAsync(process.argv.slice(1), { from: "user" });`;
  return exec(process.execPath, ["--input-type=module", "-e", script, "--", ...args, "--backend", "wasm"]);
}

test("prints JSON on stdout and nothing else there", async () => {
  const { stdout } = await run(set, "--json", "-");
  const report = JSON.parse(stdout) as EvaluationReport;
  expect(report.model.version).toMatch(/\d/);
  expect(report.sets).toHaveLength(1);
  expect(report).toMatchObject({ robustness: [], stitched: [] });
}, 30_000);

test("plays worse, stitched and compared runs, draws what went wrong, and keeps all of it in JSON", async () => {
  const json = join(folder, "report.json");
  const album = join(folder, "album");
  const degraded = ["--rates", "25,50", "--clip", "2", "--rotate", "1", "--loss", "5,10"];
  const first = await run(set, ...degraded, "--stitched", "--plot", album, "--json", json);
  const report = JSON.parse(await readFile(json, "utf8")) as EvaluationReport;
  expect(report.robustness.map(({ kind }) => kind)).toEqual(["rate", "rate", "clip", "rotation", "loss", "loss"]);
  expect(report.stitched.map(({ continuation }) => continuation)).toEqual(["walking", "rest", "silence"]);
  for (const told of ["Suspected and confirmed", "Made worse", "skipped: made-up/belt: 50 Hz", "followed by"])
    expect(first.stdout).toContain(told);
  expect(await readdir(album)).toContain("index.html");
  expect(await readdir(album)).toContain("made-up_belt-T1-missed_fall.svg");
  expect(first.stderr).toContain("index.html");

  const second = await run(set, "--compare", json);
  expect(second.stdout).toContain("Against the earlier report");
  expect(second.stdout).not.toContain("falls lost: ");
  const compared = JSON.parse((await run(set, "--subjects", "S0", "--compare", json, "--json", "-")).stdout);
  expect(compared.compared.sets[0].trials).toMatchObject({ fallsLost: [], onlyThen: 1, onlyNow: 0 });
}, 60_000);

test("an earlier report that is none stops it before anything is played", async () => {
  await expect(run(set, "--compare", join(set, "manifest.json"))).rejects.toThrow(/manifest\.json: model: .*--json/);
}, 30_000);

test.each([
  ["--rates", "10", "numbers of 20 to 200"],
  ["--rates", "25,", "numbers of 20 to 200"],
  ["--clip", "x", "numbers of 1 to 16"],
  ["--loss", "100", "numbers of 0.1 to 99"],
  ["--rotate", "0", "a whole number"],
])("refuses %s %s", async (flag, value, told) => {
  const command = evaluateCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await expect(command.parseAsync([set, flag, value], { from: "user" })).rejects.toThrow(told);
});

test("helps with examples", () => {
  let help = "";
  const command = evaluateCommand().configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  expect(help).toContain("Examples:");
  for (const flag of ["subjects", "rates", "clip", "rotate", "loss", "stitched", "plot", "compare", "json"])
    expect(help).toContain(`--${flag} `.trimEnd());
});
