import { type Move, page, pageOperators, tell } from "./escalation.ts";
import { close } from "./ladder.ts";
import type { Message } from "./messages/message.ts";

/**
 * Movement again. Nobody has it: what it was about is over, as of a technical alarm, and whoever was paged is told. Somebody has it: it stays theirs, for they
 * may have seen why; they are told, and end it themselves.
 */
export function movementAgain(move: Move, at: number): void {
  const { state } = move;
  if (state.facts.kind !== "welfare" || state.status === "closed" || state.activeAt !== undefined) return;
  state.activeAt = at;
  tell(move, { type: "movement-again" });
  if (state.status === "open") {
    close(move, { kind: "system" }, { outcome: "unknown", reason: "movement again" });
    return;
  }
  if (state.status === "taken") tellTaker(move, { kind: "welfare-active", at });
}

/** And none again, while somebody has it. */
export function stillAgain(move: Move, since: number): void {
  const { state } = move;
  if (state.facts.kind !== "welfare" || state.status === "closed" || state.activeAt === undefined) return;
  delete state.activeAt;
  tell(move, { type: "inactive-again" });
  if (state.status === "taken") tellTaker(move, { kind: "welfare-still", since });
}

function tellTaker(move: Move, message: Message): void {
  const { takenBy } = move.state;
  if (takenBy?.kind === "responder") page(move, takenBy.id, "reminder", message);
  else pageOperators(move, "reminder", message);
}
