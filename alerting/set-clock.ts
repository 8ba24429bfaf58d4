import { backupWithinMs } from "./backup.ts";
import type { EpisodeState, Purpose } from "./episode-state.ts";
import { longestTestMs } from "./test-alarm-facts.ts";

/** The longest each deadline can lie ahead when it is set, ms. */
function longest({ facts, step, betweenRounds, operatorsFirst }: EpisodeState, purpose: Purpose): number {
  const { policy } = facts;
  switch (purpose) {
    case "next-page": {
      // A held technical alarm may wait for the end of the quiet hours.
      if (facts.testAlarm) return longestTestMs;
      if (betweenRounds && facts.kind === "technical") return 24 * 3_600_000;
      if (betweenRounds) return policy.shortestRoundMs;
      const own = operatorsFirst ? facts.operatorsFirstMs : policy.steps[step]?.waitMs;
      return own ?? Math.max(policy.shortestRoundMs, ...policy.steps.map(({ waitMs }) => waitMs));
    }
    case "receipt":
      return policy.receiptWithinMs ?? policy.shortestRoundMs;
    case "set-off":
      return Math.max(policy.setOffWithinMs, policy.graceMs);
    case "arrive":
      return policy.arriveWithinMs;
    case "outcome":
      return policy.outcomeWithinMs;
    case "backup":
      return backupWithinMs;
  }
}

/** Deadlines whose passing pages the next: an early one costs a text, a late one somebody's time on the floor. */
const safeEarly: ReadonlySet<Purpose> = new Set(["next-page", "receipt"]);

/**
 * Keeps an open episode's deadlines in real time where the wall clock was set. Set back, each moves back with it. Set forward, those that call the next may come
 * early, for the machine may have slept and the time be gone in truth; the others move along. None lies further ahead than it was ever set, so that a
 * clock which was wrong at the last start keeps nobody waiting.
 * @param jumpMs by how much the clock was set; 0 where nobody knows, as at a start.
 */
export function setClock(state: EpisodeState, jumpMs: number, now: number): void {
  if (state.status === "closed") return;
  for (const [purpose, at] of Object.entries(state.due) as [Purpose, number][]) {
    const moved = jumpMs > 0 && safeEarly.has(purpose) ? at : at + jumpMs;
    state.due[purpose] = Math.min(moved, now + longest(state, purpose));
  }
  if (jumpMs < 0 || state.roundStartedAt > now)
    state.roundStartedAt = Math.min(now, state.roundStartedAt + Math.min(0, jumpMs));
  const raisedAt = state.raisedAt ?? state.openedAt;
  if (jumpMs !== 0) state.raisedAt = raisedAt + jumpMs;
  else if (raisedAt > now) state.raisedAt = 0;
  if (state.undo) state.undo.at = Math.min(now, state.undo.at + jumpMs);
  if (state.takenAt !== null && state.takenAt > now) state.takenAt = now;
}

/** Whether `setClock` would change anything. */
export function movesWithClock(state: EpisodeState, jumpMs: number, now: number): boolean {
  const moved = structuredClone(state);
  setClock(moved, jumpMs, now);
  return JSON.stringify(moved) !== JSON.stringify(state);
}
