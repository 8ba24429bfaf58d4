/** What the watchdog knows: whether the parts were asked and have not answered yet, and how often in a row they were found so. */
export interface WatchdogState {
  isAsked: boolean;
  unanswered: number;
}

/** A turn of the event loop at its time, or the parts' answer with what keeps them from being ready. */
export type WatchdogInput = { type: "turn" } | { type: "answer"; problems: readonly string[] };

/** `ask` the parts; `feed` the service manager's watchdog and say how it is; `stuck`: told once for each time that the parts do not answer. */
export type WatchdogCommand = { do: "ask" } | { do: "feed"; status: string } | { do: "stuck" };

export const watchdogBegins: WatchdogState = { isAsked: false, unanswered: 0 };

/**
 * The watchdog is fed with each answer of the parts, whatever they say, and with nothing else. A full disk or a broker that is away is told and not mended
 * by a restart; parts that do not answer at all, or an event loop that does not turn, are.
 */
export function stepWatchdog(state: WatchdogState, input: WatchdogInput): [WatchdogState, WatchdogCommand[]] {
  if (input.type === "answer") return [watchdogBegins, [{ do: "feed", status: statusOf(input.problems) }]];
  if (!state.isAsked) return [{ isAsked: true, unanswered: 0 }, [{ do: "ask" }]];
  const unanswered = state.unanswered + 1;
  return [{ isAsked: true, unanswered }, unanswered === 1 ? [{ do: "stuck" }] : []];
}

/** One line for `systemctl status`. */
export function statusOf(problems: readonly string[]): string {
  return problems.length === 0 ? "ready" : `not ready: ${problems.join("; ")}`;
}
