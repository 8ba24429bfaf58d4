import type { Logger } from "pino";
import type { Clock, MonotonicMs } from "../../firmware-contracts/clock.ts";
import type { GatewayHeartbeat } from "../../firmware-contracts/intake.ts";
import type { ServiceEvent } from "../events.ts";
import type { GatewayRow, GatewayStore } from "../store/store.ts";

/** A gateway is lost when this many of its heartbeats in a row did not come. */
const missedLimit = 3;
/** Looked at this often, ms. */
const lookEveryMs = 1_000;
/** A heartbeat that says nothing new is written down this often, ms: the deadline after a restart starts anew anyway. */
const writeEveryMs = 30_000;

interface Watched extends WatchedGateway {
  /** Last heard, or the start of the watch. Monotonic: a clock set right must lose no gateway. */
  heardAt: MonotonicMs;
  writtenAt: MonotonicMs;
}

/** Knows which gateways there are, and which of them have gone silent. */
export interface GatewayWatch {
  /** Takes up what is in the store: every gateway has its three heartbeats from now. */
  start(): Promise<void>;
  stop(): void;
  heard(heartbeat: GatewayHeartbeat, controlVersion: number): void;
  /** Whether any gateway is lost. */
  readonly anyLost: boolean;
  /** Those that are lost, and since when, wall ms. */
  lost(): LostGateway[];
  /** Each that is known, as it was heard last. */
  list(): WatchedGateway[];
}

export interface WatchedGateway extends GatewayRow {
  /** Of its program, as it says; null: not yet since the start, or an older one. */
  version: string | null;
  /** How far its clock is ahead of ours, the way of its word included, ms; null as above. */
  clockAheadMs: number | null;
}

export interface LostGateway {
  gatewayId: string;
  lostAt: number;
}

/** Three heartbeats missed is "gateway lost": told once, and once when it is back. */
export function createGatewayWatch(options: {
  store: () => GatewayStore;
  clock: Clock;
  log: Logger;
  onEvent(event: Extract<ServiceEvent, { type: "gateway" }>): void;
}): GatewayWatch {
  const { store, clock, log, onEvent } = options;
  const watched = new Map<string, Watched>();
  let callOff = () => {};
  let stopped = true;

  function write(one: Watched): void {
    one.writtenAt = clock.monotonicNow();
    const { gatewayId, everyMs, controlVersion, lastSeenAt, lostAt } = one;
    store()
      .putGateway({ gatewayId, everyMs, controlVersion, lastSeenAt, lostAt })
      .catch((error: unknown) =>
        log.warn({ err: error, gatewayId }, "a gateway's heartbeat could not be written down"),
      );
  }

  function tell(gatewayId: string, event: "gateway-lost" | "gateway-back"): void {
    onEvent({ type: "gateway", at: Math.round(clock.wallNow()), gatewayId, event, detail: null });
  }

  function look(): void {
    const now = clock.monotonicNow();
    for (const one of watched.values()) {
      if (one.lostAt !== null || now - one.heardAt <= missedLimit * one.everyMs) continue;
      one.lostAt = Math.round(clock.wallNow());
      log.error({ gatewayId: one.gatewayId }, "a gateway has gone silent: nothing is heard through it");
      write(one);
      tell(one.gatewayId, "gateway-lost");
    }
    if (!stopped) callOff = clock.after(lookEveryMs, look);
  }

  return {
    async start() {
      stopped = false;
      const now = clock.monotonicNow();
      // The first heartbeat after a start is written down at once: it ends what nobody watched.
      const writtenAt = Number.NEGATIVE_INFINITY;
      for (const row of await store().gateways()) {
        watched.set(row.gatewayId, { ...row, version: null, clockAheadMs: null, heardAt: now, writtenAt });
      }
      look();
    },
    stop() {
      stopped = true;
      callOff();
    },
    heard({ gatewayId, everyMs, version = null, at }, controlVersion) {
      const now = clock.monotonicNow();
      const known = watched.get(gatewayId);
      const lastSeenAt = Math.round(clock.wallNow());
      const writtenAt = known?.writtenAt ?? Number.NEGATIVE_INFINITY;
      const clockAheadMs = at === undefined ? null : at - lastSeenAt;
      const one: Watched = {
        ...{ gatewayId, everyMs, controlVersion, lastSeenAt, lostAt: null, heardAt: now, writtenAt },
        ...{ version, clockAheadMs },
      };
      watched.set(gatewayId, one);
      if (known?.lostAt != null) {
        log.info({ gatewayId }, "a gateway is heard again");
        tell(gatewayId, "gateway-back");
      }
      const isNews =
        !known || known.lostAt !== null || known.controlVersion !== controlVersion || known.everyMs !== everyMs;
      if (isNews || now - writtenAt >= writeEveryMs) write(one);
    },
    lost: () =>
      [...watched.values()].flatMap(({ gatewayId, lostAt }) => (lostAt === null ? [] : [{ gatewayId, lostAt }])),
    list: () => [...watched.values()].map(({ heardAt: _heardAt, writtenAt: _writtenAt, ...one }) => one),
    get anyLost() {
      return [...watched.values()].some((one) => one.lostAt !== null);
    },
  };
}
