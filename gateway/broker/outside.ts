import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { GatewayEvent } from "../../firmware-contracts/intake.ts";
import { parseUplinkTopic, type Uplink, uplinkTopic } from "../../firmware-contracts/topics.ts";
import type { GatewayConfig, OutsideConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import type { Broker, BrokerHandlers } from "./broker.ts";
import { createLink, type Link } from "./outside-link.ts";

/** A connection lost for longer than this is told to alerting, ms: a broker that is restarted is no alarm. */
const tellLostAfterMs = 5000;
/** While it lasts it is told again so often, ms, for an alerting that was restarted meanwhile. */
const tellLostEveryMs = 60_000;
/** Filters that the broker refused, or had no answer to, are asked for again so often, ms. */
const askAgainMs = 30_000;
/** After a session was taken up again messages that the broker had kept come among new ones, for this long at most, ms. */
const catchUpMs = 600_000;
/** How long the start waits for the first connection, ms. */
const startMs = 5000;

/** A help call never waits behind frames: neither behind an hour of them that the broker kept, nor behind one that cannot be committed. */
const sessions: { suffix: string; uplinks: readonly Uplink[] }[] = [
  { suffix: "", uplinks: ["accel", "accel-json", "cancel"] },
  { suffix: "-help", uplinks: ["help", "status", "presence"] },
];

export interface OutsideBrokerOptions {
  outside: OutsideConfig;
  limits: GatewayConfig["limits"];
  gatewayId: string;
  handlers: Pick<BrokerHandlers, "publish">;
  /** The connection was lost, or is back. */
  onContact(event: GatewayEvent["event"], detail?: string): void;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/** What one session has subscribed to. */
interface Side {
  link: Link;
  uplinks: readonly Uplink[];
  held: Set<string>;
  refused: Set<string>;
  /** Devices whose messages still came though they are not ours. */
  strangers: Set<string>;
  wasConnected: boolean;
  /** When the last connection ended; null where this process had none. */
  endedAt: number | null;
  /** Messages that the broker kept may come until then, and were sent after this. */
  catchUp: { until: number; since: number } | null;
  /** Of connections, counted up: what one had subscribed says nothing about the next. */
  connection: number;
  run: Promise<void> | null;
  again: boolean;
}

/**
 * A broker of another's, instead of the embedded one: the gateway is its client and subscribes to the topics of its own devices, each by name.
 * Never through a shared subscription: that splits one device's frames between gateways.
 * Who may publish as which device is for the broker to hold; see deploy/mosquitto.
 */
export function createOutsideBroker(options: OutsideBrokerOptions): Broker {
  const { outside, limits, handlers, clock, counters, log } = options;
  const clientId = outside.clientId ?? options.gatewayId;
  let wanted = new Set<string>();
  let stopped = true;
  let lostSince: number | null = null;
  let isLostTold = false;
  let sessionLost = false;
  let callOffTelling = () => {};
  let callOffAsking: (() => void) | null = null;
  const sides = sessions.map(({ suffix, uplinks }): Side => {
    const link = createLink({
      outside,
      clientId: `${clientId}${suffix}`,
      inFlight: Math.min(outside.inFlight, limits.inFlightPerDevice),
      packetBytes: limits.packetBytes,
      clock,
      take: (topic, payload, retained) => take(side, topic, payload, retained),
      onConnect: (sessionKept) => connected(side, sessionKept),
      onEnd(why, uncommitted) {
        if (side.wasConnected && heldAtMost(side) === 0) side.endedAt ??= clock.monotonicNow();
        lost(why, uncommitted);
      },
    });
    const side: Side = {
      link,
      uplinks,
      held: new Set(),
      refused: new Set(),
      strangers: new Set(),
      wasConnected: false,
      connection: 0,
      endedAt: null,
      catchUp: null,
      run: null,
      again: false,
    };
    return side;
  });
  const isConnected = () => sides.every(({ link }) => link.connected);

  function take(side: Side, topic: string, payload: Uint8Array, retained: boolean): Promise<void> | undefined {
    if (retained) {
      // It can be of any age: nothing is concluded from it.
      counters.add("outside.retained");
      return undefined;
    }
    const parsed = parseUplinkTopic(topic);
    if (!parsed.ok || !wanted.has(parsed.deviceId)) {
      counters.add("outside.not-ours");
      if (parsed.ok && !side.strangers.has(parsed.deviceId) && side.strangers.size < 1000) {
        side.strangers.add(parsed.deviceId);
        reconcile(side);
      }
      return undefined;
    }
    return handlers.publish(parsed.deviceId, topic, payload, false, heldAtMost(side));
  }

  function heldAtMost(side: Side): number {
    if (!side.catchUp) return 0;
    const now = clock.monotonicNow();
    if (now <= side.catchUp.until) return now - side.catchUp.since;
    side.catchUp = null;
    return 0;
  }

  function connected(side: Side, sessionKept: boolean): void {
    counters.add("outside.connected");
    if (side.wasConnected && !sessionKept) {
      sessionLost = true;
      counters.add("outside.session-lost");
      log.error({}, "the broker lost the gateway's session: what it had acknowledged and not handed on is gone");
    }
    const now = clock.monotonicNow();
    // A catching up that was broken off goes on where it was.
    const since = side.catchUp?.since ?? side.endedAt ?? now - outside.sessionHours * 3_600_000;
    side.catchUp = sessionKept ? { until: now + catchUpMs, since } : null;
    side.endedAt = null;
    side.wasConnected = true;
    side.connection++;
    // Subscribed to again though the session was kept: that costs little, and mends what the broker forgot.
    side.held.clear();
    side.refused.clear();
    reconcile(side);
    if (isConnected()) back();
  }

  function lost(why: string, uncommitted: boolean): void {
    if (stopped) return;
    counters.add(uncommitted ? "outside.ended.uncommitted" : "outside.ended.lost");
    // The connection is sound: it was ended so that the broker sends again what could not be committed.
    if (uncommitted || lostSince !== null) return;
    lostSince = clock.monotonicNow();
    log.error({ why }, "no connection to the broker: no fall and no help call gets through; look at gateway.outside");
    callOffTelling = clock.after(tellLostAfterMs, tellLost);
  }

  function tellLost(): void {
    isLostTold = true;
    options.onContact("broker-lost");
    callOffTelling = clock.after(tellLostEveryMs, tellLost);
  }

  function back(): void {
    callOffTelling();
    const detail = sessionLost ? "session-lost" : undefined;
    sessionLost = false;
    if (lostSince !== null) {
      const seconds = Math.round((clock.monotonicNow() - lostSince) / 1000);
      log.info({ seconds }, "the connection to the broker is back");
    }
    lostSince = null;
    if (isLostTold || detail) options.onContact("broker-back", detail);
    isLostTold = false;
  }

  /** Brings a session's subscriptions to what is wanted; one round at a time. */
  function reconcile(side: Side): void {
    if (side.run) {
      side.again = true;
      return;
    }
    side.again = false;
    side.run = follow(side)
      .catch((error: unknown) => {
        // Where the connection ended, the next one begins anew.
        if (stopped || !side.link.connected) return;
        counters.add("outside.subscribe-failed");
        log.warn({ error: String(error) }, "the broker did not answer to a subscription; it is asked again");
        askAgain();
      })
      .finally(() => {
        side.run = null;
        if (side.again) reconcile(side);
      });
  }

  async function follow(side: Side): Promise<void> {
    const { link, held, refused, strangers, connection } = side;
    if (stopped || !link.connected) return;
    const filters = (deviceId: string) => side.uplinks.map((uplink) => uplinkTopic(deviceId, uplink));
    const gone = [...new Set([...held, ...strangers])].filter((deviceId) => !wanted.has(deviceId));
    const added = [...wanted].filter((deviceId) => !held.has(deviceId));
    if (gone.length > 0) await link.unsubscribe(gone.flatMap(filters));
    if (connection !== side.connection) throw new Error("the connection is another by now");
    for (const deviceId of gone) {
      held.delete(deviceId);
      refused.delete(deviceId);
      strangers.delete(deviceId);
    }
    if (added.length === 0) return;
    const no = new Set(await link.subscribe(added.flatMap(filters)));
    if (connection !== side.connection) throw new Error("the connection is another by now");
    for (const deviceId of added) {
      strangers.delete(deviceId);
      if (!filters(deviceId).some((filter) => no.has(filter))) {
        held.add(deviceId);
        refused.delete(deviceId);
      } else if (!refused.has(deviceId)) {
        refused.add(deviceId);
        counters.add("outside.subscribe-refused");
        log.error({ deviceId }, "the broker lets the gateway hear nothing of this device: see its ACL");
      }
    }
    if (refused.size > 0) askAgain();
  }

  function askAgain(): void {
    callOffAsking ??= clock.after(askAgainMs, () => {
      callOffAsking = null;
      for (const side of sides) reconcile(side);
    });
  }

  return {
    url: outside.url,
    get listening() {
      return isConnected();
    },
    get trouble() {
      if (!isConnected()) return "no connection to the broker";
      const refused = new Set(sides.flatMap((side) => [...side.refused])).size;
      return refused > 0 ? `the broker refuses the topics of ${refused} devices` : null;
    },
    connected: () => [...wanted].filter((deviceId) => sides.every(({ held }) => held.has(deviceId))),
    send: (topic, payload) => sides[0]?.link.send(topic, payload),
    shutOut(deviceId) {
      if (wanted.delete(deviceId)) for (const side of sides) reconcile(side);
    },
    follow(deviceIds) {
      wanted = new Set(deviceIds);
      for (const side of sides) reconcile(side);
    },
    async start() {
      stopped = false;
      const { protocol, hostname } = new URL(outside.url);
      if (protocol === "mqtt:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
        log.warn(
          {},
          "the password and all that devices say go over the network in the clear: use mqtts in gateway.outside.url",
        );
      }
      // A broker that is not there yet must not keep the gateway from taking up what its journal holds.
      await within(clock, startMs, Promise.all(sides.map(({ link }) => link.start()))).catch(() => {});
    },
    async stop() {
      stopped = true;
      callOffTelling();
      callOffAsking?.();
      callOffAsking = null;
      await Promise.all(sides.map(({ link }) => link.stop()));
    },
  };
}
