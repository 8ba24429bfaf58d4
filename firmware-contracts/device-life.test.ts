import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Town } from "../test/promises/town.ts";
import { lacks } from "../test/services/needs.ts";
import { simulatedFleet } from "../test/services/simulated-fleet.ts";
import { decodeFrame } from "./frame.ts";
import { decodeTimeSync } from "./time-sync.ts";

const page = readFileSync(new URL("device-life.md", import.meta.url), "utf8");
const root = fileURLToPath(new URL("..", import.meta.url));
const skipped = lacks("mosquitto_pub");

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text ?? "");
}

function bytesOf(block: string): Buffer {
  return Buffer.from(block.replaceAll(/#.*/g, "").replaceAll(/\s/g, ""), "hex");
}

test("the bytes on the page are those of the golden vectors", () => {
  const [time, frame] = blocks("hex").map(bytesOf);
  expect(decodeTimeSync(time ?? Buffer.of())).toEqual({
    ok: true,
    value: { bootId: 305441741, wallMs: 1768443150250 },
  });
  const vectors = readFileSync(new URL("vectors/fall-frames.hex", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const third = Buffer.from(vectors[2] ?? "", "hex");
  expect(frame?.toString("hex")).toBe(third.subarray(0, 38).toString("hex"));
  const decoded = decodeFrame(third);
  if (!decoded.ok) throw new Error(decoded.detail);
  const { samples, ...fields } = decoded.value;
  expect(fields).toEqual({
    bootId: 305441741,
    sequence: 2,
    deviceTimeMs: 1768443130000,
    ageMs: 19_000,
    rateHz: 50,
    rangeG: 16,
    stored: true,
    clockUnset: false,
  });
  expect([...samples.subarray(0, 3)]).toEqual([57, -857, 86]);
});

let town: Town;
beforeAll(async () => {
  if (!skipped) town = await Town.open({ waitSeconds: 3600, speed: 1 });
});
afterAll(() => town?.close());

test.skipIf(skipped)(
  "the page's lines work as they stand: the fall pages, and sent again it is known (needs mosquitto_pub)",
  async () => {
    const added = await town.alerting.registry.addDevice(
      {
        deviceId: "belt-3",
        placement: "waist",
        key: "38",
        consentBy: "eva",
      },
      simulatedFleet,
    );
    const { port } = new URL(town.gateway.mqttUrl);
    const lines = blocks("sh").map((block) => block.replace("-p 1883", `-p ${port}`));
    const [setUp = "", birth = "", heartbeat = "", brokenLine = "", frames = "", help = "", cancel = ""] = lines;
    expect(lines).toHaveLength(7);
    const run = (...scripts: string[]) =>
      promisify(execFile)("bash", ["-euc", [setUp, ...scripts].join("\n")], {
        cwd: root,
        timeout: 20_000,
        env: { ...process.env, SECRET: added.secret },
      });
    const count = (name: string) => town.gateway.counters()[name] ?? 0;

    await run(birth, heartbeat);
    await run(brokenLine);
    const said = () => town.events.map((event) => JSON.stringify(event)).filter((text) => text.includes("offline"));
    await town.until("the will said", () => said().some((text) => text.includes('"will"')));
    await run(frames);
    const text = await town.text("patrol-1", /^LARM FALL/);
    expect(text).toContain("Nyckel 38");
    expect(count("detections.fall")).toBe(1);
    expect(count("frames.live")).toBe(6);

    await run(frames, help, cancel);
    await town.until("the help call taken", () => count("detections.help") === 1);
    expect(count("frames.duplicate")).toBe(6);
    expect(count("detections.fall")).toBe(1);
    // It is the same dwelling's alarm.
    expect(town.alerting.episodes()).toHaveLength(1);
    const refused = Object.keys(town.gateway.counters()).filter((name) => /refused/.test(name) && count(name) > 0);
    expect(refused).toEqual([]);
  },
);
