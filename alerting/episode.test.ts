import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { facts, minute, Play, second, start } from "../test/alerting/episode-play.ts";
import { step } from "./episode.ts";
import { type EpisodeInput, type EpisodeState, type PagePurpose, purposes } from "./episode-state.ts";
import { letters } from "./replies.ts";

describe("nobody takes it", () => {
  test("the next step after its wait, past the last the operators are told and it begins again", () => {
    const play = new Play();
    expect(play.paged).toEqual(["alarm:p1"]);
    expect(play.due("next-page").paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(play.due("next-page").paged).toEqual(["not-taken:leader", "alarm:p1"]);
    expect(play.state.round).toBe(2);
    expect(play.pages.find((page) => page.purpose === "not-taken")?.message).toMatchObject({ minutes: 4 });
  });

  test("a deadline that was moved does nothing", () => {
    const play = new Play();
    expect(play.put({ type: "due", purpose: "next-page" }, second).paged).toEqual([]);
    expect(play.state.due["next-page"]).toBe(start + 2 * minute);
  });

  test("N pages the next at once; all N tells the operators, and the first again after a minute", () => {
    const play = new Play();
    expect(play.reply("p1", "N").paged).toEqual(["alarm:p2", "alarm:p3", "answer:p1"]);
    expect(play.reply("p1", "N").paged).toEqual(["answer:p1"]);
    expect(play.reply("p2", "N").paged).toEqual(["not-taken:leader", "answer:p2"]);
    expect(play.state.due["next-page"]).toBe(start + minute);
    expect(play.due("next-page").paged).toEqual(["alarm:p1"]);
  });
});

describe("what the provider says", () => {
  test("permanent: the next at once", () => {
    expect(new Play().result("p1", "permanent").paged).toEqual(["alarm:p2", "alarm:p3"]);
  });

  test("unknown: the next at once, and the same once more", () => {
    const play = new Play().result("p1", "unknown");
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(play.commands).toContainEqual({ do: "retry", pageId: "e1.1", at: play.now + 5 * second });
    expect(play.result("p1", "unknown", 2).commands).toEqual([]);
  });

  test("retryable: again, and the next beside it from the second time on", () => {
    const play = new Play().result("p1", "retryable", 1);
    expect(play.paged).toEqual([]);
    expect(play.commands).toEqual([{ do: "retry", pageId: "e1.1", at: play.now + second }]);
    expect(play.result("p1", "retryable", 2).paged).toEqual(["alarm:p2", "alarm:p3"]);
  });

  test("one of two who can be reached is enough to wait for", () => {
    const play = new Play().due("next-page");
    expect(play.result("p2", "permanent").paged).toEqual([]);
    expect(play.result("p3", "permanent").paged).toEqual(["not-taken:leader", "alarm:p1"]);
  });

  test("undelivered is a failure, delivered is not an acknowledgement", () => {
    const receipt = (status: "delivered" | "undelivered"): EpisodeInput => ({
      type: "receipt",
      pageId: "e1.1",
      responderId: "p1",
      purpose: "alarm",
      status,
      errorCode: null,
    });
    expect(new Play().put(receipt("undelivered")).paged).toEqual(["alarm:p2", "alarm:p3"]);
    expect(new Play().put(receipt("delivered")).state).toMatchObject({
      status: "open",
      due: { "next-page": start + 2 * minute },
    });
  });

  test("nobody at all can be reached: operators are told, and rounds do not follow each other without a pause", () => {
    const play = new Play();
    for (let round = 0; round < 5; round++) {
      play.result("p1", "permanent");
      play.result("p2", "permanent");
      play.result("p3", "permanent");
      expect(play.paged).toContain("not-taken:leader");
      play.due("next-page");
    }
    expect(play.now - start).toBeGreaterThanOrEqual(4 * minute);
  });
});

describe("taken", () => {
  test("stops the pages, tells the others, and is followed to arrival and outcome", () => {
    const play = new Play().due("next-page");
    expect(play.reply("p2", "T").paged).toEqual(["taken:p2", "to-others:p1", "to-others:p3"]);
    expect(play.commands).toContainEqual({ do: "withdraw" });
    expect(play.state.due).toEqual({ "set-off": play.now + 5 * minute, arrive: play.now + 30 * minute });
    expect(play.reply("p2", "V").answer).toBe("on-the-way");
    expect(play.reply("p2", "F").answer).toBe("arrived");
    expect(play.state.due).toEqual({ outcome: play.now + 30 * minute });
    expect(play.reply("p2", "R").state).toMatchObject({ status: "closed", outcome: "already-up", due: {} });
  });

  test("two at once: the first has it, the second is told who; twice by one is once", () => {
    const play = new Play().due("next-page").reply("p2", "T");
    const takenAt = play.state.takenAt;
    expect(play.reply("p3", "T").answer).toBe("to-others");
    expect(play.reply("p2", "T").answer).toBe("taken");
    expect(play.state).toMatchObject({ takenBy: { id: "p2" }, takenAt });
  });

  test("given back by N: the next at once", () => {
    const play = new Play().reply("p1", "T").reply("p1", "N");
    expect(play.paged).toEqual(["alarm:p2", "alarm:p3", "answer:p1"]);
    expect(play.state).toMatchObject({ status: "open", takenBy: null });
  });

  test("nobody there in 30 min: all are asked again, the others before whoever had it", () => {
    const play = new Play().reply("p1", "T").due("arrive");
    expect(play.paged).toEqual(["reminder:p1", "not-arrived:leader", "alarm:p2", "alarm:p3"]);
    expect(play.state.status).toBe("open");
    expect(play.reply("p1", "F").state).toMatchObject({ status: "arrived", arrivedBy: { id: "p1" } });
  });

  test("there, and nothing reported: asked again for as long as it takes", () => {
    const play = new Play().reply("p1", "T").reply("p1", "F");
    for (let i = 0; i < 3; i++) expect(play.due("outcome").paged).toEqual(["reminder:p1"]);
  });
});

describe("nothing is closed from the sofa", () => {
  test.each(["X", "R", "E"] as const)("%s before F only asks", (letter) => {
    const play = new Play().reply("p1", "T").reply("p1", letter);
    expect(play.answer).toBe("ask-arrived");
    expect(play.state.status).toBe("taken");
  });

  test.each([
    ["S", "injury"],
    ["U", "unhurt"],
  ] as const)("%s before F counts as arrived", (letter, outcome) => {
    const play = new Play().reply("p1", letter);
    expect(play.state).toMatchObject({ status: "closed", outcome, arrivedAt: play.now, takenBy: { id: "p1" } });
  });

  test("X of somebody else than who is there does not close", () => {
    const play = new Play().due("next-page").reply("p2", "T").reply("p2", "F").reply("p3", "X");
    expect(play.state.status).toBe("arrived");
  });

  test("E after F is noted and keeps it open; K and D call the operators", () => {
    const play = new Play().reply("p1", "F").reply("p1", "E");
    expect(play.state.status).toBe("arrived");
    for (const letter of ["K", "D"] as const) {
      expect(new Play().reply("p1", letter).paged).toEqual(["taken:p1", "backup:leader", "backup:p2", "answer:p1"]);
    }
  });

  test("whoever answers a call for more people is told to come, and the caller that they do", () => {
    const play = new Play().reply("p1", "K").reply("leader", "T");
    expect(play.paged).toEqual(["to-others:p1", "answer:leader"]);
    expect(play.answer).toBe("backup-joined");
    expect(play.state.takenBy).toMatchObject({ id: "p1" });
  });

  test("a letter that is none gets the letters; after the end nothing changes and it says so", () => {
    expect(new Play().reply("p1", null).answer).toBe("letters");
    expect(new Play().reply("p1", "P").answer).toBe("v-or-f");
    const play = new Play().reply("p1", "U");
    const { state } = play;
    expect(play.reply("p1", "T").answer).toBe("already-closed");
    expect(play.state).toEqual({ ...state, nextPageNumber: state.nextPageNumber + 1 });
  });
});

test("a fall long after somebody came and never reported calls everybody out again; one during the visit joins", () => {
  const again = (play: Play): EpisodeInput => ({
    type: "repeat",
    detection: {
      id: "w.1.9.help",
      deviceId: "w",
      impactAt: play.now,
      arrivedAt: play.now,
      late: false,
      kind: "help",
      reason: "help-button",
    },
  });
  const play = new Play().reply("p1", "T").reply("p1", "F");
  expect(play.put(again(play), 5 * minute).paged).toEqual([]);
  play.now += 15 * minute;
  expect(play.put(again(play)).paged).toEqual(["alarm:p1"]);
  expect(play.pages.at(-1)?.message).toMatchObject({ reason: "help-button", impactAt: play.now - second });
  expect(play.state).toMatchObject({ status: "open", repeats: 2, arrivedAt: null });
  expect(play.reply("p1", "X").answer).toBe("ask-arrived");
});

test("the console's arrival lets whoever took it report the outcome by SMS", () => {
  const user = { name: "Op", role: "operator" } as const;
  const play = new Play().reply("p1", "T").put({ type: "console", action: { action: "arrived" }, user });
  expect(play.state).toMatchObject({ status: "arrived", arrivedBy: { id: "p1" } });
  expect(play.reply("p1", "X").state.outcome).toBe("no-fall");
});

// What can happen to an episode, in any order and at any time.
const responder = fc.constantFrom("p1", "p2", "p3", "leader");
const purposeOf = fc.constantFrom<PagePurpose>("alarm", "taken", "not-taken", "answer");
const user = fc.constantFrom({ name: "Op", role: "operator" } as const, { name: "R", role: "responder" } as const);
const anyInput: fc.Arbitrary<(state: EpisodeState) => EpisodeInput> = fc.oneof(
  fc
    .record({ responderId: responder, letter: fc.option(fc.constantFrom(...letters)), mayReopen: fc.boolean() })
    .map((r) => () => ({ type: "reply" as const, ...r })),
  fc.constantFrom(0, -60 * minute, 60 * minute).map((jumpMs) => () => ({ type: "clock" as const, jumpMs })),
  responder.map((responderId) => () => ({ type: "contact-lost" as const, responderId })),
  fc.boolean().map((upright) => (state: EpisodeState) => ({ type: "cancel" as const, at: state.openedAt, upright })),
  fc.constant(() => ({ type: "ended" as const })),
  fc
    .record({
      action: fc.constantFrom(
        { action: "take" } as const,
        { action: "on-the-way" } as const,
        { action: "cannot" } as const,
        { action: "arrived" } as const,
        { action: "cannot-get-in" } as const,
        { action: "two-needed" } as const,
        { action: "called-112" } as const,
        { action: "undo" } as const,
        { action: "close", outcome: "unknown" } as const,
        { action: "close", outcome: "no-fall", reason: "because" } as const,
      ),
      user,
      mayReopen: fc.boolean(),
    })
    .map((r) => () => ({ type: "console" as const, canUndo: true as const, ...r })),
  fc.record({ responderId: responder, to: responder, user }).map((r) => () => ({ type: "handed-on" as const, ...r })),
  fc.constantFrom(...purposes).map((purpose) => () => ({ type: "due" as const, purpose })),
  fc
    .record({
      nth: fc.nat(5),
      purpose: purposeOf,
      tries: fc.integer({ min: 1, max: 6 }),
      outcome: fc.constantFrom("retryable" as const, "permanent" as const, "unknown" as const),
    })
    .map(({ nth, purpose, tries, outcome }) => (state: EpisodeState) => ({
      type: "page-result" as const,
      pageId: Object.keys(state.current)[nth] ?? `e1.${nth}`,
      responderId: "p1",
      purpose,
      tries,
      result: { outcome, reason: "r" },
    })),
  fc
    .record({ nth: fc.nat(5), status: fc.constantFrom("sent" as const, "delivered" as const, "failed" as const) })
    .map(({ nth, status }) => (state: EpisodeState) => ({
      type: "receipt" as const,
      pageId: Object.keys(state.current)[nth] ?? `e1.${nth}`,
      responderId: "p1",
      purpose: "alarm" as const,
      status,
      errorCode: null,
    })),
  fc.record({ n: fc.nat(9), unknownSeconds: fc.constantFrom(0, 290) }).map(({ n, unknownSeconds }) => () => ({
    type: "long-lie" as const,
    detectionId: `w.1.${n}.fall`,
    lyingSeconds: 301,
    unknownSeconds,
  })),
  fc
    .constantFrom({ type: "movement", at: start } as const, { type: "inactive", since: start } as const)
    .map((one) => () => one),
  fc.nat(9).map((n) => () => ({
    type: "repeat" as const,
    detection: {
      id: `w.1.${n}.fall`,
      deviceId: "w",
      impactAt: start + n * 5 * minute,
      arrivedAt: start,
      late: false,
      kind: "fall" as const,
      reason: "still" as const,
    },
  })),
);
/** Also backwards: clocks jump. */
const anyWait = fc.oneof(
  fc.constantFrom(0, second, 2 * minute, 30 * minute),
  fc.integer({ min: -minute, max: 60 * minute }),
);

test("an open episode always has a deadline, a closed one none, and only a person ends it; the log gives the state again", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyInput, anyWait), { maxLength: 60 }), (inputs) => {
      let [state] = step(null, { type: "opened", facts }, start);
      const log: [EpisodeInput, number][] = [[{ type: "opened", facts }, start]];
      let now = start;
      for (const [make, wait] of inputs) {
        now += wait;
        const input = make(state);
        const before = JSON.stringify(state);
        const [next, commands] = step(state, input, now);
        // Pure: what was handed in is as it was.
        expect(JSON.stringify(state)).toBe(before);
        log.push([input, now]);
        const due = Object.keys(next.due);
        if (next.status === "closed") expect(due).toEqual([]);
        if (next.status === "open") expect(due).toContain("next-page");
        if (next.status === "taken") expect(due).toContain("arrive");
        if (next.status === "arrived") expect(due).toContain("outcome");
        if (state.status !== "closed" && next.status === "closed") expect(["reply", "console"]).toContain(input.type);
        // Only whoever closed it opens it again.
        if (state.status === "closed" && next.status !== "closed") {
          expect(input).toMatchObject(
            input.type === "reply"
              ? { letter: "Z", mayReopen: true, responderId: state.undo?.by }
              : { type: "console", action: { action: "undo" }, mayReopen: true, user: state.undo?.by },
          );
        }
        if (next.status !== "open")
          expect(commands.filter((c) => c.do === "page" && c.purpose === "alarm")).toEqual([]);
        const ids = commands.flatMap((c) => (c.do === "page" ? [c.pageId] : []));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBeLessThan(20);
        state = next;
      }
      let again: EpisodeState | null = null;
      for (const [input, at] of log) again = step(again, JSON.parse(JSON.stringify(input)) as EpisodeInput, at)[0];
      expect(again).toEqual(state);
    }),
    { numRuns: 500 },
  );
});
