import { expect, test } from "vitest";
import { chooseCode, codeRestMs, codesOf, type UsedCode } from "./codes.ts";

function distance(a: string, b: string): number {
  return [...a].filter((digit, i) => digit !== b[i]).length;
}

test("64 codes of three digits, and each two differ in two places", () => {
  const codes = codesOf(3);
  expect(codes).toHaveLength(64);
  for (const a of codes) for (const b of codes) if (a !== b) expect(distance(a, b)).toBeGreaterThanOrEqual(2);
});

test("a longer code with one digit lost is never another code", () => {
  for (const length of [4, 5]) {
    const shorter = new Set(codesOf(length - 1));
    for (const code of codesOf(length)) {
      for (let i = 0; i < length; i++) expect(shorter.has(code.slice(0, i) + code.slice(i + 1))).toBe(false);
    }
  }
});

test("a thousand opened at once have a thousand codes, short ones first, and none is 112", () => {
  const used: UsedCode[] = [];
  for (let i = 0; i < 1000; i++) {
    const code = chooseCode(used, 0, (i * 0.618) % 1, false);
    expect(code).toMatch(/^[2-9]{3,5}$/);
    used.push({ code: code ?? "", closedAt: null });
  }
  expect(new Set(used.map(({ code }) => code)).size).toBe(1000);
  expect(used.slice(0, 45).every(({ code }) => code.length === 3)).toBe(true);
  expect(used[46]?.code).toHaveLength(4);
});

test("a closed code rests for seven days, and a test's code starts with T", () => {
  const closed = codesOf(3)
    .slice(0, 44)
    .map((code) => ({ code, closedAt: 1000 }));
  const rested = codesOf(3).slice(44);
  for (let i = 0; i < 20; i++) expect(rested).toContain(chooseCode(closed, 2000, i / 20, false));
  expect(chooseCode(closed, 1000 + codeRestMs, 0, false)).toBe(codesOf(3)[0]);
  expect(chooseCode(closed, 2000, 0, true)).toMatch(/^T[2-9]{3}$/);
});

test("a code and its twin with T are not in use at once, nor within a day", () => {
  const day = 24 * 3_600_000;
  const [twin = "", ...others] = codesOf(3);
  const rested = new Set(others);
  for (let i = 0; i < 64; i++) {
    expect(rested).toContain(chooseCode([{ code: `T${twin}`, closedAt: null }], 0, i / 64, false));
    expect(chooseCode([{ code: twin, closedAt: 1000 }], day, i / 64, true)).not.toBe(`T${twin}`);
  }
  expect(chooseCode([{ code: twin, closedAt: 1000 }], day + 1000, 0, true)).toBe(`T${twin}`);
});

test("when none has rested, the one closed first is taken rather than none", () => {
  const all = [3, 4, 5].flatMap(codesOf).map((code, i) => ({ code, closedAt: i === 77 ? 5 : 1000 }));
  expect(chooseCode(all, 2000, 0.5, false)).toBe(all[77]?.code);
  expect(
    chooseCode(
      all.map(({ code }) => ({ code, closedAt: null })),
      2000,
      0.5,
      false,
    ),
  ).toBeNull();
});
