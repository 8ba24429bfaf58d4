import {
  type Conclusion,
  type DetectorCommand,
  type DetectorInput,
  type DetectorSettings,
  type DetectorState,
  type FallIdentity,
  openAfter,
  openDetector,
  step,
  type Told,
  undecided,
  type WatchedFall,
} from "../../detector/detector.ts";
import type { OperatingPoints } from "../../detector/operating-points.ts";
import type { FusionState } from "../../detector/presence/fusion.ts";
import { scoredTrace, scoreTrace } from "../../detector/score-trace.ts";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import { EvidenceScores, type Placement } from "../../firmware-contracts/detection.ts";
import type { CandidateNotes } from "../candidates/notes.ts";
import type { Counters } from "../counters.ts";
import { createRing, type RingEntry } from "./ring.ts";
import type { Scorer } from "./scorer.ts";

/** What became of a candidate, for observers. `impactAt`: wall time, null where it was dismissed before anybody asked. */
export interface Decision {
  deviceId: string;
  candidateId: string;
  decision: "suspected" | "detected" | "dismissed";
  impactAt: WallMs | null;
}

/** What a track needs from the device's session. Times are steady times. */
export interface TrackHost {
  clock: Clock;
  counters: Counters;
  scorer: Scorer;
  operatingPoints: OperatingPoints;
  bufferMs: number;
  placement(): Placement;
  threshold(): number | undefined;
  /** What the dwelling's presence sensors have told; null where there are none, and while the journal is played again. */
  presence(): FusionState | null;
  /** Now, or the time that is being lived again. */
  now(): WallMs;
  /** True while the journal is played again: wakes are then called by the session. */
  replaying(): boolean;
  /** A frame is older than what is kept of the stream. */
  letGo(entry: RingEntry): void;
  /** These must be in the journal before the next acknowledgement. */
  owe(entries: RingEntry[]): void;
  /** `watched`: null where nobody looks whether the wearer gets up. */
  concluded(candidateId: string, conclusion: Conclusion, watched: WatchedFall | null): void;
  /** What became of somebody after a fall that was told. */
  longLie(fall: FallIdentity, lyingSeconds: number, unknownSeconds: number): void;
  gotUp(fall: FallIdentity, why: "walking" | "cancelled"): void;
  decided(candidateId: string, decision: Decision["decision"], impactAt: WallMs | null): void;
  /** Where candidates are kept. */
  notes: CandidateNotes | null;
  /** The detector threw; its stream begins anew. */
  failed(error: unknown): void;
  /** Something may have been decided. */
  changed(): void;
}

/** One ordered stream of a device: the last seconds of its frames, and a detector. */
export interface Track {
  feed(entry: RingEntry): void;
  cancel(at: WallMs): void;
  tick(): void;
  /** A candidate is undecided: each frame must be kept. */
  readonly undecided: boolean;
  /** A candidate was given up in silence, and would be taken up again if its frames came. */
  readonly parked: boolean;
  readonly wakeAt: WallMs | null;
  /** Falls that were told, until the wearer has got up. */
  readonly watches: readonly FallIdentity[];
  /** Goes on with a fall that was told before a restart. */
  watch(fall: WatchedFall): void;
  unwatch(fall: FallIdentity): void;
  /** Frames of this stream have these identities at most. */
  readonly last: { bootId: number; sequence: number; arrivedAt: WallMs } | null;
  /** The journal no longer holds this stream's frames. */
  forgetKept(): void;
  /** Sets the timer again after a replay. */
  arm(): void;
  /** Resolves when no answer of the classifier is awaited. */
  scored(): Promise<void>;
  stop(): void;
}

/** @param watchFalls whether falls that are told are watched until the wearer has got up. */
export function createTrack(host: TrackHost, watchFalls: boolean): Track {
  const ring = createRing(host.bufferMs, host.letGo);
  const scores = new Set<Promise<void>>();
  const suspectedAt = new Map<string, WallMs>();
  let placement = host.placement();
  let threshold = host.threshold();
  let state = openDetector(settings());
  let last: Track["last"] = null;
  let wakeAt: WallMs | null = null;
  let callOff = () => {};
  let stopped = false;

  function settings(): DetectorSettings {
    return { placement, operatingPoints: host.operatingPoints, threshold, watchFalls };
  }

  const afresh = (): DetectorState => openAfter(state, settings());

  const parked = () => state.streams.some((stream) => stream.candidates.some((one) => one.stage === "parked"));

  function arm(): void {
    callOff();
    if (wakeAt === null || stopped || host.replaying()) return;
    // Never at once: a wish for the past would otherwise be granted over and over.
    callOff = host.clock.after(Math.max(20, wakeAt - host.now()), tick);
  }

  function tick(): void {
    wakeAt = null;
    run({ kind: "tick" });
    host.changed();
  }

  /** @returns whether a gate was opened. */
  function run(input: DetectorInput): boolean {
    let commands: DetectorCommand[];
    try {
      [state, commands] = step(state, input, host.now(), host.presence());
    } catch (error) {
      // A fault of ours must neither end the gateway nor make the device send the frame that showed it for ever.
      host.failed(error);
      state = afresh();
      return false;
    }
    let opened = false;
    for (const command of commands) {
      switch (command.kind) {
        case "gate-opened":
          opened = true;
          host.counters.add("candidates.opened");
          break;
        case "classify":
          classify(command.candidateId, command.placement, command.input);
          break;
        case "suspected":
          suspectedAt.set(command.candidateId, command.impactAt);
          host.decided(command.candidateId, "suspected", command.impactAt);
          break;
        case "detect":
          suspectedAt.delete(command.candidateId);
          host.concluded(command.candidateId, withScores(command.conclusion, command.told), command.watched);
          host.notes?.ended(command.candidateId, command.conclusion.strength);
          break;
        case "long-lie":
          host.longLie(command.fall, command.lyingSeconds, command.unknownSeconds);
          break;
        case "got-up":
          host.gotUp(command.fall, command.why);
          break;
        case "dismissed":
          host.counters.add(`candidates.dismissed.${command.why}`);
          host.notes?.ended(command.candidateId, command.why);
          host.decided(command.candidateId, "dismissed", suspectedAt.get(command.candidateId) ?? null);
          suspectedAt.delete(command.candidateId);
          break;
        case "wake":
          wakeAt = command.at;
          arm();
          break;
      }
    }
    return opened;
  }

  /** A picture may lack its scores; a fall waits for nothing, and is told whatever they come to. */
  function withScores(conclusion: Conclusion, told: Told): Conclusion {
    const { window } = conclusion.evidence;
    const scores = host.scorer.picture((score) => {
      const trace = window && scoreTrace(state, told, window);
      if (!trace) return null;
      const answers = score(
        placement,
        trace.inputs.filter((input) => input !== null),
      );
      return EvidenceScores.parse(scoredTrace(trace, answers, told));
    });
    return scores ? { ...conclusion, evidence: { ...conclusion.evidence, scores } } : conclusion;
  }

  function classify(candidateId: string, at: Placement, input: Float32Array): void {
    const answer = host.scorer.score(at, input).then((score) => {
      scores.delete(answer);
      if (stopped) return;
      host.notes?.scored(() => state, candidateId, at, input, score);
      const opened = run({ kind: "scored", candidateId, score });
      if (opened) host.owe(ring.unkept());
      host.changed();
    });
    scores.add(answer);
  }

  return {
    get undecided() {
      return undecided(state);
    },
    get parked() {
      return parked();
    },
    get wakeAt() {
      return wakeAt;
    },
    get watches() {
      return state.watches;
    },
    watch: (fall) => void run({ kind: "watch", fall }),
    unwatch: (fall) => void run({ kind: "unwatch", fall }),
    get last() {
      return last;
    },
    feed(entry) {
      const { frame } = entry;
      const isAsWanted = host.placement() === placement && host.threshold() === threshold;
      if (!isAsWanted && !undecided(state) && !parked()) {
        placement = host.placement();
        threshold = host.threshold();
        state = afresh();
      }
      last = entry;
      ring.push(entry);
      const opened = run({
        kind: "frame",
        frame: {
          bootId: frame.bootId,
          sequence: frame.sequence,
          deviceTimeMs: frame.deviceTimeMs,
          ageMs: frame.ageMs,
          rateHz: frame.rateHz,
          rangeG: frame.rangeG,
          samples: frame.samples,
          arrivedAt: entry.arrivedAt,
        },
      });
      if (opened || undecided(state)) host.owe(ring.unkept());
    },
    cancel: (at) => void run({ kind: "cancel", at }),
    tick,
    forgetKept: () => ring.forgetKept(),
    arm,
    async scored() {
      while (scores.size > 0 && !stopped) await Promise.race(scores);
    },
    stop() {
      stopped = true;
      callOff();
    },
  };
}
