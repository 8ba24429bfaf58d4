import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { AlertingConfig } from "../alerting/config.ts";
import { zoneOf } from "../alerting/rota/local-time.ts";
import { type RotaConfig, weekdays } from "../alerting/rota/rota-config.ts";
import { createPlan } from "../alerting/rota/shifts.ts";
import { rotaWords } from "../alerting/rota/words.ts";
import { openSqliteStore } from "../alerting/store/sqlite.ts";
import { systemClock } from "../firmware-contracts/clock.ts";
import { typed } from "../test/services/typed.ts";
import { rotaCommand } from "./rota.ts";
import { checkRotas } from "./rota-check.ts";
import { weekTable } from "./rota-week.ts";

const every = [...weekdays];
const shift = (id: string, name: string, from: string, to: string, responders: string[], days = every) => ({
  id,
  name,
  days,
  from,
  to,
  responders,
});
const alerting = {
  language: "sv",
  http: { publicUrl: "https://larm.example.se" },
  twilio: { accountSid: `AC${"0".repeat(32)}`, authToken: "a-token-of-the-account-1234", from: "+46766860000" },
  responders: [
    { id: "day-car", name: "Dagbil", phone: "+46701740601" },
    { id: "patrol-2", name: "Patrull 2", phone: "+46701740602" },
    { id: "patrol-3", name: "Patrull 3", phone: "+46701740603" },
    { id: "patrol-4", name: "Patrull 4 Gustavsb.", phone: "+46701740604" },
  ],
  policy: { steps: [{ responders: ["patrol-2"], waitSeconds: 120 }] },
  operators: ["day-car"],
  intake: { token: "t".repeat(27) },
  holidays: [{ date: "2027-03-26", name: "Långfredagen" }],
  rotas: [
    {
      id: "north",
      name: "Hemtjänst norr",
      unit: "Norr",
      shifts: [
        shift("day", "Dag", "07:00", "21:30", ["day-car"], every.slice(0, 6)),
        shift("sunday", "Söndag", "07:00", "16:00", ["day-car"], ["sun"]),
        shift("night", "Natt", "21:30", "07:00", ["patrol-2", "patrol-3"]),
      ],
    },
  ],
};

let folder: string;
let config: string;
let now: number;
beforeEach(() => {
  now = Date.parse("2027-03-26T23:00+01:00");
  folder = mkdtempSync(join(tmpdir(), "fallvakt-rota-"));
  config = join(folder, "fallvakt.yaml");
  writeFileSync(config, stringify({ dataDir: "data", alerting }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as a person types it, and returns what it prints. */
async function run(...args: string[]): Promise<string> {
  const clock = { ...systemClock(), wallNow: () => now };
  return typed(rotaCommand(clock), ...args, "--config", config);
}
const json = async (...args: string[]) => JSON.parse(await run(...args, "--json"));

describe("a week as a table", () => {
  test("the week in which the clock is put forward: every shift, the gap, the holiday; nothing is wider than a terminal", async () => {
    expect(await run("show", "--week")).toBe(`Hemtjänst norr (north, Norr), vecka 12 2027
  mån 22/3   –07.00        Natt      Patrull 2, Patrull 3
             07.00–21.30   Dag       Dagbil
             21.30–07.00   Natt      Patrull 2, Patrull 3
  tis 23/3   07.00–21.30   Dag       Dagbil
             21.30–07.00   Natt      Patrull 2, Patrull 3
  ons 24/3   07.00–21.30   Dag       Dagbil
             21.30–07.00   Natt      Patrull 2, Patrull 3
  tor 25/3   07.00–21.30   Dag       Dagbil
             21.30–07.00   Natt      Patrull 2, Patrull 3
  fre 26/3   Långfredagen
             07.00–16.00   Söndag    Dagbil
             16.00–21.30   GAP       ingen har jour
>            21.30–07.00   Natt      Patrull 2 (inte påloggad),
                                     Patrull 3 (inte påloggad)
  lör 27/3   07.00–21.30   Dag       Dagbil
             21.30–07.00   Natt      Patrull 2, Patrull 3
  sön 28/3   klockan ställs fram från 02 till 03
             07.00–16.00   Söndag    Dagbil
             16.00–21.30   GAP       ingen har jour
             21.30–07.00   Natt      Patrull 2, Patrull 3
`);
  });

  test("in English, with a hand-over, a crew, a sign-on and one that was not answered", async () => {
    const store = openSqliteStore(join(folder, "data", "alerting"));
    const key = { rotaId: "north", startsAt: Date.parse("2027-03-26T21:30+01:00"), at: now - 86 * 60_000 };
    await store.rota.addSignOns([
      { ...key, responderId: "patrol-2", kind: "signed-on", via: "sms", crew: null, by: null },
      { ...key, responderId: "patrol-3", kind: "missed", via: null, crew: null, by: null },
    ]);
    await store.close();
    await run("crew", "north", "patrol-2", "EA, MK", "--by", "eva");
    const told = await run(
      "hand-over",
      "north",
      "--from",
      "patrol-3",
      "--to",
      "patrol-4",
      "--at",
      "23:30",
      "--by",
      "eva",
    );
    expect(told).toMatch(/Change 1: Patrull 4 Gustavsb. takes over from Patrull 3 at Fri 26\/3 23:30/);
    const table = await run("show", "--week", "--language", "en");
    expect(table).toContain(`>            21:30–23:30   Natt      Patrull 2 (signed on 21:34; EA, MK),
                                     Patrull 3 (DID NOT ANSWER the test alarm)
             23:30–07:00   Natt      Patrull 2, Patrull 4 Gustavsb.
`);
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("a week gone by has the changes of then, and only an override of days is said on each of them", async () => {
    await run("override", "north", "--responder", "patrol-4", "--until", "2027-03-29 09:00", "--by", "eva");
    now += 200 * 86_400_000;
    const table = await run("show", "--week", "2027-W12");
    expect(table).toContain(`  fre 26/3   Långfredagen
             07.00–16.00   Söndag    Dagbil
             16.00–21.30   GAP       ingen har jour
             21.30–23.00   Natt      Patrull 2, Patrull 3
             23.00–        ändring   Patrull 4 Gustavsb.
  lör 27/3   hela dygnet   ändring   Patrull 4 Gustavsb.
`);
    expect(await run("show", "--week", "2027-W13")).toContain(
      "  mån 29/3   –09.00        ändring   Patrull 4 Gustavsb.\n",
    );
  });

  test("the night in which an hour comes twice: which of the two is said", async () => {
    now = Date.parse("2027-10-31T02:10+01:00");
    await run("hand-over", "north", "--from", "patrol-3", "--to", "patrol-4", "--by", "eva");
    const table = await run("show", "--week");
    expect(table).toContain("21.30–02.10B  Natt      Patrull 2, Patrull 3\n");
    expect(table).toContain("timmen 02–03 kommer två gånger, först A och sedan B");
  });

  /** The lines of a table as text, with everything as long as it may be. */
  function longest(language: "sv" | "en") {
    const settings = AlertingConfig.parse({
      ...alerting,
      rotas: [
        {
          ...alerting.rotas[0],
          shifts: [shift("all", "N".repeat(20), "12:00", "12:00", ["day-car", "patrol-2", "patrol-3"])],
        },
      ],
    });
    const { holidays, timeZone } = settings;
    const rota = settings.rotas[0] as RotaConfig;
    const zone = zoneOf(timeZone);
    const changes = [
      {
        id: 1,
        rotaId: "north",
        withdrawnAt: null,
        kind: "override",
        mode: "also",
        from: now,
        until: now + 9e8,
        responders: ["patrol-4"],
      } as const,
    ];
    const state = { askedAt: now, signedOnAt: null, missedAt: now, via: null, crew: "Q".repeat(40) };
    return weekTable({
      rota,
      plan: createPlan({
        rota,
        holidays,
        changes: changes.map((change) => ({ ...change, responders: [...change.responders] })),
        timeZone,
      }),
      holidays,
      zone,
      monday: zone.dayOf(now) - 4,
      now,
      nameOf: () => "W".repeat(20),
      signOn: () => state,
      unreachable: new Set(["day-car"]),
      words: rotaWords(language, zone),
      width: 80,
    });
  }

  test.each(["sv", "en"] as const)(
    "with the longest names, states and crews it is 80 columns wide at most, and nothing is left out: %s",
    (language) => {
      const lines = longest(language).map((line) => line.map(({ text }) => text).join(""));
      expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(80);
      // Three and an override, on the running row; the other days are without states.
      expect(lines.join("").match(/Q/g)).toHaveLength(4 * 40);
    },
  );

  test("a phone that cannot be reached is marked, by word and by colour", () => {
    const marked = longest("sv")
      .flat()
      .filter(({ tone }) => tone === "bad")
      .map(({ text }) => text)
      .join("");
    expect(marked.match(/NÅ/g)?.length).toBeGreaterThanOrEqual(7);
  });

  test("a phone that the service has lost is marked", async () => {
    const store = openSqliteStore(join(folder, "data", "alerting"));
    await store.contacts.put({ responderId: "patrol-3", lost: "30005", phone: "of-a-number" }, now);
    await store.close();
    const nowLines = (await run("show")).split("\n");
    expect(nowLines.find((line) => line.includes("Patrull 3"))).toContain("GÅR INTE ATT NÅ");
    expect(nowLines.find((line) => line.includes("Patrull 2"))).not.toContain("GÅR INTE");
    expect(await run("show", "--week", "2027-W12")).toContain("NÅ");
  });

  test("wrong weeks and rotas are refused with the mend", async () => {
    await expect(run("show", "--week", "2027-12")).rejects.toThrow(/write it as 2026-W48/);
    await expect(run("show", "south")).rejects.toThrow(/no rota south; known are north/);
    await expect(
      run("swap", "north", "--shift", "night@2027-03-27", "--with", "late@2027-03-28", "--by", "eva"),
    ).rejects.toThrow(/no shift late begins on 2027-03-28; on that day begin: sunday, night/);
    await expect(run("override", "north", "--responder", "patrol-4", "--until", "soon", "--by", "eva")).rejects.toThrow(
      /no time; write it as/,
    );
  });
});

test("who is on call now, in the order of paging, and who comes then", async () => {
  expect(await run("show")).toBe(`Hemtjänst norr (north, Norr)
  Har jour nu, till lör 27/3 07.00:
    Patrull 2             inte påloggad
    Patrull 3             inte påloggad
  sedan, från lör 27/3 07.00:
    Dagbil
  GAP  sön 28/3 16.00 – sön 28/3 21.30      5,5 h  Hemtjänst norr
`);
  expect(await json("show")).toMatchObject([
    {
      id: "north",
      onCallNow: ["patrol-2", "patrol-3"],
      shifts: [{ shiftId: "night", startsAt: "2027-03-26T20:30:00.000Z" }],
    },
  ]);
});

test("changes by the commands: gaps filled, shifts swapped, listed with who made them, withdrawn", async () => {
  expect(await json("gaps")).toEqual([
    { rotaId: "north", from: "2027-03-28T14:00:00.000Z", until: "2027-03-28T19:30:00.000Z" },
  ]);
  await run(
    "override",
    "north",
    "--responder",
    "patrol-4",
    "--from",
    "2027-03-28 16:00",
    "--until",
    "21:30",
    "--by",
    "eva",
  );
  expect(await run("gaps")).toMatch(/Någon har jour hela tiden de närmaste 7 dygnen/);
  const swapped = await run(
    "swap",
    "north",
    "--shift",
    "night@2027-03-27",
    "--with",
    "sunday@2027-03-28",
    "--by",
    "tom",
  );
  expect(swapped).toContain("Sat 27/3 21:30: Dagbil; Sun 28/3 07:00: Patrull 2, Patrull 3");
  await run("withdraw", "1", "--by", "maria");
  expect(await run("gaps")).toContain("GAP");
  const listed = await run("changes", "north");
  expect(listed).toMatch(/^1 .* eva +override: instead patrol-4, Sun 28\/3 16:00 – Sun 28\/3 21:30$/m);
  expect(listed).toMatch(/^2 .* tom +swap: night Sat 27\/3 21:30 with sunday Sun 28\/3 07:00$/m);
  expect(listed).toMatch(/^3 .* maria +withdraws 1$/m);
});

describe("iCalendar", () => {
  /** RFC 5545: folded lines are put together again. */
  const eventsIn = (text: string) =>
    text
      .replaceAll("\r\n ", "")
      .split("BEGIN:VEVENT\r\n")
      .slice(1)
      .map((event) => Object.fromEntries(event.split("\r\n").map((line) => line.split(/:(.*)/s).slice(0, 2))));

  test("times in UTC, over the switch too; ids that stay; names and no numbers", async () => {
    const text = await run("export", "--weeks", "2");
    const events = eventsIn(text);
    const night = events.find(({ DTSTART }) => DTSTART === "20270327T203000Z");
    expect(night).toMatchObject({
      DTEND: "20270328T050000Z",
      SUMMARY: "Natt: Patrull 2\\, Patrull 3",
      DTSTAMP: "20270326T220000Z",
    });
    expect(new Set(events.map(({ UID }) => UID)).size).toBe(events.length);
    expect(events).toHaveLength(1 + 14 + 14);
    expect(text).not.toMatch(/\+?4670174/);
    now += 3_600_000;
    await run("crew", "north", "patrol-2", "EA, MK", "--by", "eva");
    await run("swap", "north", "--shift", "night@2027-03-27", "--with", "sunday@2027-03-28", "--by", "eva");
    const later = await run("export", "--weeks", "2");
    const same = eventsIn(later).find(({ UID }) => UID === night?.UID);
    expect(same).toMatchObject({ SUMMARY: "Natt: Dagbil", DTSTAMP: "20270326T230000Z" });
    expect(later).not.toContain("EA");
    // A shift whose end is handed over is still the same event, and the rest is another.
    const running = events.find(({ DTSTART }) => DTSTART === "20270326T203000Z");
    await run("hand-over", "north", "--from", "patrol-3", "--to", "patrol-4", "--at", "02:15", "--by", "eva");
    const handed = eventsIn(await run("export", "--weeks", "2"));
    expect(handed.find(({ UID }) => UID === running?.UID)).toMatchObject({ DTEND: "20270327T011500Z" });
    expect(handed).toHaveLength(events.length + 1);
  });

  test("one person's, into a file", async () => {
    const out = join(folder, "patrol-4.ics");
    await run(
      "hand-over",
      "north",
      "--from",
      "patrol-3",
      "--to",
      "patrol-4",
      "--at",
      "2027-03-27 02:15",
      "--by",
      "eva",
    );
    expect(await run("export", "--person", "patrol-4", "--out", out)).toBe(`Wrote ${out}, 8 weeks.\n`);
    expect(eventsIn(readFileSync(out, "utf8"))).toMatchObject([
      { DTSTART: "20270327T011500Z", DTEND: "20270327T060000Z", SUMMARY: "Natt: Hemtjänst norr" },
    ]);
    await expect(run("export", "--person", "eva")).rejects.toThrow(/no responder has the id eva; known are day-car/);
  });
});

describe("what check says of the rotas", () => {
  const checked = (settings: object = {}) =>
    checkRotas(AlertingConfig.parse({ ...alerting, ...settings }), join(folder, "data", "alerting"), now);

  test("a gap within a week, with its time and a mend that works; and the pattern's own", async () => {
    const [gap, pattern, holidays, ...rest] = checked();
    expect(gap).toMatchObject({
      key: "alerting.rotas.0",
      says: expect.stringMatching(/^nobody is on call in north Sun 28\/3 16:00 – Sun 28\/3 21:30;/),
    });
    expect(pattern).toMatchObject({ key: "alerting.rotas.0.shifts", says: expect.stringContaining("leaves gaps") });
    expect(holidays).toMatchObject({
      key: "alerting.holidays",
      says: expect.stringContaining("the last one is 2027-03-26"),
    });
    expect(rest).toEqual([]);
    const [, mend = ""] = /fallvakt rota (override .*)$/.exec(gap?.says ?? "") ?? [];
    const typed =
      mend
        .replace("ID", "patrol-4")
        .replace("NAME", "eva")
        .match(/"[^"]*"|\S+/g) ?? [];
    await run(...typed.map((word) => word.replaceAll('"', "")));
    expect(checked().map(({ key }) => key)).toEqual(["alerting.rotas.0.shifts", "alerting.holidays"]);
  });

  test("a store of another version is left alone, and judged without", async () => {
    await run(
      "override",
      "north",
      "--responder",
      "patrol-4",
      "--from",
      "2027-03-28 16:00",
      "--until",
      "21:30",
      "--by",
      "eva",
    );
    expect(checked().map(({ key }) => key)).not.toContain("alerting.rotas.0");
    const file = new DatabaseSync(join(folder, "data", "alerting", "alerting.db"));
    file.exec("PRAGMA user_version = 3");
    expect(checked().map(({ key }) => key)).toContain("alerting.rotas.0");
    expect(file.prepare("PRAGMA user_version").get()).toEqual({ user_version: 3 });
    file.close();
  });

  test("nothing is said of a rota without gaps, and nothing is written", () => {
    const rota = { ...alerting.rotas[0], shifts: [shift("all", "Alla", "07:00", "07:00", ["day-car"])] };
    expect(checked({ rotas: [rota], holidays: [] })).toEqual([]);
    expect(() => readFileSync(join(folder, "data", "alerting", "alerting.db"))).toThrow(/ENOENT/);
  });
});
