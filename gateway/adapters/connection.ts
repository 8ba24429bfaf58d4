import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { createLink, type Link } from "../broker/outside-link.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import { readForeign, type Said } from "./adapter.ts";
import { adapters, setupOf } from "./all.ts";
import type { AdapterConfig } from "./config.ts";
import { type DeviceReports, openReports, type ReportsInput, stepReports, type Told } from "./device-reports.ts";

/** Messages that wait for their commits. A home's sensors never have so many; beyond, the broker waits. */
const inFlight = 200;
/** After a kept session was taken up again, what the broker had kept comes at once and without a pause; it is over at the first of so long, or after so long in all, ms. */
const catchUpPauseMs = 1000;
const catchUpMs = 10_000;
/** How long the start waits for the first connection, ms. */
const startMs = 3000;
/** Filters that the broker refused, or had no answer to, are asked for again so often, ms. */
const askAgainMs = 30_000;

export interface AdapterHandlers {
  /** A device of ours that is registered, and not revoked. */
  isRegistered(deviceId: string): boolean;
  /**
   * Takes in what became of a message. The message is acknowledged when this returns or resolves; a rejection has the broker send it again.
   * `comesAgain`: false where nobody would, as it came at QoS 0 or by a timer; then an alarm is kept until the store takes it.
   */
  take(deviceId: string, told: Told, via: string, comesAgain: boolean): Promise<void> | undefined;
}

export interface AdapterConnectionOptions {
  config: AdapterConfig;
  gatewayId: string;
  /** Which of the configured it is, from 0. */
  at: number;
  /** 32 random bits of this start. */
  run: number;
  packetBytes: number;
  handlers: AdapterHandlers;
  clock: Clock;
  counters: Counters;
  log: Logger;
}

/** One broker where an ecosystem speaks. */
export interface AdapterConnection {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What keeps its devices from being heard, or null. */
  readonly trouble: string | null;
}

/** The shell around one adapter: a session with the broker, a state for each device, and their timers. */
export function createAdapterConnection(options: AdapterConnectionOptions): AdapterConnection {
  const { config, clock, counters, handlers } = options;
  const section = `gateway.adapters[${options.at}]`;
  const log = options.log.child({ adapter: config.kind });
  const adapter = adapters[config.kind];
  const setup = setupOf(config);
  const devices = new Map<string, { state: DeviceReports; callOff(): void }>();
  for (const { device } of config.devices) devices.set(device, { state: openReports(options.run), callOff() {} });
  /** Devices that are mapped and were not in the register when they spoke. */
  const strangers = new Set<string>();
  let memory = adapter.open();
  let stopped = true;
  let isLost = false;
  let refused: string[] = [];
  let callOffAsking = () => {};
  let endedAt: number | null = null;
  let catchUp: { until: number; since: number; lastAt: number } | null = null;

  const link: Link = createLink({
    outside: config,
    section,
    wantsRetained: true,
    clientId: `${options.gatewayId}-${config.kind}-${options.at}`,
    inFlight,
    packetBytes: options.packetBytes,
    clock,
    take,
    onConnect: connected,
    onEnd: ended,
  });

  function take(topic: string, payload: Uint8Array, retained: boolean, qos: number): Promise<void> | undefined {
    counters.add("adapters.received");
    const message = { topic, payload, retained, now: clock.wallNow(), heldAtMostMs: heldAtMost() };
    const [next, reading] = readForeign(adapter, message, setup, memory);
    memory = next;
    if (reading.nothing) {
      counters.add(`adapters.nothing.${reading.nothing}`);
      return undefined;
    }
    const work = reading.said.flatMap((one) => heard(one, qos > 0) ?? []);
    if (work.length === 0) return undefined;
    return Promise.all(work).then(() => {});
  }

  function heard(one: Said, comesAgain: boolean): Promise<void> | undefined {
    if (!handlers.isRegistered(one.device)) {
      counters.add("adapters.not-registered");
      if (!strangers.has(one.device)) {
        strangers.add(one.device);
        log.warn(
          { deviceId: one.device },
          `${section} names a device that is not registered (fallvakt device add): it is not heard`,
        );
      }
      return undefined;
    }
    if (one.kind === "presence" && one.age === null) counters.add("adapters.undated");
    return step(one.device, one, comesAgain);
  }

  function step(deviceId: string, input: ReportsInput, comesAgain = false): Promise<void> | undefined {
    const one = devices.get(deviceId);
    if (!one) return undefined;
    const now = clock.monotonicNow();
    const { state, told, wakeAt } = stepReports(one.state, input, now);
    one.state = state;
    one.callOff();
    one.callOff = () => {};
    if (wakeAt !== null && !stopped) one.callOff = clock.after(Math.max(20, wakeAt - now), () => ticked(deviceId));
    const work = told.flatMap((item) => handlers.take(deviceId, item, config.kind, comesAgain) ?? []);
    return work.length > 0 ? Promise.all(work).then(() => {}) : undefined;
  }

  /** What a timer brings on has no message that the broker would send again. */
  function ticked(deviceId: string): void {
    if (!handlers.isRegistered(deviceId)) return;
    step(deviceId, { kind: "tick" })?.catch((error: unknown) => {
      if (!stopped) log.error({ deviceId, error: String(error) }, "a suspected fall could not be kept");
    });
  }

  function heldAtMost(): number {
    if (!catchUp) return 0;
    const now = clock.monotonicNow();
    if (now > catchUp.until || now - catchUp.lastAt > catchUpPauseMs) catchUp = null;
    else catchUp.lastAt = now;
    return catchUp ? now - catchUp.since : 0;
  }

  function connected(sessionKept: boolean): void {
    counters.add("adapters.connected");
    const now = clock.monotonicNow();
    const since = catchUp?.since ?? endedAt ?? now - config.sessionHours * 3_600_000;
    catchUp = sessionKept ? { until: now + catchUpMs, since, lastAt: now } : null;
    endedAt = null;
    // A message that was not committed comes again, and must not be taken for one that was.
    memory = adapter.open();
    for (const deviceId of devices.keys()) void step(deviceId, { kind: "reconnected" });
    if (isLost) log.info({}, "the connection to the adapter's broker is back");
    isLost = false;
    subscribe();
  }

  function subscribe(): void {
    link.subscribe(adapter.filters(setup)).then(
      (no) => {
        refused = no;
        if (no.length === 0) return;
        counters.add("adapters.subscribe-refused", no.length);
        log.error(
          { topics: no.length },
          `the broker of ${section} lets the gateway hear nothing of some devices: see its ACL`,
        );
        askAgain();
      },
      (error: unknown) => {
        if (!link.connected) return;
        log.warn({ error: String(error) }, "the broker did not answer to a subscription; it is asked again");
        askAgain();
      },
    );
  }

  function askAgain(): void {
    callOffAsking();
    callOffAsking = clock.after(askAgainMs, () => {
      if (link.connected) subscribe();
    });
  }

  function ended(why: string, uncommitted: boolean): void {
    counters.add(uncommitted ? "adapters.ended.uncommitted" : "adapters.ended.lost");
    // A catching up that was broken off goes on where it was.
    if (heldAtMost() === 0) endedAt ??= clock.monotonicNow();
    if (uncommitted || isLost) return;
    isLost = true;
    log.error(
      { why },
      `no connection to the broker of ${section}: no fall and no help call of its devices gets through`,
    );
    // Nobody hears them: whoever supervises them is to know.
    for (const device of devices.keys()) {
      if (handlers.isRegistered(device))
        void step(device, { kind: "availability", device, online: false, isLive: false });
    }
  }

  return {
    get trouble() {
      if (!link.connected) return `no connection to the broker of ${section} (${config.kind})`;
      return refused.length > 0 ? `the broker of ${section} (${config.kind}) refuses ${refused.length} topics` : null;
    },
    async start() {
      stopped = false;
      const { protocol, hostname } = new URL(config.url);
      if (protocol === "mqtt:" && config.password && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
        log.warn({}, `the password of ${section} goes over the network in the clear: use mqtts in its url`);
      }
      // A broker that is not there must not keep the gateway from letting its own devices in.
      await within(clock, startMs, link.start()).catch(() => {});
    },
    async stop() {
      stopped = true;
      callOffAsking();
      for (const one of devices.values()) one.callOff();
      await link.stop();
    },
  };
}
