import type { Detection } from "../../firmware-contracts/detection.ts";
import type { OutcomeWhat } from "../console/api.ts";
import type { EpisodeState } from "../episode-state.ts";
import type { Store } from "../store/store.ts";

/**
 * What an outcome teaches. `fall`: somebody had fallen, also one who was up again and may deny it. `no-fall`: whoever was there says so. `nothing`: no fall,
 * and nobody had been there to see. `unknown`: everything else.
 */
export type Lesson = "fall" | "no-fall" | "nothing" | "unknown";

/** A fall alarm of a device, and what was found. */
export interface ConfirmedAlarm {
  detectionId: string;
  impactAt: number;
  strength: Detection["strength"];
  /** Null where it was not measured. */
  score: number | null;
  rangeG: number | null;
  model: string | null;
  episodeId: string;
  outcome: OutcomeWhat | null;
  lesson: Lesson;
}

/** People who got up deny the fall: "already up" is one, and "no fall" without an arrival teaches nothing. */
export function lessonOf({ outcome, arrivedAt }: Pick<EpisodeState, "outcome" | "arrivedAt">): Lesson {
  if (outcome === "injury" || outcome === "unhurt" || outcome === "already-up") return "fall";
  if (outcome !== "no-fall") return "unknown";
  return arrivedAt === null ? "nothing" : "no-fall";
}

/** The fall alarms of a device, the oldest first. Tests are left out. */
export async function confirmedAlarms(store: Pick<Store, "episodes">, deviceId: string): Promise<ConfirmedAlarm[]> {
  return (await store.episodes.detectionsOf(deviceId)).flatMap(({ detection, episode }) => {
    if (detection.kind !== "fall" || detection.test || episode.facts.test) return [];
    return {
      detectionId: detection.id,
      impactAt: detection.impactAt,
      strength: detection.strength,
      score: detection.evidence?.score ?? null,
      rangeG: detection.evidence?.rangeG ?? null,
      model: detection.model,
      episodeId: episode.facts.id,
      outcome: episode.outcome,
      lesson: lessonOf(episode),
    };
  });
}
