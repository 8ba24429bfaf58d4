import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { type ModelPlacement, modelFor } from "../operating-points.ts";
import type { ModelFiles } from "./card.ts";
import type { Network } from "./network.ts";

/** Both models on TensorFlow.js's backend that is set. Throws where topology and weights do not fit. */
export async function openTensorFlow(files: ModelFiles): Promise<Network> {
  const { inputLength } = files.card;
  const open = (name: ModelPlacement) => {
    const { topology, weights } = files.models[name];
    const artifacts = topology as Pick<tf.io.ModelArtifacts, "modelTopology" | "weightSpecs">;
    return layers.loadLayersModel(tf.io.fromMemory({ ...artifacts, weightData: weights.slice().buffer }));
  };
  const models = { wrist: await open("wrist"), waist: await open("waist") };
  return {
    score(placement, inputs) {
      if (inputs.length === 0) return [];
      for (const { length } of inputs) {
        if (length !== inputLength) throw new Error(`A model input has ${inputLength} values, this one ${length}.`);
      }
      const model = models[modelFor(placement)];
      return tf.tidy(() => {
        const logits = model.predict(partsOf(model, inputs)) as tf.Tensor;
        return Array.from(logits.dataSync(), (logit) => 1 / (1 + Math.exp(-logit)));
      });
    },
    dispose() {
      models.wrist.dispose();
      models.waist.dispose();
    },
  };
}

/** What each input layer takes: their parts follow each other in an input. */
function partsOf(model: layers.LayersModel, inputs: readonly Float32Array[]): tf.Tensor[] {
  let from = 0;
  return model.inputs.map(({ shape }) => {
    const each = shape.slice(1) as number[];
    const size = each.reduce((product, length) => product * length, 1);
    const values = new Float32Array(inputs.length * size);
    for (const [i, input] of inputs.entries()) values.set(input.subarray(from, from + size), i * size);
    from += size;
    return tf.tensor(values, [inputs.length, ...each]);
  });
}
