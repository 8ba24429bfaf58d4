import { describe, expect, test } from "vitest";
import type { Said } from "./adapter.ts";
import {
  type DeviceReports,
  openReports,
  type ReportsInput,
  sameFallMs,
  stepReports,
  type Told,
  warningMs,
} from "./device-reports.ts";

const fall = (says: "alarm" | "warning" | "over", key?: string): Said => ({
  ...{ kind: "fall", device: "radar-38", says, state: says, sensor: "a radar", age: 0 },
  ...(key ? { key } : {}),
});
const help = (key?: string): Said => ({ kind: "help", device: "radar-38", age: 0, ...(key ? { key } : {}) });
const presence = (state: "on" | "off", age: number | null = 0): Said => ({
  ...{ kind: "presence", device: "radar-38", sensor: "radar", state, age },
});
const available = (online: boolean, isLive = true): Said => ({
  ...{ kind: "availability", device: "radar-38", online, isLive },
});

/** Plays inputs at seconds since the start, with ticks when the machine asks for them. */
function play(...inputs: [seconds: number, input: ReportsInput][]) {
  let state: DeviceReports = openReports(9);
  let wakeAt: number | null = null;
  const told: (Told & { at: number })[] = [];
  const step = (input: ReportsInput, now: number) => {
    const next = stepReports(state, input, now);
    state = next.state;
    wakeAt = next.wakeAt;
    told.push(...next.told.map((one) => ({ ...one, at: now / 1000 })));
  };
  for (const [seconds, input] of inputs) {
    for (let turns = 0; wakeAt !== null && wakeAt <= seconds * 1000 && turns < 1000; turns++)
      step({ kind: "tick" }, wakeAt);
    if (input.kind !== "tick") step(input, seconds * 1000);
  }
  const falls = told.flatMap((one) => (one.kind === "fall" ? [{ at: one.at, ...one.fall }] : []));
  const ids = new Set(falls.map(({ identity }) => `${identity.boot} ${identity.seq}`));
  const helps = told.flatMap((one) => (one.kind === "help" ? [`${one.report.boot} ${one.report.seq}`] : []));
  const seen = told.flatMap((one) => (one.kind === "presence" ? [{ at: one.at, ...one.report }] : []));
  return { state, told, falls, ids, helps, seen };
}
const until = (seconds: number): [number, ReportsInput] => [seconds, { kind: "tick" }];

describe("a fall that a sensor reports", () => {
  test("an alarm is told at once; said again it is the same", () => {
    const { falls, ids } = play([0, fall("alarm")], [5, fall("alarm")], [600, fall("alarm")]);
    expect(falls[0]).toMatchObject({ at: 0, strength: "strong", state: "alarm", sensor: "a radar", age: 0 });
    expect(ids.size).toBe(1);
    // Told when it was first said.
    expect(falls[2]).toMatchObject({ at: 600, age: 600_000 });
  });

  test("over, and again: another fall", () => {
    expect(play([0, fall("alarm")], [60, fall("over")], [70, fall("alarm")]).ids.size).toBe(2);
  });

  test("where its end was lost, the next is another all the same: by a warning before it, or after half an hour", () => {
    expect(play([0, fall("alarm")], [60, fall("warning")], [70, fall("alarm")]).ids.size).toBe(2);
    expect(play([0, fall("alarm")], [sameFallMs / 1000 - 1, fall("alarm")]).ids.size).toBe(1);
    expect(play([0, fall("alarm")], [sameFallMs / 1000 + 1, fall("alarm")]).ids.size).toBe(2);
  });

  test("a warning tells nothing where it is taken back, or becomes an alarm; left standing it is told as suspected", () => {
    expect(play([0, fall("warning")], [warningMs / 1000 - 1, fall("over")], until(600)).falls).toEqual([]);
    expect(play([0, fall("warning")], [20, fall("alarm")], until(600)).falls).toMatchObject([
      { at: 20, strength: "strong" },
    ]);
    const left = play([0, fall("warning")], [30, fall("warning")], until(600));
    expect(left.falls).toMatchObject([{ at: 60, strength: "medium", state: "warning", age: 60_000 }]);
    // A sensor that went away meanwhile took nothing back.
    expect(
      play([0, fall("warning")], [10, available(false)], [12, { kind: "reconnected" }], until(600)).falls,
    ).toHaveLength(1);
  });

  test("suspected and then sure, it is told again as that", () => {
    const { falls, ids } = play([0, fall("warning")], until(61), [70, fall("alarm")]);
    expect(falls.map(({ strength }) => strength)).toEqual(["medium", "strong"]);
    expect(ids.size).toBe(2);
  });

  test("with a key of the message, it has the same identity after a restart of ours", () => {
    const [one, other] = [play([0, fall("alarm", "k1")]), play([5, fall("alarm", "k1")])];
    expect(one.falls[0]?.identity).toEqual(other.falls[0]?.identity);
    expect(play([0, fall("alarm", "k2")]).falls[0]?.identity).not.toEqual(one.falls[0]?.identity);
    expect(play([0, fall("alarm", "k2")]).falls[0]?.identity).not.toEqual(play([0, fall("alarm")]).falls[0]?.identity);
  });
});

describe("a button", () => {
  test("a push is told again under the same identity within seconds, and is another after that", () => {
    const { helps } = play([0, help()], [1, help()], [2.9, help()], [3.1, help()], [600, help()]);
    expect(helps).toHaveLength(5);
    expect(new Set(helps).size).toBe(3);
  });

  test("pushes with keys of their own are told apart by them", () => {
    expect(new Set(play([0, help("a")], [10, help("b")], [20, help("a")]).helps).size).toBe(2);
  });
});

describe("presence", () => {
  test("each change is told; the same again once a minute", () => {
    const { seen } = play(
      [0, presence("on")],
      [20, presence("on")],
      [40, presence("off")],
      [99, presence("off")],
      [101, presence("off")],
    );
    expect(seen.map(({ at, state }) => `${at} ${state}`)).toEqual(["0 on", "40 off", "101 off"]);
    expect(new Set(seen.map(({ seq }) => seq)).size).toBe(3);
  });

  test("what the broker may have kept, and that says no time, is not told", () => {
    expect(play([0, presence("on", null)], [10, presence("off", 2500)]).seen).toMatchObject([
      { state: "off", age: 2500 },
    ]);
  });

  test("after a silence of the device or of the broker it begins anew", () => {
    const boots = (between: ReportsInput[]) =>
      play([0, presence("on")], ...between.map((one): [number, ReportsInput] => [10, one]), [
        20,
        presence("on"),
      ]).seen.map(({ boot }) => boot);
    expect(new Set(boots([])).size).toBe(1);
    expect(new Set(boots([{ kind: "reconnected" }])).size).toBe(2);
    expect(new Set(boots([available(false), available(true)])).size).toBe(2);
    expect(new Set(boots([available(true)])).size).toBe(1);
  });

  test("on a connection of its own its last word is confirmed while that stands, and not after", () => {
    const hours = (...more: [number, ReportsInput][]) =>
      play([0, available(true)], [1, presence("on")], ...more, until(7300)).seen.length;
    expect(hours()).toBe(5);
    expect(hours([10, available(false)])).toBe(1);
    expect(hours([10, { kind: "reconnected" }])).toBe(1);
    expect(play([0, available(true, false)], [1, presence("on")], until(7300)).seen).toHaveLength(1);
  });
});

test("a sensor that is opened is told of at once, not with the next sign of life", () => {
  const alive = (tamper?: boolean): Said => ({
    kind: "alive",
    device: "radar-38",
    ...(tamper === undefined ? {} : { tamper }),
  });
  const { told } = play([0, alive(false)], [5, alive(true)], [8, alive()], [9, alive(true)], [20, alive(false)]);
  expect(told.map((one) => one.kind === "status" && one.report.tamper)).toEqual([false, true, false]);
});

test("signs of life are handed on once a minute, with the last charge; availability when it changes", () => {
  const alive = (battery?: number): Said => ({ kind: "alive", device: "radar-38", ...(battery ? { battery } : {}) });
  const { told } = play(
    [0, alive(80)],
    [30, alive(70)],
    [70, alive()],
    [71, available(true)],
    [72, available(true)],
    [73, available(false)],
  );
  expect(told).toMatchObject([
    { kind: "status", report: { battery: 80 } },
    { kind: "status", report: { battery: 70 } },
    { kind: "availability", online: true },
    { kind: "availability", online: false },
  ]);
});
