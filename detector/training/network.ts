import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { channelCount, channelLength } from "../channels.ts";
import { featureCount } from "../features.ts";
import type { Example } from "./examples.ts";
import { randomFrom } from "./random.ts";

export interface TrainingOptions {
  epochs: number;
  /** Dense branches whose logits are averaged. */
  branches: number;
  seed: number;
  onEpoch?: (loss: number) => void;
}

const batchSize = 256;
const learningRate = 3e-3;
const weightDecay = 1e-4;
/** Targets are 0.02 and 0.98: a model that is never certain ranks better what it has not seen. */
const smoothing = 0.02;

/**
 * Trains branches on the features of the examples and joins them into one model that gives the mean of their logits.
 * Falls and daily life weigh alike, whatever their numbers; `weights` multiplies an example's share.
 */
export async function trainModel(examples: readonly Example[], options: TrainingOptions): Promise<layers.LayersModel> {
  const scale = scaleOf(examples);
  const weights = weightsOf(examples);
  const features = layers.input({ shape: [featureCount], name: "features" });
  const signal = layers.input({ shape: [channelLength, channelCount], name: "signal" });
  const logits: layers.SymbolicTensor[] = [];
  for (let branch = 0; branch < options.branches; branch++) {
    const seed = options.seed * 100 + branch;
    const dense = denseBranch(branch, seed);
    const output = through(dense, features);
    const model = layers.model({ inputs: features, outputs: output });
    await train(model, examples, scale, weights, { ...options, seed });
    foldScale(dense[0]!, scale);
    logits.push(output);
  }
  const mean =
    logits.length > 1
      ? (layers.layers.average().apply(logits) as layers.SymbolicTensor)
      : (logits[0] as layers.SymbolicTensor);
  void signal;
  return layers.model({ inputs: features, outputs: mean });
}

type Layer = ReturnType<typeof layers.layers.dense>;

function denseBranch(branch: number, seed: number): Layer[] {
  const start = (offset: number) => layers.initializers.heNormal({ seed: seed * 10 + offset });
  return [
    layers.layers.dense({ units: 32, activation: "relu", kernelInitializer: start(1), name: `dense_${branch}_a` }),
    layers.layers.dense({ units: 16, activation: "relu", kernelInitializer: start(2), name: `dense_${branch}_b` }),
    layers.layers.dense({ units: 1, kernelInitializer: start(3), name: `dense_${branch}_logit` }),
  ];
}

function through(stack: readonly Layer[], input: layers.SymbolicTensor): layers.SymbolicTensor {
  return stack.reduce((tensor, layer) => layer.apply(tensor) as layers.SymbolicTensor, input);
}

interface Scale {
  mean: Float32Array;
  spread: Float32Array;
}

function scaleOf(examples: readonly Example[]): Scale {
  const mean = new Float64Array(featureCount);
  const squares = new Float64Array(featureCount);
  for (const { input } of examples) {
    for (let i = 0; i < featureCount; i++) {
      mean[i]! += input[i]!;
      squares[i]! += input[i]! ** 2;
    }
  }
  const n = Math.max(1, examples.length);
  return {
    mean: Float32Array.from(mean, (sum) => sum / n),
    spread: Float32Array.from(squares, (sum, i) => Math.sqrt(Math.max(0, sum / n - (mean[i]! / n) ** 2)) || 1),
  };
}

function weightsOf(examples: readonly Example[]): Float32Array {
  const falls = examples.reduce((count, { label }) => count + label, 0);
  const life = examples.length - falls;
  return Float32Array.from(examples, ({ label }) => (0.5 * examples.length) / Math.max(1, label ? falls : life));
}

async function train(
  model: layers.LayersModel,
  examples: readonly Example[],
  scale: Scale,
  weights: Float32Array,
  options: TrainingOptions,
): Promise<void> {
  const random = randomFrom(options.seed);
  const batches = Math.ceil(examples.length / batchSize);
  const optimizer = tf.train.adam(learningRate);
  const kernels = model.trainableWeights.filter((weight) => weight.name.includes("kernel"));
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    // A cosine from the full rate to none.
    const rate = learningRate * 0.5 * (1 + Math.cos((Math.PI * epoch) / options.epochs));
    (optimizer as unknown as { learningRate: number }).learningRate = rate;
    const order = random.order(examples.length);
    let sum = 0;
    for (let batch = 0; batch < batches; batch++) {
      const chosen = order.subarray(batch * batchSize, (batch + 1) * batchSize);
      sum += tf.tidy(() => {
        const { x, y, w } = batchOf(examples, chosen, scale, weights);
        const loss = optimizer.minimize(() => {
          const logits = tf.reshape(model.apply(x, { training: true }) as tf.Tensor, [-1]);
          const each = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, y)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
          let total = tf.mean(tf.mul(each, w)) as tf.Scalar;
          for (const kernel of kernels) {
            total = tf.add(total, tf.mul(weightDecay, tf.sum(tf.square(kernel.read())))) as tf.Scalar;
          }
          return total;
        }, true);
        return loss ? loss.dataSync()[0]! : 0;
      });
    }
    options.onEpoch?.(sum / batches);
    // Lets timers and the terminal breathe.
    await new Promise((resolve) => setImmediate(resolve));
  }
  optimizer.dispose();
}

function batchOf(examples: readonly Example[], chosen: Int32Array, scale: Scale, weights: Float32Array) {
  const x = new Float32Array(chosen.length * featureCount);
  const y = new Float32Array(chosen.length);
  const w = new Float32Array(chosen.length);
  chosen.forEach((index, row) => {
    const { input, label } = examples[index]!;
    for (let i = 0; i < featureCount; i++) x[row * featureCount + i] = (input[i]! - scale.mean[i]!) / scale.spread[i]!;
    y[row] = label ? 1 - smoothing : smoothing;
    w[row] = weights[index]!;
  });
  return { x: tf.tensor2d(x, [chosen.length, featureCount]), y: tf.tensor1d(y), w: tf.tensor1d(w) };
}

/** Puts the scaling of the features into the first layer's weights, so that the shipped model takes the features as they are. */
function foldScale(layer: Layer, { mean, spread }: Scale): void {
  tf.tidy(() => {
    const [kernel, bias] = layer.getWeights() as [tf.Tensor2D, tf.Tensor1D];
    const folded = tf.div(kernel, tf.tensor2d(spread, [featureCount, 1]));
    const shift = tf.reshape(tf.matMul(tf.tensor2d(mean, [1, featureCount]), folded as tf.Tensor2D), [-1]);
    layer.setWeights([folded, tf.sub(bias, shift)]);
  });
}

/** Scores of inputs, 0 to 1. */
export function scoresOf(model: layers.LayersModel, inputs: readonly Float32Array[]): Float32Array {
  const scores = new Float32Array(inputs.length);
  const most = 4096;
  for (let from = 0; from < inputs.length; from += most) {
    const part = inputs.slice(from, from + most);
    const x = new Float32Array(part.length * featureCount);
    part.forEach((input, row) => {
      x.set(input.subarray(0, featureCount), row * featureCount);
    });
    const logits = tf.tidy(() => (model.predict(tf.tensor2d(x, [part.length, featureCount])) as tf.Tensor).dataSync());
    for (let i = 0; i < part.length; i++) scores[from + i] = 1 / (1 + Math.exp(-logits[i]!));
  }
  return scores;
}
