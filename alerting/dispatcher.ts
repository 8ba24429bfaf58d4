import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { Channel } from "./channels/channel.ts";
import type { Counters } from "./counters.ts";
import { callingOut, type PagePurpose, type SendResult } from "./episode-state.ts";
import { retryAt } from "./escalation.ts";
import type { ServiceEvent } from "./events.ts";
import type { Keeper } from "./keeper.ts";
import type { PageRow, Store } from "./store/store.ts";

/** The store is looked at this often at least, ms: another process may have written, and a clock may have jumped. */
const longestSleepMs = 1_000;
/** Requests to the provider at once. */
const sendsAtOnce = 20;
/** Of those, kept free for pages that call somebody out, so that confirmations never make a fall wait. */
const keptForAlarms = 5;
/** A provider that has not answered by then: nobody knows whether it was sent. */
const answerMs = 10_000;
/** Technical alarms that go in one text at most; it names the first few. */
const gatheredAtMost = 50;
/** However many alarms have just been handed over, other texts do not wait for them longer than this, ms. */
const longestPaceMs = 60_000;
/** One of so many places in the provider's pace is theirs all the same: whoever answers in the midst of a storm is not left without a word. */
const calmInPlaces = 5;
/** Deadlines taken up in one go. */
const batch = 100;

/** Carries out what stands in the store: deadlines that are due and pages to be sent. It holds nothing that a restart could lose. */
export interface Dispatcher {
  /** Before `start`, and before pages are read to be shown: what was being sent when the service stopped is to be sent again. */
  resume(): Promise<void>;
  start(): Promise<void>;
  /** Looks at once. */
  wake(): void;
  /** Stops taking up work, and waits for what is being sent, but not for long. */
  stop(): Promise<void>;
}

export function createDispatcher(options: {
  store: Store;
  keeper: Keeper;
  channel: Channel;
  clock: Clock;
  counters: Counters;
  log: Logger;
  /** Texts a second that the provider sends from our number. */
  perSecond?: number;
  onEvent(event: ServiceEvent): void;
}): Dispatcher {
  const { store, keeper, channel, clock, counters, log, perSecond = 1 } = options;
  /** When the provider will have sent all that was handed over, monotonic ms. */
  let paceUntil = Number.NEGATIVE_INFINITY;
  /** When a text that calls nobody out was last handed over, monotonic ms. */
  let calmAt = Number.NEGATIVE_INFINITY;
  const sending = new Map<string, Promise<void>>();
  let running = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let callOff = () => {};

  function wake(): void {
    if (!running) return;
    lookAgain = true;
    looking ??= look().finally(() => {
      looking = null;
      // What came since the last look is not left until the next.
      if (lookAgain) wake();
    });
  }

  async function look(): Promise<void> {
    callOff();
    let sleepMs = longestSleepMs;
    let throttled = false;
    try {
      while (running && lookAgain) {
        lookAgain = false;
        await keeper.followClock();
        // A store that fails is not asked a hundred times a second.
        if (!(await takeUpDue())) throttled = true;
        await takeUpPages();
      }
      if (running && !throttled) sleepMs = await untilNext();
    } catch (error) {
      // What could not be done stands in the store still, and is tried at the next look.
      counters.count("dispatcher.failed");
      log.error({ err: error }, "deadlines and pages could not be taken up; trying again in a second");
    }
    if (running && !lookAgain) callOff = clock.after(sleepMs, wake);
  }

  /** Returns whether all that was due could be carried out. */
  async function takeUpDue(): Promise<boolean> {
    const due = await store.episodes.dueBefore(clock.wallNow(), batch);
    for (const { episodeId, purpose } of due) {
      try {
        await keeper.apply(episodeId, { type: "due", purpose });
      } catch (error) {
        counters.count("dispatcher.due-failed");
        log.error({ err: error, episodeId, purpose }, "a deadline could not be carried out; trying again in a second");
        return false;
      }
    }
    if (due.length === batch) lookAgain = true;
    return true;
  }

  /** Texts that call nobody out keep to the provider's pace, so that a fall never waits at the provider behind them. */
  const calmFrom = () => Math.min(paceUntil, calmAt + (calmInPlaces * 1000) / perSecond);
  const paceAllows = () => clock.monotonicNow() >= calmFrom();

  function handOver(purpose: PagePurpose): void {
    const now = clock.monotonicNow();
    paceUntil = Math.min(Math.max(paceUntil, now) + 1000 / perSecond, now + longestPaceMs);
    if (!callingOut.has(purpose)) calmAt = now;
  }

  async function takeUpPages(): Promise<void> {
    const free = sendsAtOnce - sending.size;
    if (free <= 0) return;
    for (const page of await store.pages.sendable(clock.wallNow(), free, !paceAllows())) {
      if (sending.has(page.id)) continue;
      if (!callingOut.has(page.purpose) && (sending.size >= sendsAtOnce - keptForAlarms || !paceAllows())) break;
      const at = Math.round(clock.wallNow());
      if (!(await store.pages.beginAttempt(page.id, at))) continue;
      const others = page.purpose === "technical" ? await gather(page, at) : [];
      handOver(page.purpose);
      const sent = send({ ...page, tries: page.tries + 1 }, others).finally(() => {
        sending.delete(page.id);
        wake();
      });
      sending.set(page.id, sent);
    }
  }

  /** Takes up every technical alarm that waits for the same phone: they go as one text. */
  async function gather(leader: PageRow, at: number): Promise<PageRow[]> {
    const waiting = await store.pages.technicalFor(leader.responderId, gatheredAtMost);
    const taken = new Set(
      await store.pages.sendWith(
        waiting.map(({ id }) => id),
        leader.id,
        at,
      ),
    );
    counters.count("page.gathered", taken.size);
    return waiting.filter(({ id }) => taken.has(id)).map((page) => ({ ...page, tries: page.tries + 1 }));
  }

  async function send(page: PageRow, others: readonly PageRow[]): Promise<void> {
    const body = others.length === 0 ? page.body : await keeper.digest([page, ...others]);
    const result = await ask({ ...page, body });
    // The provider's word must be kept, or the page would stay half sent: a full disk may have space again in a second.
    for (const one of [page, ...others]) {
      while (!(await keep(one, result))) {
        if (!running) return;
        await new Promise<void>((resolve) => clock.after(longestSleepMs, resolve));
      }
    }
  }

  async function ask(page: PageRow): Promise<SendResult> {
    const responder = keeper.responders.get(page.responderId);
    if (!responder) return { outcome: "permanent", reason: "no-such-responder" };
    let stopWaiting = () => {};
    const gaveUp = new Promise<SendResult>((resolve) => {
      stopWaiting = clock.after(answerMs, () => resolve({ outcome: "unknown", reason: "timeout" }));
    });
    try {
      return await Promise.race([channel.send({ pageId: page.id, phone: responder.phone, body: page.body }), gaveUp]);
    } catch {
      return { outcome: "unknown", reason: "channel-failed" };
    } finally {
      stopWaiting();
    }
  }

  async function keep(page: PageRow, result: SendResult): Promise<boolean> {
    const { id: pageId, responderId, purpose, tries, episodeId } = page;
    const endedAt = Math.round(clock.wallNow());
    const attemptEnd = { pageId, endedAt, result };
    const event: ServiceEvent = {
      type: "page-sent",
      at: endedAt,
      episodeId,
      pageId,
      responderId,
      purpose,
      result: result.outcome,
      reason: result.outcome === "accepted" ? null : result.reason,
      tries,
      waitedMs: Math.max(0, endedAt - page.createdAt),
    };
    try {
      if (episodeId !== null) {
        await keeper.apply(
          episodeId,
          { type: "page-result", pageId, responderId, purpose, tries, result },
          { attemptEnd },
          [event],
        );
      } else {
        await keeper.inTurn(() => store.pages.endLooseAttempt(attemptEnd, retryAt(result, tries, endedAt)));
        options.onEvent(event);
      }
    } catch (error) {
      counters.count("dispatcher.result-failed");
      log.error({ err: error, pageId }, "the provider's answer could not be kept; trying again in a second");
      return false;
    }
    counters.count(`page.${result.outcome}`);
    if (result.outcome !== "accepted") {
      log.warn(
        { pageId, responderId, outcome: result.outcome, reason: result.reason, tries },
        "a page was not accepted",
      );
    }
    return true;
  }

  async function untilNext(): Promise<number> {
    const paceMs = calmFrom() - clock.monotonicNow();
    const times = [
      await store.episodes.earliestDue(),
      // What is held back by the provider's pace goes when that allows it.
      sending.size < sendsAtOnce ? await store.pages.earliestPending(paceMs > 0) : null,
    ];
    const earliest = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    const ms = Math.min(earliest - clock.wallNow(), paceMs > 0 ? paceMs : Number.POSITIVE_INFINITY);
    // A page that waits for a free place is taken up when one is sent; the least sleep keeps this from going round.
    return Math.min(longestSleepMs, Math.max(10, ms));
  }

  return {
    async resume() {
      const again = await store.pages.resumeCutOff(Math.round(clock.wallNow()));
      if (again > 0) {
        counters.count("page.sent-again-after-restart", again);
        log.warn({ pages: again }, "pages were being sent when the service stopped; they are sent again");
      }
    },
    async start() {
      await keeper.resumeClock();
      running = true;
      wake();
    },
    wake,
    async stop() {
      running = false;
      callOff();
      let callOffLimit = () => {};
      const limit = new Promise<void>((resolve) => {
        callOffLimit = clock.after(answerMs, resolve);
      });
      await Promise.race([Promise.allSettled([looking, ...sending.values()]), limit]);
      callOffLimit();
    },
  };
}
