import { describe, expect, test } from "vitest";
import type { DetectionReason } from "../../firmware-contracts/detection.ts";
import { forbiddenIn, medicalWords, smsWords } from "./forbidden-words.ts";
import { gsm7Length, smsSeptets } from "./gsm7.ts";
import { longest } from "./limits.ts";
import type { Message, TextPlace } from "./message.ts";
import { sampleTexts } from "./samples.ts";
import { createMessageWriter } from "./texts.ts";

const at = Date.UTC(2026, 10, 24, 2, 12);
const dayBefore = at - 26 * 3_600_000;
const writer = createMessageWriter("Europe/Stockholm", () => "Patrull 2");
const samples = (["small", "longest"] as const).flatMap(sampleTexts);

describe.each(["sv", "en"] as const)("texts in %s", (language) => {
  const all = samples.map((sample) => ({ ...sample, text: sample.write(language) }));

  test("every text fits in one SMS of GSM-7 with the longest of everything", () => {
    const tooLong = all.flatMap(({ text }) => {
      const length = gsm7Length(text);
      return length !== null && length <= smsSeptets ? [] : [`${length}: ${text}`];
    });
    expect(tooLong).toEqual([]);
  });

  test("the longest of everything is in the samples", () => {
    for (const part of ["Å".repeat(longest.name), "Ö".repeat(longest.area), "8".repeat(longest.alias), "d".repeat(32)])
      expect(all.some(({ text }) => text.includes(part))).toBe(true);
    expect(Math.max(...all.map(({ text }) => gsm7Length(text) ?? 0))).toBeGreaterThan(smsSeptets - 10);
  });

  test("every text about a test says so, and no other does", () => {
    for (const { text, place } of all) expect(/^(PROV|TEST)/.test(text), text).toBe(place?.test ?? false);
  });

  test("every text about an episode names its code", () => {
    for (const { text, place } of all) if (place) expect(text).toContain(place.code);
  });

  test("none holds a link, a word that the provider swallows or one of health care", () => {
    expect(all.flatMap(({ text }) => forbiddenIn(text, medicalWords, smsWords))).toEqual([]);
  });
});

test("a word that must not stand in a text is found, and told with its reason", () => {
  for (const text of [
    "Patienten har fallit",
    "En diagnos",
    "A prognosis",
    "Prognosen är god",
    "Hög fallrisk",
    "Fall risk: high",
    "Symtom saknas",
    "A symptom",
    "Reply STOP to cease",
    "Yes or no",
    "Se larm.example.se",
    "https://x",
  ]) {
    expect(forbiddenIn(text, medicalWords, smsWords), text).not.toEqual([]);
  }
  // Not the whole of a word of the provider's, and a clock is no link.
  expect(forbiddenIn("Helping, ended 03.12. Svara 274 T", medicalWords, smsWords)).toEqual([]);
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
    notInOperation: null,
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
    ["sensor-reported", "Sensor larmar fall 03.12. ", "Sensor reports a fall 03:12. "],
    ["sensor-suspects", "Sensor misstänker fall 03.12. ", "Sensor suspects a fall 03:12. "],
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
    // What was only suspected is not told as a fall because it came late.
    expect(say(alarm("sensor-suspects", true))).toContain("Fall? 03.12, kom fram 04.14. ");
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
