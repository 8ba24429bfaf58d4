import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inputLength } from "../model-input.ts";
import { probeNative } from "./backend.ts";
import { modelFolder, readModel } from "./card.ts";
import { type Classifier, loadClassifier } from "./classifier.ts";
import { goldenTolerance } from "./network.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fallvakt-model-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function logged() {
  const lines: { level: string; fields: object; message: string }[] = [];
  const log = {
    info: (fields: object, message: string) => void lines.push({ level: "info", fields, message }),
    warn: (fields: object, message: string) => void lines.push({ level: "warn", fields, message }),
  };
  return { lines, log };
}

describe("the committed model on WebAssembly", () => {
  let classifier: Classifier;
  beforeAll(async () => {
    classifier = await loadClassifier({ backend: "wasm" });
  });
  afterAll(() => classifier.dispose());

  test("answers its golden windows, one by one and all at once", async () => {
    const { golden } = await readModel();
    for (const model of ["wrist", "waist"] as const) {
      const windows = golden.windows.filter((window) => window.model === model);
      expect(windows.length).toBeGreaterThan(4);
      const inputs = windows.map(({ input }) => Float32Array.from(input));
      const together = classifier.score(model, inputs);
      windows.forEach(({ score }, i) => {
        expect(Math.abs(together[i]! - score)).toBeLessThan(goldenTolerance);
        expect(Math.abs(classifier.score(model, [inputs[i]!])[0]! - score)).toBeLessThan(goldenTolerance);
      });
    }
  });

  test("golden windows tell falls from daily life, so that a model that always says the same fails them", async () => {
    const { golden } = await readModel();
    for (const model of ["wrist", "waist"] as const) {
      const scores = golden.windows.filter((window) => window.model === model).map(({ score }) => score);
      expect(Math.max(...scores) - Math.min(...scores)).toBeGreaterThan(0.3);
    }
  });

  test("chest, hip and pocket are judged by the waist's model; no windows give no scores", () => {
    const input = new Float32Array(inputLength).fill(0.4);
    const waist = classifier.score("waist", [input]);
    for (const place of ["chest", "hip", "pocket"] as const) expect(classifier.score(place, [input])).toEqual(waist);
    expect(classifier.score("wrist", [input])).not.toEqual(waist);
    expect(classifier.score("wrist", [])).toEqual([]);
  });

  test("an input of another length is refused", () => {
    expect(() => classifier.score("wrist", [new Float32Array(3)])).toThrow(`A model input has ${inputLength} values`);
  });

  test("its thresholds are in order and the version is told", () => {
    expect(classifier.modelVersion).toMatch(/^\d+\.\d+\.\d+/);
    for (const model of Object.values(classifier.operatingPoints)) {
      for (const { medium, strong } of Object.values(model)) {
        expect(medium).toBeGreaterThan(0.3);
        expect(strong).toBeGreaterThanOrEqual(medium);
        expect(strong).toBeLessThan(1);
      }
    }
  });
});

describe("a damaged model is refused", () => {
  test.each(["wrist.bin", "waist.json", "golden.json", "card.json"])("%s", async (file) => {
    const damaged = join(folder, file);
    await cp(fileURLToPath(modelFolder), damaged, { recursive: true });
    const bytes = await readFile(join(damaged, file));
    bytes[bytes.length >> 1]! ^= 0xff;
    await writeFile(join(damaged, file), file === "card.json" ? bytes.subarray(10) : bytes);
    const loading = loadClassifier({ backend: "wasm", folder: pathToFileURL(`${damaged}/`) });
    await expect(loading).rejects.toThrow(`The detector's model is damaged: ${file}`);
  });

  test("a missing one", async () => {
    const loading = loadClassifier({ backend: "wasm", folder: pathToFileURL(`${join(folder, "nowhere")}/`) });
    await expect(loading).rejects.toThrow("The detector's model is damaged");
  });
});

describe("backend auto", () => {
  test("falls back to WebAssembly with a warning, and logs the backend in use once", async () => {
    const { lines, log } = logged();
    const classifier = await loadClassifier({ backend: "auto", log, probe: async () => "it crashed (SIGSEGV)" });
    expect(classifier.backend).toBe("wasm");
    expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
    expect(lines[0]?.fields).toEqual({ reason: "it crashed (SIGSEGV)" });
    expect(lines[1]?.fields).toMatchObject({ backend: "wasm" });
    classifier.dispose();
  });

  test.each([
    ["crashes", "process.kill(process.pid, 'SIGSEGV')", /crashed \(SIGSEGV\)/],
    ["answers wrongly", "process.stderr.write('Golden window 3 scores 0.2\\n'); process.exit(1)", /Golden window 3/],
    ["never answers", "setInterval(() => {}, 1000)", /no answer within/],
  ])("a native library that %s is not used", async (name, script, reason) => {
    const file = join(folder, `${name.replaceAll(" ", "-")}.mjs`);
    await writeFile(file, script);
    expect(await probeNative(pathToFileURL(file), 1500)).toMatch(reason);
  });

  test("the probe itself runs: it is good where tfjs-node is installed and says why where it is not", async () => {
    const refused = await probeNative();
    if (refused !== null) expect(refused).toMatch(/tfjs-node|native/i);
  }, 40_000);
});

test("loading does not make TensorFlow.js's loader the judge of the process's errors", async () => {
  const before = process.listenerCount("uncaughtException") + process.listenerCount("unhandledRejection");
  (await loadClassifier({ backend: "wasm" })).dispose();
  expect(process.listenerCount("uncaughtException") + process.listenerCount("unhandledRejection")).toBe(before);
});
