import { channelCount, impactValue } from "../channels.ts";
import { featureCount } from "../features.ts";

/** The same model input with a fifth of a second of its signal lost, a second after the impact. For tests. */
export function withGap(input: Float32Array): Float32Array {
  const gapped = input.slice();
  const from = featureCount + (impactValue + 25) * channelCount;
  gapped.fill(0, from, from + 5 * channelCount);
  return gapped;
}
