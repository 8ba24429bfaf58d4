import { describe, expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../test/alerting/episode-play.ts";
import type { EpisodeInput } from "./episode-state.ts";

const detectionId = facts.detection?.id ?? "";
const longLie = (change: Partial<Extract<EpisodeInput, { type: "long-lie" }>> = {}): EpisodeInput => ({
  type: "long-lie",
  detectionId,
  lyingSeconds: 301,
  unknownSeconds: 3,
  ...change,
});
const said = (play: Play) => play.commands.flatMap((c) => (c.do === "page" ? [c.message] : []));

describe("nobody has it", () => {
  test("the next are paged at once, with what was measured, and so is everybody after them", () => {
    const play = new Play().put(longLie(), 30 * second);
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3"]);
    const message = { kind: "long-lie", since: facts.since, at: play.now, isUnheard: false };
    expect(said(play)).toEqual([message, message]);
    expect(play.state.due["next-page"]).toBe(play.now + 2 * minute);
    play.due("next-page");
    expect(play.paged).toEqual(["not-taken:leader", "alarm:p1"]);
    expect(said(play)[1]).toEqual(message);
  });

  test("past the last step the operators are told at once, and it begins again", () => {
    const play = new Play().due("next-page").put(longLie(), 10 * second);
    expect(play.paged).toEqual(["not-taken:leader", "alarm:p1"]);
  });

  test("between two rounds, and while operators are asked first, it begins at once", () => {
    const between = new Play();
    for (const id of ["p1", "p2", "p3"]) between.reply(id, "N");
    expect(between.state.betweenRounds).toBe(true);
    expect(between.put(longLie()).paged).toEqual(["alarm:p1"]);
    const quiet = new Play({ operatorsFirstMs: minute });
    expect(quiet.paged).toEqual(["alarm:leader"]);
    expect(quiet.put(longLie()).paged).toEqual(["alarm:p1"]);
  });

  test("most of it without signal: that is said, and no more", () => {
    expect(said(new Play().put(longLie({ unknownSeconds: 280 })))[0]).toMatchObject({ isUnheard: true });
    expect(said(new Play().put(longLie({ unknownSeconds: 140 })))[0]).toMatchObject({ isUnheard: false });
  });
});

describe("somebody has it", () => {
  test("they are told, on the way or not, and no deadline moves", () => {
    const play = new Play().reply("p1", "T");
    const { due } = play.state;
    expect(play.put(longLie()).paged).toEqual(["reminder:p1"]);
    expect(said(play)[0]).toMatchObject({ kind: "long-lie-taken", isOnTheWay: false });
    expect(play.state.due).toEqual(due);
    const onTheWay = new Play().reply("p1", "T").reply("p1", "V").put(longLie());
    expect(said(onTheWay)[0]).toMatchObject({ isOnTheWay: true });
    // What they did can still be undone.
    expect(onTheWay.reply("p1", "Z").answer).toBe("undone");
  });

  test("taken at the console: the operators", () => {
    const play = new Play().put({
      type: "console",
      action: { action: "take" },
      user: { name: "Op", role: "operator" },
    });
    expect(play.put(longLie()).paged).toEqual(["reminder:leader"]);
  });

  test("given back: the next are called out with it", () => {
    const play = new Play().reply("p1", "T").put(longLie()).reply("p1", "N");
    expect(play.pages.findLast(({ responderId }) => responderId === "p2")?.message.kind).toBe("long-lie");
  });
});

describe("somebody is there, or it is over", () => {
  test("it is written down and pages nobody", () => {
    const there = new Play().reply("p1", "T").reply("p1", "F");
    expect(there.put(longLie()).paged).toEqual([]);
    expect(there.commands).toMatchObject([{ do: "tell", event: { type: "long-lie", lyingSeconds: 301 } }]);
    const closed = there.reply("p1", "U");
    const { longLies: _longLies, ...before } = closed.state;
    closed.put(longLie({ detectionId: "w.1.2.fall" }));
    const { longLies, ...after } = closed.state;
    expect(closed.commands).toHaveLength(1);
    expect(after).toEqual(before);
    expect(longLies).toEqual([detectionId, "w.1.2.fall"]);
  });
});

test("the same fall's word twice is one; another fall of the episode has its own", () => {
  const play = new Play().put(longLie());
  expect(play.put(longLie()).commands).toEqual([]);
  const again = { id: "w.1.9.fall", deviceId: "w", impactAt: start + minute, arrivedAt: start + minute, late: false };
  play.put({ type: "repeat", detection: { ...again, kind: "fall", reason: "still" } });
  play.put(longLie({ detectionId: again.id }));
  expect(play.paged).toEqual(["not-taken:leader"]);
  expect(play.state.longLie?.since).toBe(again.impactAt);
});

test("a new fall after somebody was there is called out as itself", () => {
  const play = new Play().put(longLie()).reply("p1", "T").reply("p1", "F");
  const later = play.now + 20 * minute;
  const again = { id: "w.1.9.fall", deviceId: "w", impactAt: later, arrivedAt: later, late: false };
  play.put({ type: "repeat", detection: { ...again, kind: "fall", reason: "still" } }, 20 * minute);
  expect(play.paged).toEqual(["alarm:p1"]);
  expect(said(play)[0]).toMatchObject({ kind: "alarm", impactAt: later });
  // The first one's word, handed in again.
  expect(play.put(longLie()).commands).toEqual([]);
});
