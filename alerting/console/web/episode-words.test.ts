import { describe, expect, test } from "vitest";
import { generatedFall, page } from "../../../test/console/generated-board.ts";
import { detailOf, isRoutine } from "./episode/timeline.tsx";
import { aliasOf, countdownOf, deadlineOf, latestPages, lengthOf, reasonOf } from "./episode-words.ts";
import { createWords } from "./language.ts";

const sv = createWords("sv");
const en = createWords("en");
const now = Date.UTC(2026, 0, 14, 2, 16);
const clock = (at: number) => sv.time(at);

test("hours run from 00 to 23", () => {
  const midnight = new Date(2026, 0, 14, 0, 5).getTime();
  expect([sv.time(midnight), en.time(midnight)]).toEqual(["00:05", "00:05"]);
});

test("a time of another day says which day", () => {
  const at = new Date(2026, 0, 13, 3, 12).getTime();
  expect(en.time(at, at + 21 * 3600_000)).toMatch(/Tue.*13 Jan.*03:12/);
});

test.each([
  [-5_000, "0 s"],
  [59_900, "59 s"],
  [60_000, "1 min"],
  [99 * 60_000, "99 min"],
  [100 * 60_000, "1 tim 40 min"],
])("%i ms is %s", (ms, text) => expect(lengthOf(sv, ms)).toBe(text));

test("a countdown never goes below nought", () => {
  expect([countdownOf(64_001), countdownOf(60_000), countdownOf(-1)]).toEqual(["1:05", "1:00", "0:00"]);
});

test("a bare number is the key's, and a name stays as it is", () => {
  expect(aliasOf(sv, { alias: "38" })).toBe("Nyckel 38");
  expect(aliasOf(en, { alias: "38" })).toBe("Key 38");
  expect(aliasOf(en, { alias: "Nyckel 38" })).toBe("Nyckel 38");
});

describe("why it alarmed claims only what was measured until the alarm", () => {
  test("still", () => {
    const view = generatedFall(now, 4);
    expect(reasonOf(sv, view, now)).toBe(`Hårt fall ${clock(view.impactAt)}, stilla fram till larmet.`);
  });

  test("late says when it came in", () => {
    const view = generatedFall(now, 90, { late: true, reason: "at-once", openedAt: now });
    expect(reasonOf(en, view, now)).toBe(
      `Hard fall ${clock(view.impactAt)}. The alarm is about ${clock(view.impactAt)}, came in ${clock(now)}.`,
    );
  });
});

test("a deadline counts down, and one of an unknown kind is still shown", () => {
  const view = (purpose: string, inMs: number) => generatedFall(now, 1, { nextDeadline: { purpose, at: now + inMs } });
  expect(deadlineOf(sv, view("next-page", 74_000), now)).toBe("Nästa larmas om 1:14");
  expect(deadlineOf(sv, view("next-page", -1), now)).toBe("Nästa larmas nu");
  expect(deadlineOf(en, view("something-new", 5_000), now)).toBe("Something happens in 0:05");
  expect(deadlineOf(sv, generatedFall(now, 1, { nextDeadline: null }), now)).toBeNull();
});

describe("the story's details are read by what happened", () => {
  const entry = (what: string, detail: string) => ({ at: now, what, who: null, via: null, detail });
  test.each([
    ["closed", "unknown", "Vet inte"],
    ["receipt", "unknown", "inget besked"],
    ["closed", "no-fall: ringde: allt var bra", "Inget fall: ringde: allt var bra"],
    ["detection", "still", "hårt fall, stilla efter"],
    ["page-queued", "to-others", "till de andra"],
    ["reply", "T", "tar larmet"],
    ["backup-asked", "K", "kommer inte in"],
    ["reply", "a new letter", "a new letter"],
    ["something-new", "some word", "some word"],
  ])("%s %s", (what, detail, text) => expect(detailOf(sv, entry(what, detail))).toBe(text));
});

test("the story leaves out only those steps of texts that went well", () => {
  const entry = (what: string, detail: string | null) => ({ at: now, what, who: null, via: null, detail });
  expect([entry("receipt", "delivered"), entry("page-sent", "accepted")].map(isRoutine)).toEqual([true, true]);
  for (const told of [
    entry("receipt", "failed"),
    entry("receipt", "undelivered"),
    entry("page-sent", "unknown"),
    entry("page-queued", "alarm"),
    entry("taken", null),
  ]) {
    expect(isRoutine(told), told.what).toBe(false);
  }
});

test("the latest page to each patrol counts, and confirmations do not hide it", () => {
  const view = generatedFall(now, 5, {
    pages: [
      page("Patrull 2", now - 200_000, "failed"),
      page("Patrull 3", now - 100_000, "delivered"),
      page("Patrull 2", now - 50_000, "accepted"),
      page("Patrull 2", now - 40_000, "delivered", 0, "to-others"),
    ],
  });
  expect(latestPages(view).map((latest) => [latest.responder, latest.status])).toEqual([
    ["Patrull 3", "delivered"],
    ["Patrull 2", "accepted"],
  ]);
});
