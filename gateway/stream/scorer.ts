import type { Logger } from "pino";
import type { Classifier } from "../../detector/classifier/classifier.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Counters } from "../counters.ts";

/** Most windows in one call, so that a call holds up the event loop for a few milliseconds at most. */
const batchSize = 64;
/** A classifier that fails is asked again after this, ms. */
const retryMs = 1000;

/** Asks the classifier for all devices together. */
export interface Scorer {
  /** The score, 0 to 1. Never rejects: where the classifier fails it is asked again, and the candidate stays undecided meanwhile. */
  score(placement: Placement, input: Float32Array): Promise<number>;
  /** False from a failure until an answer. */
  readonly healthy: boolean;
  start(): void;
  stop(): void;
}

interface Waiting {
  placement: Placement;
  input: Float32Array;
  resolve(score: number): void;
}

export function createScorer(classifier: Classifier, clock: Clock, counters: Counters, log: Logger): Scorer {
  let waiting: Waiting[] = [];
  let isDue = false;
  let healthy = true;
  let stopped = false;
  let callOff = () => {};

  async function run(): Promise<void> {
    while (waiting.length > 0 && !stopped) {
      const placement = waiting[0]!.placement;
      const batch = waiting.filter((one) => one.placement === placement).slice(0, batchSize);
      const scores = await classifier.score(
        placement,
        batch.map((one) => one.input),
      );
      if (scores.length !== batch.length || !scores.every((score) => score >= 0 && score <= 1)) {
        throw new Error("the classifier's answer is no list of scores");
      }
      waiting = waiting.filter((one) => !batch.includes(one));
      counters.add("classifier.windows", batch.length);
      counters.add("classifier.calls");
      healthy = true;
      for (const [i, one] of batch.entries()) one.resolve(scores[i]!);
    }
  }

  function takeUp(): void {
    isDue = true;
    // At the end of this turn of the event loop: windows of other devices may come in it.
    setImmediate(() => {
      run().then(
        () => {
          isDue = false;
          if (waiting.length > 0 && !stopped) takeUp();
        },
        (error) => {
          counters.add("classifier.failed");
          if (healthy) log.error({ error: String(error) }, "the classifier fails; falls wait until it answers");
          healthy = false;
          callOff = clock.after(retryMs, takeUp);
        },
      );
    });
  }

  return {
    get healthy() {
      return healthy;
    },
    score: (placement, input) =>
      new Promise((resolve) => {
        waiting.push({ placement, input, resolve });
        if (!isDue) takeUp();
      }),
    start() {
      stopped = false;
    },
    stop() {
      stopped = true;
      callOff();
    },
  };
}
