import { describe, expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../test/alerting/episode-play.ts";
import type { EpisodeInput } from "./episode-state.ts";

describe("setting off", () => {
  test("taken and not on the way in 5 min: a reminder that names who is next and when; 2 min later they are paged", () => {
    const play = new Play().reply("p1", "T");
    const { takenAt } = play.state;
    expect(play.due("set-off").paged).toEqual(["reminder:p1"]);
    expect(play.now - (takenAt ?? 0)).toBe(5 * minute);
    const nextAt = play.now + 2 * minute;
    expect(play.pages.at(-1)?.message).toMatchObject({
      kind: "not-set-off-reminder",
      next: { responder: "p2" },
      nextAt,
    });
    expect(play.due("set-off").paged).toEqual(["not-arrived:leader", "alarm:p2", "alarm:p3"]);
    expect(play.now).toBe(nextAt);
    expect(play.state).toMatchObject({ status: "open", takenBy: null });
  });

  test("V calls the limit off, and that on arriving stays", () => {
    const play = new Play().reply("p1", "T").reply("p1", "V");
    expect(Object.keys(play.state.due)).toEqual(["arrive"]);
  });

  test("a dwelling's own time to arrive", () => {
    const play = new Play({ policy: { ...facts.policy, arriveWithinMs: 90 * minute } }).reply("p1", "T");
    expect(play.state.due.arrive).toBe(play.now + 90 * minute);
  });

  test("taken on the console: the operators are reminded", () => {
    const user = { name: "Op", role: "operator" } as const;
    const play = new Play().put({ type: "console", action: { action: "take" }, user });
    expect(play.due("set-off").paged).toEqual(["reminder:leader"]);
    play.put({ type: "console", action: { action: "on-the-way" }, user });
    expect(Object.keys(play.state.due)).toEqual(["arrive"]);
  });
});

describe("receipts", () => {
  test("nothing delivered in 20 s: the next is paged, and whoever was first can still take it", () => {
    const play = new Play().result("p1", "accepted").receipt("p1", "sent");
    expect(play.due("receipt").paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(play.now - start).toBe(20 * second);
    expect(play.reply("p1", "T").state.takenBy).toMatchObject({ id: "p1" });
  });

  test("delivered in time: the wait for a reply goes on, and is not made longer", () => {
    const play = new Play().receipt("p1", "delivered").result("p1", "accepted");
    expect(play.state.due).toEqual({ "next-page": start + 2 * minute });
  });

  test("delivered once is delivered, whatever a second message of the same page meets", () => {
    const play = new Play().receipt("p1", "delivered").receipt("p1", "undelivered");
    expect(play.paged).toEqual([]);
  });

  test("everybody was paged once: from the second round on the waits alone count", () => {
    const play = new Play().due("receipt").due("receipt");
    expect(play.paged).toContain("not-taken:leader");
    while (play.state.round < 2) play.due("next-page");
    expect(play.state.due.receipt).toBeUndefined();
  });
});

describe("who is free", () => {
  test("whoever is busy is passed over at once, and asked in the second round", () => {
    const play = new Play({}, { busy: ["p1"] });
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(play.due("next-page").paged).toEqual(["not-taken:leader", "alarm:p1"]);
  });

  test("all are busy: the leader at once, and everybody a minute later", () => {
    const play = new Play({}, { busy: ["p1", "p2", "p3"] });
    expect(play.paged).toEqual(["not-taken:leader"]);
    expect(play.pages[0]?.message).toMatchObject({ kind: "nobody-free", why: "busy" });
    expect(play.due("next-page").paged).toEqual(["alarm:p1"]);
    expect(play.now - start).toBe(minute);
  });

  test("nobody is on call: the fallback is paged, for as long as it takes", () => {
    const play = new Play({}, { steps: [[], []], operators: ["leader", "boss"] });
    expect(play.paged).toEqual(["not-taken:leader", "not-taken:boss"]);
    for (let i = 0; i < 3; i++) {
      expect(play.due("next-page").paged).toEqual(["not-taken:leader", "not-taken:boss"]);
    }
    expect(play.now - start).toBe(3 * minute);
  });

  test("the rota is asked at each step: who comes on meanwhile is paged", () => {
    const play = new Play({}, { steps: [["p1"], []] });
    play.duty = { ...(play.duty as NonNullable<Play["duty"]>), steps: [["p1"], ["p9"]] };
    expect(play.due("next-page").paged).toEqual(["alarm:p9"]);
  });

  test("a phone that stops its texts: the next at once", () => {
    expect(new Play().put({ type: "contact-lost", responderId: "p1" }).paged).toEqual(["alarm:p2", "alarm:p3"]);
    const two = new Play().due("next-page").put({ type: "contact-lost", responderId: "p2" });
    expect(two.paged).toEqual([]);
    expect(two.put({ type: "contact-lost", responderId: "p3" }).paged).toContain("not-taken:leader");
  });
});

describe("more people", () => {
  test("K calls key holders, whoever leads and a second person, again every 5 min until one answers", () => {
    const play = new Play({}, { keyHolders: ["keys"], busy: ["p2"] }).reply("p1", "K");
    expect(play.paged).toEqual(["taken:p1", "backup:keys", "backup:leader", "backup:p3", "answer:p1"]);
    expect(play.due("backup").paged).toEqual(["backup:keys", "backup:leader", "backup:p3"]);
    expect(play.reply("keys", "V").paged).toEqual(["to-others:p1", "answer:keys"]);
    expect(play.state.due.backup).toBeUndefined();
    expect(play.state.status).toBe("taken");
    // Who was coming is not: the call goes out again.
    expect(play.reply("keys", "N").paged).toEqual(["to-others:p1", "backup:leader", "backup:p3", "answer:keys"]);
    const told = play.pages.map(({ message }) => message);
    expect(told).toContainEqual({ kind: "backup-not-coming", by: { responder: "keys" } });
    expect(play.state.due.backup).toBe(play.now + 5 * minute);
  });

  test("who was coming takes it back: whoever waits is told, and the call goes out again at once", () => {
    const play = new Play().reply("p1", "D").reply("leader", "T").reply("leader", "Z");
    expect(play.paged).toEqual(["to-others:p1", "backup:p2", "answer:leader"]);
    expect(play.answer).toBe("undone");
    expect(play.pages.at(-1)?.message).toMatchObject({ status: "taken", other: { responder: "p1" } });
    expect(play.state.due.backup).toBe(play.now + 5 * minute);
    expect(play.due("backup").paged).toEqual(["backup:leader", "backup:p2"]);
  });

  test("with the person: who was coming cannot, the call goes out again", () => {
    const play = new Play().reply("p1", "F").reply("p1", "D").reply("leader", "T").reply("leader", "N");
    expect(play.paged).toEqual(["to-others:p1", "backup:p2", "answer:leader"]);
    expect(Object.keys(play.state.due).sort()).toEqual(["backup", "outcome"]);
  });

  test("two are coming and one is not: nobody else is called", () => {
    const play = new Play().reply("p1", "D").reply("p2", "T").reply("leader", "T").reply("leader", "Z");
    expect(play.paged).toEqual(["to-others:p1", "answer:leader"]);
    expect(play.state.due.backup).toBeUndefined();
  });

  test("an arrival that is undone: whoever could not get in is waited with again", () => {
    const play = new Play().reply("p1", "K").reply("p1", "F").reply("p1", "Z");
    expect(play.paged).toEqual(["backup:leader", "backup:p2", "answer:p1"]);
    expect(Object.keys(play.state.due).sort()).toEqual(["arrive", "backup"]);
  });

  test("K that is taken back: whoever was called is told that nobody need go, and not once more at the end", () => {
    const play = new Play({}, { keyHolders: ["keys"] }).reply("p1", "T").reply("p1", "K").reply("p1", "Z");
    expect(play.paged).toEqual(["to-others:keys", "to-others:leader", "to-others:p2", "answer:p1"]);
    expect(play.pages.map(({ message }) => message)).toContainEqual({ kind: "backup-off", by: { responder: "p1" } });
    expect(play.state).toMatchObject({ status: "taken", backupAskedBy: null });
    expect(play.reply("p1", "F").paged).toEqual(["answer:p1"]);
  });

  test("K by which it was taken, taken back: it is nobody's again, and whoever is on the way is welcome", () => {
    const play = new Play().reply("p2", "K").reply("p2", "Z");
    expect(play.state.status).toBe("open");
    expect(play.pages.map(({ message }) => message.kind)).not.toContain("backup-off");
  });

  test("the door is open: whoever was called and is not there is told, and whoever is there is not", () => {
    const play = new Play({}, { keyHolders: ["keys"] }).reply("p1", "T").reply("p1", "K").reply("keys", "F");
    expect(play.paged).toEqual(["to-others:p1", "to-others:leader", "to-others:p2", "answer:keys"]);
    expect(play.pages.at(-2)?.message).toMatchObject({ kind: "arrived-other", by: { responder: "keys" } });
  });

  test("two are needed, and whoever said so is there first: the call goes on, nobody is called off, and all hear of the end", () => {
    const play = new Play().reply("p1", "T").reply("p1", "D").reply("p1", "F");
    expect(play.paged).toEqual(["answer:p1"]);
    expect(play.state).toMatchObject({ status: "arrived", backupNeed: "two-needed", backupAskedBy: "p1" });
    expect(play.due("backup").paged).toEqual(["backup:leader", "backup:p2"]);
    expect(play.reply("p1", "U").paged).toEqual(["closed:p1", "closed:leader", "closed:p2"]);
  });

  test("D after F: it stays open, and its outcome is still asked for", () => {
    const play = new Play().reply("p1", "F").reply("p1", "D");
    expect(play.paged).toEqual(["backup:leader", "backup:p2", "answer:p1"]);
    expect(Object.keys(play.state.due).sort()).toEqual(["backup", "outcome"]);
    expect(play.reply("p1", "U").state).toMatchObject({ status: "closed", due: {} });
  });
});

describe("undo", () => {
  test("of a closing: open again where it stood, those who were told are told", () => {
    const play = new Play().due("next-page").due("next-page").reply("p2", "F").reply("p2", "X");
    expect(play.state.status).toBe("closed");
    play.put({ type: "reply", responderId: "p2", letter: "Z", mayReopen: true });
    expect(play.state).toMatchObject({ status: "arrived", outcome: null, closedAt: null, present: ["p2"] });
    expect(Object.keys(play.state.due)).toEqual(["outcome"]);
    expect(play.paged).toEqual(["to-others:leader", "answer:p2"]);
    expect(play.pages.at(-1)?.message).toEqual({ kind: "undone", letter: "X", status: "arrived", other: null });
  });

  test("of an arrival where another has it: they are told that it is theirs again", () => {
    const play = new Play().reply("p1", "T").due("arrive").reply("p2", "T").reply("p3", "F").reply("p3", "Z");
    expect(play.paged).toEqual(["taken:p2", "answer:p3"]);
    expect(play.pages.at(-1)?.message).toMatchObject({ status: "taken", other: { responder: "p2" } });
  });

  test("of a take: the others are paged at once", () => {
    const play = new Play().reply("p1", "T").reply("p1", "Z");
    expect(play.state.status).toBe("open");
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3", "answer:p1"]);
  });

  test.each([
    ["somebody else's act", (play: Play) => play.reply("p1", "T").reply("p2", "Z")],
    ["after 10 min", (play: Play) => play.reply("p1", "F").reply("p1", "Z", 10 * minute + second)],
    ["what time has changed since", (play: Play) => play.reply("p1", "T").due("arrive").reply("p1", "Z")],
    ["twice", (play: Play) => play.reply("p1", "T").reply("p1", "Z").reply("p1", "Z")],
    ["a closing where the dwelling has another alarm by now", (play: Play) => play.reply("p1", "U").reply("p1", "Z")],
  ])("not %s", (_, act) => {
    const play = act(new Play());
    expect(play.answer).toBe("nothing-to-undo");
  });

  test("a reply that only tells something leaves the act before it undoable", () => {
    const play = new Play().reply("p1", "F").reply("p1", "A").reply("p1", "Z");
    expect(play.state.status).toBe("open");
  });
});

describe("time on the floor", () => {
  const closed = (play: Play) =>
    play.commands.flatMap((c) => (c.do === "tell" && c.event.type === "closed" ? [c.event] : []))[0];

  test("until somebody was there, as the least it was, unless they say how long", () => {
    const play = new Play().reply("p1", "F", 10 * minute).reply("p1", "U", 5 * minute);
    expect(closed(play)).toMatchObject({ floorMs: 10 * minute + 12 * second, floorIsLeast: true });
    const said = new Play().reply("p1", "F", 10 * minute);
    said.put({ type: "reply", responderId: "p1", letter: "U", minutes: 25 });
    expect(closed(said)).toMatchObject({ floorMs: 25 * minute, floorIsLeast: false });
  });

  test("said afterwards it is still taken in", () => {
    const play = new Play().reply("p1", "U");
    play.put({ type: "reply", responderId: "p1", letter: null, minutes: 40 });
    expect(play.answer).toBe("minutes-noted");
    expect(play.state).toMatchObject({ status: "closed", floorMinutes: 40 });
  });

  test("none where nobody fell, or was up already", () => {
    const play = new Play().reply("p1", "F").reply("p1", "R");
    expect(closed(play)).toMatchObject({ floorMs: null });
  });
});

describe("a new resident's silent period", () => {
  const quiet = { operatorsFirstMs: minute };

  test("operators first, staff 60 s later", () => {
    const play = new Play(quiet);
    expect(play.paged).toEqual(["alarm:leader"]);
    expect(play.receipt("leader", "delivered").due("next-page").paged).toEqual(["alarm:p1"]);
    expect(play.now - start).toBe(minute);
  });

  test("an operator who cannot, or whose phone is dead, does not hold it up", () => {
    expect(new Play(quiet).reply("leader", "N").paged).toEqual(["alarm:p1", "answer:leader"]);
    expect(new Play(quiet).result("leader", "permanent").paged).toEqual(["alarm:p1"]);
    expect(new Play(quiet).due("receipt").paged).toEqual(["alarm:p1"]);
  });

  test("a strong fall or the button meanwhile calls the staff at once", () => {
    const repeat = (kind: "fall" | "help", strength: "strong" | "medium"): EpisodeInput => ({
      type: "repeat",
      detection: { ...facts.detection!, id: "w.1.2", kind, strength },
    });
    expect(new Play(quiet).put(repeat("fall", "medium")).paged).toEqual([]);
    expect(new Play(quiet).put(repeat("fall", "strong")).paged).toEqual(["alarm:p1"]);
    expect(new Play(quiet).put(repeat("help", "medium")).paged).toEqual(["alarm:p1"]);
  });
});

describe("a resident's cancel", () => {
  const medium = { detection: { ...facts.detection!, strength: "medium" as const } };
  const cancel = (play: Play, afterMs: number, upright = true) =>
    play.put({ type: "cancel", at: play.now + afterMs, upright }, afterMs).state.status;

  test("ends a medium fall within 30 s, upright; whoever was paged is told", () => {
    const play = new Play(medium);
    expect(cancel(play, 20 * second)).toBe("closed");
    expect(play.paged).toEqual(["closed:p1"]);
    expect(play.state).toMatchObject({ closedBy: { kind: "resident" }, closeReason: "cancelled by the resident" });
  });

  test("nothing else", () => {
    expect(cancel(new Play(), 10 * second)).toBe("open");
    expect(cancel(new Play(medium), 31 * second)).toBe("open");
    expect(cancel(new Play(medium), 10 * second, false)).toBe("open");
    expect(cancel(new Play(medium).reply("p1", "T"), 10 * second)).toBe("taken");
  });
});

describe("a technical alarm", () => {
  const about = {
    kind: "technical" as const,
    detection: null,
    trouble: { kind: "gateway-lost" as const, subject: "gw-1", since: start },
    policy: { ...facts.policy, receiptWithinMs: null, shortestRoundMs: 60 * minute },
  };

  test("is taken, and over when its trouble is; whoever has it is told", () => {
    const play = new Play(about);
    expect(play.paged).toEqual(["technical:p1"]);
    expect(play.reply("p1", "T").state.status).toBe("taken");
    expect(play.reply("p1", "X").answer).toBe("taken");
    expect(play.put({ type: "ended" }).state).toMatchObject({ status: "closed", closedBy: { kind: "system" } });
    expect(play.paged).toEqual(["closed:p1"]);
  });

  test("waits for the end of the quiet hours, and then goes out", () => {
    const quietUntil = start + 4 * 60 * minute;
    const play = new Play(about, { quietUntil });
    expect(play.paged).toEqual([]);
    expect(play.due("next-page").paged).toEqual(["technical:p1"]);
    expect(play.now).toBe(quietUntil);
  });

  test("an alarm is never over by itself", () => {
    expect(new Play().put({ type: "ended" }).state.status).toBe("open");
  });
});

describe("signing on", () => {
  const about = {
    kind: "sign-on" as const,
    test: true,
    detection: null,
    signOn: { responderId: "p1", rotaIds: ["night"], startsAt: start, endsAt: start + 600 * minute },
    policy: { ...facts.policy, steps: [{ responders: ["p1"], waitMs: 10 * minute }], receiptWithinMs: null },
  };

  test("answered by T, it is over", () => {
    const play = new Play(about);
    expect(play.paged).toEqual(["sign-on:p1"]);
    expect(play.reply("p1", "T").state).toMatchObject({ status: "closed", outcome: "test" });
  });

  test("not answered in 10 min: the leader, who can answer for it", () => {
    const play = new Play(about).due("next-page");
    expect(play.now - start).toBe(10 * minute);
    expect(play.paged).toContain("not-taken:leader");
    expect(play.pages.find(({ purpose }) => purpose === "not-taken")?.message).toMatchObject({
      kind: "sign-on-missing",
    });
    expect(play.reply("leader", "T").state.status).toBe("closed");
  });
});

describe("the clock is set", () => {
  const set = (play: Play, jumpMs: number) => {
    play.now += jumpMs;
    return play.put({ type: "clock", jumpMs }, 0);
  };

  test("back: deadlines go back with it", () => {
    const play = set(new Play(), -60 * minute);
    expect(play.state.due["next-page"]).toBe(play.now + 2 * minute);
  });

  test("forward: the next is paged no later, and nobody is called late before the time", () => {
    expect(set(new Play(), 60 * minute).state.due["next-page"]).toBe(start + 2 * minute);
    const taken = new Play().reply("p1", "T").reply("p1", "V");
    const left = (taken.state.due.arrive ?? 0) - taken.now;
    expect((set(taken, 24 * 60 * minute).state.due.arrive ?? 0) - taken.now).toBe(left);
  });

  test("a resident's cancel counts from when it was raised, whatever the clock says since", () => {
    const medium = () => new Play({ detection: { ...facts.detection!, strength: "medium" } });
    const cancelled = (play: Play, afterMs: number) =>
      play.put({ type: "cancel", at: play.now + afterMs, upright: true }, afterMs).state.status;
    for (const jumpMs of [-60 * minute, 60 * minute]) {
      expect(cancelled(set(medium(), jumpMs), 20 * second)).toBe("closed");
      expect(cancelled(set(medium(), jumpMs), 40 * second)).toBe("open");
    }
    // Set while nobody ran: nobody can know how long ago it was raised.
    const unseen = medium();
    unseen.now -= 60 * minute;
    expect(cancelled(unseen.put({ type: "clock", jumpMs: 0 }, 0), 20 * second)).toBe("open");
  });

  test("wrong at the last start: nothing lies further ahead than it ever was set", () => {
    const play = new Play();
    play.now -= 30 * 365 * 24 * 60 * minute;
    play.put({ type: "clock", jumpMs: 0 }, 0);
    expect(play.state.due["next-page"]).toBe(play.now + 2 * minute);
    expect(play.state.due.receipt).toBe(play.now + 20 * second);
  });
});

describe("handed on with the shift", () => {
  const user = { name: "Eva", role: "responder" } as const;
  const handOn = (to: string): EpisodeInput => ({ type: "handed-on", responderId: "p1", to, user });

  test("everybody on call is asked anew but who leaves, and the new phone in any case; nobody has it until one takes it", () => {
    const play = new Play().reply("p1", "T").put(handOn("p4"));
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3", "alarm:p4"]);
    expect(play.state).toMatchObject({ status: "open", takenBy: null });
    expect(Object.keys(play.state.due)).toEqual(["next-page"]);
    expect(play.reply("p4", "T").state).toMatchObject({ status: "taken", takenBy: { id: "p4" } });
    // Who left learns that it is in other hands.
    expect(play.paged).toContain("to-others:p1");
  });

  test("one whom the policy pages by itself is not paged twice", () => {
    expect(new Play().reply("p1", "T").put(handOn("p3")).paged).toEqual(["alarm:p2", "alarm:p3"]);
  });

  test("the new phone says N: the policy goes on", () => {
    const play = new Play().reply("p1", "T").put(handOn("p4"));
    play.result("p2", "permanent").result("p3", "permanent");
    expect(play.reply("p4", "N").paged).toContain("not-taken:leader");
  });

  test.each(["p2", "p1"])("only what is theirs, and not where they are: %s", (taker) => {
    const play = new Play().reply(taker, "T");
    if (taker === "p1") play.reply("p1", "F");
    const before = play.state;
    expect(play.put(handOn("p4")).commands).toEqual([{ do: "refuse", problem: "not-taken" }]);
    expect(play.state).toEqual(before);
  });
});
