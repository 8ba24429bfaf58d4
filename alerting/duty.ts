import type { Duty, EpisodeFacts, EpisodePolicy, EpisodeState } from "./episode-state.ts";
import type { TechnicalConfig } from "./policy-config.ts";
import { quietUntil } from "./technical.ts";

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

/** What a moment's duty is worked out from. */
export interface Circumstances {
  staffing: Staffing;
  /** The open episodes beside it. */
  others: readonly EpisodeState[];
  /** Phones that get no texts. */
  unreachable: readonly string[];
  quietHours: TechnicalConfig["quietHours"];
  timeZone: string;
}

/** Who can be paged now about this episode, and until when one that can wait pages nobody. */
export function dutyOfEpisode(
  { policy, trouble }: Pick<EpisodeFacts, "policy" | "trouble">,
  { staffing, others, unreachable, quietHours, timeZone }: Circumstances,
  now: number,
): Duty {
  const duty = dutyNow(policy, staffing, others, unreachable, now);
  const quiet = trouble && quietUntil(trouble.kind, quietHours, timeZone, now);
  return quiet === null ? duty : { ...duty, quietUntil: quiet };
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
