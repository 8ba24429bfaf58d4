import { z } from "zod";
import { modelFor } from "../operating-points.ts";
import type { ModelFiles } from "./card.ts";
import type { Network } from "./network.ts";

/** What the kernel reads of a layers model as TensorFlow.js writes it. */
const Layer = z.object({
  name: z.string(),
  class_name: z.string(),
  config: z.record(z.string(), z.unknown()),
  /** One node with the layers it takes; none for an input. A layer that is used twice has two. */
  inbound_nodes: z.array(z.array(z.tuple([z.string()], z.unknown()))).max(1),
});
const Ends = z.array(z.tuple([z.string()], z.unknown()));
const Topology = z.object({
  modelTopology: z.object({
    config: z.object({ layers: z.array(Layer), input_layers: Ends, output_layers: Ends.length(1) }),
  }),
  weightSpecs: z.array(
    z.object({ name: z.string(), shape: z.array(z.number().int().positive()), dtype: z.literal("float32") }),
  ),
});
type Layer = z.infer<typeof Layer>;

/** Values between two layers, for one window, and their shape. Written anew for each window. */
interface Tensor {
  values: Float32Array;
  shape: readonly number[];
}

/**
 * Both models as plain loops over typed arrays: a model of some thousand weights costs less than a call into a library that is made for large ones.
 * Throws where a model holds what the kernel does not compute, or where topology and weights do not fit.
 */
export function openKernel(files: ModelFiles): Network {
  const { inputLength } = files.card;
  const logits = {
    wrist: compile("wrist", files.models.wrist, inputLength),
    waist: compile("waist", files.models.waist, inputLength),
  };
  return {
    score(placement, inputs) {
      const logit = logits[modelFor(placement)];
      const scores: number[] = [];
      for (const input of inputs) {
        if (input.length !== inputLength) {
          throw new Error(`A model input has ${inputLength} values, this one ${input.length}.`);
        }
        scores.push(1 / (1 + Math.exp(-logit(input))));
      }
      return scores;
    },
    dispose() {},
  };
}

/** The model as a function from an input, of which its input layers take their parts one after another, to the logit. */
function compile(model: string, files: ModelFiles["models"]["wrist"], inputLength: number) {
  const parsed = Topology.safeParse(files.topology);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refusal(model, `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { layers, input_layers, output_layers } = parsed.data.modelTopology.config;
  const weights = weightsOf(model, parsed.data.weightSpecs, files.weights);
  const tensors = new Map<string, Tensor>();
  const steps: (() => void)[] = [];
  for (const layer of layers) {
    const refuse = (why: string) => refusal(model, `layer ${layer.name}: ${why}`);
    const given = (layer.inbound_nodes[0] ?? []).map(([name]) => {
      const tensor = tensors.get(name);
      if (!tensor) throw refuse(`it takes ${name}, which does not come before it`);
      return tensor;
    });
    const built = build(layer, given, weights, refuse);
    if (built.step) steps.push(built.step);
    tensors.set(layer.name, built.tensor);
  }
  const inputs = input_layers.map(([name]) => tensors.get(name)?.values ?? new Float32Array(0));
  const taken = inputs.reduce((sum, { length }) => sum + length, 0);
  if (taken !== inputLength) throw refusal(model, `it takes ${taken} values, the card says ${inputLength}`);
  const output = tensors.get(output_layers[0]![0])?.values;
  if (output?.length !== 1) throw refusal(model, "its output is not one value");
  return (input: Float32Array): number => {
    let from = 0;
    for (const values of inputs) for (let i = 0; i < values.length; i++) values[i] = input[from++]!;
    for (const step of steps) step();
    return output[0]!;
  };
}

/** What a layer gives, and what computes it; no step where the values stay as they are. */
function build(
  { name, class_name: kind, config }: Layer,
  given: readonly Tensor[],
  weights: ReadonlyMap<string, Tensor>,
  refuse: (why: string) => Error,
): { tensor: Tensor; step?: () => void } {
  if (kind === "InputLayer") {
    const shape = z.array(z.number().int().positive()).parse((config.batch_input_shape as unknown[])?.slice(1));
    return { tensor: { values: new Float32Array(sizeOf(shape)), shape } };
  }
  const [first] = given;
  if (!first) throw refuse("it takes nothing");
  switch (kind) {
    case "Flatten":
      return { tensor: { values: first.values, shape: [first.values.length] } };
    case "Reshape": {
      const shape = z.array(z.number()).parse(config.target_shape);
      if (sizeOf(shape) !== first.values.length) throw refuse(`${first.shape} values cannot take the shape ${shape}`);
      return { tensor: { values: first.values, shape } };
    }
    case "Dense": {
      const { activation, use_bias: hasBias } = config;
      if (activation !== "relu" && activation !== "linear") throw refuse(`the kernel has no activation ${activation}`);
      const taken = first.shape.at(-1)!;
      const kernel = weights.get(`${name}/kernel`);
      const units = kernel?.shape[1] ?? 0;
      const bias = hasBias ? weights.get(`${name}/bias`)?.values : new Float32Array(units);
      if (!kernel || kernel.shape[0] !== taken || units !== config.units || bias?.length !== units) {
        throw refuse(`no weights for ${taken} values and ${config.units} units`);
      }
      const shape = [...first.shape.slice(0, -1), units];
      const values = new Float32Array(sizeOf(shape));
      const bends = activation === "relu";
      return { tensor: { values, shape }, step: () => dense(first.values, kernel.values, bias, bends, values) };
    }
    case "Average": {
      const values = new Float32Array(first.values.length);
      if (given.some((one) => String(one.shape) !== String(first.shape))) throw refuse("it takes different shapes");
      return { tensor: { values, shape: first.shape }, step: () => average(given, values) };
    }
    case "Concatenate": {
      if (given.some(({ shape }) => shape.length !== 1)) throw refuse("the kernel joins flat values only");
      const values = new Float32Array(given.reduce((sum, one) => sum + one.values.length, 0));
      return { tensor: { values, shape: [values.length] }, step: () => concatenate(given, values) };
    }
    default:
      throw refuse(`the kernel has no layer of the kind ${kind}`);
  }
}

/**
 * For each row of `from`: into = from × kernel + bias, no less than 0 where it bends. `kernel` is row-major, values taken × units.
 * Eight units at a time: each has a sum of its own, so that none waits for another. NaN stays NaN.
 */
function dense(from: Float32Array, kernel: Float32Array, bias: Float32Array, bends: boolean, into: Float32Array): void {
  const units = bias.length;
  const taken = kernel.length / units;
  const least = bends ? 0 : Number.NEGATIVE_INFINITY;
  for (let row = 0, at = 0; at < into.length; row += taken, at += units) {
    let unit = 0;
    for (; unit + 8 <= units; unit += 8) {
      let a = bias[unit]!;
      let b = bias[unit + 1]!;
      let c = bias[unit + 2]!;
      let d = bias[unit + 3]!;
      let e = bias[unit + 4]!;
      let f = bias[unit + 5]!;
      let g = bias[unit + 6]!;
      let h = bias[unit + 7]!;
      for (let i = 0, k = unit; i < taken; i++, k += units) {
        const value = from[row + i]!;
        a += value * kernel[k]!;
        b += value * kernel[k + 1]!;
        c += value * kernel[k + 2]!;
        d += value * kernel[k + 3]!;
        e += value * kernel[k + 4]!;
        f += value * kernel[k + 5]!;
        g += value * kernel[k + 6]!;
        h += value * kernel[k + 7]!;
      }
      const to = at + unit;
      into[to] = a < least ? least : a;
      into[to + 1] = b < least ? least : b;
      into[to + 2] = c < least ? least : c;
      into[to + 3] = d < least ? least : d;
      into[to + 4] = e < least ? least : e;
      into[to + 5] = f < least ? least : f;
      into[to + 6] = g < least ? least : g;
      into[to + 7] = h < least ? least : h;
    }
    for (; unit < units; unit++) {
      let sum = bias[unit]!;
      for (let i = 0, k = unit; i < taken; i++, k += units) sum += from[row + i]! * kernel[k]!;
      into[at + unit] = sum < least ? least : sum;
    }
  }
}

function average(given: readonly Tensor[], into: Float32Array): void {
  for (let i = 0; i < into.length; i++) {
    let sum = 0;
    for (const { values } of given) sum += values[i]!;
    into[i] = sum / given.length;
  }
}

function concatenate(given: readonly Tensor[], into: Float32Array): void {
  let at = 0;
  for (const { values } of given) for (let i = 0; i < values.length; i++) into[at++] = values[i]!;
}

/** The weights by name. They follow each other in the order of their specs, little-endian. */
function weightsOf(model: string, specs: z.infer<typeof Topology>["weightSpecs"], bytes: Uint8Array) {
  const size = specs.reduce((sum, { shape }) => sum + sizeOf(shape) * 4, 0);
  if (size !== bytes.length)
    throw refusal(model, `its weights have ${bytes.length} bytes; its topology asks for ${size}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return new Map<string, Tensor>(
    specs.map(({ name, shape }) => {
      const values = new Float32Array(sizeOf(shape));
      for (let i = 0; i < values.length; i++, at += 4) values[i] = view.getFloat32(at, true);
      return [name, { values, shape }];
    }),
  );
}

const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);

function refusal(model: string, why: string): Error {
  return new Error(
    `The kernel does not run the model of the ${model}: ${why}. The backend wasm runs whatever TensorFlow.js knows.`,
  );
}
