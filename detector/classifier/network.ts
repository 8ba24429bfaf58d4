import type { Placement } from "../../firmware-contracts/detection.ts";
import type { ModelFiles } from "./card.ts";

/** `kernel`: our own loops. `wasm`, `native`: TensorFlow.js on WebAssembly, and on TensorFlow's own library. */
export const backends = ["kernel", "wasm", "native"] as const;
export type Backend = (typeof backends)[number];
/** What may be asked for. */
export const backendChoices = ["auto", ...backends] as const;

/** Both models, ready to judge. */
export interface Network {
  /** Scores of windows of devices worn at one place, 0 to 1 each. `inputs` are `inputLength` values each. */
  score(placement: Placement, inputs: readonly Float32Array[]): number[];
  dispose(): void;
}

/** How far a backend may be from a golden score. */
export const goldenTolerance = 1e-4;

/** Throws where the network answers a golden window by more than `goldenTolerance` off. */
export function checkGolden(network: Network, files: ModelFiles): void {
  files.golden.windows.forEach(({ model, input, score }, i) => {
    const [actual = Number.NaN] = network.score(model, [Float32Array.from(input)]);
    if (!(Math.abs(actual - score) <= goldenTolerance)) {
      throw new Error(`Golden window ${i} (${model}) scores ${actual}; it must score ${score}.`);
    }
  });
}
