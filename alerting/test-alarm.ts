import type { Actor, EpisodeState, TestAlarmFacts } from "./episode-state.ts";
import { type Move, page, tell } from "./escalation.ts";
import { close } from "./ladder.ts";
import type { Message } from "./messages/message.ts";
import type { Letter } from "./replies.ts";

const testOf = (state: EpisodeState): TestAlarmFacts => {
  const { testAlarm } = state.facts;
  if (!testAlarm) throw new Error(`episode ${state.facts.id} is no test alarm`);
  return testAlarm;
};

/** Asks one phone: whoever is on call first, and can be reached. It is awaited until its time is over, whatever becomes of the text. */
export function beginTest(move: Move): void {
  const { state, duty } = move;
  const { purpose, until } = testOf(state);
  const staff = [...duty.steps.flat(), ...duty.operators];
  const free = staff.filter((id) => !duty.unreachable.includes(id));
  const asked = free.find((id) => !duty.busy.includes(id)) ?? free[0] ?? staff[0];
  const message: Message = purpose === "chain" ? { kind: "self-test" } : { kind: "device-test", until };
  if (asked !== undefined) page(move, asked, "test", message);
  state.due = { "next-page": until };
}

/** The key number that was read back. A wrong one changes nothing. */
export function readBack(move: Move, { responderId, isRight }: { responderId: string; isRight: boolean }): void {
  const { state, now } = move;
  tell(move, { type: "reply", responderId, letter: null });
  if (state.status === "closed") {
    page(move, responderId, "answer", { kind: "already-closed", at: state.closedAt ?? now });
  } else if (isRight) {
    close(move, { kind: "responder", id: responderId }, { outcome: "test", reason: "passed" });
  } else page(move, responderId, "answer", { kind: "read-back-wrong" });
}

/** What a letter does to a test alarm: nobody takes one. */
export function applyTestReply(move: Move, actor: Actor, letter: Letter | null): Message | null {
  if (testOf(move.state).purpose === "device") return { kind: "read-back-asked" };
  if (letter !== "T") return { kind: "letters" };
  close(move, actor, { outcome: "test" });
  return null;
}

/** Its time is over. What a device's test alarm was about is handed on by whoever keeps it, before this is committed. */
export function endTest(move: Move): void {
  close(move, { kind: "system" }, { outcome: "test", reason: "unanswered" });
}
