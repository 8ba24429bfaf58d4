import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inputLength } from "../model-input.ts";
import { probeNative } from "./backend.ts";
import { modelFolder, readModel } from "./card.ts";
import { type Classifier, loadClassifier } from "./classifier.ts";
import { goldenTolerance } from "./network.ts";

const run = promisify(execFile);
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

describe.each(["kernel", "wasm"] as const)("the committed model on the backend %s", (backend) => {
  let classifier: Classifier;
  beforeAll(async () => {
    classifier = await loadClassifier({ backend });
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

describe.each(["auto", "wasm"] as const)("a damaged model is refused on the backend %s", (backend) => {
  test.each(["wrist.bin", "waist.json", "golden.json", "card.json"])("%s", async (file) => {
    const damaged = join(folder, backend, file);
    await cp(fileURLToPath(modelFolder), damaged, { recursive: true });
    const bytes = await readFile(join(damaged, file));
    bytes[bytes.length >> 1]! ^= 0xff;
    await writeFile(join(damaged, file), file === "card.json" ? bytes.subarray(10) : bytes);
    const loading = loadClassifier({ backend, folder: pathToFileURL(`${damaged}/`) });
    await expect(loading).rejects.toThrow(`The detector's model is damaged: ${file}`);
  });

  test("a missing one", async () => {
    const loading = loadClassifier({ backend, folder: pathToFileURL(`${join(folder, "nowhere")}/`) });
    await expect(loading).rejects.toThrow("The detector's model is damaged");
  });
});

/** Another model's folder: the committed one with a change to a file that the card then vouches for. */
async function changedModel(name: string, file: "wrist.json" | "golden.json", change: (text: string) => string) {
  const changed = join(folder, name);
  await cp(fileURLToPath(modelFolder), changed, { recursive: true });
  const before = await readFile(join(changed, file), "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(join(changed, file), after);
  const card = await readFile(join(changed, "card.json"), "utf8");
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  await writeFile(join(changed, "card.json"), card.replace(sha256(before), sha256(after)));
  return pathToFileURL(`${changed}/`);
}

describe("backend auto", () => {
  test("is the kernel, which is logged once", async () => {
    const { lines, log } = logged();
    const classifier = await loadClassifier({ backend: "auto", log });
    expect(classifier.backend).toBe("kernel");
    expect(lines).toMatchObject([{ level: "info", fields: { backend: "kernel", model: classifier.modelVersion } }]);
  });

  test("falls back to WebAssembly with a warning where the kernel does not run the model", async () => {
    const { lines, log } = logged();
    const another = await changedModel("elu", "wrist.json", (text) => text.replaceAll('"relu"', '"selu"'));
    await expect(loadClassifier({ backend: "kernel", folder: another })).rejects.toThrow("no activation selu");
    // TensorFlow.js runs it, and its golden windows say that it is another model.
    await expect(loadClassifier({ backend: "auto", folder: another, log })).rejects.toThrow(
      /Golden window \d+ \(wrist\)/,
    );
    expect(lines).toMatchObject([{ level: "warn", fields: { reason: expect.stringContaining("no activation selu") } }]);
  });

  test("a golden window that is not answered is an error on every backend", async () => {
    const wrong = await changedModel("wrong", "golden.json", (text) => text.replace(/"score":0/, '"score":1'));
    for (const backend of ["auto", "kernel", "wasm"] as const) {
      await expect(loadClassifier({ backend, folder: wrong })).rejects.toThrow(/Golden window \d+/);
    }
  });

  test("a gateway's process with it never loads TensorFlow.js", async () => {
    const loaded = async (backend: string) => {
      const script = `
        import { registerHooks } from "node:module";
        const seen = new Set();
        registerHooks({ load(url, context, next) { if (/tensorflow/.test(url)) seen.add(url); return next(url, context); } });
        await import(${JSON.stringify(new URL("../../front-door/service.ts", import.meta.url).href)});
        const { loadClassifier } = await import(${JSON.stringify(new URL("classifier.ts", import.meta.url).href)});
        await loadClassifier({ backend: "${backend}" });
        console.log(JSON.stringify([...seen].filter((url) => /tensorflow[/.]/.test(url))));
        process.exit(0);`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script]);
      return JSON.parse(stdout) as string[];
    };
    expect(await loaded("auto")).toEqual([]);
    expect((await loaded("wasm")).length).toBeGreaterThan(0);
  }, 60_000);
});

describe("backend native", () => {
  test("is refused with the reason where its probe fails, before it can do harm", async () => {
    const loading = loadClassifier({ backend: "native", probe: async () => "it crashed (SIGSEGV)" });
    await expect(loading).rejects.toThrow("Native TensorFlow cannot be used: it crashed (SIGSEGV)");
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
