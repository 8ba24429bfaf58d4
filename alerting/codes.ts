/**
 * Codes: three digits from 2 to 9 that differ from each other in at least two places, so that one wrong key hits nobody else's alarm.
 * The last digit is a check digit, which makes the sum of all divisible by 8: of three digits there are 64, all of which can be open at once.
 * Where under 20 are left, four digits are used, then five. These hold no 8: taking a digit other than 8 away changes the sum,
 * so a code with one digit lost is never another's. No code holds 0 or 1, and so none is 112.
 */

const shortDigits = ["2", "3", "4", "5", "6", "7", "8", "9"];
const longDigits = shortDigits.filter((digit) => digit !== "8");
/** How many must be left of one length before the next longer one is used. */
const reserve = 20;
/** A closed code rests this long, ms: a late reply must not hit a new alarm. */
export const codeRestMs = 7 * 24 * 3_600_000;

const pools = [3, 4, 5].map((length) => codesOf(length));

/** While its twin with or without T is in use, and this long after, ms, no code is given where another is free: "T295" may also be meant as 295, and T. */
const twinRestMs = 24 * 3_600_000;

/** Every code of `length` digits. */
export function codesOf(length: number): string[] {
  const digits = length === 3 ? shortDigits : longDigits;
  let heads = [""];
  for (let i = 1; i < length; i++) heads = heads.flatMap((head) => digits.map((digit) => head + digit));
  return heads.flatMap((head) => {
    const sum = [...head].reduce((total, digit) => total + Number(digit), 0);
    return digits.filter((digit) => (sum + Number(digit)) % 8 === 0).map((digit) => head + digit);
  });
}

/** A code in use: open, or closed at `closedAt` (wall ms). */
export interface UsedCode {
  code: string;
  closedAt: number | null;
}

/**
 * A code for a new episode. Tests and technical alarms have codes of their own, which start with T.
 * @param chance 0 to under 1, drawn by the caller: codes in a row would be guessed.
 * @returns null where even five digits have run out (over 1,800 alarms open at once).
 */
export function chooseCode(used: readonly UsedCode[], now: number, chance: number, marked: boolean): string | null {
  const [mark, otherMark] = marked ? ["T", ""] : ["", "T"];
  const lastClosed = new Map<string, number>();
  for (const { code, closedAt } of used) {
    lastClosed.set(code, Math.max(lastClosed.get(code) ?? 0, closedAt ?? Number.POSITIVE_INFINITY));
  }
  const pick = (codes: string[]) => codes[Math.min(codes.length - 1, Math.floor(chance * codes.length))] ?? null;
  for (const [i, pool] of pools.entries()) {
    const rests = (code: string, forMs: number) => now - (lastClosed.get(code) ?? Number.NEGATIVE_INFINITY) < forMs;
    const free = pool
      .filter((code) => !rests(mark + code, codeRestMs) && !rests(otherMark + code, twinRestMs))
      .map((code) => mark + code);
    const isLast = i === pools.length - 1;
    if (free.length > 0 && (free.length >= reserve || isLast)) return pick(free);
  }
  // None is rested: the one that was closed first.
  const closed = [...lastClosed].filter(([code, at]) => code.startsWith("T") === marked && Number.isFinite(at));
  closed.sort((a, b) => a[1] - b[1]);
  return closed[0]?.[0] ?? null;
}
