import type { BlindTimeCauses, BlindTimeStore } from "../store/store.ts";
import { type BlindSpan, blindSpans } from "./blind-time.ts";
import type { SharedCauses, Span } from "./causes.ts";

/** A service that was not known to live for longer than this was down, ms. It says so every 15 s. */
export const lateBeatMs = 60_000;

/** One dwelling's blind time. Wall times, ms. */
export interface DwellingLedger {
  dwellingId: string;
  /** Its key number. */
  key: string;
  unit: string | null;
  /** From when on it is known: the dwelling was in the register, and the service wrote outages down. */
  from: number;
  until: number;
  spans: BlindSpan[];
}

/** Blind time from `from` up to `until`, of one dwelling where it is named. Who was in the register only later is left out. */
export async function readLedger(
  store: BlindTimeStore,
  { from, until, dwellingId }: { from: number; until: number; dwellingId?: string },
): Promise<DwellingLedger[]> {
  return ledgerOf(await store.causes(from, dwellingId), from, until);
}

/** The same, from causes that were read already. */
export function ledgerOf(known: BlindTimeCauses, from: number, until: number): DwellingLedger[] {
  const { knownSince } = known;
  if (knownSince === null) return [];
  const shared = sharedCausesOf(known, until);
  const [onlyGateway, another] = new Set([
    ...known.gateways,
    ...known.gatewayOutages.map(({ gatewayId }) => gatewayId),
  ]);
  return known.dwellings.flatMap(({ dwellingId, alias, unit, causes }) => {
    const start = Math.max(from, knownSince, causes.since);
    if (start >= until) return [];
    // A gateway of an earlier release does not say through whom a device is heard; where there is but one, it is that.
    const wearables = causes.wearables.map((wearable) =>
      wearable.heardThrough.length > 0 || onlyGateway === undefined || another !== undefined
        ? wearable
        : { ...wearable, heardThrough: [{ gatewayId: onlyGateway, at: wearable.registered.from }] },
    );
    const spans = blindSpans({ ...causes, wearables }, shared, start, until);
    return [{ dwellingId, key: alias, unit, from: start, until, spans }];
  });
}

/** A service that is down now has written no gap yet: it counts from its last sign of life. */
function sharedCausesOf({ lastBeatAt, serviceGaps, gatewayOutages }: BlindTimeCauses, now: number): SharedCauses {
  const serviceDown: Span[] = [...serviceGaps];
  if (lastBeatAt !== null && now - lastBeatAt > lateBeatMs) serviceDown.push({ from: lastBeatAt, until: null });
  return { serviceDown, gatewaysDown: Map.groupBy(gatewayOutages, ({ gatewayId }) => gatewayId) };
}
