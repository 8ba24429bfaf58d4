import type { BoardMessage, EpisodeView } from "../api.ts";
import { type Missed, missedBetween } from "./missed.ts";

type Episodes = ReadonlyMap<string, EpisodeView>;

/** What the page knows. `clockMs` is how far the server's clock is ahead of this machine's. */
export interface BoardState {
  /** Null until the first board has come. */
  episodes: Episodes | null;
  troubles: readonly string[];
  clockMs: number;
  /** By this machine's clock: when the server was last heard. */
  heardAt: number | null;
  /** False from the moment the page knows that it hears nothing. */
  connected: boolean;
  /** When contact came back after a loss, until it has been seen for a while. */
  backAt: number | null;
  /** The board as it was when contact was lost, and when that was by the server's clock; null while there is contact. */
  lostWith: { at: number; episodes: Episodes } | null;
  /** What happened while there was none, until somebody has read it. */
  missed: MissedList | null;
  /** Whether anything happened in the last loss. */
  missedAny: boolean;
}

/** Times are the server's. `before`: the board as it was then, so that a second loss adds to what was not read yet. */
export interface MissedList {
  from: number;
  until: number;
  before: Episodes;
  items: readonly Missed[];
}

export const emptyBoard: BoardState = {
  episodes: null,
  troubles: [],
  clockMs: 0,
  heardAt: null,
  connected: true,
  backAt: null,
  lostWith: null,
  missed: null,
  missedAny: false,
};

export type BoardInput =
  | { kind: "board"; message: BoardMessage }
  | { kind: "episode"; message: { now: number; episode: EpisodeView } }
  | { kind: "heartbeat"; message: { now: number; troubles: string[] } }
  /** An action's answer: the episode as it is now. */
  | { kind: "answer"; episode: EpisodeView }
  /** What was missed has been read. */
  | { kind: "read" }
  | { kind: "lost" };

// Each message is a little longer or shorter on its way: a clock that moved with every one would draw the whole board again.
const clockSlackMs = 300;

/** The board after `input`, which came at `at` by this machine's clock. */
export function boardStep(state: BoardState, input: BoardInput, at: number): BoardState {
  if (input.kind === "lost") return lose(state);
  if (input.kind === "read") return { ...state, missed: null };
  if (input.kind === "answer") return { ...state, episodes: withEpisode(state.episodes, input.episode) };
  const { message } = input;
  const clockMs = message.now - at;
  const heard = {
    ...state,
    clockMs: Math.abs(clockMs - state.clockMs) > clockSlackMs ? clockMs : state.clockMs,
    heardAt: at,
    connected: true,
    backAt: state.connected ? state.backAt : at,
  };
  if (input.kind === "board") {
    const { episodes: views, troubles, now } = input.message;
    const episodes = new Map(views.map((view) => [view.id, view]));
    const missed = missedSince(state, episodes, now);
    const missedAny = state.lostWith ? missed !== null : state.missedAny;
    return { ...heard, troubles, episodes, lostWith: null, missed, missedAny };
  }
  if (input.kind === "episode") return { ...heard, episodes: withEpisode(state.episodes, input.message.episode) };
  const { troubles } = input.message;
  return { ...heard, troubles: sameWords(state.troubles, troubles) ? state.troubles : troubles };
}

function lose(state: BoardState): BoardState {
  const { episodes, heardAt, clockMs, lostWith } = state;
  const kept = lostWith ?? (episodes && { at: (heardAt ?? 0) + clockMs, episodes });
  return { ...state, connected: false, backAt: null, lostWith: kept };
}

function missedSince({ lostWith, missed }: BoardState, episodes: Episodes, until: number): MissedList | null {
  if (!lostWith) return missed;
  const before = missed?.before ?? lostWith.episodes;
  const from = missed?.from ?? lostWith.at;
  const items = missedBetween(before, episodes, from);
  return items.length > 0 ? { from, until, before, items } : null;
}

const sameWords = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((word, index) => word === b[index]);

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
export function openEpisodes(state: Pick<BoardState, "episodes">): EpisodeView[] {
  return [...(state.episodes?.values() ?? [])]
    .filter((view) => view.status !== "closed")
    .sort(
      (a, b) =>
        Number(isAlarm(b)) - Number(isAlarm(a)) ||
        Number(asksForSomebody(b)) - Number(asksForSomebody(a)) ||
        order[a.status] - order[b.status] ||
        Number(b.longLie !== null) - Number(a.longLie !== null) ||
        a.openedAt - b.openedAt ||
        (a.id < b.id ? -1 : 1),
    );
}

/** The latest closed first, as far back as the server's board goes. */
export function closedEpisodes(state: Pick<BoardState, "episodes">, now: number): EpisodeView[] {
  return [...(state.episodes?.values() ?? [])]
    .filter((view) => view.status === "closed" && now - (view.closedAt ?? now) <= 12 * 3600_000)
    .sort((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
}

export function untakenCount(state: Pick<BoardState, "episodes">): number {
  let count = 0;
  for (const view of state.episodes?.values() ?? []) if (view.status === "open" && asksForSomebody(view)) count++;
  return count;
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
