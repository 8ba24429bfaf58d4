import { ledgerOf } from "../blind-time/ledger.ts";
import type { Store } from "../store/store.ts";
import { followedUpForMs, type HandoverData } from "./handover.ts";

/** Blind time is looked at so far back, ms: what has lasted longer is told as since then. */
const blindForMs = 7 * 86_400_000;

/** Reads what a hand-over is made of, of a shift that began at `from`. */
export async function readHandover(store: Store, from: number, now: number): Promise<HandoverData> {
  const closedSince = from - followedUpForMs;
  const [episodes, followUps, dwellings, devices, troubles, pauses, causes] = await Promise.all([
    store.episodes.episodesSince(closedSince),
    store.followUps.list(closedSince),
    store.registry.dwellings(),
    store.registry.devices(now),
    store.troubles.open(),
    store.watching.pauses(now),
    store.blindTime.causes(now - blindForMs),
  ]);
  const ledgers = ledgerOf(causes, now - blindForMs, now);
  return { episodes, followUps, dwellings, devices, troubles, pauses, ledgers };
}
