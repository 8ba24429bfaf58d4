import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inputLength } from "../model-input.ts";
import { artifactsOf } from "../training/write-model.ts";
import { useWasm } from "./backend.ts";
import { type ModelFiles, readModel } from "./card.ts";
import { type Classifier, loadClassifier } from "./classifier.ts";
import { openKernel } from "./kernel.ts";
import { goldenTolerance } from "./network.ts";
import { openTensorFlow } from "./tensorflow.ts";

const models = ["wrist", "waist"] as const;

describe("the committed model", () => {
  let kernel: Classifier;
  let wasm: Classifier;
  let files: ModelFiles;
  beforeAll(async () => {
    files = await readModel();
    kernel = await loadClassifier({ backend: "kernel" });
    wasm = await loadClassifier({ backend: "wasm" });
  });
  afterAll(() => wasm.dispose());

  /** The kernel's scores are TensorFlow.js's, and the same one by one as together. */
  function compare(model: (typeof models)[number], inputs: readonly Float32Array[]): void {
    const expected = wasm.score(model, inputs);
    const together = kernel.score(model, inputs);
    expect(together).toEqual(inputs.map((input) => kernel.score(model, [input])[0]));
    const furthest = Math.max(...together.map((score, i) => Math.abs(score - expected[i]!)));
    expect(furthest).toBeLessThan(goldenTolerance);
  }

  test.each(models)("%s: golden windows", (model) => {
    const windows = files.golden.windows.filter((window) => window.model === model);
    compare(
      model,
      windows.map(({ input }) => Float32Array.from(input)),
    );
  });

  test.each(models)("%s: windows between golden ones and far beyond them", (model) => {
    const golden = files.golden.windows.filter((window) => window.model === model).map(({ input }) => input);
    const inputs: Float32Array[] = [];
    const window = fc.tuple(
      fc.nat(golden.length - 1),
      fc.nat(golden.length - 1),
      fc.double({ min: -1, max: 2, noNaN: true }),
    );
    fc.assert(
      fc.property(window, ([a, b, share]) => {
        inputs.push(Float32Array.from(golden[a]!, (value, i) => value + share * (golden[b]![i]! - value)));
      }),
      { numRuns: 300, seed: 1 },
    );
    compare(model, inputs);
    // So that a kernel whose scores are all near 0 or 1 cannot pass.
    expect(kernel.score(model, inputs).filter((score) => score > 0.1 && score < 0.9).length).toBeGreaterThan(30);
  });

  test.each(models)("%s: whatever values, the extremes of every feature and channel too", (model) => {
    // No feature of a window within ±16 g goes beyond this; channels end at 2.5.
    const any = fc.double({ min: -200, max: 200, noNaN: true });
    const value = fc.oneof(
      fc.constantFrom(0, -0, 1, -1, 2.5, -2.5, 200, -200),
      any,
      fc.double({ min: -3, max: 3, noNaN: true }),
    );
    const inputs: Float32Array[] = [-200, -2.5, -1, 0, 1e-30, 1, 2.5, 200].map((all) =>
      new Float32Array(inputLength).fill(all),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: inputLength, maxLength: inputLength, size: "max" }), (values) => {
        inputs.push(Float32Array.from(values));
      }),
      { numRuns: 300, seed: 2 },
    );
    compare(model, inputs);
  });

  test("a value that is none gives no score, and leaves nothing behind", () => {
    const good = new Float32Array(inputLength).fill(0.3);
    const before = kernel.score("waist", [good]);
    expect(kernel.score("waist", [new Float32Array(inputLength).fill(Number.NaN)])).toEqual([Number.NaN]);
    expect(kernel.score("waist", [good])).toEqual(before);
  });
});

describe("another model of the same kinds of layer", () => {
  beforeAll(useWasm);

  const { dense, reshape, flatten, concatenate, average } = layers.layers;
  const unit = (seed: number) => layers.initializers.randomNormal({ seed, stddev: 0.5 });
  let seed = 0;
  const bent = (units: number, useBias = true) =>
    dense({ units, useBias, activation: "relu", kernelInitializer: unit(++seed), biasInitializer: unit(++seed) });
  const linear = () => dense({ units: 1, kernelInitializer: unit(++seed), biasInitializer: unit(++seed) });

  /** Three inputs, branches that join, sizes that are no multiples of four. `change` puts in another layer. */
  function network(change = (tensor: layers.SymbolicTensor) => tensor) {
    const features = layers.input({ shape: [7] });
    const signal = layers.input({ shape: [6, 3] });
    const more = layers.input({ shape: [5] });
    const on = (tensor: layers.SymbolicTensor, ...stack: { apply(given: layers.SymbolicTensor): unknown }[]) =>
      stack.reduce((given, layer) => layer.apply(given) as layers.SymbolicTensor, tensor);
    const patches = on(signal, reshape({ targetShape: [3, 6] }), bent(9), bent(3, false), flatten());
    const joined = concatenate().apply([patches, on(more, bent(5))]) as layers.SymbolicTensor;
    const logits = [on(change(on(features, bent(11))), linear()), on(joined, bent(6), linear()), on(joined, linear())];
    return layers.model({
      inputs: [features, signal, more],
      outputs: average().apply(logits) as layers.SymbolicTensor,
    });
  }
  const length = 7 + 18 + 5;

  async function filesOf(model: layers.LayersModel): Promise<ModelFiles> {
    const { weightData, ...topology } = await artifactsOf(model);
    const { card, golden } = await readModel();
    const one = { topology, weights: weightData };
    return { card: { ...card, inputLength: length }, golden, models: { wrist: one, waist: one } };
  }

  test("branches, inputs and sizes are read from its topology", async () => {
    const files = await filesOf(network());
    const wasm = await openTensorFlow(files);
    const kernel = openKernel(files);
    const inputs = Array.from({ length: 100 }, (_, i) =>
      Float32Array.from({ length }, (__, j) => 2 * Math.sin(i * 37 + j * 11 + i * j)),
    );
    const expected = wasm.score("wrist", inputs);
    const scores = kernel.score("wrist", inputs);
    for (const [i, score] of scores.entries()) expect(Math.abs(score - expected[i]!)).toBeLessThan(goldenTolerance);
    expect(Math.max(...scores) - Math.min(...scores)).toBeGreaterThan(0.3);
    wasm.dispose();
  });

  test.each([
    [
      "a layer",
      () => layers.layers.leakyReLU({ name: "leaky" }),
      "layer leaky: the kernel has no layer of the kind LeakyReLU",
    ],
    [
      "an activation",
      () => dense({ units: 2, activation: "tanh", name: "tanned" }),
      "layer tanned: the kernel has no activation tanh",
    ],
  ])("%s that the kernel does not know is refused by its name", async (_, layer, why) => {
    const files = await filesOf(network((tensor) => layer().apply(tensor) as layers.SymbolicTensor));
    expect(() => openKernel(files)).toThrow(`The kernel does not run the model of the wrist: ${why}.`);
  });

  test("what does not fit together is refused", async () => {
    const files = await filesOf(network());
    const { topology, weights } = files.models.wrist;
    const withModel = (changed: Partial<ModelFiles["models"]["wrist"]>) => ({
      ...files,
      models: { ...files.models, wrist: { topology, weights, ...changed } },
    });
    expect(() => openKernel(withModel({ weights: weights.subarray(4) }))).toThrow(/its weights have \d+ bytes/);
    expect(() => openKernel({ ...files, card: { ...files.card, inputLength: 29 } })).toThrow(
      "it takes 30 values, the card says 29",
    );
    expect(() => openKernel(withModel({ topology: {} }))).toThrow("modelTopology");
    const renamed = JSON.parse(JSON.stringify(topology).replace(/"(dense_Dense\d+)\/kernel"/, '"$1/lost"'));
    expect(() => openKernel(withModel({ topology: renamed }))).toThrow(/layer dense_Dense\d+: no weights for/);
  });

  test("no tensor is left behind", async () => {
    const before = tf.memory().numTensors;
    const model = network();
    const files = await filesOf(model);
    model.dispose();
    const wasm = await openTensorFlow(files);
    wasm.score("wrist", [new Float32Array(length)]);
    wasm.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
