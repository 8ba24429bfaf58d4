import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Lesson } from "../alerting/registry/confirmed.ts";
import { readCard } from "../detector/classifier/card.ts";
import { loadClassifier } from "../detector/classifier/classifier.ts";
import { modelInput } from "../detector/model-input.ts";
import { windowOf } from "../detector/window.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import type { CandidateRow } from "../gateway/candidates/row.ts";
import { createCandidateTables } from "../gateway/candidates/tables.ts";
import { createOutboxTables } from "../gateway/outbox/tables.ts";
import { townSettings } from "../test/promises/town.ts";
import { typed } from "../test/services/typed.ts";
import { deviceCommand } from "./register.ts";
import { tuneCommand } from "./tune.ts";
import { reportOf } from "./tune-report.ts";

const clock = systemClock();
const card = await readCard();
const { medium, strong } = card.operatingPoints.wrist.wide;

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fallvakt-tune-"));
  config = join(folder, "fallvakt.yaml");
  configure(townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const configure = (settings: unknown) => writeFileSync(config, stringify(settings));

async function run(command: "tune" | "device", ...args: string[]): Promise<string> {
  const made = command === "tune" ? tuneCommand() : deviceCommand();
  return typed(made, ...args, "--config", config);
}
const tune = (...args: string[]) => run("tune", "--device", "watch-1", ...args);
const tuned = async (...args: string[]) => JSON.parse(await tune(...args, "--json"));
const addDevice = () => run("device", "add", "watch-1", "--placement", "wrist", "--key", "38", "--consent-by", "eva");

/** A window of somebody who stands still, with a spike: 1 g along y, milli-g. */
function spike(peak: number): Int16Array {
  const window = new Int16Array(800);
  for (let i = 0; i < 200; i++) window.set(i === 75 ? [0, peak, 0, peak] : [0, 1000, 0, 1000], i * 4);
  return window;
}

let sequence = 0;
const row = (score: number, more: Partial<CandidateRow> = {}): CandidateRow => {
  const number = sequence++;
  return {
    deviceId: "watch-1",
    candidateId: `1.${number}.0`,
    impactAt: clock.wallNow() - 3_600_000 + number * 120_000,
    lane: "impact",
    placement: "wrist",
    rangeG: 4,
    bootId: 1,
    sequence: number,
    score,
    model: card.version,
    threshold: medium,
    decided: score >= strong ? "strong" : score >= medium ? "medium" : "below-threshold",
    afterwards: "stayed",
    features: new Float32Array(42),
    window: null,
    ...more,
  };
};

function logged(...rows: CandidateRow[]): void {
  const tables = createCandidateTables(join(folder, "data", "gateway"));
  tables.open();
  tables.put(rows, { maxRows: 1000, maxBytes: 1e9 });
  tables.close();
}

describe("what the log can tell", () => {
  test("alarms that a lower threshold gains: for certain, at most, and not where the wearer walked", async () => {
    await addDevice();
    const rows = [
      row(strong + 0.001),
      row(0.6),
      row(0.55, { afterwards: null }),
      row(0.65, { afterwards: "walked" }),
      row(0.4),
    ];
    logged(...rows);
    const report = await tuned("--threshold", "0.5");
    expect(report.alarms).toEqual({ now: 1, proposed: 3 });
    expect(report.lost).toEqual([]);
    expect(report.gained).toMatchObject([
      { score: 0.6, sure: true, at: new Date(Math.round(rows[1]!.impactAt)).toISOString() },
      { score: 0.55, sure: false, why: expect.stringContaining("at most an alarm") },
    ]);
    expect(report).toMatchObject({ refused: [], confirmed: { falls: 0 }, limits: { least: 0.02 } });
    const text = await tune("--threshold", "0.5");
    expect(text).toMatch(/^0\.55–0\.60 █+ +1$/m);
    expect(text).toMatch(/^0\.50–0\.55 +0 {2}◀ proposed 0\.5000$/m);
  });

  test("scores of another model are asked for anew from their windows; what has none is left out and counted", async () => {
    await addDevice();
    logged(row(0.99, { model: "0.9.0", window: spike(3000) }), row(0.99, { model: "0.9.0" }), row(0.4));
    const { source, scores } = await tuned("--threshold", "0.5");
    expect(source).toMatchObject({ kind: "log", candidates: 2, otherModel: 1 });
    const classifier = await loadClassifier({ backend: "auto" });
    const [score] = classifier.score("wrist", [modelInput(windowOf(spike(3000)))]);
    classifier.dispose();
    expect(scores).toEqual([score, 0.4]);
  });

  test("what was worn where another model judges is left out; older than the days is not looked at", async () => {
    await addDevice();
    logged(row(0.6, { placement: "waist" }), row(0.6, { impactAt: clock.wallNow() - 3 * 86_400_000 }), row(0.3));
    expect((await tuned("--threshold", "0.5", "--days", "2")).source).toMatchObject({ candidates: 1, otherPlace: 1 });
    expect((await tuned("--threshold", "0.5")).source).toMatchObject({ candidates: 2, days: 14 });
  });

  test("a device that says ±4 g and never shows more than 2 is told of", async () => {
    await addDevice();
    logged(...Array.from({ length: 20 }, () => row(0.4, { window: spike(2000) })));
    expect(await tune("--threshold", "0.5")).toMatch(/says that it measures beyond ±2 g, but none of 20 windows/);
    logged(row(0.4, { window: spike(2100) }));
    expect(await tune("--threshold", "0.5")).not.toContain("may clip");
  });
});

describe("where one half is not here", () => {
  test("without a gateway's log: what is gained is not known, and that is said", async () => {
    await addDevice();
    const text = await tune("--threshold", "0.5");
    expect(text).toContain("No gateway keeps its log of candidates in this data folder");
    expect(text).toContain("Confirmed: 0 falls");
    expect(await tuned("--threshold", "0.5")).toMatchObject({ source: null, alarms: null, gained: [] });
  });

  test("without alerting's store: alarms are told without outcomes, and nothing is applied", async () => {
    const {
      alerting: _,
      gateway,
      ...rest
    } = townSettings({ dataDir: "data", phonesUrl: "http://127.0.0.1:1", port: 1 });
    const intake = { url: "http://127.0.0.1:1", token: "a-token-of-more-than-twenty-characters" };
    configure({ ...rest, gateway: { ...gateway, intake } });
    await expect(tune("--threshold", "0.5")).rejects.toThrow(/no gateway has kept a register/);
    const tables = createOutboxTables(join(folder, "data", "gateway"));
    tables.open(clock.wallNow());
    const device = { deviceId: "watch-1", secretHash: "", placement: "wrist" as const, revoked: false, threshold: 0.7 };
    tables.writeControl({ v: 1, version: 1, devices: [device] });
    tables.close();
    logged(row(0.6), row(0.75));
    const report = await tuned("--threshold", "0.5");
    expect(report).toMatchObject({
      threshold: { now: 0.7, own: true },
      confirmed: null,
      alarms: { now: 1, proposed: 2 },
    });
    expect(report.refused).toEqual([expect.stringContaining("run it where alerting runs")]);
    expect(await tune("--threshold", "0.5")).toContain("outcomes are in alerting's store, elsewhere");
    await expect(tune("--threshold", "0.5", "--apply", "--approved-by", "maria")).rejects.toThrow(
      /nothing was changed: alerting's register is not here/,
    );
    await expect(tune("--suggest")).rejects.toThrow(/run it where alerting runs/);
  });
});

describe("what is asked for", () => {
  test.each([
    [[], /one of --threshold/],
    [["--threshold", "0.5", "--suggest"], /one of --threshold/],
    [["--threshold", "0.5", "--to", "1"], /--to goes with --revert/],
    [["--suggest", "--apply", "--approved-by", "maria"], /not approved yet/],
    [["--threshold", "0.5", "--apply"], /only with --approved-by/],
    [["--revert"], /only with --approved-by/],
  ] as const)("%s is refused", async (args, mend) => {
    await addDevice();
    await expect(tune(...args)).rejects.toThrow(mend);
  });

  const evidenceOf = (alarms: [score: number, lesson: Lesson][], threshold: number | null = null) => ({
    deviceId: "watch-1",
    placement: "wrist" as const,
    model: "wrist" as const,
    card: { ...card, bank: { wrist: { wide: [[0.03, 0.95] as [number, number]] } } },
    limits: { least: 0.02, most: 0.95, by: "bank" as const, keeps97: 0.95 },
    threshold,
    ranges: ["wide" as const],
    log: null,
    alarms: alarms.map(([score, lesson], i) => ({
      ...{ detectionId: `watch-1.1.${i}.fall`, impactAt: 0, strength: "medium" as const, rangeG: 4, model: "m" },
      ...{ episodeId: `${i}`, outcome: "unhurt" as const, score, lesson },
    })),
    notComparable: 0,
    versions: [],
  });

  test("one at which a confirmed fall would raise no alarm is refused, with the highest that loses none; lowering never is", () => {
    const found = evidenceOf([
      [0.87, "fall"],
      [0.93, "fall"],
      [0.86, "no-fall"],
      [0.88, "nothing"],
    ]);
    expect(reportOf(found, 0.87).refused).toEqual([]);
    expect(reportOf(found, 0.87).confirmed).toMatchObject({ falls: 2, noFalls: 1, noFallsDropped: 1, teachNothing: 1 });
    const { refused, confirmed } = reportOf(found, 0.9);
    expect(refused).toEqual(["1 confirmed fall would raise no alarm; the highest threshold that loses none is 0.8700"]);
    expect(confirmed?.fallsLost).toMatchObject([{ score: 0.87 }]);
    expect(reportOf(found, 0.96).refused).toEqual([
      expect.stringMatching(/0.9600 is too high: up to 0.9500 97 %/),
      expect.stringMatching(/^2 confirmed falls would/),
    ]);
    // Found while a lower one was in force: it is lost already, and a threshold on the way back down is none the worse for it.
    expect(reportOf(evidenceOf([[0.4, "fall"]], 0.9), 0.6).refused).toEqual([]);
    expect(reportOf(evidenceOf([], 0.5), 0.01).refused).toEqual([expect.stringMatching(/no threshold is under 0.02/)]);
  });

  test("a threshold above the model's own, without a bank in the card, is refused; so is a revoked device", async () => {
    await addDevice();
    const higher = (medium + 0.01).toFixed(4);
    const limits = { least: 0.02, most: medium, by: "medium-without-bank" as const, keeps97: null };
    expect(reportOf({ ...evidenceOf([]), limits }, Number(higher)).refused).toEqual([
      expect.stringMatching(/too high: the model's card has no bank of falls/),
    ]);
    await run("device", "revoke", "watch-1");
    await expect(tune("--threshold", "0.5")).rejects.toThrow(/no device has the id watch-1, or it was revoked/);
  });

  test("a threshold set by hand is a version too; one that is so already is not set again", async () => {
    await addDevice();
    await run("device", "threshold", "watch-1", "0.4", "--approved-by", "maria");
    expect(await tune("--history")).toMatch(/^1 .*0\.4 +the model's +maria +set/m);
    await expect(tune("--threshold", "0.4", "--apply", "--approved-by", "eva")).rejects.toThrow(/so already/);
    expect(await tune("--revert", "--approved-by", "eva")).toContain("the model's own is in force again, as version 2");
    expect(await tuned("--history")).toMatchObject([{ version: 1 }, { version: 2, threshold: null, revertsTo: 0 }]);
  });
});
