import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aimReply, letters, longestReply, readReply } from "./replies.ts";

const plain = { start: false, minutes: null };

describe("reading a reply", () => {
  test.each([
    ["274 T", "274", "T"],
    ["274T", "274", "T"],
    ["274 t", "274", "T"],
    ["  t  274 ", "274", "T"],
    ["274 T.", "274", "T"],
    ["274 T 👍🏽", "274", "T"],
    ["🙏 274: t!", "274", "T"],
    ["274 tar", "274", "T"],
    ["Tar larmet 274", "274", "T"],
    ["jag tar det 2748", "2748", "T"],
    ["274 ok", "274", "T"],
    ["274 I take it", "274", "T"],
    ["274 N", "274", "N"],
    ["Kan inte ta 274", "274", "N"],
    ["274 nej tyvärr, upptagen", "274", "N"],
    ["274 cannot", "274", "N"],
    ["274 på väg", "274", "V"],
    ["På väg!", null, "V"],
    ["274 on my way", "274", "V"],
    ["framme 274", "274", "F"],
    ["är på plats 274", "274", "F"],
    ["274 p", "274", "P"],
    ["274 kommer inte in", "274", "K"],
    ["274 s", "274", "S"],
    ["274 oskadd, hjälpt upp", "274", "U"],
    ["274 inte skadad", "274", "U"],
    ["274 redan uppe", "274", "R"],
    ["274 inget fall", "274", "X"],
    ["274 ej hemma", "274", "E"],
    ["274 ringt 112", "274", "A"],
    ["112", null, "A"],
    ["274 ?", "274", "?"],
    ["274", "274", null],
    ["tack", null, null],
    ["T", null, "T"],
    ["", null, null],
  ])("%j", (body, code, letter) => {
    expect(readReply(body)).toMatchObject({ code, letter });
  });

  test("T fast before a code is marked: it is a test's code, or a take", () => {
    expect(readReply("T274 F")).toEqual({ code: "274", test: true, letter: "F", stop: false, ...plain });
    expect(readReply("t274")).toEqual({ code: "274", test: true, letter: null, stop: false, ...plain });
  });

  test("what could mean two things means none", () => {
    expect(readReply("274 inte framme").letter).toBeNull();
    expect(readReply("274 inte på väg").letter).toBeNull();
    expect(readReply("274 T N").letter).toBeNull();
    expect(readReply("274 T 385")).toMatchObject({ code: null, letter: null });
  });

  test("words that the provider takes for itself", () => {
    for (const word of ["STOP", " stop ", "Cancel", "OPTOUT"]) expect(readReply(word).stop).toBe(true);
    expect(readReply("stop 274").stop).toBe(false);
  });

  test("every code and letter, in any case, order and dress", () => {
    const code = fc.stringMatching(/^[2-9]{3,5}$/);
    const letter = fc.constantFrom(...letters.filter((one) => one !== "?"));
    const dress = fc.constantFrom(" ", "  ", " - ", ": ", " 👍 ", "\n", ", ");
    fc.assert(
      fc.property(code, letter, dress, fc.boolean(), fc.boolean(), (digits, one, between, lower, before) => {
        const said = lower ? one.toLowerCase() : one;
        const read = readReply(before ? `${said}${between}${digits}` : `${digits}${between}${said}`);
        expect(read).toMatchObject({ code: digits, letter: one });
      }),
    );
  });

  test("nothing makes it throw, and nothing long is read", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => void readReply(text)));
    expect(readReply(`274 T${" ".repeat(longestReply)}`)).toMatchObject({ code: null, letter: null });
  });
});

describe("which alarm a reply is for", () => {
  const a = { episodeId: "a", code: "274" };
  const b = { episodeId: "b", code: "385" };
  const marked = { episodeId: "m", code: "T274" };
  const aim = (body: string, open: (typeof a)[], recent = open, withCode = recent) =>
    aimReply(readReply(body), withCode, open, recent);

  test("by code", () => {
    expect(aim("385 T", [a, b])).toEqual({ ok: true, episodeId: "b", letter: "T" });
    expect(aim("666 T", [a, b])).toMatchObject({ ok: false, problem: "unknown-code", code: "666" });
  });

  test("without code only where one is open and no other was in the last half hour", () => {
    expect(aim("tar", [a])).toEqual({ ok: true, episodeId: "a", letter: "T" });
    expect(aim("tar", [a, b])).toMatchObject({ ok: false, problem: "code-needed" });
    expect(aim("tar", [a], [a, b])).toMatchObject({ ok: false, problem: "code-needed", example: "274" });
    expect(aim("tar", [])).toMatchObject({ ok: false, problem: "code-needed", example: null });
  });

  test("T274 is a test's code where there is one, and a take of 274 where there is not", () => {
    expect(aim("T274", [a])).toEqual({ ok: true, episodeId: "a", letter: "T" });
    expect(aim("T274", [marked])).toEqual({ ok: true, episodeId: "m", letter: "T" });
    expect(aim("T274 F", [a, marked])).toEqual({ ok: true, episodeId: "m", letter: "F" });
    expect(aim("T274", [a, marked])).toEqual({ ok: true, episodeId: "a", letter: "T" });
    // Nothing is taken by a text that says something else, or two things.
    expect(aim("T274 kanske T eller N", [marked])).toEqual({ ok: true, episodeId: "m", letter: null });
    expect(aim("T274 inte framme", [a])).toEqual({ ok: true, episodeId: "a", letter: null });
    expect(aim("T274 25 min", [a])).toEqual({ ok: true, episodeId: "a", letter: null });
    expect(aim("274 F", [a, marked])).toEqual({ ok: true, episodeId: "a", letter: "F" });
    expect(aim("274 F", [marked])).toEqual({ ok: true, episodeId: "m", letter: "F" });
  });
});
