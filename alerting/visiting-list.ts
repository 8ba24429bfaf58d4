import { z } from "zod";
import { PauseReason } from "../firmware-contracts/intake.ts";
import type { DeviceRow, Dwelling, GatewayRow, Store } from "./store/store.ts";

/** Who is visited first: an alarm that is open there, then who lives alone or of whom nobody has said, then who does not, then who is paused, as in hospital. */
export const visitPriorities = ["alarm", "alone", "unknown", "shared", "paused"] as const;
export type VisitPriority = (typeof visitPriorities)[number];

const wallMs = z.number();

/** One dwelling to look in at. No name and no address. */
export const Visit = z
  .object({
    priority: z.enum(visitPriorities),
    key: z.string().meta({ description: "Key number" }),
    unit: z.string().nullable(),
    area: z.string().nullable(),
    gatewayId: z
      .string()
      .nullable()
      .meta({ description: "The gateway through which it was heard last; null where nobody has said" }),
    lastSeenAt: wallMs
      .nullable()
      .meta({ description: "When any of its devices was last heard of. A wearable's frames do not count" }),
    pause: z.object({ reason: PauseReason, until: wallMs }).nullable(),
  })
  .meta({ id: "Visit" });
export type Visit = z.infer<typeof Visit>;

export const VisitingList = z
  .object({
    at: wallMs,
    gateways: z
      .array(z.object({ gatewayId: z.string(), lostAt: wallMs }))
      .meta({ description: "Those that are lost, and since when" }),
    visits: z.array(Visit),
  })
  .meta({ id: "VisitingList" });
export type VisitingList = z.infer<typeof VisitingList>;

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
