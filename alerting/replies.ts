/** The letters of the replies, the same in every language. */
export const letters = ["T", "N", "V", "F", "K", "D", "A", "S", "U", "R", "X", "E", "Z", "P", "?"] as const;
export type Letter = (typeof letters)[number];

/** What a reply says. `code` is digits; `test` is true where a T stood fast before them (`T274`). */
export interface ReadReply {
  code: string | null;
  test: boolean;
  letter: Letter | null;
  /** Words beside the code that say nothing, or two things: then the code does not stand for itself. */
  unclear?: boolean;
  /** Words the provider takes for itself: the phone will get no more texts. */
  stop: boolean;
  /** The words with which it gets them again. */
  start: boolean;
  /** Minutes on the floor, as in `274 25 min`. */
  minutes: number | null;
}

/** Longer texts are no replies to a page: they are counted, and nobody reads them. */
export const longestReply = 480;

/**
 * Words instead of letters, of both languages, written without å ä ö. Longer phrases first: "tar inte" is a no.
 * `på plats` is "framme": only the bare letter P is asked back.
 */
const phrases: readonly [RegExp, Letter][] = [
  [
    /\b(kan inte|kan ej|kan icke|tar inte|tar ej|har inte tid|hinner inte|hinner ej|forhinder|upptagen|nej|no|cannot|can not|cant|busy)\b/,
    "N",
  ],
  [/\b(kommer inte in|kommer ej in|last dorr|ingen oppnar|cannot get in|cant get in|locked)\b/, "K"],
  [/\b(ej hemma|inte hemma|not home|nobody home)\b/, "E"],
  [/\b(inget fall|ej fall|falskt|falsklarm|no fall|false alarm)\b/, "X"],
  [/\b(pa vag|on the way|on my way|aker nu|kor nu)\b/, "V"],
  [/\b(framme|pa plats|har kommit fram|there|arrived|here)\b/, "F"],
  [/\b(redan uppe|already up)\b/, "R"],
  [/\b(skadad|skada|injury|injured|hurt)\b/, "S"],
  [/\b(oskadd|hjalpt upp|inte skadad|ej skadad|ingen skada|unhurt|not hurt|not injured|no injury)\b/, "U"],
  [/\b(tva behovs|behover hjalp|behover en till|two needed|need two)\b/, "D"],
  [/\b(ambulans|ambulance|112|ringt 112)\b/, "A"],
  [/\b(angra|undo)\b/, "Z"],
  [/\b(tar larmet|tar det|ta larmet|jag tar|vi tar|tar|ta|take|taking|i take it|ja|ok|okej)\b/, "T"],
];
// What cannot be said with a "not" before it is checked in this order: unhurt holds "hurt", so whole words only.
const specificFirst: readonly Letter[] = ["K", "E", "X", "V", "R", "U", "D", "Z"];

/** Letters whose own words hold a "not". */
const meansNo: readonly Letter[] = ["K", "E", "X", "U"];

const stopWords = /^(stop|stopall|unsubscribe|cancel|end|quit|revoke|optout)$/;
const startWords = /^(start|unstop)$/;
/** A length of time: never a code, which stands alone. */
const minuteWords = /(?<!\d)(\d{1,3}) ?(min|minuter|minutes|m)\b/;

/**
 * Reads a reply, forgiving of case, spaces, punctuation, emoji, words for letters and the code before or after.
 * What it cannot read comes back as nulls; two different letters count as none, for a guess could close the wrong thing.
 */
export function readReply(body: string): ReadReply {
  const nothing: ReadReply = { code: null, test: false, letter: null, stop: false, start: false, minutes: null };
  if (body.length > longestReply) return nothing;
  const whole = body.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  // What surrounds the word does not matter to the provider, nor here.
  const bareWord = whole.replaceAll(/[^a-z]/g, "");
  const hasDigits = /\d/.test(whole);
  if (!hasDigits && stopWords.test(bareWord)) return { ...nothing, stop: true };
  if (!hasDigits && startWords.test(bareWord)) return { ...nothing, start: true };
  const said = minuteWords.exec(whole);
  const minutes = said ? Number(said[1]) : null;
  const rest = readLetter(said ? whole.replace(said[0], " ") : whole);
  return { ...nothing, ...rest, minutes };
}

function readLetter(plain: string): Pick<ReadReply, "code" | "test" | "letter" | "unclear"> {
  const nothing = { code: null, test: false, letter: null };
  const question = plain.includes("?");
  let words = plain
    .replaceAll(/['’]/g, "")
    .replaceAll(/[^a-z0-9]+/g, " ")
    .trim();
  // 112 is never a code: it is the emergency number, and tells that somebody has called it.
  const codes = [...words.matchAll(/(?<!\d)([a-z]?)([2-9]{3,5})(?!\d)([a-z]?)(?![a-z])/g)];
  const [found] = codes;
  const distinct = new Set(codes.map((match) => match[2]));
  let code: string | null = null;
  let test = false;
  const single: string[] = [];
  if (found && distinct.size === 1) {
    code = found[2] ?? null;
    for (const match of codes) {
      // "T274" is a test's code, or "take 274": whoever looks the code up decides. Any other letter is a letter.
      const before = match[1] && !isWordTail(words, match.index) ? match[1] : "";
      if (before === "t") test = true;
      else if (before) single.push(before);
      if (match[3]) single.push(match[3]);
    }
    words = words
      .replaceAll(/(?<!\d)[a-z]?[2-9]{3,5}(?!\d)[a-z]?(?![a-z])/g, " ")
      .replaceAll(/\s+/g, " ")
      .trim();
  } else if (distinct.size > 1) {
    return nothing;
  }
  for (const word of words.split(" ")) if (word.length === 1) single.push(word);
  const bare = new Set(single.map((c) => c.toUpperCase()).filter(isLetter));
  const [letter] = bare;
  if (bare.size === 1 && letter) return { code, test, letter };
  if (bare.size > 1) return { code, test, letter: null, unclear: true };
  const said = sayWords(words);
  if (said) return { code, test, letter: said };
  if (question) return { code, test, letter: "?" };
  return { code, test, letter: null, ...(words === "" ? {} : { unclear: true }) };
}

function isWordTail(words: string, index: number): boolean {
  return index > 0 && /[a-z]/.test(words[index - 1] ?? "");
}

function isLetter(text: string): text is Letter {
  return (letters as readonly string[]).includes(text);
}

function sayWords(words: string): Letter | null {
  const negated = /\b(inte|ej|icke|not|isnt)\b/.test(words);
  const said = phrases.filter(([phrase]) => phrase.test(words)).map(([, letter]) => letter);
  const specific = said.find((letter) => specificFirst.includes(letter));
  if (specific && (meansNo.includes(specific) || !negated)) return specific;
  // "nej, kan inte ta det" says no, whatever else it holds.
  if (said.includes("N")) return "N";
  // "inte framme" must not count as there.
  if (negated) return null;
  const meanings = new Set(said);
  // "ok framme": agreeing words add nothing to a plain one.
  if (meanings.size > 1) meanings.delete("T");
  return meanings.size === 1 ? (said.find((letter) => meanings.has(letter)) ?? null) : null;
}

/** One code a phone may answer with. */
export interface OpenCode {
  episodeId: string;
  code: string;
}

export type ReplyTarget =
  | { ok: true; episodeId: string; letter: Letter | null }
  | { ok: false; problem: "unknown-code" | "code-needed"; code: string; example: string | null };

/**
 * Which episode a reply is for.
 * `withCode`: episodes of this phone, open or lately closed, by code. `open`: the open ones. `recent`: episodes that were open at
 * some time in the last 30 min and paged this phone. A reply without code counts only where there is one open and no other of late.
 */
export function aimReply(
  reply: ReadReply,
  withCode: readonly OpenCode[],
  open: readonly OpenCode[],
  recent: readonly OpenCode[],
): ReplyTarget {
  const problem = (which: "unknown-code" | "code-needed", code = ""): ReplyTarget => ({
    ok: false,
    problem: which,
    code,
    example: open[0]?.code ?? null,
  });
  if (reply.code) {
    const plain = withCode.find((candidate) => candidate.code === reply.code);
    const marked = withCode.find((candidate) => candidate.code === `T${reply.code}`);
    const saysNoMore = reply.letter === null && !reply.unclear && reply.minutes === null;
    // "T274" without another letter is "take 274" where 274 is a fall's; "T274 F" names the test's code.
    if (plain && reply.test && saysNoMore) return { ok: true, episodeId: plain.episodeId, letter: "T" };
    const hit = reply.test ? (marked ?? plain) : (plain ?? marked);
    // The code of a test alone takes it: there is nothing else to do with one.
    const letter = reply.letter ?? (reply.test && saysNoMore && hit === marked ? "T" : null);
    return hit ? { ok: true, episodeId: hit.episodeId, letter } : problem("unknown-code", reply.code);
  }
  const [only] = open;
  if (!only || open.length > 1) return problem("code-needed");
  return recent.some((episode) => episode.episodeId !== only.episodeId)
    ? problem("code-needed")
    : { ok: true, episodeId: only.episodeId, letter: reply.letter };
}
