import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codesOf } from "./codes.ts";
import { holdsKeyNumber, isKeyNumber, readBackOf } from "./read-back.ts";
import { aimReply, letters, readReply } from "./replies.ts";

const coded = (code: string) => ({ episodeId: `e-${code}`, code });
const tests = [coded("T722")];

describe("a reply to a device's test alarm", () => {
  test.each([
    "722 38",
    "T722 38",
    "t722: 38.",
    "T 722 38",
    "722 T 38",
    "  722   nyckel 38 ",
    "722 Nyckelnummer: 38!",
    "38 722",
    "Nyckel 38, T722",
    "722 3 8",
    "722\n38",
    "key no 38 T722",
    "７２２ ３８",
  ])("%j has the key number 38", (body) => {
    const read = readBackOf(body, tests, [coded("274")]);
    expect(read?.episodeId).toBe("e-T722");
    expect(isKeyNumber(read?.said ?? [], "38")).toBe(true);
    for (const other of ["83", "3", "8", "138", "038", "38b"]) expect(isKeyNumber(read?.said ?? [], other)).toBe(false);
  });

  test("key numbers with letters are read in either case, and Å is not A", () => {
    const said = (body: string) => readBackOf(body, tests, [])?.said ?? [];
    expect(isKeyNumber(said("722 38 B"), "38b")).toBe(true);
    expect(isKeyNumber(said("t722 å-17"), "Å17")).toBe(true);
    expect(isKeyNumber(said("t722 a17"), "Å17")).toBe(false);
    expect(isKeyNumber(said("722 röd"), "RÖD")).toBe(true);
  });

  test("a word or a letter alone is none", () => {
    for (const body of ["722", "722 T", "T722 F", "722 ja tack", "tar 722"]) {
      const read = readBackOf(body, tests, []);
      expect(read, body).not.toBeNull();
      expect(holdsKeyNumber(read?.said ?? []), body).toBe(false);
    }
  });

  test("a code that another alarm has too is that alarm's, unless its T is there and more beside it", () => {
    const twin = [coded("722")];
    for (const body of ["722", "722 F", "722 38", "T722", "t 722", "T 722 F"])
      expect(readBackOf(body, tests, twin), body).toBeNull();
    expect(readBackOf("T722 38", tests, twin)?.said).toEqual(["38"]);
  });
});

describe("a key number is never taken for a fall's reply, and a fall's reply for no key number", () => {
  const code = fc.constantFrom(...codesOf(3));
  const letter = fc.constantFrom(...letters, "");
  const gap = fc.constantFrom(" ", ", ", ": ", "\n", "  ");
  /** Two falls and a test alarm, of one phone. */
  const phone = fc
    .tuple(code, code, code)
    .filter(([a, b, c]) => new Set([a, b, c]).size === 3)
    .map(([fall, other, test]) => ({ fall, falls: [coded(fall), coded(other)], test: `T${test}` }));

  test("what begins with a test alarm's code is its alone, whatever key number, or code, stands behind", () => {
    fc.assert(
      fc.property(phone, letter, gap, fc.boolean(), ({ fall, falls, test }, said, between, marked) => {
        const head = marked ? test : test.slice(1);
        const body = [head, said === "T" ? "T" : "", fall].filter(Boolean).join(between);
        const read = readBackOf(body, [coded(test)], falls);
        expect(read?.episodeId).toBe(`e-${test}`);
        expect(isKeyNumber(read?.said ?? [], fall)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what begins with a fall's code is never a key number, and does what it did without the test alarm", () => {
    fc.assert(
      fc.property(
        phone,
        letter,
        gap,
        fc.integer({ min: 0, max: 99 }),
        ({ fall, falls, test }, said, between, minutes) => {
          for (const body of [`${fall}${between}${said}`, `${said}${between}${fall}`, `${fall} ${minutes} min`]) {
            expect(readBackOf(body, [coded(test)], falls)).toBeNull();
            const alone = aimReply(readReply(body), falls, falls, falls);
            const all = [...falls, coded(test)];
            expect(aimReply(readReply(body), all, all, all)).toEqual(alone);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("two codes, a fall's first, are nobody's: nothing is changed", () => {
    fc.assert(
      fc.property(phone, gap, ({ fall, falls, test }, between) => {
        const body = `${fall}${between}${test}`;
        expect(readBackOf(body, [coded(test)], falls)).toBeNull();
        const all = [...falls, coded(test)];
        expect(aimReply(readReply(body), all, all, all)).toMatchObject({ ok: false });
      }),
      { numRuns: 1_000 },
    );
  });

  test("of any text at all: a reply to a test alarm names its code, and without one open there is none", () => {
    fc.assert(
      fc.property(phone, fc.oneof(fc.string(), fc.string({ unit: "binary" })), ({ falls, test }, body) => {
        expect(readBackOf(body, [], falls)).toBeNull();
        const read = readBackOf(body, [coded(test)], falls);
        if (read) expect(body.normalize("NFKC")).toContain(test.slice(1));
      }),
      { numRuns: 3_000 },
    );
  });
});
