import { expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../../test/alerting/episode-play.ts";
import { timelineOf } from "../board.ts";
import type { TimelineEntry } from "../console/api.ts";
import type { EpisodeFacts, EpisodeInput } from "../episode-state.ts";
import { forbiddenIn, medicalWords } from "../messages/forbidden-words.ts";
import { zoneOf } from "../rota/local-time.ts";
import { composeFallReport } from "./fall-report.ts";
import { shiftWords } from "./words.ts";

// The impact of `episode-play.ts` is at 03.11.48 in Stockholm, the alarm at 03.12.00.
const zone = zoneOf("Europe/Stockholm");
const names: Record<string, string> = { p1: "Patrull 2", p2: "Patrull 3", p3: "Patrull 4" };
const nameOf = (id: string) => names[id] ?? id;
const roles = new Map([["Maria Lind", "operator"] as const]);
const user = { name: "Maria Lind", role: "operator" } as const;
const place = { alias: "38", unit: "Gustavsberg", area: "Gustavsberg syd", areaInTexts: true, room: "badrum" };

/** Plays an episode and keeps its story, as the log would give it. */
class Told extends Play {
  story: TimelineEntry[] = [];
  constructor(about: Partial<EpisodeFacts> = {}) {
    super({ place, ...about });
    this.keep({ type: "opened", facts: { ...facts, place, ...about } });
  }
  override put(input: EpisodeInput, afterMs = second): this {
    super.put(input, afterMs);
    this.keep(input);
    return this;
  }
  private keep(input: EpisodeInput): void {
    const events = this.commands.flatMap((command) => (command.do === "tell" ? [command.event] : []));
    this.story = [...(this.story ?? []), ...timelineOf(input, events, this.now, nameOf)];
  }
  report(language: "sv" | "en" = "sv") {
    const { state, story } = this;
    const made = composeFallReport({ state, story, roles, nameOf }, shiftWords(language, zone));
    return { ...made, of: (id: string) => made.fields.find((field) => field.id === id)?.value };
  }
}

const taken = () => new Told().reply("p1", "T", 50 * second).reply("p1", "V", 2 * minute);

test("to the minute: when, where, found by whom, how long at least on the floor, and the course of the alarm", () => {
  const told = taken()
    .reply("p1", "F", 16 * minute)
    .reply("p1", "S", 12 * minute);
  const report = told.report();
  expect(report.fields.map(({ label, value }) => `${label}: ${value}`)).toEqual([
    "Vem: Nyckel 38 (fyll i namn)",
    "Enhet: Gustavsberg",
    "Plats: Gustavsberg syd, badrum",
    "Tid för fallet: 2026-11-24 03.11",
    "Hur det upptäcktes: Sensorn larmade hårt fall, stilla fram till larmet.",
    "Hittad: 2026-11-24 03.30 av Patrull 2",
    "Vad hade hänt: Skada. (Beskriv)",
    "Tid på golvet: minst 19 min (från fallet till att någon var framme)",
    "Åtgärd: (fyll i)",
    "Larmets gång: Larm 03.12 · sms 03.12 till Patrull 2 · taget 03.12 av Patrull 2 · på väg 03.14, Patrull 2 · framme 03.30, Patrull 2 · avslutat 03.42 av Patrull 2",
    "Svarstider: larm till taget 0 min, larm till framme 18 min",
    "Underlag: larm 274, e1",
    "Rapporten skriven av: (fyll i)",
  ]);
  expect(report.floor).toEqual({ minutes: 19, isLeast: true });
  expect(report.text).toContain("Tid för fallet: 2026-11-24 03.11\n");
});

test("what somebody there has said of the time on the floor goes before what was measured, and is no lower bound", () => {
  const told = taken().reply("p1", "F", 16 * minute);
  told.put({
    type: "console",
    action: { action: "close", outcome: "unhurt", done: "lift-help", floorMinutes: 25 },
    user,
  });
  const report = told.report();
  expect(report.floor).toEqual({ minutes: 25, isLeast: false });
  expect([report.of("floor"), report.of("done")]).toEqual(["25 min, enligt den som var på plats", "Lyfthjälp"]);
});

test("nobody by name but the patrols: whoever was at the console is told by what they are", () => {
  const told = new Told().put({ type: "console", action: { action: "take" }, user });
  told.put({ type: "console", action: { action: "arrived" }, user }, 9 * minute);
  for (const language of ["sv", "en"] as const) {
    const report = told.report(language);
    expect(report.text).not.toContain("Maria");
    expect(report.of("found")).toBe(
      language === "sv" ? "2026-11-24 03.21 av larmoperatören" : "2026-11-24 03:21 by the operator",
    );
    expect(forbiddenIn(report.text, medicalWords)).toEqual([]);
  }
  expect(told.report("en").of("what")).toBe("The alarm is not closed yet. (fill in)");
});

test("already up: nobody stayed down. Closed from afar: why, and that nobody was there", () => {
  expect(taken().reply("p1", "F", minute).reply("p1", "R").report().of("floor")).toBe("låg inte kvar");
  const action = { action: "close", outcome: "unknown", reason: "Ringde, svarade inte" } as const;
  const report = new Told().put({ type: "console", action, user }).report();
  expect(report.of("found")).toBe("Avslutat utan att någon varit framme: Ringde, svarade inte");
  expect([report.floor, report.of("floor")]).toEqual([null, "okänd (fyll i)"]);
});

test("an alarm button: the fall was before it, and nobody knows how long", () => {
  const detection = { ...facts.detection!, kind: "help" as const, reason: "help-button" as const };
  const told = new Told({ kind: "help", detection }).reply("p1", "T").reply("p1", "U", 10 * minute);
  const report = told.report();
  expect(report.of("fell")).toBe("före 2026-11-24 03.11, då larmknappen trycktes");
  expect(report.of("floor")).toBe("okänd (fyll i)");
});

test("given back, handed on, a long lie, somebody who could not get in: each in its place", () => {
  const told = new Told().reply("p1", "T").put({ type: "handed-on", responderId: "p1", to: "p3", user }, minute);
  told.put({ type: "long-lie", detectionId: "w.1.1.fall", lyingSeconds: 301, unknownSeconds: 0 }, 4 * minute);
  told
    .reply("p3", "T")
    .reply("p3", "K", 10 * minute)
    .reply("p3", "F", 5 * minute);
  const report = told.report();
  expect(report.of("noticed")).toMatch(/Inga steg uppmätta de första fem minuterna\.$/);
  const course = report.of("course") ?? "";
  for (const part of [
    "lämnat ifrån sig 03.13 av larmoperatören",
    "taget 03.17 av Patrull 4",
    "kom inte in 03.27, Patrull 4",
  ]) {
    expect(course).toContain(part);
  }
  expect(course.match(/sms [\d.]+ till Patrull 4/g)).toHaveLength(1);
});

test("a fall that came in late says when, and one of the hour that comes twice which", () => {
  const since = Date.UTC(2026, 9, 25, 1, 30);
  const detection = { ...facts.detection!, impactAt: since, late: true, clockSuspect: true };
  const report = new Told({ since, detection }).report();
  expect(report.of("fell")).toBe("2026-10-25 02.30B (sensorns klocka var osäker)");
  expect(report.of("noticed")).toContain(
    `Larmet kom in först ${new Date(start + 3_600_000).toISOString().slice(0, 10)} 03.12.`,
  );
});
