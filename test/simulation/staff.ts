import type { Letter } from "../../alerting/replies.ts";
import type { Draw } from "./draw.ts";
import { minute, second } from "./plan.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What somebody writes, and what is meant by it. */
export interface Said {
  from: string;
  body: string;
  /** As it stands in the text, with its T; null where none is given. */
  code: string | null;
  /** What is meant; null where it means nothing that could be read, or two things at once. */
  letter: Letter | null;
}

const words: Partial<Record<Letter, readonly string[]>> = {
  T: ["tar larmet", "tar det", "Jag tar", "ok", "Ja", "I take it"],
  N: ["kan inte", "nej", "hinner inte", "cannot", "Nej, kan inte ta det"],
  V: ["på väg", "Åker nu", "on my way"],
  F: ["framme", "på plats", "arrived"],
  K: ["kommer inte in", "ingen öppnar", "cannot get in"],
  D: ["två behövs", "two needed"],
  S: ["skada", "skadad", "injured"],
  U: ["oskadd", "hjälpt upp", "unhurt"],
  R: ["redan uppe", "already up"],
  X: ["inget fall", "falskt larm", "no fall"],
  E: ["ej hemma", "not home"],
  Z: ["ångra", "undo"],
};

/** A reply as tired people write it. */
export function compose(draw: Draw, code: string | null, letter: Letter): string {
  const inWords = draw.happens(0.25) ? words[letter] : undefined;
  const said = inWords
    ? draw.pick(inWords)
    : draw.pick([letter, letter, letter.toLowerCase(), `${letter}.`, `${letter} 👍`, ` ${letter} `]);
  if (code === null) return said;
  if (!inWords && draw.happens(0.2)) return `${code}${letter.toLowerCase()}`;
  return draw.pick([
    `${code} ${said}`,
    `${code} ${said}`,
    `${code}: ${said}`,
    `${said} ${code}`,
    `Hej! ${code} ${said}`,
  ]);
}

type Answer = Letter | "nothing" | "codeless" | "wrong-code" | "others-code" | "nonsense" | "too-long" | "stop";

const firstAnswers: Partial<Record<Answer, number>> = {
  T: 52,
  N: 13,
  V: 5,
  F: 4,
  S: 1,
  U: 1,
  R: 1.5,
  X: 2,
  E: 1,
  P: 1,
  K: 5,
  D: 5,
  A: 1,
  Z: 0.7,
  "?": 1,
  codeless: 5,
  "wrong-code": 3,
  "others-code": 1.5,
  nonsense: 2.5,
  "too-long": 0.5,
  stop: 0.7,
};

const askForHelp = /KOMMER INTE IN|TVÅ BEHÖVS|CANNOT GET IN|TWO NEEDED/;

/** Nobody answers the same alarm more often than this. */
const mostAnswers = 2;

type Stage = "asked" | "answered" | "going" | "there" | "done";

export interface Staff {
  /** A text that a phone shows. Whoever holds it knows nothing else. */
  read(phone: string, body: string): void;
  /** From now on nobody looks at a phone until `until` (monotonic ms). */
  sleep(until: number): void;
}

/** People with phones. They read the code from the text and answer as people do: late, twice, wrongly, or not at all. */
export function createStaff(options: { time: VirtualTime; draw: Draw; ignores: number; say(said: Said): void }): Staff {
  const { time, draw, ignores, say } = options;
  const stages = new Map<string, Stage>();
  const answered = new Map<string, number>();
  const seenCodes: string[] = [];
  let asleepUntil = 0;

  function later(ms: number, from: string, code: string | null, letter: Letter, still?: () => boolean): void {
    time.after(ms, () => {
      if (still && !still()) return;
      say({ from, code, letter, body: compose(draw, code, letter) });
    });
  }

  /** After it was taken: on the way, there, what had happened. Each may be left out. */
  function goThere(phone: string, code: string, stage: Stage): void {
    const key = `${phone} ${code}`;
    stages.set(key, stage);
    const still = () => {
      const now = stages.get(key);
      return now === "going" || now === "there";
    };
    if (draw.happens(0.04)) later(draw.spread(second, minute), phone, code, "T");
    if (draw.happens(0.05)) later(draw.spread(2 * second, 5 * minute), phone, code, "Z");
    if (draw.happens(0.08)) {
      time.after(draw.spread(20 * second, 10 * minute), () => stages.set(key, "done"));
      later(draw.spread(20 * second, 10 * minute), phone, code, "N");
      return;
    }
    const setOff = draw.spread(20 * second, 8 * minute);
    const there = stage === "there" ? 0 : setOff + draw.spread(2 * minute, 40 * minute);
    if (stage === "going" && draw.happens(0.8)) later(setOff, phone, code, "V", still);
    if (draw.happens(0.03)) later(there - minute, phone, code, draw.pick(["X", "R", "E"]), still);
    if (draw.happens(0.18)) return;
    if (stage === "going") later(there, phone, code, "F", still);
    if (draw.happens(0.2)) later(there + minute, phone, code, draw.pick(["K", "D", "D", "A", "E", "P", "?"]), still);
    if (draw.happens(0.12)) return;
    const outcome = draw.pick(["S", "U", "U", "R", "X"] as const);
    later(there + draw.spread(minute, 20 * minute), phone, code, outcome, still);
    if (draw.happens(0.04)) later(there + draw.spread(20 * minute, 30 * minute), phone, code, "Z");
  }

  function answer(phone: string, code: string, isForHelp: boolean): void {
    const what = draw.weighted(firstAnswers);
    // Comes to help, and then cannot.
    if (isForHelp && what === "T" && draw.happens(0.25)) {
      later(0, phone, code, "T");
      later(draw.spread(5 * second, 2 * minute), phone, code, draw.pick(["N", "Z"]));
      return;
    }
    switch (what) {
      case "nothing":
        return;
      case "codeless":
        later(0, phone, null, draw.pick(["T", "N", "V", "F", "X"]));
        return;
      case "wrong-code": {
        const at = code.length - 1 - draw.whole(0, 2);
        const digit = String(2 + ((Number(code[at]) - 2 + draw.whole(1, 7)) % 8));
        later(0, phone, `${code.slice(0, at)}${digit}${code.slice(at + 1)}`, draw.pick(["T", "N", "X", "S"]));
        return;
      }
      case "others-code":
        later(0, phone, draw.pick(seenCodes), draw.pick(["T", "N", "U"]));
        return;
      case "nonsense":
        say({
          from: phone,
          code: null,
          letter: null,
          body: draw.pick(["🤷", "vem är det här", "", `${code} kanske T eller N`, `${code} 222 T`, "inte framme"]),
        });
        return;
      case "too-long":
        say({ from: phone, code: null, letter: null, body: `${code} T`.padEnd(10_000, " X") });
        return;
      case "stop":
        say({ from: phone, code: null, letter: null, body: draw.pick(["STOP", "stop", " Stop "]) });
        if (draw.happens(0.6)) {
          time.after(draw.spread(minute, 60 * minute), () =>
            say({ from: phone, code: null, letter: null, body: draw.pick(["START", "Start!"]) }),
          );
        }
        return;
      default:
        later(0, phone, code, what);
        if (what === "T" || what === "V") goThere(phone, code, "going");
        if (what === "F") goThere(phone, code, "there");
    }
  }

  return {
    sleep: (until) => {
      asleepUntil = until;
    },
    read(phone, body) {
      const code = /T?[2-9]{3,5}(?!\d)/.exec(body)?.[0];
      if (!code) return;
      if (!seenCodes.includes(code)) seenCodes.push(code);
      const key = `${phone} ${code}`;
      if (/avslut|closed/i.test(body)) stages.set(key, "done");
      if (/behöver inte åka|need not go/.test(body)) {
        if (draw.happens(0.85)) stages.set(key, "done");
        // Whoever did nothing has nothing to take back.
        if (draw.happens(0.03)) later(draw.spread(5 * second, 2 * minute), phone, code, "Z");
      }
      if (!body.includes(`${code} T`) || time.now < asleepUntil) return;
      const stage = stages.get(key);
      const alreadyIn = stage === "going" || stage === "there";
      const times = answered.get(key) ?? 0;
      const isForHelp = askForHelp.test(body);
      const ignored = isForHelp ? 0.2 : stage === "answered" ? 0.5 : ignores;
      if (alreadyIn || times >= mostAnswers + (isForHelp ? 1 : 0) || draw.happens(ignored)) return;
      stages.set(key, "answered");
      answered.set(key, times + 1);
      time.after(draw.spread(4 * second, 3 * minute), () => answer(phone, code, isForHelp));
    },
  };
}
