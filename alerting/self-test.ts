import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "../firmware-contracts/clock.ts";
import type { Detection } from "../firmware-contracts/detection.ts";
import {
  gatewayLinks,
  isOfRun,
  type SelfTestEvent,
  type SelfTestLink,
  selfTestLinks,
} from "../firmware-contracts/self-test.ts";
import type { Board } from "./board.ts";
import type { AlertingConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { ServiceEvent } from "./events.ts";
import type { Keeper } from "./keeper.ts";
import { zoneOf } from "./rota/local-time.ts";
import { createSetTimes } from "./set-times.ts";
import type { SelfTestRow, Store } from "./store/store.ts";

/** Looked at this often, ms: limits are whole seconds. */
const lookEveryMs = 500;
/** A test that a command has asked for is found within this time, ms. */
const lookForNewMs = 2_000;
/** Until the gateway has fetched what is wanted, and begun: it asks every 10 s at most, ms. */
const untilBegunMs = 15_000;

/** Its alarm ends with it, and by itself so much after its last limit, ms. */
const untilEndedMs = 60_000;

/** What has been seen of the test under way. Wall times, ms. */
export interface Seen {
  /** When the service took it up. */
  begunAt: number;
  /** The gateway's report. */
  reportAt: number | null;
  /** Links that its report tells of. */
  report: Pick<SelfTestEvent, "links" | "failed" | "detail"> | null;
  detectedAt: number | null;
  intakeAt: number | null;
  pagedAt: number | null;
  deliveredAt: number | null;
  /** A provider's or a phone's no. */
  refusal: { link: SelfTestLink; detail: string } | null;
}

export const nothingSeen: Omit<Seen, "begunAt"> = {
  ...{
    reportAt: null,
    report: null,
    detectedAt: null,
    intakeAt: null,
    pagedAt: null,
    deliveredAt: null,
    refusal: null,
  },
};

export type Verdict = { failed: SelfTestLink | null; detail: string | null } | null;

/** How long each link took that has held, ms. */
export function linksOf({ report, detectedAt, intakeAt, pagedAt, deliveredAt }: Seen): SelfTestRow["links"] {
  const between = (from: number | null, to: number | null) =>
    from === null || to === null ? undefined : Math.max(0, Math.round(to - from));
  const links = {
    ...report?.links,
    intake: between(detectedAt, intakeAt),
    paged: between(intakeAt, pagedAt),
    delivered: between(pagedAt, deliveredAt),
  };
  return Object.fromEntries(selfTestLinks.flatMap((link) => (links[link] === undefined ? [] : [[link, links[link]]])));
}

/**
 * Whether a self-test is over, and which link it was: null while it may go on. Each link has its time from when the one before held; of those that only the
 * gateway sees, its report says which.
 */
export function judge({ limits }: Pick<SelfTestRow, "limits">, seen: Seen, now: number): Verdict {
  const { report, reportAt, intakeAt, pagedAt, deliveredAt, refusal } = seen;
  const failed = (link: SelfTestLink, detail: string | null): Verdict => ({ failed: link, detail });
  if (refusal) return failed(refusal.link, refusal.detail);
  if (intakeAt !== null && seen.detectedAt !== null && intakeAt - seen.detectedAt > limits.intake * 1000) {
    return failed("intake", "too late");
  }
  if (deliveredAt !== null) {
    // All came through; a link that was slow is told by the gateway, whose report may be the last to come.
    if (report?.failed) return failed(report.failed, report.detail ?? null);
    const begun = now - deliveredAt > limits.intake * 1000;
    return report || begun ? { failed: null, detail: null } : null;
  }
  if (pagedAt !== null) return now - pagedAt > limits.delivered * 1000 ? failed("delivered", "no receipt") : null;
  if (intakeAt !== null) return now - intakeAt > limits.paged * 1000 ? failed("paged", "not accepted in time") : null;
  if (report?.failed) return failed(report.failed, report.detail ?? null);
  if (reportAt !== null)
    return now - reportAt > limits.intake * 1000 ? failed("intake", "the fall did not come") : null;
  const ofGateway = gatewayLinks.reduce((sum, link) => sum + limits[link] * 1000, 0);
  return now - seen.begunAt > untilBegunMs + ofGateway + limits.intake * 1000
    ? failed("intake", "nothing came to the intake")
    : null;
}

/** The self-test of the whole chain: at set times, and when a command asks. */
export interface SelfTests {
  start(): Promise<void>;
  stop(): void;
  /** Of a fall of the test device: the test that it belongs to, and how long that may take from here, ms. Null: none is under way. */
  takes(detection: Detection, now: number): Promise<{ runId: string; forMs: number } | null>;
  report(event: SelfTestEvent): Promise<void>;
  follow(event: ServiceEvent): void;
}

export function createSelfTests(options: {
  config: AlertingConfig;
  store: Store;
  keeper: () => Keeper;
  board: Board;
  clock: Clock;
  counters: Counters;
  log: Logger;
}): SelfTests {
  const { config, store, keeper, board, clock, counters, log } = options;
  const own = config.selfTest;
  const times = createSetTimes({
    store: store.operation,
    what: "self-test",
    times: own?.times ?? [],
    zone: zoneOf(config.timeZone),
  });
  let run: SelfTestRow | null = null;
  let seen: Seen = { begunAt: 0, ...nothingSeen };
  let lastId: string | null = null;
  let callOff = () => {};
  let stopped = true;
  let lookedForNewAt = Number.NEGATIVE_INFINITY;

  const now = () => Math.round(clock.wallNow());

  async function look(): Promise<void> {
    try {
      if (run) await judgeNow(run);
      else if (clock.monotonicNow() - lookedForNewAt >= lookForNewMs) {
        lookedForNewAt = clock.monotonicNow();
        if (await times.take(now())) await ask(null);
        else await takeUp();
      }
    } catch (error) {
      counters.count("self-test.not-followed");
      log.error({ err: error }, "the self-test could not be followed; trying again at once");
    }
    if (!stopped) callOff = clock.after(lookEveryMs, () => void look());
  }

  async function ask(by: string | null): Promise<void> {
    if (!own || (await store.selfTests.findOpen())) return;
    await store.selfTests.ask({ id: newRunId(), askedAt: now(), by, device: own.device, limits: own.limits });
    await takeUp();
  }

  /** A gateway may have begun before the service has looked. */
  async function takeUp(): Promise<void> {
    if (run) return;
    const open = await store.selfTests.findOpen();
    // Asked twice at once, it is taken up once.
    if (run || !open || open.id === lastId) return;
    run = open;
    lastId = open.id;
    seen = { begunAt: now(), ...nothingSeen };
    counters.count("self-test.begun");
  }

  async function judgeNow(open: SelfTestRow): Promise<void> {
    const verdict = judge(open, seen, now());
    if (!verdict) return;
    const links = linksOf(seen);
    const ended: SelfTestRow = { ...open, links, ...verdict, endedAt: now() };
    await store.selfTests.put(ended);
    run = null;
    await keeper().endSelfTest(open.device);
    await tell(ended);
  }

  /** A technical alarm that names the link, one at a time; the next success ends it. */
  async function tell({ failed, detail, links, askedAt, episodeId }: SelfTestRow): Promise<void> {
    counters.count(failed ? `self-test.failed.${failed}` : "self-test.held");
    const kind = "self-test-failed" as const;
    for (const { facts, status } of board.states()) {
      const about = status !== "closed" && facts.trouble?.kind === kind ? facts.trouble.subject : null;
      if (about !== null && about !== failed) await keeper().end({ kind, subject: about });
    }
    if (failed === null) return log.info({ links, episodeId }, "the self-test of the chain held");
    log.error({ link: failed, detail, links }, "the self-test of the chain failed");
    await keeper().raise({ kind, subject: failed, since: askedAt });
  }

  return {
    async start() {
      stopped = false;
      // Of what was seen before the stop nobody knows: it is asked for anew.
      const cutOff = await store.selfTests.findOpen();
      if (cutOff) {
        await store.selfTests.put({ ...cutOff, endedAt: now(), isCutOff: true });
        await keeper().endSelfTest(cutOff.device);
        if (own) await ask(cutOff.by);
      }
      await look();
    },
    stop() {
      stopped = true;
      callOff();
    },
    async takes({ id, detectedAt }, at) {
      await takeUp();
      // Of an earlier one, that came late: it says nothing of this.
      if (!run || !isOfRun(id, { run: run.id, device: run.device })) {
        counters.count("self-test.stray");
        return null;
      }
      const { id: runId, limits } = run;
      // Two clocks: a gateway's that is ahead makes no link take less than nothing.
      seen = { ...seen, detectedAt: Math.min(detectedAt, at) };
      return { runId, forMs: (limits.paged + limits.delivered) * 1000 + untilEndedMs };
    },
    async report({ run: runId, ...report }) {
      await takeUp();
      if (run?.id === runId) seen = { ...seen, report, reportAt: now() };
    },
    follow(event) {
      if (!run) return;
      if (event.type === "episode-opened" && event.kind === "test") {
        const facts = board.states().find(({ facts: one }) => one.id === event.episodeId)?.facts;
        if (facts?.testAlarm?.id !== run.id) return;
        run = { ...run, episodeId: event.episodeId };
        seen = { ...seen, intakeAt: event.at };
      } else if (event.type === "page-sent" && event.episodeId === run.episodeId && event.purpose === "test") {
        if (event.result === "accepted") seen = { ...seen, pagedAt: seen.pagedAt ?? event.at };
        else if (event.result === "permanent")
          seen = { ...seen, refusal: { link: "paged", detail: event.reason ?? "refused" } };
      } else if (event.type === "receipt" && event.episodeId === run.episodeId) {
        if (event.status === "delivered") seen = { ...seen, pagedAt: seen.pagedAt ?? event.at, deliveredAt: event.at };
        else if (event.status === "undelivered" || event.status === "failed") {
          seen = { ...seen, refusal: { link: "delivered", detail: event.errorCode ?? event.status } };
        }
      }
    },
  };
}

/** A test's id. */
export const newRunId = () => `s${randomUUID().replaceAll("-", "").slice(0, 12)}`;
