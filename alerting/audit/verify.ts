import { isDeepStrictEqual } from "node:util";
import { step } from "../episode.ts";
import type { EpisodeState } from "../episode-state.ts";
import type { ChainState, LogEntry, Store } from "../store/store.ts";

export interface AuditReport {
  /** The chain of episodes, and that of other acts. */
  episodes: ChainState;
  acts: ChainState;
  /** Episodes whose state was rebuilt from their log alone. */
  rebuilt: number;
  erased: number;
  /** Episodes whose log gives another state than the store has, or none. */
  differ: string[];
}

export const isWhole = ({ episodes, acts, differ }: AuditReport) =>
  episodes.brokenAt === null && acts.brokenAt === null && differ.length === 0;

/** Walks both chains, and rebuilds every episode that was not erased from its log. @param onEpisode told before each. */
export async function verifyAudit(
  store: Pick<Store, "audit" | "keys">,
  onEpisode: (done: number, of: number) => void = () => {},
): Promise<AuditReport> {
  const [episodes, acts] = [await store.audit.verify("episodes"), await store.audit.verify("acts")];
  const report: AuditReport = { episodes, acts, rebuilt: 0, erased: 0, differ: [] };
  // Without the master key no episode would open, and each would seem to differ.
  if (episodes.entries > 0) await store.keys.open();
  const all = await store.audit.episodes();
  for (const [i, { id, isErased }] of all.entries()) {
    onEpisode(i, all.length);
    if (isErased) report.erased++;
    else if (await isRebuilt(store, id)) report.rebuilt++;
    else report.differ.push(id);
  }
  return report;
}

async function isRebuilt(store: Pick<Store, "audit">, id: string): Promise<boolean> {
  try {
    const kept = await store.audit.replayable(id);
    return kept !== null && isDeepStrictEqual(asStored(replay(kept.log)), kept.state);
  } catch {
    // An entry that was changed does not open, or gives a step that is none.
    return false;
  }
}

/** The state that a log gives; null where it has no entry. */
export function replay(log: readonly LogEntry[]): EpisodeState | null {
  let state: EpisodeState | null = null;
  for (const { at, input } of log) [state] = step(state, input, at);
  return state;
}

/** As JSON keeps it: without what is undefined. */
const asStored = (state: EpisodeState | null) => JSON.parse(JSON.stringify(state)) as EpisodeState | null;
