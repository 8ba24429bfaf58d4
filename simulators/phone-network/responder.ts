import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { Phone } from "./phone.ts";

/** A text from the service, as somebody on night duty reads it: what it is, and its code. */
export interface ReadText {
  /** `page`: somebody is called for, by this text; `not-taken`: and nobody took it before. */
  kind: "page" | "not-taken" | "taken-by-me" | "taken-by-other" | "there" | "other";
  code: string;
  /** The words after the code by which staff know the dwelling, such as `Nyckel 38`; null where there are none. */
  alias: string | null;
  text: string;
  at: WallMs;
}

const offersTaking = /\b(\d{3,5}) T\b/;
const offersOutcome = /(?:Hur gick det|What had happened)/i;
const iHaveIt = /\b(?:DU HAR (?:LARMET|DET)|YOU HAVE (?:THE ALARM|IT))\b/;
// `274 Nyckel 38: …` tells of what this phone's owner said or did. It may offer T again ("noted that you cannot; if that changes …"), but it calls nobody.
const aboutMe = /^(?:[\p{Lu} ]+ )?\d{3,5}(?: [^.,:]*)?:/u;
const otherHasIt = /(?:är taget av|was taken by|has been taken by)/i;
const nobodyHasIt = /(?:EJ TAGET|NOT TAKEN)/i;

/** Reads one text in Swedish or English. Null where it holds no code. */
export function readText(text: string, at: WallMs): ReadText | null {
  const code = (offersTaking.exec(text) ?? /\b(\d{3,5})\b/.exec(text))?.[1];
  if (!code) return null;
  return { kind: kindOf(text), code, alias: aliasIn(text, code), text, at };
}

function kindOf(text: string): ReadText["kind"] {
  if (iHaveIt.test(text)) return "taken-by-me";
  if (otherHasIt.test(text)) return "taken-by-other";
  if (nobodyHasIt.test(text)) return "not-taken";
  if (offersOutcome.test(text)) return "there";
  return offersTaking.test(text) && !aboutMe.test(text) ? "page" : "other";
}

function aliasIn(text: string, code: string): string | null {
  const after = text.slice(text.indexOf(code) + code.length);
  // Between the code and the words may stand what kind of text it is: `, inget fall.`, `EJ TAGET.`, `KOMMER INTE IN.`
  const found =
    /^(?:, (?:inget fall|no fall)\.| [\p{Lu} ]{5,}\.)?[^\p{L}]*(\p{L}[^.,:]*?)(?=[.,:]| är taget| was taken|$)/u.exec(
      after,
    );
  return found?.[1]?.trim() || null;
}

export interface PatrolOptions {
  clock: Clock;
  phone: Phone;
  /** From a page to `274 T`, ms of the clock. */
  takeAfterMs: number;
  /** From "you have the alarm" to `274 F`, ms. Null: the patrol never arrives. */
  arriveAfterMs: number | null;
  /** From `274 F` to the outcome's letter, ms. */
  outcomeAfterMs?: number;
  /** The letter for an outcome (S, U, R, X), by the page that was taken. Null: none is sent. Default: none. */
  outcome?: (page: ReadText) => string | null;
  /** What to answer to a page. Default `T`. Null: no answer. */
  answer?: (page: ReadText) => "T" | "N" | null;
  /** Called for each reply that is sent. */
  onReply?: (text: string) => void;
  /** Called where a reply could not be sent. */
  onError?: (error: unknown) => void;
}

/** A patrol with a phone, which reads its texts and answers them. */
export interface Patrol {
  /** Pages it has read, by code. */
  readonly pages: ReadonlyMap<string, ReadText>;
  /** Codes that it took, arrived at, and closed. */
  readonly taken: ReadonlySet<string>;
  readonly closed: ReadonlySet<string>;
  stop(): void;
}

/** A code rests for days before it is used again; a patrol remembers this many pages. */
const maxRemembered = 1_000;

/** Starts a patrol. It acts on what the texts say, not on what it hopes: it arrives only where it was told that it has the alarm. */
export function startPatrol(options: PatrolOptions): Patrol {
  const { clock, phone } = options;
  const pages = new Map<string, ReadText>();
  const taken = new Set<string>();
  const closed = new Set<string>();
  const withOthers = new Set<string>();
  const waits = new Set<() => void>();

  function later(ms: number, run: () => void): void {
    const callOff = clock.after(ms, () => {
      waits.delete(callOff);
      run();
    });
    waits.add(callOff);
  }

  function reply(text: string): void {
    options.onReply?.(text);
    phone.reply(text).catch((error: unknown) => options.onError?.(error));
  }

  function answerPage(page: ReadText): void {
    const known = pages.get(page.code);
    if (!known && pages.size >= maxRemembered) pages.delete(pages.keys().next().value ?? "");
    // The first page tells most of the fall; later ones of the same code are answered again, as a person would.
    if (!known) pages.set(page.code, page);
    if (taken.has(page.code)) return;
    const letter = options.answer ? options.answer(page) : "T";
    if (!letter) return;
    later(options.takeAfterMs, () => {
      if (!taken.has(page.code) && !withOthers.has(page.code)) reply(`${page.code} ${letter}`);
    });
  }

  function goThere(code: string): void {
    if (taken.has(code)) return;
    taken.add(code);
    if (options.arriveAfterMs === null) return;
    later(options.arriveAfterMs, () => {
      reply(`${code} F`);
      const page = pages.get(code);
      const letter = page && options.outcome?.(page);
      if (!letter) return;
      later(options.outcomeAfterMs ?? 0, () => {
        closed.add(code);
        reply(`${code} ${letter}`);
      });
    });
  }

  const unsubscribe = phone.onMessage((message) => {
    const read = readText(message.body, message.at);
    if (read?.kind === "page" || read?.kind === "not-taken") {
      // A code may come back for a new fall once its episode was closed.
      if (closed.delete(read.code)) {
        taken.delete(read.code);
        pages.delete(read.code);
      }
      withOthers.delete(read.code);
      answerPage(read);
    } else if (read?.kind === "taken-by-me") goThere(read.code);
    else if (read?.kind === "taken-by-other") withOthers.add(read.code);
  });

  return {
    pages,
    taken,
    closed,
    stop() {
      unsubscribe();
      for (const callOff of waits) callOff();
      waits.clear();
    },
  };
}
