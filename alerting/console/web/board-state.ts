import type { BoardMessage, EpisodeView } from "../api.ts";

/** What the page knows. `clockMs` is how far the server's clock is ahead of this machine's. */
export interface BoardState {
  /** Null until the first board has come. */
  episodes: ReadonlyMap<string, EpisodeView> | null;
  troubles: readonly string[];
  clockMs: number;
  /** By this machine's clock: when the server was last heard. */
  heardAt: number | null;
  /** False from the moment the page knows that it hears nothing. */
  connected: boolean;
  /** When contact came back after a loss, until it has been seen for a while. */
  backAt: number | null;
}

export const emptyBoard: BoardState = {
  episodes: null,
  troubles: [],
  clockMs: 0,
  heardAt: null,
  connected: true,
  backAt: null,
};

export type BoardInput =
  | { kind: "board"; message: BoardMessage }
  | { kind: "episode"; message: { now: number; episode: EpisodeView } }
  | { kind: "heartbeat"; message: { now: number; troubles: string[] } }
  /** An action's answer: the episode as it is now. */
  | { kind: "answer"; episode: EpisodeView }
  | { kind: "lost" };

/** A message that is on its way for longer than another is no change of clocks; whatever shows time would be drawn anew by it. */
const jitterMs = 300;

/** The board after `input`, which came at `at` by this machine's clock. */
export function boardStep(state: BoardState, input: BoardInput, at: number): BoardState {
  if (input.kind === "lost") return { ...state, connected: false, backAt: null };
  if (input.kind === "answer") return { ...state, episodes: withEpisode(state.episodes, input.episode) };
  const { message } = input;
  const heard = {
    ...state,
    clockMs: Math.abs(message.now - at - state.clockMs) < jitterMs ? state.clockMs : message.now - at,
    heardAt: at,
    connected: true,
    backAt: state.connected ? state.backAt : at,
  };
  if (input.kind === "board") {
    const { episodes, troubles } = input.message;
    return { ...heard, troubles, episodes: new Map(episodes.map((view) => [view.id, view])) };
  }
  if (input.kind === "episode") return { ...heard, episodes: withEpisode(state.episodes, input.message.episode) };
  return { ...heard, troubles: input.message.troubles };
}

function withEpisode(episodes: BoardState["episodes"], view: EpisodeView): BoardState["episodes"] {
  return episodes && new Map(episodes).set(view.id, view);
}

const order: Record<EpisodeView["status"], number> = { open: 0, taken: 1, arrived: 2, closed: 3 };

/** Somebody may be on the floor. The others are about equipment, and phones: quieter, and below. */
export function isAlarm({ kind }: Pick<EpisodeView, "kind">): boolean {
  return kind === "fall" || kind === "help";
}

/** A person is to be seen to, also where nothing but inactivity was measured: what the page makes itself heard for. */
export function asksForSomebody({ kind }: Pick<EpisodeView, "kind">): boolean {
  return kind === "fall" || kind === "help" || kind === "welfare";
}

/** Falls and help calls before welfare alarms, these before technical ones; untaken first, then taken, then arrived; of these whoever was not seen to get up, then whoever has waited longest. */
export function openEpisodes(state: BoardState): EpisodeView[] {
  return [...(state.episodes?.values() ?? [])]
    .filter((view) => view.status !== "closed")
    .sort(
      (a, b) =>
        Number(isAlarm(b)) - Number(isAlarm(a)) ||
        Number(asksForSomebody(b)) - Number(asksForSomebody(a)) ||
        order[a.status] - order[b.status] ||
        Number(b.longLie !== null) - Number(a.longLie !== null) ||
        a.openedAt - b.openedAt ||
        a.id.localeCompare(b.id),
    );
}

/** The latest closed first, as far back as the server's board goes. */
export function closedEpisodes(state: BoardState, now: number): EpisodeView[] {
  return [...(state.episodes?.values() ?? [])]
    .filter((view) => view.status === "closed" && now - (view.closedAt ?? now) <= 12 * 3600_000)
    .sort((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
}

export function untakenCount(state: BoardState): number {
  return openEpisodes(state).filter((view) => view.status === "open" && asksForSomebody(view)).length;
}

/** Alarms that nobody has taken, and that `before` did not know as such, or as so urgent: what the page must make itself heard for. */
export function newlyUntaken(before: BoardState, after: BoardState): EpisodeView[] {
  if (before.episodes === after.episodes) return [];
  return openEpisodes(after).filter((view) => {
    if (view.status !== "open" || !asksForSomebody(view)) return false;
    const known = before.episodes?.get(view.id);
    return known?.status !== "open" || (view.longLie !== null && known.longLie === null);
  });
}
