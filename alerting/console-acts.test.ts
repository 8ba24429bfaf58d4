import { describe, expect, test } from "vitest";
import { minute, Play, second } from "../test/alerting/episode-play.ts";
import type { ConsoleAction } from "./console/api.ts";
import type { ConsoleUser } from "./console/roles.ts";
import { consoleInput } from "./console-acts.ts";

const maria: ConsoleUser = { name: "Maria", role: "operator" };
const rut: ConsoleUser = { name: "Rut", role: "responder" };

function press(play: Play, action: ConsoleAction["action"], user = rut, afterMs = second): Play {
  const pressed =
    action === "close" ? ({ action, outcome: "unhurt", reason: "because" } as const) : ({ action } as ConsoleAction);
  return play.put({ ...consoleInput([play.state], "e1", pressed, user), mayReopen: true }, afterMs);
}
const refused = (play: Play) => play.commands.flatMap((c) => (c.do === "refuse" ? [c.problem] : []))[0];
const at = (play: Play, ...acts: ConsoleAction["action"][]) => acts.reduce((done, act) => press(done, act), play);

describe("cannot get in", () => {
  test("key holders, whoever leads and a second person at once, again every 5 min until one answers; it stays open", () => {
    const play = at(new Play({}, { keyHolders: ["keys"], busy: ["p1"] }), "take", "cannot-get-in");
    expect(play.paged).toEqual(["backup:keys", "backup:leader", "backup:p2"]);
    expect(play.pages.at(-1)?.message).toEqual({ kind: "backup", need: "cannot-get-in", by: "operator" });
    expect(play.state).toMatchObject({ status: "taken", takenBy: { name: "Rut" }, backupAskedBy: rut });
    expect(play.state.onTheWayAt).toBe(play.now);
    expect(play.due("backup").paged).toEqual(["backup:keys", "backup:leader", "backup:p2"]);
    expect(play.reply("keys", "T").paged).toEqual(["answer:keys"]);
    expect(play.pages.at(-1)?.message).toEqual({ kind: "backup-joined", by: "operator" });
    expect(play.state).toMatchObject({ backupJoined: ["keys"], status: "taken" });
    expect(play.state.due.backup).toBeUndefined();
    // Who was coming is not: the call goes out again.
    expect(play.reply("keys", "N").paged).toEqual(["backup:leader", "backup:p2", "answer:keys"]);
  });

  test("taken by phone: it counts as written there, and the phone is told", () => {
    const play = press(new Play({}, { keyHolders: ["keys"] }).reply("p1", "T"), "cannot-get-in", maria);
    expect(play.paged).toEqual(["backup:keys", "backup:leader", "backup:p2", "answer:p1"]);
    expect(play.answer).toBe("backup-noted");
    expect(play.state.backupAskedBy).toBe("p1");
    expect(play.reply("keys", "V").paged).toEqual(["to-others:p1", "answer:keys"]);
  });

  test("there, and nobody opens: the same, and its outcome is still asked for", () => {
    const play = at(new Play(), "take", "arrived", "cannot-get-in");
    expect(play.paged).toEqual(["backup:leader", "backup:p1"]);
    expect(Object.keys(play.state.due).sort()).toEqual(["backup", "outcome"]);
  });

  test("two needed calls whoever leads and a second person, no key holder", () => {
    const play = at(new Play({}, { keyHolders: ["keys"] }), "take", "arrived", "two-needed");
    expect(play.paged).toEqual(["backup:leader", "backup:p1"]);
  });

  test("not before it is taken, and not of what nobody travels to", () => {
    for (const action of ["cannot-get-in", "two-needed"] as const) {
      expect(refused(press(new Play(), action))).toBe("not-taken");
      const technical = new Play({ kind: "technical", trouble: { kind: "gateway-lost", subject: "g1", since: 0 } });
      expect(refused(at(technical, "take", action))).toBe("not-taken");
    }
  });
});

describe("cannot", () => {
  test("one's own: the next at once", () => {
    const play = at(new Play(), "take", "cannot");
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(play.state).toMatchObject({ status: "open", takenBy: null });
  });

  test("another's: for an operator alone, and whoever had it by phone is told", () => {
    const play = new Play().reply("p1", "T");
    expect(refused(press(play, "cannot", rut))).toBe("not-taken");
    expect(press(play, "cannot", maria).paged).toEqual(["alarm:p2", "alarm:p3", "answer:p1"]);
    expect(play.answer).toBe("declined");
    // By mistake: it is theirs again, and they are told.
    expect(press(play, "undo", maria).paged).toEqual(["taken:p1"]);
    expect(play.state).toMatchObject({ status: "taken", takenBy: { id: "p1" } });
  });
});

test("112 called: it stays as it is, and the act before it can still be undone", () => {
  const play = at(new Play(), "take", "arrived");
  const { state } = play;
  expect(at(play, "called-112").commands).toEqual([]);
  expect(play.state).toEqual(state);
  expect(at(play, "undo").state.status).toBe("taken");
});

describe("undo", () => {
  test("of a take: everybody is paged again", () => {
    const play = at(new Play(), "take", "undo");
    expect(play.paged).toEqual(["alarm:p1"]);
    expect(play.state).toMatchObject({ status: "open", undo: null });
  });

  test("of a closing: open again where it stood, and those who were told are told", () => {
    const play = new Play().due("next-page").due("next-page");
    at(play, "take", "arrived", "close");
    expect(play.state.status).toBe("closed");
    expect(at(play, "undo").paged).toEqual(["to-others:leader"]);
    expect(play.pages.at(-1)?.message).toEqual({ kind: "reopened", by: "operator" });
    expect(play.state).toMatchObject({ status: "arrived", closedAt: null, outcome: null });
    expect(Object.keys(play.state.due)).toEqual(["outcome"]);
  });

  test("of an arrival that was told for somebody: they are told that it is theirs again", () => {
    const play = at(new Play().reply("p1", "T"), "arrived", "undo");
    expect(play.paged).toEqual(["taken:p1"]);
    expect(play.state).toMatchObject({ status: "taken", present: [] });
  });

  test.each([
    ["somebody else's act", (play: Play) => press(press(play, "take"), "undo", maria)],
    ["what was done by phone", (play: Play) => press(play.reply("p1", "T"), "undo")],
    ["after 10 min", (play: Play) => press(press(play, "take"), "undo", rut, 10 * minute + second)],
    ["what a phone has changed since", (play: Play) => press(press(play, "take").reply("p1", "F"), "undo")],
    ["twice", (play: Play) => at(play, "take", "undo", "undo")],
    [
      "a closing where the dwelling has another alarm by now",
      (play: Play) => {
        const closed = at(play, "take", "arrived", "close");
        const { facts: own } = closed.state;
        const other = { ...closed.state, status: "open" as const, facts: { ...own, id: "e2" } };
        return closed.put(consoleInput([closed.state, other], "e1", { action: "undo" }, rut));
      },
    ],
  ])("not %s", (_, act) => {
    expect(refused(act(new Play()))).toBe("nothing-to-undo");
  });

  test("a phone does not take back what the console did", () => {
    expect(at(new Play(), "take").reply("p1", "Z").answer).toBe("nothing-to-undo");
  });

  test("what was written before a press could be undone gives the same state again", () => {
    const play = new Play().put({ type: "console", action: { action: "take" }, user: maria });
    expect(play.state.undo).toBeNull();
  });
});

test("a technical alarm can be given back", () => {
  const play = new Play({
    kind: "technical",
    trouble: { kind: "gateway-lost", subject: "g1", since: 0 },
    detection: null,
  });
  expect(at(play, "take", "cannot").state).toMatchObject({ status: "open", takenBy: null });
  expect(play.paged[0]).toMatch(/^technical:/);
});
