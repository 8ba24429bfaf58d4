import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readLogs } from "./logs.ts";
import { firstDay, madeUpLog } from "./made-up-home.ts";
import { type HomeReport, measureHome } from "./measure.ts";
import { tableOf } from "./table.ts";

const run = promisify(execFile);
const command = new URL("./evaluate.ts", import.meta.url).pathname;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-presence-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const local = (at: number) => new Date(at).toISOString().slice(0, 19);
const types = {
  motion: "pir",
  contact: "door",
  seat: "pressure",
  bed: "pressure",
  radar: "pir",
  flush: "flush",
} as const;
const names: Record<string, string> = { door: "frontdoor", bed: "bedroom-bed-pressure" };

/** Writes a made-up log as the files that the command reads. */
async function writeLog(days: number, badLine?: string): Promise<string> {
  const set = await mkdtemp(join(folder, "set-"));
  const log = madeUpLog(days);
  const events = log.changes.map(({ deviceId, sensor, room, state, at }) =>
    JSON.stringify({
      t: local(at),
      sensor: names[deviceId] ?? deviceId,
      type: types[sensor],
      room,
      v: state === "on" ? 1 : 0,
    }),
  );
  if (badLine !== undefined) events.splice(3, 0, badLine);
  const activities = log.asleepOrOut.map(({ from, to }) =>
    JSON.stringify({ start: local(from), end: local(to), activity: "Sleeping" }),
  );
  await writeFile(join(set, "made-up.ndjson.gz"), gzipSync(events.join("\n")));
  await writeFile(join(set, "made-up.activities.ndjson.gz"), gzipSync(activities.join("\n")));
  const home = { home: "made-up", eventsFile: "made-up.ndjson.gz", activitiesFile: "made-up.activities.ndjson.gz" };
  await writeFile(join(set, "manifest.json"), JSON.stringify({ homes: [home] }));
  return set;
}

describe("reading logs", () => {
  test("sensors become kinds that the contract knows, and times UTC's", async () => {
    const [log] = await readLogs(await writeLog(2));
    expect(log!.problems).toEqual([]);
    expect(log!.entrances).toEqual(["frontdoor"]);
    const kinds = Object.fromEntries(log!.changes.map(({ deviceId, sensor }) => [deviceId, sensor]));
    expect(kinds).toEqual({
      ...{ frontdoor: "contact", hall: "motion", kitchen: "motion", bathroom: "motion" },
      ...{ chair: "seat", "bedroom-bed-pressure": "bed" },
    });
    expect(log!.changes[0]!.at).toBe(Math.floor(madeUpLog(2).changes[0]!.at / 1000) * 1000);
    expect(log!.asleepOrOut[0]!.from).toBe(firstDay);
  });

  test("a broken line is told of and left out", async () => {
    for (const line of ["{", '{"t":"yesterday","sensor":"a","type":"pir","room":"b","v":1}']) {
      const [log] = await readLogs(await writeLog(2, line));
      expect(log!.problems).toHaveLength(1);
      expect(log!.problems[0]).toContain("line 4");
      expect(log!.changes).toHaveLength(madeUpLog(2).changes.length);
    }
  });

  test("a folder without a manifest, and a home that is not there, are clear errors", async () => {
    await expect(readLogs(folder)).rejects.toThrow("has a manifest.json that lists its homes");
    const set = await writeLog(2);
    await expect(readLogs(set, ["villa"])).rejects.toThrow('no home "villa"; it has made-up');
  });
});

describe("measuring", () => {
  const options = { injections: 30, outages: 5, seed: 1 };

  test("a life by the clock: every stillness is found within hours, without a false alarm or an alarm in an outage", () => {
    const report = measureHome(madeUpLog(14), options);
    expect(report).toMatchObject({ home: "made-up", injections: 30, falseAlarms: 0 });
    expect(report.judgedDays).toBeGreaterThan(5);
    expect(report.judgedDays).toBeLessThan(8);
    expect(report.found.map(({ withinHours }) => withinHours)).toEqual([2, 4, 6, 8, 24]);
    const shares = report.found.map(({ share }) => share.value!);
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
    expect(shares.at(-1)).toBe(1);
    expect(report.hoursToAlarm.median).toBeGreaterThan(2);
    expect(report.hoursToAlarm.median).toBeLessThan(6);
    for (const { fault, runs, alarmed } of report.outages) {
      expect(runs).toBe(5);
      // One that hangs at "off" and still repeats itself cannot be told from a room where nobody is.
      if (!fault.endsWith("stuck")) expect([fault, alarmed]).toEqual([fault, 0]);
    }
    expect(report.outages.find(({ fault }) => fault === "gateway")!.told).toBe(5);
  });

  test("a day in the chair with the telephone off the hook is a false alarm, and is counted", () => {
    const log = madeUpLog(14);
    const from = firstDay + 10 * 86_400_000 + 9.5 * 3_600_000;
    const quiet = { ...log, changes: log.changes.filter(({ at }) => at < from || at > from + 11 * 3_600_000) };
    const report = measureHome(quiet, { ...options, injections: 1, outages: 1 });
    expect(report.falseAlarms).toBe(1);
    expect(report.falseAlarmsPerDay.value).toBeCloseTo(1 / report.judgedDays);
  });

  test("the same seed gives the same figures, another others", () => {
    const [one, same, other] = [1, 1, 2].map((seed) =>
      measureHome(madeUpLog(12), { injections: 10, outages: 2, seed }),
    );
    expect(same).toEqual(one);
    expect(other!.hoursToAlarm).not.toEqual(one!.hoursToAlarm);
  });

  test("a log that is too short to learn from is a clear error", () => {
    expect(() => measureHome(madeUpLog(4), options)).toThrow("made-up: its log of 4 days is too short to learn from");
  });
});

describe("the command", () => {
  const few = ["--injections", "5", "--outages", "1"];

  test("prints tables, or JSON and nothing else, on stdout", async () => {
    const set = await writeLog(10);
    const { stdout } = await run(process.execPath, [command, set, ...few]);
    expect(stdout).toMatch(/^home +rule +stopped moving +told in 2 h/);
    expect(stdout).toMatch(/made-up +untouched +5 /);
    expect(stdout).toMatch(/gateway +0 of 1/);
    const json = await run(process.execPath, [command, set, ...few, "--json"]);
    const report = JSON.parse(json.stdout) as { seed: number; homes: HomeReport[] };
    expect(report.seed).toBe(1);
    expect(`${tableOf(report.homes)}\n`).toBe(stdout);
  });

  test("helps with examples, and says what is missing", async () => {
    const help = await run(process.execPath, [command, "--help"]);
    expect(help.stdout).toContain("Examples:");
    const env = { ...process.env, FALLVAKT_RECORDINGS: "" };
    await expect(run(process.execPath, [command], { env })).rejects.toThrow("set FALLVAKT_RECORDINGS");
    await expect(run(process.execPath, [command, "--injections", "0"])).rejects.toThrow("a whole number, 1 or more");
  });
});

const recordings = process.env.FALLVAKT_RECORDINGS;

describe("real homes (FALLVAKT_RECORDINGS/presence)", () => {
  test.skipIf(!recordings && !process.env.CI)(
    "no more than one false alarm in all three, and no alarm for a dead sensor or gateway",
    async () => {
      if (!recordings) throw new Error("FALLVAKT_RECORDINGS is not set; in CI it must be");
      const logs = await readLogs(join(recordings, "presence"));
      const reports = logs.map((log) => measureHome(log, { injections: 40, outages: 10, seed: 7 }));
      expect(logs.flatMap(({ problems }) => problems)).toEqual([]);
      expect(reports.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0)).toBeLessThanOrEqual(1);
      for (const { outages, found } of reports) {
        for (const { fault, alarmed } of outages)
          if (/dead|gateway/.test(fault)) expect([fault, alarmed]).toEqual([fault, 0]);
        expect(found.at(-1)!.share.value).toBeGreaterThan(0.75);
      }
    },
    60_000,
  );
});
