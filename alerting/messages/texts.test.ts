import { describe, expect, test } from "vitest";
import { DetectionReason } from "../../firmware-contracts/detection.ts";
import { OutcomeWhat } from "../console/api.ts";
import { troubleKinds } from "../episode-state.ts";
import { letters } from "../replies.ts";
import { gsm7Length, smsSeptets } from "./gsm7.ts";
import { longest } from "./limits.ts";
import type { Message, Named, TextPlace } from "./message.ts";
import { createMessageWriter } from "./texts.ts";

const at = Date.UTC(2026, 10, 24, 2, 12);
const dayBefore = at - 26 * 3_600_000;
const longName = "Å".repeat(longest.name);
const writer = createMessageWriter("Europe/Stockholm", () => longName);

const people: Named[] = ["operator", { responder: "p" }];
const messages: Message[] = [
  ...DetectionReason.options.flatMap((reason) =>
    [false, true].map(
      (late): Message => ({ kind: "alarm", reason, impactAt: late ? dayBefore : at, arrivedAt: at, late }),
    ),
  ),
  ...(["fall", "help"] as const).flatMap((alarm) =>
    [0, 99, 100_000].map((minutes): Message => ({ kind: "not-taken", alarm, impactAt: at, minutes })),
  ),
  ...(["fall", "help"] as const).flatMap((alarm) =>
    (["busy", "nobody"] as const).map((why): Message => ({ kind: "nobody-free", alarm, impactAt: at, why })),
  ),
  ...people.flatMap((by): Message[] => [
    { kind: "not-arrived", takenAt: at, by },
    { kind: "not-set-off-reminder", takenAt: at, next: by, nextAt: at },
    { kind: "reopened", by },
    { kind: "backup", need: "cannot-get-in", by },
    { kind: "backup", need: "two-needed", by },
    { kind: "backup-joined", by },
    { kind: "backup-coming", by },
    { kind: "to-others", takenAt: at, by },
    { kind: "arrived-other", at, by },
  ]),
  { kind: "backup-noted", need: "cannot-get-in" },
  { kind: "backup-noted", need: "two-needed" },
  { kind: "taken", takenAt: at },
  { kind: "declined" },
  { kind: "on-the-way", at },
  { kind: "arrived", at },
  { kind: "not-set-off-reminder", takenAt: at, next: null, nextAt: at },
  { kind: "not-arrived-reminder", takenAt: at },
  { kind: "outcome-reminder", arrivedAt: at },
  { kind: "ask-arrived" },
  ...OutcomeWhat.options.flatMap((outcome) =>
    [false, true].map((undo): Message => ({ kind: "closed", at, outcome, undo })),
  ),
  { kind: "cancelled", at },
  ...letters.map((letter): Message => ({ kind: "undone", letter, status: "arrived" })),
  { kind: "undone", letter: "T", status: "open" },
  { kind: "nothing-to-undo" },
  { kind: "minutes-noted", minutes: 1000 },
  { kind: "already-closed", at },
  { kind: "noted", letter: "A" },
  { kind: "noted", letter: "E" },
  { kind: "v-or-f" },
  { kind: "letters" },
];

const place: TextPlace = {
  code: "9".repeat(longest.code),
  alias: "8".repeat(longest.alias),
  deviceId: "d".repeat(32),
  kind: "fall",
  area: "Ö".repeat(longest.area),
  room: "ö".repeat(longest.room),
  test: false,
};
/** Of episodes that no device has raised. */
const lower: [Message, TextPlace["kind"]][] = [
  ...troubleKinds.flatMap((trouble): [Message, "technical"][] => {
    const subject = "G".repeat(64);
    return [
      [{ kind: "technical", trouble, subject, since: at }, "technical"],
      [{ kind: "technical-over", trouble, subject, at }, "technical"],
    ];
  }),
  ...messages
    .filter(({ kind }) => ["taken", "to-others", "declined", "letters", "closed", "nothing-to-undo"].includes(kind))
    .map((message): [Message, "technical"] => [message, "technical"]),
  [{ kind: "sign-on", from: at }, "sign-on"],
  [{ kind: "sign-on-missing", by: { responder: "p" }, from: at }, "sign-on"],
  [{ kind: "closed", at, outcome: "test", undo: true }, "sign-on"],
  [{ kind: "letters" }, "sign-on"],
];
const bare = { ...place, alias: null, deviceId: "", area: null, room: null };
const places: TextPlace[] = [
  place,
  { ...place, test: true, code: `T${place.code}` },
  // A device in no register has no area and no room.
  { ...place, alias: null, area: null, room: null },
  { ...place, alias: null, area: null, room: null, test: true, code: `T${place.code}` },
];

describe.each(["sv", "en"] as const)("texts in %s", (language) => {
  const all = [
    ...messages.flatMap((message) => places.map((p) => ({ message, place: p }))),
    ...lower.map(([message, kind]) => ({
      message,
      place: { ...bare, kind, test: kind === "sign-on", code: `T${place.code}` },
    })),
  ].map((one) => ({ ...one, text: writer.write(one.message, one.place, language) }));

  test("every text fits in one SMS of GSM-7 with the longest of everything", () => {
    const tooLong = all.flatMap(({ text }) => {
      const length = gsm7Length(text);
      return length !== null && length <= smsSeptets ? [] : [`${length}: ${text}`];
    });
    expect(tooLong).toEqual([]);
    for (const loose of [
      { kind: "late" },
      { kind: "digest", codes: Array.from({ length: 50 }, () => `T${place.code}`) },
      { kind: "unknown-code", code: place.code },
      { kind: "code-needed", example: place.code },
      { kind: "code-needed", example: null },
    ] as const) {
      expect(gsm7Length(writer.writeLoose(loose, language))).toBeLessThanOrEqual(smsSeptets);
    }
  });

  test("every text about a test says so, and no other does", () => {
    for (const { text, place: p } of all) expect(/^(PROV|TEST)/.test(text)).toBe(p.test);
  });

  test("every text names its code, and none holds a link or a word of another trade", () => {
    for (const { text, place: p } of all) {
      expect(text).toContain(p.code);
      expect(text).not.toMatch(/https?:|www\.|patient|diagnos|prognos|fallrisk|symtom|symptom/i);
    }
  });
});

test("English texts hold no word that the provider swallows", () => {
  const swallowed = /\b(help|end|stop|cancel|yes|quit|start|info)\b/i;
  for (const message of messages) for (const p of places) expect(writer.write(message, p, "en")).not.toMatch(swallowed);
});

describe("what a page says", () => {
  const small: TextPlace = {
    code: "274",
    alias: "38",
    deviceId: "w",
    kind: "fall",
    area: "Gustavsberg syd",
    room: "badrum",
    test: false,
  };
  const say = (message: Message, language: "sv" | "en" = "sv") => writer.write(message, small, language);
  const alarm = (reason: DetectionReason, late = false): Message => ({
    kind: "alarm",
    reason,
    impactAt: at,
    arrivedAt: at + 62 * 60_000,
    late,
  });

  test.each([
    ["at-once", "Hårt fall 03.12. ", "Hard fall 03:12. "],
    ["still", "Hårt fall 03.12, stilla sedan dess. ", "Hard fall 03:12, still since. "],
    ["silent", "Hårt fall 03.12, ingen signal efter. ", "Hard fall 03:12, no signal after. "],
    ["soft", "Ligger sedan 03.12. ", "Lying since 03:12. "],
    ["help-button", "Tryckte på larmknappen 03.12. ", "Pressed the alarm button 03:12. "],
  ] as const)("%s, exactly as measured", (reason, swedish, english) => {
    expect(say(alarm(reason))).toContain(swedish);
    expect(say(alarm(reason), "en")).toContain(english);
  });

  test("a late one says when it happened and when it came, with the day where it was another", () => {
    expect(say(alarm("still", true))).toContain("Fall 03.12, kom fram 04.14. ");
    expect(say({ kind: "alarm", reason: "still", impactAt: dayBefore, arrivedAt: at, late: true })).toContain(
      "Fall 23/11 01.12, kom fram 03.12. ",
    );
    expect(say(alarm("still", true))).not.toContain("stilla");
  });

  test("the whole of it", () => {
    expect(say(alarm("still"))).toBe(
      "LARM FALL 274. Nyckel 38, Gustavsberg syd, badrum. Hårt fall 03.12, stilla sedan dess. Svara 274 T = tar larmet, 274 N = kan inte.",
    );
  });

  test("midnight is 00", () => {
    expect(say({ kind: "taken", takenAt: Date.UTC(2026, 10, 23, 23, 5) })).toContain("sedan 00.05.");
  });
});
