import { type GapMargins, hasGap, logitOf } from "../classifier/gap-margin.ts";
import type { ModelPlacement, OperatingPoints } from "../operating-points.ts";
import type { LeftOut } from "./folds.ts";

/** Fewer windows than this say nothing. */
const leastWindows = 200;
const least = 1e-6;

/**
 * How much lower windows with a gap are scored, so that daily life with lost frames reaches the medium threshold no more often, window by window, than as
 * it was recorded. From scores of people the scoring model never saw.
 */
export function gapMarginsOf(scored: readonly LeftOut[], points: OperatingPoints): GapMargins {
  const marginOf = (model: ModelPlacement): number => {
    const life = scored.filter(({ example }) => example.model === model && example.label === 0 && !example.inFall);
    // How far above its threshold each window is, in logits: range classes have thresholds of their own.
    const above = ({ example, score }: LeftOut) =>
      logitOf(Math.min(1 - least, Math.max(least, score))) - logitOf(points[model][example.rangeClass].medium);
    const asIs = life.filter(({ example }) => example.variant === "as-is" && !hasGap(example.input)).map(above);
    const gapped = life.filter(({ example }) => example.variant === "lost" && hasGap(example.input)).map(above);
    if (asIs.length < leastWindows || gapped.length < leastWindows) return 0;
    const share = asIs.filter((by) => by >= 0).length / asIs.length;
    const highest = gapped.sort((a, b) => b - a);
    return Math.max(0, highest[Math.floor(share * highest.length)]!);
  };
  // At the waist it costs more falls than it saves false alarms: detector/README.md.
  return { wrist: marginOf("wrist"), waist: 0 };
}
