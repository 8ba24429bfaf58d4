import type { Logger } from "pino";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { isOfRun, type SelfTestEvent, type WantedSelfTest } from "../../firmware-contracts/self-test.ts";
import type { Counters } from "../counters.ts";
import { within } from "../time-limit.ts";
import { type Connection, publishFall } from "./publisher.ts";

/** A stop waits so long for one that is under way, ms. */
const stopMs = 500;

/** Runs a self-test when alerting wants one of this gateway's test device. */
export interface SelfTester {
  /** What the Control in force wants; each run is done once. */
  follow(wanted: WantedSelfTest | null): void;
  /** Waits a moment for one that is under way; its report is lost where that is not enough, and alerting asks anew. */
  stop(): Promise<void>;
}

export function createSelfTester(options: {
  device: string;
  secret: string;
  /** @throws where a file of it cannot be read. */
  connection(): Connection;
  /** Tells of each fall that the detector has found, by an id that begins with `<device>.<boot>.`. Returns how to end it. */
  onDetected(listener: (id: string) => void): () => void;
  report(event: Omit<SelfTestEvent, "gatewayId">): void;
  clock: Clock;
  counters: Counters;
  log: Logger;
}): SelfTester {
  const { device, secret, connection, onDetected, report, clock, counters, log } = options;
  let last: string | null = null;
  let running: Promise<void> | null = null;
  let isStopped = false;

  async function run(wanted: WantedSelfTest): Promise<void> {
    let end = () => {};
    const detected = new Promise<void>((resolve) => {
      end = onDetected((id) => {
        if (isOfRun(id, wanted)) resolve();
      });
    });
    try {
      const published = await publishFall({ connection: connection(), wanted, secret, detected, clock });
      counters.add(published.failed ? "self-test.failed" : "self-test.held");
      if (published.failed) {
        log.error({ link: published.failed, detail: published.detail }, "the self-test of the chain failed");
      }
      const at = Math.max(0, Math.round(clock.wallNow()));
      report({ v: 1, id: `${wanted.run}.gateway`, at, run: wanted.run, ...published });
    } finally {
      end();
    }
  }

  return {
    follow(wanted) {
      if (isStopped || !wanted || wanted.device !== device || wanted.run === last) return;
      last = wanted.run;
      running = (running ?? Promise.resolve())
        .then(() => run(wanted))
        .catch((error: unknown) => log.error({ error: String(error) }, "the self-test could not be run"));
    },
    async stop() {
      isStopped = true;
      if (running) await within(clock, stopMs, running).catch(() => {});
    },
  };
}
