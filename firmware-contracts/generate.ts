import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { asyncapiText } from "./asyncapi.ts";
import { cHeader, cSource } from "./c/source.ts";
import { Detection } from "./detection.ts";
import { exampleFallText } from "./example-fall.ts";
import { FrameHeader, frameHeaderLayout, JsonFrame } from "./frame.ts";
import { InstallerNote } from "./installer-note.ts";
import {
  Control,
  DeviceEvent,
  FallUpdate,
  GatewayEvent,
  IntakeItem,
  SupervisionEvent,
  WelfareEvent,
} from "./intake.ts";
import { CancelReport, HelpReport, PresenceReport, StatusReport } from "./reports.ts";
import { TimeSync } from "./time-sync.ts";
import { timeSyncVectors } from "./time-sync-vectors.ts";
import { clippingVectors, frameVectors, jsonFrameVectors, reportVectors, topicVectors } from "./vectors.ts";

/** What has a JSON Schema of its own. */
const schemas = {
  FrameHeader,
  JsonFrame,
  PresenceReport,
  StatusReport,
  HelpReport,
  CancelReport,
  TimeSync,
  Detection,
  DeviceEvent,
  GatewayEvent,
  WelfareEvent,
  FallUpdate,
  SupervisionEvent,
  IntakeItem,
  Control,
  InstallerNote,
};

const hereUrl = new URL("./", import.meta.url);
const tableStart = "<!-- byte table: generated -->";
const tableEnd = "<!-- end of byte table -->";

/** Every generated file of this folder: its path below the folder, and its text. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, schema] of Object.entries(schemas)) {
    // As a sender sees it: what has a default may be left out, and unknown keys do not matter.
    files.set(`json-schema/${name}.json`, jsonText(z.toJSONSchema(schema, { io: "input" })));
  }
  files.set("vectors/frames.json", jsonText(frameVectors()));
  files.set("vectors/json-frames.json", jsonText(jsonFrameVectors()));
  files.set("vectors/reports.json", jsonText(reportVectors()));
  files.set("vectors/time-sync.json", jsonText(timeSyncVectors()));
  files.set("vectors/clipping.json", jsonText(clippingVectors()));
  files.set("vectors/fall-frames.hex", exampleFallText());
  files.set("vectors/topics.json", jsonText(topicVectors()));
  files.set("asyncapi.yaml", asyncapiText());
  files.set("c/fallvakt.h", cHeader());
  files.set("c/fallvakt.c", cSource());
  const readme = readFileSync(new URL("README.md", hereUrl), "utf8");
  files.set("README.md", withByteTable(readme));
  return files;
}

/** The frame header as a Markdown table, from the layout that the decoder uses, with the columns padded as the formatter wants them. */
export function byteTable(): string {
  const rows = frameHeaderLayout.fields.map(({ name, type, scale, offset, description }) => [
    String(offset),
    name,
    type,
    scale === 1 ? "1" : `1/${scale}`,
    description,
  ]);
  const head = ["offset", "field", "type", "step", "meaning"];
  const samples = [
    String(frameHeaderLayout.size),
    "samples",
    "i16 × 3 × sampleCount",
    "1 mg",
    "x, y, z of each sample",
  ];
  const all = [head, ...rows, samples];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...rows, samples].map(line).join("\n");
}

function withByteTable(readme: string): string {
  const from = readme.indexOf(tableStart);
  const to = readme.indexOf(tableEnd);
  if (from < 0 || to < from) throw new Error(`README.md has no "${tableStart}" … "${tableEnd}"`);
  return `${readme.slice(0, from + tableStart.length)}\n${byteTable()}\n${readme.slice(to)}`;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.main) {
  for (const folder of ["json-schema", "vectors"]) mkdirSync(new URL(folder, hereUrl), { recursive: true });
  for (const [path, text] of generatedFiles()) writeFileSync(new URL(path, hereUrl), text);
}
