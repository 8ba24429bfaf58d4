import { describe, expect, test } from "vitest";
import { generatedFall } from "../../../test/console/generated-board.ts";
import { type BoardState, boardStep, closedEpisodes, emptyBoard, newlyUntaken, openEpisodes } from "./board-state.ts";

const now = Date.UTC(2026, 0, 14, 2, 0);
const fall = (code: string, minutesAgo: number, patch = {}) => generatedFall(now, minutesAgo, { code, ...patch });
const board = (state: BoardState, ...episodes: ReturnType<typeof fall>[]) =>
  boardStep(state, { kind: "board", message: { now, troubles: [], episodes } }, now - 500);

describe("order", () => {
  test("untaken before taken before arrived, and who has waited longest first", () => {
    const state = board(
      emptyBoard,
      fall("222", 40, { status: "arrived" }),
      fall("333", 2),
      fall("444", 20, { status: "taken" }),
      fall("555", 9),
    );
    expect(openEpisodes(state).map((view) => view.code)).toEqual(["555", "333", "444", "222"]);
  });

  test("of those untaken, and of those taken, whoever was not seen to get up comes first", () => {
    const longLie = { since: now - 6 * 60_000, isUnheard: false };
    const state = board(
      emptyBoard,
      fall("222", 30),
      fall("333", 6, { longLie }),
      fall("444", 20, { status: "taken" }),
      fall("555", 6, { status: "taken", longLie }),
    );
    expect(openEpisodes(state).map((view) => view.code)).toEqual(["333", "222", "555", "444"]);
  });

  test("a technical alarm stands below every alarm, and makes no sound", () => {
    const technical = fall("539", 60, { kind: "technical" });
    const before = board(emptyBoard, fall("222", 40, { status: "arrived" }));
    const state = board(before, fall("222", 40, { status: "arrived" }), technical);
    expect(openEpisodes(state).map((view) => view.code)).toEqual(["222", "539"]);
    expect(newlyUntaken(before, state)).toEqual([]);
  });

  test("closed episodes leave the list after 12 hours", () => {
    const closed = (hours: number) => ({ status: "closed", closedAt: now - hours * 3600_000 }) as const;
    const state = board(
      emptyBoard,
      fall("222", 800, closed(13)),
      fall("333", 700, closed(11)),
      fall("444", 9, closed(0)),
    );
    expect(closedEpisodes(state, now).map((view) => view.code)).toEqual(["444", "333"]);
  });
});

describe("what rings", () => {
  test("an untaken alarm once, when it comes, or when it is given back", () => {
    const quiet = board(emptyBoard);
    const one = boardStep(quiet, { kind: "episode", message: { now, episode: fall("222", 1) } }, now);
    expect(newlyUntaken(quiet, one).map((view) => view.code)).toEqual(["222"]);
    const same = boardStep(one, { kind: "episode", message: { now, episode: fall("222", 1, { repeats: 1 }) } }, now);
    expect(newlyUntaken(one, same)).toEqual([]);
    const taken = boardStep(same, { kind: "answer", episode: fall("222", 1, { status: "taken" }) }, now);
    expect(newlyUntaken(same, taken)).toEqual([]);
    expect(newlyUntaken(taken, board(taken, fall("222", 1))).map((view) => view.code)).toEqual(["222"]);
  });

  test("an untaken alarm again when nobody was seen to get up; one that is taken does not", () => {
    const longLie = { since: now, isUnheard: false };
    const before = board(emptyBoard, fall("222", 6), fall("333", 6, { status: "taken" }));
    const after = board(before, fall("222", 6, { longLie }), fall("333", 6, { status: "taken", longLie }));
    expect(newlyUntaken(before, after).map((view) => view.code)).toEqual(["222"]);
    expect(newlyUntaken(after, board(after, fall("222", 7, { longLie })))).toEqual([]);
  });

  test("what came while contact was lost", () => {
    const before = boardStep(board(emptyBoard, fall("222", 3)), { kind: "lost" }, now);
    expect(newlyUntaken(before, board(before, fall("222", 3), fall("333", 1))).map((view) => view.code)).toEqual([
      "333",
    ]);
  });
});

describe("contact", () => {
  test("lost until the server is heard; then it is said when it came back", () => {
    const lost = boardStep(board(emptyBoard), { kind: "lost" }, now);
    expect(lost.connected).toBe(false);
    const back = boardStep(lost, { kind: "heartbeat", message: { now, troubles: ["x"] } }, now + 7000);
    expect(back).toMatchObject({ connected: true, backAt: now + 7000, troubles: ["x"] });
  });

  test("minutes are counted by the server's clock", () => {
    expect(board(emptyBoard).clockMs).toBe(500);
  });

  test("a change before the first board does not make a board of one", () => {
    const state = boardStep(emptyBoard, { kind: "episode", message: { now, episode: fall("222", 1) } }, now);
    expect(state.episodes).toBeNull();
  });
});
