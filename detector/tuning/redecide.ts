import { decisionSlots } from "../conclude.ts";
import { joinSlots } from "../gate.ts";
import { rateHz } from "../history.ts";
import type { Afterwards } from "../look-back.ts";
import { type Lane, type OperatingPoint, type RangeClass, withThreshold } from "../operating-points.ts";
import { slotsAfter } from "../window.ts";

/** A scored candidate, as far as another threshold may decide it otherwise. */
export interface Scored {
  id: string;
  /** Of the impact; ms of any clock. */
  at: number;
  lane: Lane;
  score: number;
  rangeClass: RangeClass;
  /** Null where it was not seen: then it is at most an alarm. */
  afterwards: Afterwards | null;
  /** The wearer cancelled it, upright. */
  cancelled: boolean;
}

/** What would be told. */
export interface Redecided<T extends Scored> {
  candidate: T;
  strength: "strong" | "medium";
  /** False where nobody saw what came after: walking may have dismissed it. */
  sure: boolean;
}

const msOf = (slots: number) => (slots * 1000) / rateHz;
const scoredAfter = msOf(slotsAfter);
const decidedAfter = msOf(decisionSlots);
/** Alarms whose impacts lie closer than this are one, ms. */
export const joinMs = msOf(joinSlots);

/**
 * Decides the candidates of one device anew, by the rules of the detector, where the medium threshold is `threshold` (null: the model's own). What was
 * never scored, because an alarm of the same minute had been told, cannot be decided here.
 */
export function redecide<T extends Scored>(
  candidates: readonly T[],
  points: Record<RangeClass, OperatingPoint>,
  threshold: number | null,
): Redecided<T>[] {
  const pointOf = ({ rangeClass, lane }: T) => withThreshold(points[rangeClass], threshold, lane);
  const told: Redecided<T>[] = [];
  const waiting = new Set<T>();

  function conclude(candidate: T, strength: Redecided<T>["strength"], sure: boolean): void {
    waiting.delete(candidate);
    const last = told.at(-1);
    if (last && Math.abs(candidate.at - last.candidate.at) < joinMs) {
      // One that is an alarm for certain makes its minute's alarm one.
      last.sure ||= sure;
      return;
    }
    told.push({ candidate, strength, sure });
    if (!sure) return;
    for (const other of waiting) if (Math.abs(other.at - candidate.at) < joinMs) waiting.delete(other);
  }

  function score(candidate: T): void {
    const last = told.at(-1);
    const joins = last !== undefined && Math.abs(candidate.at - last.candidate.at) < joinMs;
    if (joins && last.sure) return;
    const { medium, strong } = pointOf(candidate);
    if (candidate.score >= strong && candidate.lane === "impact") conclude(candidate, "strong", true);
    else if (candidate.score >= medium) waiting.add(candidate);
  }

  function decide(candidate: T): void {
    if (!waiting.delete(candidate)) return;
    const { afterwards, cancelled } = candidate;
    if (cancelled || afterwards === "walked" || afterwards === "not-lying") return;
    let likeliest = candidate;
    for (const other of waiting) {
      if (other.at - candidate.at <= joinMs && other.score > likeliest.score) likeliest = other;
    }
    conclude(likeliest, "medium", afterwards === "stayed");
  }

  const moments = candidates.flatMap((candidate) => [
    { at: candidate.at + scoredAfter, work: () => score(candidate) },
    { at: candidate.at + decidedAfter, work: () => decide(candidate) },
  ]);
  for (const { work } of moments.sort((a, b) => a.at - b.at)) work();
  return told;
}

/** Those of `some` with no alarm of `others` in their minute. */
export function without<T extends Scored>(
  some: readonly Redecided<T>[],
  others: readonly Redecided<T>[],
): Redecided<T>[] {
  return some.filter((one) => !others.some((other) => Math.abs(other.candidate.at - one.candidate.at) < joinMs));
}
