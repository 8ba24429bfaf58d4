import { expect, test } from "vitest";
import { generatedFall } from "../../../test/console/generated-board.ts";
import { type BoardInput, type BoardState, boardStep, emptyBoard } from "./board-state.ts";
import { missedStepOf } from "./episode-words.ts";
import { createWords } from "./language.ts";
import { missedSteps } from "./missed.ts";

const now = Date.UTC(2026, 0, 14, 2, 0);
const minute = 60_000;
const fall = (code: string, minutesAgo: number, patch = {}) => generatedFall(now, minutesAgo, { code, ...patch });
const boardAt = (at: number, ...episodes: ReturnType<typeof fall>[]): BoardInput => ({
  kind: "board",
  message: { now: at, troubles: [], episodes },
});
const play = (...inputs: [BoardInput, number][]) =>
  inputs.reduce<BoardState>((state, [input, at]) => boardStep(state, input, at), emptyBoard);
const told = ({ missed }: BoardState) => missed?.items.map(({ view, steps }) => [view.code, ...steps]) ?? null;
const lost: BoardInput = { kind: "lost" };

const quiet = fall("222", 30);
const before = [
  quiet,
  fall("333", 30),
  fall("444", 30, { status: "taken", takenBy: "Patrull 2", takenAt: now - 20 * minute }),
];
const closed = {
  status: "closed",
  takenBy: "Rut",
  takenAt: now - 8 * minute,
  closedAt: now - minute,
  closedBy: "Rut",
} as const;
const after = [
  quiet,
  fall("333", 30, { ...closed, arrivedAt: now - 3 * minute, outcome: "unhurt" }),
  fall("444", 30),
  fall("555", 6),
  fall("666", 7, { ...closed, outcome: "no-fall" }),
];

test("what came, was taken, given back and closed in ten minutes without contact; what waits for somebody first", () => {
  const state = play(
    [boardAt(now - 10 * minute, ...before), now - 10 * minute],
    [lost, now - 10 * minute + 3500],
    [boardAt(now, ...after), now],
  );
  expect(told(state)).toEqual([
    ["555", "new"],
    ["444", "given-back"],
    ["666", "new", "taken", "closed"],
    ["333", "taken", "arrived", "closed"],
  ]);
  expect(state.missed).toMatchObject({ from: now - 10 * minute, until: now });
});

test("nothing happened, nothing to read; nor at the first board, nor of what was closed before", () => {
  expect(told(play([boardAt(now, ...after), now]))).toBeNull();
  expect(told(play([lost, now], [boardAt(now, ...after), now]))).toBeNull();
  const old = fall("777", 700, { status: "closed", closedAt: now - 11 * minute });
  const start: [BoardInput, number] = [boardAt(now - 10 * minute, quiet), now - 10 * minute];
  expect(told(play(start, [lost, now], [boardAt(now, quiet, old), now]))).toBeNull();
});

test("it stays until it is read; a second loss adds to what was not read yet, and begins anew after", () => {
  const first = play(
    [boardAt(now, quiet), now],
    [lost, now + 4000],
    [boardAt(now + minute, quiet, fall("555", 0)), now + minute],
  );
  const heard = boardStep(
    first,
    { kind: "heartbeat", message: { now: now + minute + 2000, troubles: [] } },
    now + minute + 2000,
  );
  expect(told(heard)).toEqual([["555", "new"]]);
  const ended = { ...closed, closedAt: now + 90_000 };
  const second = [lost, boardAt(now + 2 * minute, quiet, fall("555", 0, ended))].reduce<BoardState>(
    (state, input) => boardStep(state, input, now + 2 * minute),
    heard,
  );
  expect(told(second)).toEqual([["555", "new", "taken", "closed"]]);
  expect(second.missed?.from).toBe(now);
  const read = boardStep(second, { kind: "read" }, now + 3 * minute);
  expect(read.missed).toBeNull();
  const third = [lost, boardAt(now + 4 * minute, quiet, fall("555", 0, ended), fall("666", 0))].reduce<BoardState>(
    (state, input) => boardStep(state, input, now + 4 * minute),
    read,
  );
  expect(told(third)).toEqual([["666", "new"]]);
});

test("others were called, 112 was called, and nobody was seen to get up", () => {
  const view = fall("222", 30, {
    backup: { need: "cannot-get-in", by: "Rut", coming: [] },
    ...{ called112At: now, longLie: { since: now, isUnheard: false } },
  });
  const state = play([boardAt(now, quiet), now], [lost, now], [boardAt(now, view), now]);
  expect(told(state)).toEqual([["222", "long-lie", "called-112", "backup"]]);
});

test("each step is said in both languages, with who, when and how it ended", () => {
  const view = fall("222", 30, { ...closed, arrivedAt: now, onTheWayAt: now, called112At: now, outcome: "unhurt" });
  for (const language of ["sv", "en"] as const) {
    const words = createWords(language);
    for (const step of missedSteps) expect(missedStepOf(words, view, step, now)).not.toMatch(/\{|undefined|null/);
    expect(missedStepOf(words, view, "closed", now)).toContain(`Rut ${words.time(now - minute)}`);
  }
  expect(missedStepOf(createWords("sv"), view, "closed", now)).toContain("Oskadd men hjälpt upp");
});

test("the clock is moved only where it is off: the cards are not drawn anew with each heartbeat", () => {
  const state = play([boardAt(now, quiet), now - 500]);
  const beat = (ahead: number) =>
    boardStep(state, { kind: "heartbeat", message: { now: now + 2000, troubles: [] } }, now + 2000 - ahead);
  expect([beat(620).clockMs, beat(900).clockMs]).toEqual([500, 900]);
  expect(beat(620).episodes).toBe(state.episodes);
  expect(beat(620).troubles).toBe(state.troubles);
});
