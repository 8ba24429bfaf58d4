import { thresholdBounds } from "../../firmware-contracts/intake.ts";
import type { ModelCard } from "../classifier/card.ts";
import type { ModelPlacement, RangeClass } from "../operating-points.ts";

/** The share of the falls of people left out that a device's threshold must keep. */
export const keptShare = 0.97;

/** Within what a device's own threshold may move. */
export interface ThresholdLimits {
  least: number;
  most: number;
  /** What `most` follows from: the bank of falls, the model's own `medium` (for want of a bank, or as it is higher), or what any device may have. */
  by: "bank" | "medium-without-bank" | "medium-above-bank" | "most-of-all";
  /** The highest threshold at which 97 % of the falls in the bank score enough; null without a bank. */
  keeps97: number | null;
}

/**
 * A threshold may rise as far as 97 % of the falls of people left out still score enough, or to the model's own `medium` where that is higher already;
 * without a bank no further than that `medium`. It may fall to the least that any device may have.
 */
export function thresholdLimits(card: ModelCard, model: ModelPlacement, range: RangeClass): ThresholdLimits {
  const { medium } = card.operatingPoints[model][range];
  const keeps97 = highestKeeping(card.bank?.[model]?.[range]);
  const wanted = Math.max(medium, keeps97 ?? medium);
  const most = Math.min(wanted, thresholdBounds.most);
  const by =
    wanted > most
      ? "most-of-all"
      : keeps97 === null
        ? "medium-without-bank"
        : keeps97 >= medium
          ? "bank"
          : "medium-above-bank";
  return { least: thresholdBounds.least, most, by, keeps97 };
}

/** From the quantile nearest to 3 % from below: between two of them nothing is made up. */
function highestKeeping(bank: readonly (readonly [share: number, score: number])[] | undefined): number | null {
  let best: number | null = null;
  // Shares are written as decimals: 0.03 must not fail for a last bit.
  for (const [share, score] of bank ?? []) if (share <= 1 - keptShare + 1e-9) best = Math.max(best ?? 0, score);
  return best;
}
