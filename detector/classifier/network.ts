import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { Placement } from "../../firmware-contracts/detection.ts";
import { type ModelPlacement, modelFor } from "../operating-points.ts";
import type { ModelFiles } from "./card.ts";

/** Both models on TensorFlow.js's current backend. */
export interface Network {
  score(placement: Placement, inputs: readonly Float32Array[]): number[];
  dispose(): void;
}

/** How far a backend may be from a golden score. */
export const goldenTolerance = 1e-4;

/** Builds both models on the backend that is set. Throws where topology and weights do not fit. */
export async function openNetwork(files: ModelFiles): Promise<Network> {
  const { featureCount, channels, inputLength } = files.card;
  const open = (name: ModelPlacement) => {
    const { topology, weights } = files.models[name];
    const artifacts = topology as Pick<tf.io.ModelArtifacts, "modelTopology" | "weightSpecs">;
    return layers.loadLayersModel(tf.io.fromMemory({ ...artifacts, weightData: weights.slice().buffer }));
  };
  const models = { wrist: await open("wrist"), waist: await open("waist") };
  return {
    score(placement, inputs) {
      if (inputs.length === 0) return [];
      const features = new Float32Array(inputs.length * featureCount);
      const signal = new Float32Array(inputs.length * (inputLength - featureCount));
      inputs.forEach((input, i) => {
        if (input.length !== inputLength) {
          throw new Error(`A model input has ${inputLength} values, this one ${input.length}.`);
        }
        features.set(input.subarray(0, featureCount), i * featureCount);
        signal.set(input.subarray(featureCount), i * (inputLength - featureCount));
      });
      return tf.tidy(() => {
        const given = [
          tf.tensor2d(features, [inputs.length, featureCount]),
          tf.tensor3d(signal, [inputs.length, channels.length, channels.count]),
        ];
        const model = models[modelFor(placement)];
        const logits = model.predict(given.slice(0, model.inputs.length)) as tf.Tensor;
        return Array.from(logits.dataSync(), (logit) => 1 / (1 + Math.exp(-logit)));
      });
    },
    dispose() {
      models.wrist.dispose();
      models.waist.dispose();
    },
  };
}

/** Throws where the network answers a golden window by more than `goldenTolerance` off. */
export function checkGolden(network: Network, files: ModelFiles): void {
  files.golden.windows.forEach(({ model, input, score }, i) => {
    const [actual = Number.NaN] = network.score(model, [Float32Array.from(input)]);
    if (!(Math.abs(actual - score) <= goldenTolerance)) {
      throw new Error(`Golden window ${i} (${model}) scores ${actual}; it must score ${score}.`);
    }
  });
}
