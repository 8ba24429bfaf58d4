import type { PauseReason } from "../firmware-contracts/intake.ts";
import type { DeviceRow, Dwelling, GatewayRow, Store } from "./store/store.ts";

/** Who is visited first: an alarm that is open there, then who lives alone or of whom nobody has said, then who does not, then who is paused, as in hospital. */
export const visitPriorities = ["alarm", "alone", "unknown", "shared", "paused"] as const;
export type VisitPriority = (typeof visitPriorities)[number];

/** One dwelling to look in at. No name and no address. */
export interface Visit {
  priority: VisitPriority;
  /** Key number. */
  key: string;
  unit: string | null;
  area: string | null;
  /** The gateway through which it was heard last; null where nobody has said. */
  gatewayId: string | null;
  /** When any of its devices was last heard of, wall ms. A wearable's frames do not count. */
  lastSeenAt: number | null;
  pause: { reason: PauseReason; until: number } | null;
}

export interface VisitingList {
  /** Wall ms. */
  at: number;
  /** Those that are lost, and since when. */
  gateways: { gatewayId: string; lostAt: number }[];
  visits: Visit[];
}

/**
 * Whom to look in at while gateways are lost, by priority, then unit, area and key: dwellings that a lost gateway heard last, and those of which nobody knows which
 * gateway hears them. Dwellings without a device, or only with revoked ones, are none of ours. `all`: every dwelling, whichever gateways are lost.
 */
export async function visitingList(store: Store, at: number, all: boolean): Promise<VisitingList> {
  const gateways = (await store.gateways.gateways())
    .filter(isLost)
    .map(({ gatewayId, lostAt }) => ({ gatewayId, lostAt }));
  const lost = new Set(gateways.map(({ gatewayId }) => gatewayId));
  const devices = (await store.registry.devices(at)).filter(({ revoked }) => !revoked);
  const visits: Visit[] = [];
  for (const dwelling of await store.registry.dwellings()) {
    const its = devices.filter(({ dwellingId }) => dwellingId === dwelling.id);
    if (its.length === 0) continue;
    const heardBy = [...new Set(its.flatMap(({ gatewayId }) => gatewayId ?? []))];
    const isDark = heardBy.length === 0 ? lost.size > 0 : heardBy.some((gatewayId) => lost.has(gatewayId));
    if (!all && !isDark) continue;
    const alarm = await store.episodes.openEpisode(dwelling.id, false);
    visits.push(visitOf(dwelling, its, alarm !== null, heardBy.find((gatewayId) => lost.has(gatewayId)) ?? heardBy[0]));
  }
  return { at, gateways, visits: visits.sort(inOrder) };
}

const isLost = (gateway: GatewayRow): gateway is GatewayRow & { lostAt: number } => gateway.lostAt !== null;

function visitOf(
  { alias, unit, area }: Dwelling,
  devices: readonly DeviceRow[],
  hasAlarm: boolean,
  gatewayId: string | undefined,
): Visit {
  const [first] = devices;
  const pause = first?.pause ? { reason: first.pause.reason, until: first.pause.until } : null;
  const lives = first?.livesAlone === undefined ? "unknown" : first.livesAlone ? "alone" : "shared";
  const seen = devices.flatMap(({ lastSeenAt }) => lastSeenAt ?? []);
  return {
    priority: hasAlarm ? "alarm" : pause ? "paused" : lives,
    key: alias,
    ...{ unit, area, gatewayId: gatewayId ?? null, lastSeenAt: seen.length > 0 ? Math.max(...seen) : null, pause },
  };
}

/** As people count: key 9 before key 10. */
const byText = new Intl.Collator("sv", { numeric: true }).compare;

function inOrder(a: Visit, b: Visit): number {
  return (
    visitPriorities.indexOf(a.priority) - visitPriorities.indexOf(b.priority) ||
    byText(a.unit ?? "", b.unit ?? "") ||
    byText(a.area ?? "", b.area ?? "") ||
    byText(a.key, b.key)
  );
}
