import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Counters } from "../counters.ts";
import type { ServiceEvent } from "../events.ts";
import type { BlindTimeStore, ToldBlindTime } from "../store/store.ts";
import { clipped, sumsByReason } from "./blind-time.ts";
import { blindReasons } from "./causes.ts";
import { ledgerOf } from "./ledger.ts";

const hourMs = 3_600_000;
/** How long after its end an hour is told, ms: outages are told by then that began in it. */
const settleMs = 300_000;
/** So far back what is learnt late is told as a correction, ms. */
const correctedMs = 8 * 24 * hourMs;
/** And so much later it is forgotten what was told: a clock that was ahead and is set back tells nothing twice. */
const forgottenMs = 5 * correctedMs;
/** After a failure it is tried again, ms. */
const retryMs = 60_000;
/** Dwellings that are worked out at one go: no page waits for them. */
const atOnce = 20;

/**
 * Tells the event log each hour of blind time, once it is over, and later what the ledger has learnt of it since: what is told of an hour adds up to what
 * the ledger says.
 */
export interface BlindTimeTeller {
  start(): void;
  stop(): Promise<void>;
}

export function createBlindTimeTeller(options: {
  store: () => BlindTimeStore;
  clock: Clock;
  counters: Counters;
  log: Logger;
  onEvent(event: Extract<ServiceEvent, { type: "blind-time" }>): void;
}): BlindTimeTeller {
  const { store, clock, counters, log, onEvent } = options;
  let isStopped = true;
  let callOff = () => {};
  let telling: Promise<void> = Promise.resolve();

  async function tell(): Promise<void> {
    const now = clock.wallNow();
    const until = Math.floor((now - settleMs) / hourMs) * hourMs;
    const from = until - correctedMs;
    const known = await store().causes(from);
    for (let i = 0; i < known.dwellings.length && !isStopped; i += atOnce) {
      const some = known.dwellings.slice(i, i + atOnce);
      const ids = some.map(({ dwellingId }) => dwellingId);
      const told = Map.groupBy(await store().told(from, ids), ({ dwellingId }) => dwellingId);
      for (const { dwellingId, key, spans } of ledgerOf({ ...known, dwellings: some }, from, until)) {
        const news = newsOf(dwellingId, hoursOf(dwellingId, spans, until), told.get(dwellingId) ?? []);
        if (news.length === 0) continue;
        // First the store: a crash between the two costs the event log this one, and tells it nothing twice.
        await store().tell(news.map(({ added: _, ...one }) => one));
        for (const { hourAt, reason, added } of news) {
          onEvent({ type: "blind-time", at: hourAt, dwellingId, alias: key, reason, seconds: added });
        }
      }
      // Others have their turn.
      await new Promise<void>((resolve) => void clock.after(0, resolve));
    }
    await store().forgetTold(until - forgottenMs);
  }

  function next(waitMs: number): void {
    callOff = clock.after(waitMs, () => {
      telling = tell().then(
        () => next(untilNextHour()),
        (error: unknown) => {
          counters.count("blind-time.tell-failed");
          log.warn({ err: error }, "blind time could not be told to the event log; trying again in a minute");
          next(retryMs);
        },
      );
    });
    if (isStopped) callOff();
  }

  const untilNextHour = () => hourMs - ((((clock.wallNow() - settleMs) % hourMs) + hourMs) % hourMs) + 1;

  return {
    start() {
      isStopped = false;
      next(0);
    },
    async stop() {
      isStopped = true;
      callOff();
      await telling;
    },
  };
}

/** Seconds of each hour, by reason. */
function hoursOf(dwellingId: string, spans: Parameters<typeof clipped>[0], until: number): ToldBlindTime[] {
  const found: ToldBlindTime[] = [];
  const [first] = spans;
  if (!first) return found;
  for (let hourAt = Math.floor(first.from / hourMs) * hourMs; hourAt < until; hourAt += hourMs) {
    const sums = sumsByReason(clipped(spans, hourAt, hourAt + hourMs));
    for (const reason of blindReasons) {
      const seconds = Math.round((sums[reason] ?? 0) / 1000);
      if (seconds > 0) found.push({ dwellingId, hourAt, reason, seconds });
    }
  }
  return found;
}

/** What is to be told, with what it adds to what was told; a correction may take away. */
function newsOf(
  dwellingId: string,
  now: readonly ToldBlindTime[],
  told: readonly ToldBlindTime[],
): (ToldBlindTime & { added: number })[] {
  const keyOf = ({ hourAt, reason }: ToldBlindTime) => `${hourAt} ${reason}`;
  const before = new Map(told.map((one) => [keyOf(one), one.seconds]));
  const news = now.map((one) => ({ ...one, added: one.seconds - (before.get(keyOf(one)) ?? 0) }));
  const isNow = new Set(now.map(keyOf));
  for (const one of told) {
    if (!isNow.has(keyOf(one))) news.push({ ...one, dwellingId, seconds: 0, added: -one.seconds });
  }
  return news.filter(({ added }) => added !== 0);
}
