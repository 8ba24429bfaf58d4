import { expect, test } from "vitest";
import { facts, minute, Play, start } from "../../test/alerting/episode-play.ts";
import type { EpisodeFacts, EpisodeState } from "../episode-state.ts";
import { forbiddenIn, medicalWords } from "../messages/forbidden-words.ts";
import { zoneOf } from "../rota/local-time.ts";
import type { DeviceRow } from "../store/store.ts";
import { composeHandover, type HandoverAsked, type HandoverData } from "./handover.ts";
import { hasFallReport } from "./handover-alarms.ts";
import { handoverText } from "./handover-text.ts";
import { shiftWords } from "./words.ts";

// The fall of `episode-play.ts` is of Tuesday 24 November 2026, 03.12 in Stockholm.
const zone = zoneOf("Europe/Stockholm");
const local = (hours: number, minutes: number) => Date.UTC(2026, 10, 24, hours - 1, minutes);
const shift = {
  from: local(-3, 30),
  until: local(7, 0),
  unit: null,
  namesUnits: true,
  sees: () => true,
} satisfies HandoverAsked;
const now = local(6, 45);
const names: Record<string, string> = { p1: "Patrull 2", p2: "Patrull 3" };
const nameOf = (id: string) => names[id] ?? id;

const place = { alias: "38", unit: "Gustavsberg", area: "Gustavsberg syd", areaInTexts: true, room: "badrum" };
const fall = (about: Partial<EpisodeFacts> = {}) => new Play({ place, ...about });
const dwelling = { id: "d38", alias: "38", unit: "Gustavsberg", area: "Gustavsberg syd", room: null };
const device: DeviceRow = {
  ...{ deviceId: "watch-38", dwellingId: "d38", placement: "wrist", secretHash: "", revoked: false, threshold: null },
  ...{ leadsOut: false, pause: null, consent: "given", room: null, addedAt: 0, lastSeenAt: now, online: true },
  ...{ battery: 80, isSelfTest: false, gatewayId: null },
  operation: { state: "in-operation", since: 0, by: null, how: null },
} as unknown as DeviceRow;
const nothing: HandoverData = {
  ...{ episodes: [], followUps: [], dwellings: [dwelling], devices: [device], troubles: [], pauses: [], ledgers: [] },
};

function list(data: Partial<HandoverData>, asked: Partial<HandoverAsked> = {}, language: "sv" | "en" = "sv", at = now) {
  const words = shiftWords(language, zone);
  return composeHandover({ ...nothing, ...data }, { ...shift, ...asked }, { words, nameOf, now: at });
}
const handed = (...states: EpisodeState[]) => list({ episodes: states });

test("an alarm is told with where, who had it, when they were there and how it ended", () => {
  const play = fall()
    .reply("p1", "T")
    .reply("p1", "V", minute)
    .reply("p1", "F", 17 * minute)
    .reply("p1", "U", 14 * minute);
  const { alarms, followUps, nurse } = handed(play.state);
  expect(alarms).toMatchObject([{ key: "38", code: "274", status: "closed", outcome: "unhurt", hasReport: true }]);
  expect(alarms[0]?.says).toBe(
    "03.11 Nyckel 38 (Gustavsberg), Gustavsberg syd, badrum: Fall, kod 274. Taget 03.12 av Patrull 2, framme 03.30, avslutat 03.44: oskadd, hjälpt upp.",
  );
  expect([followUps, nurse]).toEqual([[], []]);
});

test("what is not closed is a follow-up, and is on the list whenever it began", () => {
  const { alarms, followUps } = list({ episodes: [fall().state] }, { from: local(4, 0) });
  expect(alarms[0]?.says).toMatch(/EJ TAGET, INTE AVSLUTAT\.$/);
  expect(followUps).toMatchObject([{ kind: "not-closed", done: null, episodeId: "e1" }]);
  expect(followUps[0]?.says).toBe("Nyckel 38 (Gustavsberg), Fall 03.11 (kod 274): inte avslutat.");
});

test("an injury without a word of what was done is to be followed up, and the nurse is told; telling the nurse is doing something", () => {
  const { state } = fall()
    .reply("p1", "T")
    .reply("p1", "S", 10 * minute);
  const open = handed(state);
  expect(open.followUps).toMatchObject([{ kind: "injury", done: null }]);
  expect(open.nurse).toMatchObject([{ kind: "nurse", done: null }]);
  expect(open.nurse[0]?.says).toBe("Nyckel 38 (Gustavsberg), Fall 03.11 (kod 274): skada. Åtgärd: inte noterad.");
  const followUps = [{ episodeId: "e1", kind: "nurse", at: local(6, 30), by: "Maria" } as const];
  const ticked = list({ episodes: [state], followUps });
  const done = { at: local(6, 30), by: "Maria" };
  expect([ticked.followUps[0]?.done, ticked.nurse[0]?.done]).toEqual([done, done]);
  expect(ticked.nurse[0]?.says).toMatch(/Klart 06\.30, Maria\.$/);
});

test.each([
  ["ambulance", 1, 0],
  ["nurse", 1, 0],
  ["nothing", 1, 1],
  ["relative-told", 1, 0],
] as const)("an injury with %s: %i for the nurse, %i to follow up", (done, nurse, followUps) => {
  const user = { name: "Maria", role: "operator" } as const;
  const play = fall().reply("p1", "T").reply("p1", "F");
  play.put({ type: "console", action: { action: "close", outcome: "injury", done }, user });
  const told = handed(play.state);
  expect([told.nurse.length, told.followUps.length]).toEqual([nurse, followUps]);
});

test("nobody at home is to be followed up, night after night, until somebody has; then it is told no more", () => {
  const user = { name: "Maria", role: "operator" } as const;
  const play = fall().reply("p1", "T").reply("p1", "F");
  play.put({ type: "console", action: { action: "close", outcome: "not-home" }, user });
  const nextNight = { from: local(21, 30), until: local(31, 0) };
  const next = list({ episodes: [play.state] }, nextNight, "sv", local(30, 45));
  expect(next.alarms).toEqual([]);
  expect(next.followUps).toMatchObject([{ kind: "not-home", done: null }]);
  expect(next.followUps[0]?.says).toMatch(/Fall tis 24\/11 03\.11/);
  const row = { episodeId: "e1", kind: "not-home", by: "Maria" } as const;
  const data = { episodes: [play.state], followUps: [{ ...row, at: local(8, 0) }] };
  expect(list(data, nextNight, "sv", local(30, 45)).followUps).toEqual([]);
  expect(list(data).followUps).toHaveLength(1);
});

test("a resident's own cancel and a test leave nothing to do", () => {
  const medium = { ...facts.detection!, strength: "medium" as const };
  const cancelled = fall({ detection: medium }).put({ type: "cancel", at: start + 5_000, upright: true }).state;
  expect(cancelled).toMatchObject({ status: "closed", outcome: "unknown" });
  expect(handed(cancelled).followUps).toEqual([]);
  expect(handed(fall({ test: true }).state).alarms).toEqual([]);
});

test("watches to charge, the most urgent first, each with a visit", () => {
  const low = (deviceId: string, battery: number, more: object) => ({
    ...{ deviceId, trouble: "battery-low" as const, since: local(1, 0), at: local(1, 0), endedAt: null },
    ...{ deviceClass: null, gatewayId: null, battery, daysLeft: null, driftMs: null, isRaised: true, ...more },
  });
  const devices = [
    { ...device, deviceId: "a", battery: 18 },
    { ...device, deviceId: "b", battery: 8 },
    { ...device, deviceId: "c", battery: 30 },
    { ...device, deviceId: "d", battery: 90 },
    { ...device, deviceId: "e", battery: 12, tellsPresence: true },
    { ...device, deviceId: "f", battery: 1, revoked: true },
  ];
  const troubles = [low("c", 30, { daysLeft: 0.6 }), { ...low("d", 90, {}), trouble: "charging-long" as const }];
  expect(
    list({ devices, troubles }).charge.map(({ deviceId, by, says }) => [deviceId, by, says.split(": ")[1]]),
  ).toEqual([
    ["c", "next-visit", "30 % kvar, räcker mindre än ett dygn. Ladda vid nästa besök."],
    ["d", "next-visit", "ligger på laddning sedan 01.00. Sätt tillbaka den vid nästa besök."],
    ["b", "today", "8 % kvar. Ladda vid ett besök i dag."],
    ["a", "this-week", "18 % kvar. Ladda de närmaste dagarna."],
    ["e", "this-week", "12 % kvar. Byt batteri."],
  ]);
});

test("pauses with those that end today, blind dwellings with why, and sensors that await their test", () => {
  const pause = { dwellingId: "d38", alias: "38", unit: "Gustavsberg", from: local(-10, 0), by: "Maria" };
  const ledger = { dwellingId: "d38", key: "38", unit: "Gustavsberg", from: local(-60, 0), until: now };
  const told = list({
    pauses: [
      { ...pause, until: local(14, 0), reason: "hospital" },
      { ...pause, until: local(38, 0), reason: "other" },
    ],
    ledgers: [
      { ...ledger, key: "9", spans: [{ from: local(2, 10), until: now, reason: "overdue" }] },
      { ...ledger, key: "41", spans: [{ from: local(2, 10), until: local(3, 0), reason: "overdue" }] },
      { ...ledger, key: "57", spans: [{ from: local(2, 10), until: now, reason: "paused" }] },
      { ...ledger, key: "10", spans: [{ from: local(2, 10), until: now, reason: "no-consent" }] },
    ],
    devices: [{ ...device, operation: { state: "awaiting-test", since: local(-10, 0), by: null, how: null } }],
  });
  expect(told.pauses.map(({ says }) => says)).toEqual([
    "Nyckel 38 (Gustavsberg): pausad mån 23/11 14.00 till 14.00, slutar i dag (på sjukhus).",
    expect.stringMatching(/till ons 25\/11 14\.00 \(annat\)\.$/),
  ]);
  expect(told.blind.map(({ key, says }) => [key, says.split(": ")[1]])).toEqual([
    ["9", "sensorn hörs inte sedan 02.10."],
    ["10", "inget samtycke sedan 02.10; bara larmknappen larmar."],
  ]);
  expect(told.awaitingTest).toMatchObject([{ key: "38", deviceId: "watch-38" }]);
});

test("only units that may be seen, and only the one asked for; what is of no dwelling is everybody's", () => {
  const other = fall({ id: "e2", place: { ...place, alias: "57", unit: "Hemmesta" } }).state;
  const trouble = { kind: "gateway-lost", subject: "g1", since: start } as const;
  const nowhere = { alias: null, area: null, areaInTexts: false, room: null };
  const technical = fall({ id: "e3", kind: "technical", place: nowhere, trouble, detection: null }).state;
  const episodes = [fall().state, other, technical];
  const keys = (asked: Partial<HandoverAsked>) =>
    list({ episodes }, asked).followUps.map(({ key, episodeId }) => key ?? episodeId);
  expect(keys({}).sort()).toEqual(["38", "57", "e3"]);
  expect(keys({ sees: (unit) => unit === "Hemmesta" }).sort()).toEqual(["57", "e3"]);
  expect(keys({ unit: "Gustavsberg" }).sort()).toEqual(["38", "e3"]);
  expect(list({ episodes }, { sees: (unit) => unit === "Hemmesta" }).alarms.map(({ key }) => key)).toEqual(["57"]);
});

test("in the hour that comes twice, A and B tell the times apart", () => {
  const at = (hours: number) => Date.UTC(2026, 9, 25, hours, 30);
  const detection = facts.detection!;
  const states = [at(0), at(1)].map((since, i) => {
    const play = new Play({ place, id: `e${i}`, since, detection: { ...detection, impactAt: since } });
    return { ...play.state, openedAt: since };
  });
  const night = { from: Date.UTC(2026, 9, 24, 19, 30), until: Date.UTC(2026, 9, 25, 6, 0) };
  const { alarms } = list({ episodes: states }, night, "sv", Date.UTC(2026, 9, 25, 5, 45));
  expect(alarms.map(({ says }) => says.slice(0, 6))).toEqual(["02.30A", "02.30B"]);
});

test.each(["sv", "en"] as const)(
  "as text in %s: every part has its head, ticks show, and no forbidden word",
  (language) => {
    const { state } = fall()
      .reply("p1", "T")
      .reply("p1", "S", 10 * minute);
    const followUps = [{ episodeId: "e1", kind: "nurse", at: local(6, 30), by: "Maria" } as const];
    const text = handoverText(list({ episodes: [state], followUps }, {}, language), shiftWords(language, zone));
    expect(forbiddenIn(text, medicalWords)).toEqual([]);
    expect(text).toContain(language === "sv" ? "LARM UNDER PASSET (1)" : "ALARMS OF THE SHIFT (1)");
    expect(text).toContain(language === "sv" ? "[x] Nyckel 38" : "[x] Key 38");
    expect(text).toContain(language === "sv" ? "PAUSER: inga" : "PAUSES: none");
    expect(text).toMatch(
      language === "sv"
        ? /^Passet mån 23\/11 21\.30–tis 24\/11 07\.00$/m
        : /^Shift Mon 23\/11 21:30–Tue 24\/11 07:00$/m,
    );
  },
);

test("a fall report is made where somebody is there, or once it may have been a fall", () => {
  const play = fall().reply("p1", "T");
  expect(hasFallReport(play.state)).toBe(false);
  expect(hasFallReport(play.reply("p1", "F").state)).toBe(true);
  expect(hasFallReport(play.reply("p1", "X").state)).toBe(false);
});
