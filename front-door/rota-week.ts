import { shiftName } from "../alerting/rota/calendar.ts";
import type { Shift } from "../alerting/rota/changes.ts";
import type { RotaConfig } from "../alerting/rota/rota-config.ts";
import type { SignOn, StintKey } from "../alerting/rota/sign-ons.ts";
import { type DayRow, type RotaDay, type WeekInputs, weekOf } from "../alerting/rota/week.ts";
import type { RotaWords } from "../alerting/rota/words.ts";

/** A piece of text and how it is meant, so that colours are only one way to tell it. */
export interface Piece {
  text: string;
  tone: "plain" | "good" | "bad" | "faint";
}

export type Line = Piece[];

export interface TableInputs extends WeekInputs {
  rota: RotaConfig;
  nameOf(responderId: string): string;
  signOn(stint: StintKey): SignOn;
  /** Responders whose phones are known not to take texts. */
  unreachable: ReadonlySet<string>;
  words: RotaWords;
  /** Columns of the terminal. */
  width: number;
}

interface Row {
  time: string;
  shift: Piece;
  people: Piece[];
  isNow: boolean;
}

const plain = (text: string): Piece => ({ text, tone: "plain" });
const dayWidth = 9;
const timeWidth = 13;
const shiftWidth = 8;
/** A week as lines: a day's shifts under each other, gaps among them, what is running marked with `>`. */
export function weekTable(inputs: TableInputs): Line[] {
  const { words, width } = inputs;
  const lines: Line[] = [];
  for (const day of weekOf(inputs)) {
    const notes = [
      ...day.holidays,
      ...(day.clock === "forward" ? [words.summerTime] : day.clock === "back" ? [words.winterTime] : []),
    ];
    const ofDay = [
      ...notes
        .flatMap((note) => wrap([{ text: note, tone: "faint" }], width - 4 - dayWidth))
        .map((note) => ({ mark: "  ", note })),
      ...day.rows
        .filter(({ continues }) => !continues)
        .map((row) => rowOf(inputs, day, row))
        .flatMap((row) => linesOf(row, width)),
    ];
    ofDay.forEach(({ mark, note }, index) => {
      lines.push([plain(`${mark}${(index === 0 ? words.day(day.day) : "").padEnd(dayWidth)}  `), ...note]);
    });
  }
  return lines;
}

/** A row without its day: the people over as many lines as they need. */
function linesOf({ time, shift, people, isNow }: Row, width: number): { mark: string; note: Line }[] {
  const name = { ...shift, text: `${shift.text.padEnd(shiftWidth)}  ` };
  const used = 2 + dayWidth + 2 + timeWidth + 1 + name.text.length;
  return wrap(people, width - used).map((line, index) =>
    index === 0
      ? { mark: isNow ? "> " : "  ", note: [plain(`${time.padEnd(timeWidth)} `), name, ...line] }
      : { mark: "  ", note: [plain(" ".repeat(timeWidth + 1 + name.text.length)), ...line] },
  );
}

function rowOf(inputs: TableInputs, day: RotaDay, { from, until, shift, responders, isLong, isNow }: DayRow): Row {
  const { rota, words } = inputs;
  if (!shift) {
    const people: Piece[] = [{ text: words.nobody, tone: "bad" }];
    return { time: `${words.time(from)}–${words.time(until)}`, shift: { text: "GAP", tone: "bad" }, people, isNow };
  }
  const begins = from < day.from ? "" : words.time(from);
  const ends = until > day.until && isLong ? "" : words.time(until);
  return {
    time: begins === "" && ends === "" ? words.allDay : `${begins}–${ends}`,
    shift: plain(shiftName(rota, shift.shiftId, words)),
    people: responders.map((id) => personIn(inputs, shift, id, isNow)),
    isNow,
  };
}

function personIn(
  { plan, now, nameOf, signOn, unreachable, words }: TableInputs,
  shift: Shift,
  id: string,
  isNow: boolean,
): Piece {
  const stint = isNow
    ? plan.stintsAt(now).find((one) => one.responderId === id && one.shiftId === shift.shiftId)
    : undefined;
  const state = stint ? signOnState(signOn(stint), words) : null;
  const about = [...(unreachable.has(id) ? [words.unreachable] : []), ...(state ? [state.text] : [])];
  return {
    text: `${nameOf(id)}${about.length > 0 ? ` (${about.join("; ")})` : ""}`,
    tone: unreachable.has(id) ? "bad" : (state?.tone ?? "plain"),
  };
}

/** Whether a phone has signed on, and who is on the patrol. */
export function signOnState({ signedOnAt, missedAt, askedAt, crew }: SignOn, words: RotaWords): Piece {
  const state: Piece =
    signedOnAt !== null
      ? { text: words.signedOn(words.time(signedOnAt)), tone: "good" }
      : missedAt !== null
        ? { text: words.missed, tone: "bad" }
        : askedAt !== null
          ? { text: words.asked(words.time(askedAt)), tone: "plain" }
          : { text: words.notAsked, tone: "plain" };
  return crew === null ? state : { ...state, text: `${state.text}; ${crew}` };
}

/** Items behind each other, with commas, over as many lines as they need; one that is longer than a line is broken between words. */
function wrap(items: readonly Piece[], width: number): Line[] {
  const lines: Line[] = [];
  let left = 0;
  items.forEach((item, index) => {
    const text = `${item.text}${index < items.length - 1 ? "," : ""}`;
    const parts = text.length <= width ? [text] : text.split(" ").flatMap((word) => cutTo(word, width));
    for (const part of parts) {
      const line = lines.at(-1);
      if (line && part.length + 1 <= left) {
        line.push({ text: ` ${part}`, tone: item.tone });
        left -= part.length + 1;
      } else {
        lines.push([{ text: part, tone: item.tone }]);
        left = width - part.length;
      }
    }
  });
  return lines;
}

const cutTo = (word: string, width: number): string[] =>
  Array.from({ length: Math.max(1, Math.ceil(word.length / width)) }, (_, i) => word.slice(i * width, (i + 1) * width));
