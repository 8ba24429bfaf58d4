import { longestReply, type OpenCode } from "./replies.ts";

// A device's test alarm is answered with its code and the key number of where the device is: `722 38`, `722 T 38`, `Nyckel 38 T722`. A key number is
// digits, as codes are: what is one and what is the other is told by which test alarms are open on that phone, and by the order.

/** What was read back for a device's test alarm. */
export interface ReadBack {
  episodeId: string;
  /** The words beside the code, in their order, in small letters. */
  said: string[];
}

const aboutKeys = new Set(["nyckel", "nyckelnummer", "nyckelnr", "key", "keynumber", "nr", "no", "nummer", "number"]);

const wordsOf = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/**
 * Reads a reply to one of `tests`, the device's test alarms that are open on the phone. Null where it is to none of them; then it is read as any other.
 * What begins with the code of a test alarm is to that, whatever stands behind; what ends with it only where it holds no code of `others`. A code without
 * its T that `others` has too is theirs.
 * @param others every other episode of the phone, open or lately closed.
 */
export function readBackOf(body: string, tests: readonly OpenCode[], others: readonly OpenCode[]): ReadBack | null {
  if (tests.length === 0 || body.length > longestReply) return null;
  const words = wordsOf(body);
  const isOthers = (word: string | undefined) => others.some(({ code }) => code.toLowerCase() === word);
  const testWith = (word: string | undefined, marked: boolean) => {
    if (word === undefined || (!marked && isOthers(word))) return undefined;
    return tests.find(({ code }) => code.toLowerCase() === (word.startsWith("t") ? word : `t${word}`));
  };
  const [first, second] = words;
  const head = testWith(first, first?.startsWith("t") ?? false);
  // "T722" alone is "take 722" where 722 is another's.
  if (head && words.length === 1 && isOthers(first?.replace(/^t/, ""))) return null;
  if (head) return { episodeId: head.episodeId, said: words.slice(1) };
  const spaced = first === "t" ? testWith(second, true) : undefined;
  if (spaced && !isOthers(second)) return { episodeId: spaced.episodeId, said: words.slice(2) };
  const last = words.at(-1);
  const tail = testWith(last, last?.startsWith("t") ?? false);
  if (!tail || words.slice(0, -1).some((word) => isOthers(word) || isOthers(word.replace(/^t/, "")))) return null;
  return { episodeId: tail.episodeId, said: words.slice(0, -1) };
}

/** Whether these words are this key number, however it was spaced and written. Å and A are two letters, and a leading 0 counts. */
export function isKeyNumber(said: readonly string[], alias: string): boolean {
  const bare = (words: readonly string[]) => words.filter((word) => !aboutKeys.has(word)).join("");
  const wanted = new Set([wordsOf(alias).join(""), bare(wordsOf(alias))]);
  wanted.delete("");
  const [first, ...rest] = said;
  const readings = [said, first === "t" ? rest : said, said.at(-1) === "t" ? said.slice(0, -1) : said];
  return readings.some((words) => wanted.has(words.join("")) || wanted.has(bare(words)));
}

/** Whether a key number was tried at all: one holds a digit, as a rule, and a letter alone is an answer of another kind. */
export function holdsKeyNumber(said: readonly string[]): boolean {
  return said.some((word) => /\p{N}/u.test(word));
}
