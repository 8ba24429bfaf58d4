import type { DetectorState } from "../../detector/detector.ts";
import { featureCount } from "../../detector/features.ts";
import { decisionMs, type LookBack, lookBack } from "../../detector/look-back.ts";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { Placement } from "../../firmware-contracts/detection.ts";
import type { CandidateRow, Decided } from "./row.ts";

/** From when an aftermath is over until it is looked at, ms: the frame that ends it may be of five seconds, and may have been overtaken. */
const slackMs = 7_000;
/** Aftermaths of one device that are waited for; of more than these nobody looks. */
const maxFollowed = 20;

export interface CandidateNotesOptions {
  deviceId: string;
  modelVersion: string;
  floor: number;
  clock: Clock;
  /** Steady time. */
  now(): WallMs;
  toWall(at: WallMs): WallMs;
  replaying(): boolean;
  keep(row: CandidateRow): void;
  /** A fault here; it costs a row and no alarm. */
  failed(): void;
}

/** What is noted of one device's candidates from their score to their decision, and a little longer. */
export interface CandidateNotes {
  /** The classifier has answered, and the detector does not know it yet. `state` is the detector's then and later. */
  scored(
    state: () => DetectorState,
    candidateId: string,
    placement: Placement,
    input: Float32Array,
    score: number,
  ): void;
  ended(candidateId: string, decided: Decided): void;
  /** Lets go of what is not decided; what is followed up is kept as it is, or `isForgotten`. */
  stop(isForgotten: boolean): void;
}

interface Note {
  look: LookBack;
  state: () => DetectorState;
  row: Omit<CandidateRow, "decided" | "afterwards">;
}

/** What the detector saw of the aftermath when it decided; null where it did not look, or looked at another candidate's. */
function seenAt(decided: Decided, { look, state }: Note): CandidateRow["afterwards"] {
  if (decided === "upright") return "walked";
  if (decided === "not-lying") return "not-lying";
  return decided === "medium" ? look.afterwards(state(), false) : null;
}

export function createCandidateNotes(options: CandidateNotesOptions): CandidateNotes {
  const { deviceId, modelVersion, floor, clock } = options;
  const open = new Map<string, Note>();
  /** How to call each off, and what is kept then. */
  const followed = new Map<() => void, CandidateRow>();

  /** What another threshold had made of a candidate depends on its aftermath: one over the floor is looked at when it would have been decided by it. */
  function follow({ look, state, row }: Note, decided: Decided): void {
    const wait = look.impactAt + decisionMs + slackMs - options.now();
    const callOff = clock.after(Math.max(1000, wait), () => {
      followed.delete(callOff);
      // Frames that came late in one go may not be all there are.
      guarded(() => options.keep({ ...row, decided, afterwards: look.afterwards(state(), wait > 1000) }));
    });
    followed.set(callOff, { ...row, decided, afterwards: null });
  }

  function note(...[state, candidateId, placement, input, score]: Parameters<CandidateNotes["scored"]>): void {
    // Where the classifier failed there is nothing to decide anew.
    const look = Number.isFinite(score) ? lookBack(state(), candidateId) : null;
    if (!look) return void open.delete(candidateId);
    open.set(candidateId, {
      look,
      state,
      row: {
        deviceId,
        candidateId,
        impactAt: options.toWall(look.impactAt),
        lane: look.lane,
        placement,
        rangeG: look.rangeG,
        bootId: look.bootId,
        sequence: look.sequence,
        score,
        model: modelVersion,
        threshold: look.medium,
        features: input.slice(0, featureCount),
        window: score >= floor ? look.window() : null,
      },
    });
  }

  function end(candidateId: string, decided: Decided): void {
    const noted = open.get(candidateId);
    if (!noted) return;
    open.delete(candidateId);
    const afterwards = seenAt(decided, noted);
    const isUnseen = afterwards === null && decided !== "strong" && noted.row.score >= floor;
    if (isUnseen && !options.replaying() && followed.size < maxFollowed) follow(noted, decided);
    else options.keep({ ...noted.row, decided, afterwards });
  }

  function guarded(work: () => void): void {
    try {
      work();
    } catch {
      options.failed();
    }
  }

  return {
    scored: (...args) => guarded(() => note(...args)),
    ended: (candidateId, decided) => guarded(() => end(candidateId, decided)),
    stop(isForgotten) {
      open.clear();
      for (const [callOff, row] of followed) {
        callOff();
        if (!isForgotten) options.keep(row);
      }
      followed.clear();
    },
  };
}
