import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Example } from "./examples.ts";

/** Trained weights of one branch, layer after layer. */
export type BranchWeights = Float32Array[];

/** Branches that were trained before: a run that was stopped goes on where it was, and runs that train the same thing share it. */
export interface KeptBranches {
  get(key: string): BranchWeights | null;
  put(key: string, weights: BranchWeights): void;
}

const network = readFileSync(fileURLToPath(new URL("network.ts", import.meta.url)));

/** What a branch is trained on and how, as a key: the windows, their labels and weights, the options and the code that trains. */
export function keyOf(examples: readonly Example[], weights: Float32Array, told: Record<string, unknown>): string {
  const hash = createHash("sha256").update(network).update(JSON.stringify(told));
  for (const { input, label } of examples) {
    hash.update(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    hash.update(label ? "1" : "0");
  }
  hash.update(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
  return hash.digest("hex").slice(0, 32);
}

/** Keeps branches as files below `folder`. What cannot be read there is trained again. */
export function keepIn(folder: string): KeptBranches {
  mkdirSync(folder, { recursive: true });
  return {
    get(key) {
      try {
        return JSON.parse(readFileSync(join(folder, `${key}.json`), "utf8")).map((layer: string) => {
          const bytes = Buffer.from(layer, "base64");
          return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
        });
      } catch {
        return null;
      }
    },
    put(key, weights) {
      const text = JSON.stringify(
        weights.map(({ buffer, byteOffset, byteLength }) =>
          Buffer.from(buffer, byteOffset, byteLength).toString("base64"),
        ),
      );
      // Whole or not at all: the next run trusts what is there.
      writeFileSync(join(folder, `${key}.part`), text);
      renameSync(join(folder, `${key}.part`), join(folder, `${key}.json`));
    },
  };
}
