import type { Duty, EpisodePolicy, EpisodeState } from "./episode-state.ts";

/** Whoever reported from the place counts as busy there for so long, ms; whoever forgot to close must not be passed over all night. */
const busyAtPlaceMs = 60 * 60_000;

/** Who works where, as far as a policy names it. */
export interface Staffing {
  /** Members of a group; empty for one that is no more. */
  group(id: string): readonly string[];
  /** Whom a rota has on call, in the order of paging; empty in a gap. */
  rota(id: string): readonly string[];
  operators: readonly string[];
  keyHolders: readonly string[];
}

/** What a policy alone says: its own persons and operators. For inputs that came without anything to add. */
export function dutyOf(policy: EpisodePolicy): Duty {
  return {
    steps: policy.steps.map(({ responders }) => responders),
    operators: policy.operators,
    keyHolders: [],
    busy: [],
    unreachable: [],
  };
}

/**
 * Who can be paged now for an episode of this policy.
 * @param others the open episodes beside it.
 * @param unreachable phones that get no texts.
 */
export function dutyNow(
  policy: EpisodePolicy,
  staffing: Staffing,
  others: readonly EpisodeState[],
  unreachable: readonly string[],
  now: number,
): Duty {
  const steps = policy.steps.map(({ responders, groups = [], rotas = [] }) => [
    ...new Set([
      ...responders,
      ...rotas.flatMap((id) => staffing.rota(id)),
      ...groups.flatMap((id) => staffing.group(id)),
    ]),
  ]);
  return {
    steps,
    operators: [...new Set(staffing.operators)],
    keyHolders: [...new Set(staffing.keyHolders)],
    busy: busyWith(others, now),
    unreachable: [...unreachable],
  };
}

/** Responders who have an alarm to see to: technical alarms and tests keep nobody from a fall. */
export function busyWith(others: readonly EpisodeState[], now: number): string[] {
  const busy = new Set<string>();
  for (const { facts, status, takenBy, present, backupJoined, arrivedAt } of others) {
    if (facts.test || (facts.kind !== "fall" && facts.kind !== "help")) continue;
    const isThere = status === "arrived" && now - (arrivedAt ?? now) < busyAtPlaceMs;
    if (status !== "taken" && !isThere) continue;
    if (takenBy?.kind === "responder") busy.add(takenBy.id);
    for (const id of [...present, ...backupJoined]) busy.add(id);
  }
  return [...busy].sort();
}
