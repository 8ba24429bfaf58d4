import type { Logger } from "pino";
import type { Classifier } from "../../detector/classifier/classifier.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { Counters } from "../counters.ts";

/** Most windows in one call, so that a call holds up the event loop for a few milliseconds at most. */
const batchSize = 64;
/** Windows are gathered so long before a call, ms: on TensorFlow.js a call costs as much as twenty windows, and a fall is told seconds after its impact anyway. */
const gatherMs = 25;
/** A classifier that fails is asked again after this, ms. */
const retryMs = 1000;
/** So many failures, and a window goes unanswered: a fall waits no longer than this many seconds for the classifier. */
const maxFailures = 10;

/** A picture's 40 windows take some 3 ms: more in a second would hold up frames. */
const picturesPerSecond = 20;

/** Asks the classifier for all devices together. */
export interface Scorer {
  /** The score, 0 to 1. Where the classifier fails it is asked again; NaN where it goes on failing: then the detector judges without. Never rejects. */
  score(placement: Placement, input: Float32Array): Promise<number>;
  /**
   * Makes a picture of a fall, with the classifier's answers at once, past the queue. Nothing waits for a picture: null where making it fails, and where
   * a building that falls as one leaves no time for it.
   */
  picture<T>(make: (score: Classifier["score"]) => T | null): T | null;
  /** False from a failure until an answer. */
  readonly healthy: boolean;
  start(): void;
  stop(): void;
}

interface Waiting {
  placement: Placement;
  input: Float32Array;
  failures: number;
  resolve(score: number): void;
}

export function createScorer(classifier: Classifier, clock: Clock, counters: Counters, log: Logger): Scorer {
  let waiting: Waiting[] = [];
  let isDue = false;
  let healthy = true;
  let stopped = false;
  let callOff = () => {};
  let pictures = 0;
  let pictureSecond = 0;

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
      // A building that falls as one has its frames acknowledged in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function giveUpOnOld(): void {
    for (const one of waiting) {
      if (++one.failures < maxFailures) continue;
      counters.add("classifier.unanswered");
      one.resolve(Number.NaN);
    }
    waiting = waiting.filter((one) => one.failures < maxFailures);
  }

  function takeUp(): void {
    isDue = true;
    callOff = clock.after(gatherMs, () => {
      run().then(
        () => {
          isDue = false;
          if (waiting.length > 0 && !stopped) takeUp();
        },
        (error) => {
          counters.add("classifier.failed");
          if (healthy)
            log.error(
              { error: String(error) },
              "the classifier fails; after 10 s a fall is judged by what follows it alone",
            );
          healthy = false;
          giveUpOnOld();
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
        waiting.push({ placement, input, failures: 0, resolve });
        if (!isDue) takeUp();
      }),
    picture(make) {
      const second = Math.floor(clock.monotonicNow() / 1000);
      pictures = second === pictureSecond ? pictures + 1 : 1;
      pictureSecond = second;
      if (pictures > picturesPerSecond) return null;
      try {
        return make((placement, inputs) => classifier.score(placement, inputs));
      } catch (error) {
        counters.add("classifier.no-picture");
        log.warn({ error: String(error) }, "a fall is told without the picture of its scores");
        return null;
      }
    },
    start() {
      stopped = false;
    },
    stop() {
      stopped = true;
      callOff();
      // What was due is called off with it: after a start the next window makes it due again.
      isDue = false;
    },
  };
}
