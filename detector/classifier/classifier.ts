import type { Placement } from "../../firmware-contracts/detection.ts";
import { modelFor, type OperatingPoints } from "../operating-points.ts";
import { type ModelFiles, modelFolder, readModel } from "./card.ts";
import { lowerWhereGaps, noGapMargins } from "./gap-margin.ts";
import { openKernel } from "./kernel.ts";
import { type Backend, checkGolden, type Network } from "./network.ts";

/** The model, loaded and checked. */
export interface Classifier {
  backend: Backend;
  modelVersion: string;
  operatingPoints: OperatingPoints;
  /** Scores windows of devices worn at one place, 0 to 1 each. Several at once cost less than one by one. */
  score(placement: Placement, inputs: readonly Float32Array[]): number[];
  dispose(): void;
}

/** Where the choice of backend is told. pino's loggers fit. */
export interface ClassifierLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ClassifierOptions {
  /**
   * `auto` takes the kernel, which `npm run bench:detector` shows to be fastest, one by one and in batches; WebAssembly where the kernel does not run a model.
   * TensorFlow.js is loaded only where it is used.
   */
  backend: Backend | "auto";
  log?: ClassifierLog;
  /** Another model than the committed one. */
  folder?: URL;
  /** How the native library is tried before it is let into the process; for tests. */
  probe?: () => Promise<string | null>;
}

/**
 * Loads the model and checks it against its golden windows on the backend taken, which is logged once.
 * Throws where the model is damaged, or where a backend asked for by name does not work.
 */
export async function loadClassifier(options: ClassifierOptions): Promise<Classifier> {
  const { log, folder = modelFolder } = options;
  const files = await readModel(folder);
  const [backend, network] = await choose(options, files);
  log?.info({ backend, model: files.card.version }, "classifier loaded");
  const margins = files.card.gapMargins ?? noGapMargins;
  return {
    backend,
    modelVersion: files.card.version,
    operatingPoints: files.card.operatingPoints,
    score: (placement, inputs) =>
      lowerWhereGaps(network.score(placement, inputs), inputs, margins[modelFor(placement)]),
    dispose: network.dispose,
  };
}

async function choose(options: ClassifierOptions, files: ModelFiles): Promise<[Backend, Network]> {
  const { backend, log, probe } = options;
  if (backend !== "auto") return [backend, await open(backend, files, probe)];
  try {
    return ["kernel", await open("kernel", files)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log?.warn({ reason }, "the kernel is not used; TensorFlow.js on WebAssembly takes its place");
    return ["wasm", await open("wasm", files)];
  }
}

async function open(backend: Backend, files: ModelFiles, probe?: ClassifierOptions["probe"]): Promise<Network> {
  const network = backend === "kernel" ? openKernel(files) : await openOnTensorFlow(backend, files, probe);
  checkGolden(network, files);
  return network;
}

/** Imported only here: TensorFlow.js costs a process as much memory and start time as the rest of a gateway. */
async function openOnTensorFlow(backend: "wasm" | "native", files: ModelFiles, probe?: ClassifierOptions["probe"]) {
  const { probeNative, useNative, useWasm } = await import("./backend.ts");
  const { openTensorFlow } = await import("./tensorflow.ts");
  if (backend === "native") {
    const refused = await (probe ?? probeNative)();
    if (refused !== null) {
      throw new Error(
        `Native TensorFlow cannot be used: ${refused}. Install @tensorflow/tfjs-node, or choose the backend auto.`,
      );
    }
    await useNative();
  } else await useWasm();
  return openTensorFlow(files);
}
