import { pino } from "pino";
import type { Classifier } from "../../detector/classifier/classifier.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { decodeFrame } from "../../firmware-contracts/frame.ts";
import { createCounters } from "../../gateway/counters.ts";
import type { Journal } from "../../gateway/stream/journal.ts";
import { createScorer } from "../../gateway/stream/scorer.ts";
import { createSession } from "../../gateway/stream/session.ts";
import { createSteadyTime } from "../../gateway/stream/steady-time.ts";
import { frameOf, type Trial } from "./frames.ts";

export interface JournaledShare {
  frames: number;
  journaled: number;
  hours: number;
  /** Gates opened in an hour. */
  gatesAnHour: number;
}

/** A clock that goes on only when it is told. */
function steppedClock(): Clock & { advance(ms: number): void } {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    wallNow: () => 1_700_000_000_000 + now,
    monotonicNow: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        now = Math.max(now, due.at);
        timers = timers.filter((one) => one !== due);
        due.run();
      }
      now = until;
    },
  };
}

/** Keeps nothing: only how many frames would be written is asked. */
const nowhere: Journal = {
  start: async () => ({ undecided: new Map(), latest: 0 }),
  append: async () => {},
  appendLater(writing) {
    queueMicrotask(() => {
      writing.records();
      writing.ended(null);
    });
  },
  release: () => {},
  healthy: true,
  stop: async () => {},
};

/**
 * Which share of the frames is written before its acknowledgement. Each trial goes through the gateway's own session (order, gate, true classifier, what is
 * kept and until when) as a device of its own, one frame a second in the recording's own time. The journal and the broker are left out.
 */
export async function journaledShare(trials: readonly Trial[], classifier: Classifier): Promise<JournaledShare> {
  const counters = createCounters();
  const clock = steppedClock();
  const log = pino({ level: "silent" });
  const scorer = createScorer(classifier, clock, counters, log);
  scorer.start();
  let frames = 0;
  let seconds = 0;
  for (const [number, trial] of trials.entries()) {
    const session = createSession({
      deviceId: `share-${number}`,
      placement: () => trial.placement,
      threshold: () => undefined,
      presence: () => null,
      operatingPoints: classifier.operatingPoints,
      modelVersion: classifier.modelVersion,
      bufferMs: 10_000,
      clock,
      time: createSteadyTime(clock),
      journal: nowhere,
      scorer,
      counters,
      log,
      keep: async () => {},
      keepUpdate: async () => {},
      endWatch: () => {},
      hadEnded: () => false,
      onDecision: () => {},
      onSuspectClock: () => {},
    });
    for (const [sequence, samples] of trial.seconds.entries()) {
      clock.advance(1000);
      const { rateHz, rangeG } = trial;
      const decoded = decodeFrame(frameOf(samples, { rateHz, rangeG, bootId: 1, sequence }));
      if (!decoded.ok) throw new Error(decoded.detail);
      await session.frame(decoded.value, clock.wallNow());
      // The classifier answers at the end of this turn.
      if (session.busy) await new Promise((resolve) => setImmediate(resolve));
    }
    frames += trial.seconds.length;
    seconds += trial.seconds.length;
    session.stop();
  }
  scorer.stop();
  const counted = counters.read();
  const hours = seconds / 3600;
  return {
    frames,
    journaled: counted["frames.journaled"] ?? 0,
    hours,
    gatesAnHour: (counted["candidates.opened"] ?? 0) / hours,
  };
}
