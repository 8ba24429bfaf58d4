import type { Logger } from "pino";
import type { ServiceEvent } from "./events.ts";
import type { GatewayWatch, LostGateway } from "./intake/gateway-watch.ts";
import type { Keeper } from "./keeper.ts";
import { createSerial } from "./serial.ts";
import type { Store } from "./store/store.ts";
import { troubleKey } from "./welfare-keys.ts";

/** So many gateways that go silent within so long of each other are one matter: a power cut, a storm (practice, rule 13). */
const areaGateways = 3;
const areaWithinMs = 5 * 60_000;
/** There is one area alarm at a time. */
const area = { kind: "area-silent", subject: "area" } as const;

/** Technical alarms about gateways: one for each that is lost or without its broker, and one instead of many where an area is silent. */
export interface GatewayAlarms {
  follow(event: Extract<ServiceEvent, { type: "gateway" }>): Promise<void>;
}

/** Since when an area is silent, and which gateways that is about, where so many of the lost went silent close to the last one; else null. */
export function areaOf(lost: readonly LostGateway[], last: number): { since: number; gateways: string[] } | null {
  const near = lost.filter(({ lostAt }) => Math.abs(last - lostAt) <= areaWithinMs);
  if (near.length < areaGateways) return null;
  return { since: Math.min(...near.map(({ lostAt }) => lostAt)), gateways: near.map(({ gatewayId }) => gatewayId) };
}

export function createGatewayAlarms(options: {
  store: () => Store;
  keeper: () => Keeper;
  gatewayWatch: Pick<GatewayWatch, "lost">;
  log: Logger;
}): GatewayAlarms {
  const { store, keeper, gatewayWatch, log } = options;
  const serial = createSerial();

  const openArea = () => store().episodes.openEpisode(troubleKey(area), false);

  async function lost(subject: string, at: number): Promise<void> {
    // It joins what is open.
    if (await openArea()) return;
    const silent = areaOf(gatewayWatch.lost(), at);
    if (!silent) return keeper().raise({ kind: "gateway-lost", subject, since: at });
    log.error({ gateways: silent.gateways }, "an area has gone silent: print the visiting list");
    await keeper().raise({ ...area, since: silent.since });
    for (const one of silent.gateways) await keeper().join({ kind: "gateway-lost", subject: one });
  }

  async function back(subject: string): Promise<void> {
    await keeper().end({ kind: "gateway-lost", subject });
    const open = await openArea();
    // One that was lost long before has an alarm of its own.
    const members = open ? gatewayWatch.lost().filter(({ lostAt }) => lostAt >= open.facts.since) : [];
    if (open && members.length === 0) await keeper().end(area);
  }

  return {
    follow: ({ gatewayId: subject, event, at }) =>
      serial(async () => {
        if (event === "gateway-lost") await lost(subject, at);
        else if (event === "gateway-back") await back(subject);
        else if (event === "broker-lost") await keeper().raise({ kind: event, subject, since: at });
        else await keeper().end({ kind: "broker-lost", subject });
      }),
  };
}
