import { channelCount, channelLength, writeChannels } from "./channels.ts";
import { featureCount, writeFeatures } from "./features.ts";
import type { Window } from "./window.ts";

/** Values of one model input: the features, then the channels. */
export const inputLength = featureCount + channelLength * channelCount;

/** What the classifier is given for one window, `inputLength` long. */
export function modelInput(window: Window): Float32Array {
  const input = new Float32Array(inputLength);
  writeFeatures(window, input, 0);
  writeChannels(window, input, featureCount);
  return input;
}
