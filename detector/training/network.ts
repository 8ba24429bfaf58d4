import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { channelCount, channelLength } from "../channels.ts";
import { featureCount } from "../features.ts";
import type { Example } from "./examples.ts";
import { type KeptBranches, keyOf } from "./kept-branches.ts";
import { registerFastGradient } from "./matmul-gradient.ts";
import { type Random, randomFrom } from "./random.ts";

export interface TrainingOptions {
  epochs: number;
  /** Branches whose logits are averaged: of each kind this many. */
  branches: number;
  /** What the branches take. Default: both. */
  kinds?: readonly Branch["input"][];
  seed: number;
  onEpoch?: (loss: number) => void;
  /** Branches trained before; without it each is trained. */
  kept?: KeptBranches;
}

/** TensorFlow.js spends its time on calls, not on sums: large batches cost little more than small ones. */
const batchSize = 512;
const learningRate = 5e-3;
const weightDecay = 3e-4;
/** Targets are 0.02 and 0.98: a model that is never certain ranks better what it has not seen. */
const smoothing = 0.02;
/** Noise on the scaled features, in standard deviations: there are only some dozen people who fall. */
const featureNoise = 0.15;
/** Gain of the signal, ±. */
const signalGain = 0.08;
/** The signal is moved by up to this many values of 1/25 s. */
const signalShift = 2;

type Layer = ReturnType<typeof layers.layers.dense>;

/** Of a signal branch, so far from the seed of the first of features: a branch is the same whatever stands beside it. */
const seedOfKind = { features: 0, signal: 50 } as const;

/** One network of the ensemble: what it takes, and its layers in order. */
interface Branch {
  input: "features" | "signal";
  stack: Layer[];
}

/**
 * Trains an ensemble and joins it into one model that gives the mean of its logits. Half of it are dense networks on the features, half are convolutions
 * (stride as wide as the kernel, so that each is a dense layer over patches) on the signal.
 * Falls and daily life weigh alike, whatever their numbers.
 */
export async function trainModel(examples: readonly Example[], options: TrainingOptions): Promise<layers.LayersModel> {
  registerFastGradient();
  const scale = scaleOf(examples);
  const weights = weightsOf(examples);
  const inputs = {
    features: layers.input({ shape: [featureCount], name: "features" }),
    signal: layers.input({ shape: [channelLength, channelCount], name: "signal" }),
  };
  const logits: layers.SymbolicTensor[] = [];
  const kinds = options.kinds ?? (["features", "signal"] as const);
  for (let number = 0; number < options.branches * kinds.length; number++) {
    const kind = kinds[number % kinds.length]!;
    const seed = options.seed * 100 + seedOfKind[kind] + Math.floor(number / kinds.length);
    const branch = kind === "features" ? denseBranch(number, seed) : patchBranch(number, seed);
    const input = inputs[kind];
    const output = branch.stack.reduce((tensor, layer) => layer.apply(tensor) as layers.SymbolicTensor, input);
    const model = layers.model({ inputs: input, outputs: output });
    await trainOrTakeKept(model, branch, examples, scale, weights, { ...options, seed });
    if (kind === "features") foldScale(branch.stack[0]!, scale);
    logits.push(output);
  }
  const mean = logits.length > 1 ? (layers.layers.average().apply(logits) as layers.SymbolicTensor) : logits[0]!;
  return layers.model({ inputs: kinds.map((kind) => inputs[kind]), outputs: mean });
}

function denseBranch(number: number, seed: number): Branch {
  return {
    input: "features",
    stack: [dense(`${number}_a`, 64, seed), dense(`${number}_b`, 24, seed), dense(`${number}_logit`, 1, seed, false)],
  };
}

/** 25 patches of 0.16 s, then 5 of those, then all. */
function patchBranch(number: number, seed: number): Branch {
  const patches = channelLength / 4;
  return {
    input: "signal",
    stack: [
      layers.layers.reshape({ targetShape: [patches, 4 * channelCount], name: `patches_${number}` }),
      dense(`${number}_a`, 24, seed),
      layers.layers.reshape({ targetShape: [patches / 5, 5 * 24], name: `seconds_${number}` }),
      dense(`${number}_b`, 32, seed),
      layers.layers.reshape({ targetShape: [(patches / 5) * 32], name: `whole_${number}` }),
      dense(`${number}_c`, 24, seed),
      dense(`${number}_logit`, 1, seed, false),
    ] as Layer[],
  };
}

function dense(name: string, units: number, seed: number, bends = true): Layer {
  return layers.layers.dense({
    units,
    activation: bends ? "relu" : "linear",
    kernelInitializer: layers.initializers.heNormal({ seed: seed * 1000 + units + name.charCodeAt(name.length - 1) }),
    name: `dense_${name}`,
  });
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

/** Falls and daily life weigh alike in all; a set whose labels are known to be noisy weighs less. */
function weightsOf(examples: readonly Example[]): Float32Array {
  const sums = [0, 0];
  for (const example of examples) sums[example.label]! += trustIn(example);
  const half = 0.5 * examples.length;
  return Float32Array.from(examples, (example) => (half * trustIn(example)) / (sums[example.label] || 1));
}

/** A third of smartfallmm's falls at the watch, its wider sensor, end within 2.5 s of the peak, and some never show an impact. */
const trustIn = ({ dataset, rangeClass }: Example) => (dataset === "smartfallmm" && rangeClass === "wide" ? 0.3 : 1);

/** A branch that was trained before in the very same way is taken as it was. */
async function trainOrTakeKept(
  model: layers.LayersModel,
  branch: Branch,
  examples: readonly Example[],
  scale: Scale,
  weights: Float32Array,
  options: TrainingOptions,
): Promise<void> {
  const { kept, epochs, seed } = options;
  if (!kept) return train(model, branch, examples, scale, weights, options);
  const key = keyOf(examples, weights, { input: branch.input, epochs, seed });
  const trained = kept.get(key);
  const shapes = model.getWeights().map(({ shape }) => shape);
  if (trained && trained.length === shapes.length) {
    const tensors = trained.map((values, i) => tf.tensor(values, shapes[i]!));
    model.setWeights(tensors);
    for (const tensor of tensors) tensor.dispose();
    for (let epoch = 0; epoch < epochs; epoch++) options.onEpoch?.(Number.NaN);
    return;
  }
  await train(model, branch, examples, scale, weights, options);
  kept.put(
    key,
    model.getWeights().map((tensor) => tensor.dataSync() as Float32Array),
  );
}

async function train(
  model: layers.LayersModel,
  branch: Branch,
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
        const { y, w } = targetsOf(examples, chosen, weights);
        const x =
          branch.input === "features"
            ? featureBatch(examples, chosen, scale, random)
            : signalBatch(examples, chosen, random);
        const loss = optimizer.minimize(() => {
          const out = tf.reshape(model.apply(x, { training: true }) as tf.Tensor, [-1]);
          const each = tf.add(tf.sub(tf.relu(out), tf.mul(out, y)), tf.log1p(tf.exp(tf.neg(tf.abs(out)))));
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

function targetsOf(examples: readonly Example[], chosen: Int32Array, weights: Float32Array) {
  const y = Float32Array.from(chosen, (index) => (examples[index]!.label ? 1 - smoothing : smoothing));
  const w = Float32Array.from(chosen, (index) => weights[index]!);
  return { y: tf.tensor1d(y), w: tf.tensor1d(w) };
}

function featureBatch(examples: readonly Example[], chosen: Int32Array, scale: Scale, random: Random): tf.Tensor {
  const x = new Float32Array(chosen.length * featureCount);
  chosen.forEach((index, row) => {
    const { input } = examples[index]!;
    for (let i = 0; i < featureCount; i++) {
      const noise = (random.quick() + random.quick() + random.quick() - 1.5) * 2 * featureNoise;
      x[row * featureCount + i] = (input[i]! - scale.mean[i]!) / scale.spread[i]! + noise;
    }
  });
  return tf.tensor2d(x, [chosen.length, featureCount]);
}

function signalBatch(examples: readonly Example[], chosen: Int32Array, random: Random): tf.Tensor {
  const values = channelLength * channelCount;
  const x = new Float32Array(chosen.length * values);
  chosen.forEach((index, row) => {
    const signal = examples[index]!.input.subarray(featureCount);
    const gain = random.between(1 - signalGain, 1 + signalGain);
    const shift = Math.round(random.between(-signalShift, signalShift)) * channelCount;
    const from = Math.max(0, shift);
    const to = Math.min(values, values + shift);
    for (let i = from; i < to; i++)
      x[row * values + i - shift] = signal[i]! * ((i + 1) % channelCount === 0 ? 1 : gain);
  });
  return tf.tensor3d(x, [chosen.length, channelLength, channelCount]);
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
  const most = 2048;
  const values = channelLength * channelCount;
  for (let from = 0; from < inputs.length; from += most) {
    const part = inputs.slice(from, from + most);
    const features = new Float32Array(part.length * featureCount);
    const signal = new Float32Array(part.length * values);
    part.forEach((input, row) => {
      features.set(input.subarray(0, featureCount), row * featureCount);
      signal.set(input.subarray(featureCount), row * values);
    });
    const logits = tf.tidy(() => {
      const given: Record<string, tf.Tensor> = {
        features: tf.tensor2d(features, [part.length, featureCount]),
        signal: tf.tensor3d(signal, [part.length, channelLength, channelCount]),
      };
      return (model.predict(model.inputNames.map((name) => given[name]!)) as tf.Tensor).dataSync();
    });
    for (let i = 0; i < part.length; i++) scores[from + i] = 1 / (1 + Math.exp(-logits[i]!));
  }
  return scores;
}
