import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { decodeFrame, decodeJsonFrame, encodeFrame } from "./frame.ts";
import { byteTable, generatedFiles } from "./generate.ts";
import { decodeReport } from "./reports.ts";
import { longFrameValue, reportSchemas } from "./vectors.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const json = (path: string) => JSON.parse(read(path));
const bytesOf = (text: string) => new TextEncoder().encode(text);

test("the committed files are what the source says; else run node firmware-contracts/generate.ts", () => {
  const files = generatedFiles();
  for (const [path, text] of files) expect(read(path), path).toBe(text);
  for (const folder of ["json-schema", "vectors"]) {
    const there = readdirSync(new URL(folder, import.meta.url)).map((name) => `${folder}/${name}`);
    expect(there.filter((path) => !files.has(path))).toEqual([]);
  }
  expect(read("README.md")).toContain(byteTable());
});

test("golden frames are read as they are written down, and bad ones refused for their reason", () => {
  const { good, refused } = json("vectors/frames.json");
  expect(good.length).toBeGreaterThanOrEqual(7);
  for (const vector of good) {
    if (vector.hex) {
      const decoded = decodeFrame(Buffer.from(vector.hex, "hex"));
      const samples = Int16Array.from(vector.samples);
      expect(decoded, vector.name).toEqual({ ok: true, value: { ...vector.fields, samples } });
      continue;
    }
    const samples = Int16Array.from({ length: 3000 }, (_, i) => longFrameValue(i));
    const bytes = encodeFrame({ ...vector.fields, samples });
    expect(bytes.length).toBe(vector.bytes);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(vector.sha256);
  }
  for (const { name, hex, reason } of refused) {
    expect(decodeFrame(Buffer.from(hex, "hex")), name).toMatchObject({ ok: false, reason });
  }
});

test("golden JSON frames and reports: the decoders and the JSON Schemas agree", () => {
  const ajv = new Ajv2020({ strict: false });
  const validator = (name: string) => ajv.compile(json(`json-schema/${name}.json`));
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  const frame = validator("JsonFrame");
  const { good, refused } = json("vectors/json-frames.json");
  for (const { name, text, fields, samples } of good) {
    const value = { ...fields, samples: Int16Array.from(samples) };
    expect(decodeJsonFrame(bytesOf(text)), name).toEqual({ ok: true, value });
    expect(frame(parsed(text)), name).toBe(true);
  }
  for (const { name, text, reason } of refused) {
    expect(decodeJsonFrame(bytesOf(text)), name).toMatchObject({ ok: false, reason });
    expect(frame(parsed(text)), name).toBe(false);
  }

  const schemaNames = {
    presence: "PresenceReport",
    status: "StatusReport",
    help: "HelpReport",
    cancel: "CancelReport",
  };
  const validators = Object.fromEntries(Object.entries(schemaNames).map(([key, name]) => [key, validator(name)]));
  for (const { uplink, name, text, value, refused: reason } of json("vectors/reports.json")) {
    const decoded = decodeReport(reportSchemas[uplink as keyof typeof reportSchemas], bytesOf(text));
    expect(decoded, name).toMatchObject(reason ? { ok: false, reason } : { ok: true, value });
    expect(validators[uplink]?.(parsed(text)), name).toBe(!reason);
  }
});

test("every schema compiles", () => {
  for (const file of readdirSync(new URL("json-schema", import.meta.url))) {
    expect(() => new Ajv2020({ strict: false }).compile(json(`json-schema/${file}`)), file).not.toThrow();
  }
});
