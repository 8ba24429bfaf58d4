import type { Placement } from "../../firmware-contracts/detection.ts";
import type { OperatingPoints } from "../operating-points.ts";
import { type Backend, probeNative, useNative, useWasm } from "./backend.ts";
import { modelFolder, readModel } from "./card.ts";
import { checkGolden, openNetwork } from "./network.ts";

export type { Backend } from "./backend.ts";

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
  /** `auto` takes the native library where it is installed and answers rightly, else WebAssembly. */
  backend: Backend | "auto";
  log?: ClassifierLog;
  /** Another model than the committed one. */
  folder?: URL;
  /** How `auto` tries the native library; for tests. */
  probe?: () => Promise<string | null>;
}

/**
 * Loads the model and checks it against its golden windows on the backend taken, which is logged once.
 * Throws where the model is damaged, or where a backend asked for by name does not work.
 */
export async function loadClassifier(options: ClassifierOptions): Promise<Classifier> {
  const { log, folder = modelFolder } = options;
  const files = await readModel(folder);
  const backend = options.backend === "auto" ? await chooseBackend(options) : options.backend;
  if (backend === "native") await useNative();
  else await useWasm();
  const network = await openNetwork(files);
  checkGolden(network, files);
  log?.info({ backend, model: files.card.version }, "classifier loaded");
  return {
    backend,
    modelVersion: files.card.version,
    operatingPoints: files.card.operatingPoints,
    score: network.score,
    dispose: network.dispose,
  };
}

async function chooseBackend({ log, probe = probeNative }: ClassifierOptions): Promise<Backend> {
  const refused = await probe();
  if (refused === null) return "native";
  log?.warn({ reason: refused }, "native TensorFlow is not used; WebAssembly takes its place");
  return "wasm";
}
