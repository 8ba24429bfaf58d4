import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, extname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";

const fatal = ["uncaughtException", "unhandledRejection"];
const events: NodeJS.EventEmitter = process;

/** Sets TensorFlow.js to WebAssembly (SIMD where the processor has it). */
export async function useWasm(): Promise<void> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(dirname(entry) + sep);
  const before = new Map(fatal.map((event) => [event, events.listeners(event)]));
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js's WebAssembly backend does not start.");
  await tf.ready();
  // Its loader makes itself the judge of every unhandled error in the process; that is not its business.
  for (const event of fatal) {
    for (const listener of events.listeners(event)) {
      if (!before.get(event)?.includes(listener)) events.removeListener(event, listener as () => void);
    }
  }
}

/** Sets TensorFlow.js to the native library. Throws where the optional package `@tensorflow/tfjs-node` is missing or broken. */
export async function useNative(): Promise<void> {
  // tfjs-node 4.22 calls two functions that Node 23 took away.
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
  // By a name in a variable: the optional package need not be there to compile.
  const name: string = "@tensorflow/tfjs-node";
  await import(name);
  if (!(await tf.setBackend("tensorflow"))) throw new Error("TensorFlow's native library does not start.");
  await tf.ready();
}

const probeLimitMs = 30_000;

/**
 * Tries the native backend against the golden windows in a child process, so that a crash of the native library or a wrong answer costs nothing.
 * Resolves with null where it is good, else with the reason. `probe` is the script to run, for tests.
 */
export function probeNative(probe: URL = probeScript(), limitMs = probeLimitMs): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(probe)], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: limitMs,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < 2000) said += text;
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(null);
      else if (signal)
        resolve(signal === "SIGTERM" ? `no answer within ${limitMs / 1000} s` : `it crashed (${signal})`);
      else resolve(lastLine(said) || `it ended with code ${code}`);
    });
  });
}

/** The script beside this file: `.ts` from a clone, `.js` from the compiled package. */
function probeScript(): URL {
  return new URL(`./probe${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
}
