import { createHash } from "node:crypto";
import {
  type AccelFrame,
  clipMg,
  decodeFrame,
  decodeJsonFrame,
  encodeFrame,
  frameHeaderLayout,
  maxFrameSamples,
} from "./frame.ts";
import { CancelReport, decodeReport, HelpReport, PresenceReport, StatusReport } from "./reports.ts";
import { parseUplinkTopic, uplinkTopic } from "./topics.ts";

/** Sample values of the longest frame, so that a device's maker can make the same bytes: value i of x, y, z interleaved. */
export const longFrameRule = "((i × 7919) mod 65536) − 32768";
export function longFrameValue(i: number): number {
  return ((i * 7919) % 65_536) - 32_768;
}

const typical: AccelFrame = {
  bootId: 0x1234abcd,
  sequence: 42,
  deviceTimeMs: Date.UTC(2026, 0, 15, 2, 12, 30, 250),
  ageMs: 35,
  rateHz: 50,
  rangeG: 8,
  stored: false,
  clockUnset: false,
  samples: Int16Array.from([12, -1003, 45, 15, -998, 51, -7, -1011, 38, 2, -1000, 40]),
};

const smallest: AccelFrame = {
  ...typical,
  bootId: 0,
  sequence: 0,
  deviceTimeMs: 0,
  ageMs: 0,
  rateHz: 20,
  rangeG: 1,
  samples: Int16Array.from([0, 0, 0]),
};

const largest: AccelFrame = {
  bootId: 0xffff_ffff,
  sequence: 0xffff_ffff,
  deviceTimeMs: Number.MAX_SAFE_INTEGER,
  ageMs: 0xffff_ffff,
  rateHz: 200,
  rangeG: 32,
  stored: true,
  clockUnset: true,
  samples: Int16Array.from([-32768, 32767, 0]),
};

const long: AccelFrame = {
  ...typical,
  rateHz: 200,
  samples: Int16Array.from({ length: maxFrameSamples * 3 }, (_, i) => longFrameValue(i)),
};

const goodFrames: [string, AccelFrame][] = [
  ["typical, 50 Hz", typical],
  ["smallest values", smallest],
  ["largest values", largest],
  ["stored for an hour", { ...typical, stored: true, ageMs: 3_600_000 }],
  ["clock not set", { ...typical, clockUnset: true, deviceTimeMs: 81_250 }],
  ["a rate that is no whole number", { ...typical, rateHz: 31.25 }],
  ["longest: 200 Hz, 1,000 samples", long],
];

/** A typical frame with some bytes changed, or cut. */
function spoilt(change: (bytes: Uint8Array, view: DataView) => Uint8Array | undefined): Uint8Array {
  const bytes = encodeFrame(typical);
  return change(bytes, new DataView(bytes.buffer)) ?? bytes;
}

function offsetOf(field: string): number {
  const found = frameHeaderLayout.fields.find(({ name }) => name === field);
  if (!found) throw new Error(`no field ${field} in a frame's header`);
  return found.offset;
}

/** Sets a field as it stands on the wire, past what the schema allows. */
function withField(field: "version" | "rangeG" | "rateHz" | "sampleCount", value: number): Uint8Array {
  return spoilt((_bytes, view) => {
    if (field === "version" || field === "rangeG") view.setUint8(offsetOf(field), value);
    else view.setUint16(offsetOf(field), value, true);
    return undefined;
  });
}

const badFrames: [string, Uint8Array][] = [
  ["nothing", new Uint8Array()],
  ["half a header", spoilt((bytes) => bytes.slice(0, 16))],
  ["one byte too few", spoilt((bytes) => bytes.slice(0, -1))],
  ["one byte too many", spoilt((bytes) => Uint8Array.from([...bytes, 0]))],
  ["version 0", withField("version", 0)],
  ["version 2", withField("version", 2)],
  ["rate 19.99 Hz", withField("rateHz", 1_999)],
  ["rate 200.01 Hz", withField("rateHz", 20_001)],
  ["range 0 g", withField("rangeG", 0)],
  ["range 33 g", withField("rangeG", 33)],
  ["no samples", withField("sampleCount", 0)],
  ["1,001 samples", withField("sampleCount", 1_001)],
  ["five samples said, four there", withField("sampleCount", 5)],
  [
    "device time beyond 2^53",
    spoilt((_bytes, view) => {
      view.setBigUint64(offsetOf("deviceTimeMs"), 2n ** 53n, true);
      return undefined;
    }),
  ],
];

const readings: [mg: number, rangeG: number][] = [
  [0, 8],
  [7_999, 8],
  [8_000, 8],
  [8_001, 8],
  [-8_001, 8],
  [2_001, 2],
  [-100_000, 16],
  [32_767, 32],
  [32_768, 32],
  [-32_768, 32],
  [1_000_000, 255],
];

/** Readings in milli-g, and what of them stands in a frame of a sensor of that full scale. */
export function clippingVectors() {
  return readings.map(([mg, rangeG]) => ({ mg, rangeG, clipped: clipMg(mg, rangeG) }));
}

/** Binary frames that every decoder must read alike, and those that every gateway must refuse, with the reason. */
export function frameVectors() {
  return {
    good: goodFrames.map(([name, frame]) => {
      const bytes = encodeFrame(frame);
      const { samples, ...fields } = frame;
      if (samples.length <= 60) return { name, hex: Buffer.from(bytes).toString("hex"), fields, samples: [...samples] };
      const digest = createHash("sha256").update(bytes).digest("hex");
      return { name, bytes: bytes.length, sha256: digest, fields, sampleRule: longFrameRule };
    }),
    refused: badFrames.map(([name, bytes]) => {
      const decoded = decodeFrame(bytes);
      return { name, hex: Buffer.from(bytes).toString("hex"), reason: decoded.ok ? "none" : decoded.reason };
    }),
  };
}

const jsonHead = { v: 1, boot: 305441741, seq: 42, t: 1768443150250, rate: 50, range: 8 };
const jsonGood: [string, string][] = [
  ["least", JSON.stringify({ ...jsonHead, samples: [[12, -1003, 45]] })],
  [
    "all keys, and one from a later version",
    JSON.stringify({ ...jsonHead, age: 35, stored: true, clockUnset: true, samples: [[-32768, 32767, 0.4]], next: 1 }),
  ],
];
const jsonBad: [string, string][] = [
  ["not JSON", "{"],
  ["NaN", JSON.stringify({ ...jsonHead, samples: [[12, -1003, 45]] }).replace("45", "NaN")],
  ["version 2", JSON.stringify({ ...jsonHead, v: 2, samples: [[0, 0, 0]] })],
  ["no version", JSON.stringify({ ...jsonHead, v: undefined, samples: [[0, 0, 0]] })],
  ["null", "null"],
  ["rate 10 Hz", JSON.stringify({ ...jsonHead, rate: 10, samples: [[0, 0, 0]] })],
  ["sequence below 0", JSON.stringify({ ...jsonHead, seq: -1, samples: [[0, 0, 0]] })],
  ["no samples", JSON.stringify({ ...jsonHead, samples: [] })],
  ["two axes", JSON.stringify({ ...jsonHead, samples: [[0, 0]] })],
  ["null in a sample", JSON.stringify({ ...jsonHead, samples: [[0, 0, null]] })],
  ["a sample beyond int16", JSON.stringify({ ...jsonHead, samples: [[0, 0, 32768]] })],
];

/** JSON frames, good ones as the frame they are read as. */
export function jsonFrameVectors() {
  const read = (text: string) => decodeJsonFrame(new TextEncoder().encode(text));
  return {
    good: jsonGood.map(([name, text]) => {
      const decoded = read(text);
      if (!decoded.ok) throw new Error(`${name}: ${decoded.detail}`);
      const { samples, ...fields } = decoded.value;
      return { name, text, fields, samples: [...samples] };
    }),
    refused: jsonBad.map(([name, text]) => {
      const decoded = read(text);
      return { name, text, reason: decoded.ok ? "none" : decoded.reason };
    }),
  };
}

/** The schema that the payload of each JSON report's topic is read by. */
export const reportSchemas = {
  presence: PresenceReport,
  status: StatusReport,
  help: HelpReport,
  cancel: CancelReport,
} as const;

const reportTexts: [keyof typeof reportSchemas, string, unknown][] = [
  ["help", "pressed", { v: 1, boot: 7, seq: 0, t: 1768443150250 }],
  ["help", "pressed a minute ago, without a network", { v: 1, boot: 7, seq: 1, t: 81_250, age: 60_000 }],
  ["help", "without a boot id", { v: 1, seq: 0, t: 0 }],
  ["help", "version 2", { v: 2, boot: 7, seq: 0, t: 0 }],
  ["cancel", "cancelled", { v: 1, boot: 7, seq: 0, t: 1768443150250 }],
  ["cancel", "a sequence that is no whole number", { v: 1, boot: 7, seq: 0.5, t: 0 }],
  ["presence", "motion", { v: 1, boot: 7, seq: 3, t: 0, sensor: "motion", state: "on", room: "hall" }],
  [
    "presence",
    "somebody who lies still at floor height",
    { v: 1, boot: 7, seq: 4, t: 0, age: 2000, sensor: "radar", state: "on", room: "hall", atFloor: true },
  ],
  [
    "presence",
    "a height that is no yes or no",
    { v: 1, boot: 7, seq: 5, t: 0, sensor: "radar", state: "on", atFloor: 1 },
  ],
  ["presence", "an unknown sensor", { v: 1, boot: 7, seq: 3, t: 0, sensor: "camera", state: "on" }],
  [
    "presence",
    "a room's name of 41 characters",
    { v: 1, boot: 7, seq: 3, t: 0, sensor: "bed", state: "off", room: "x".repeat(41) },
  ],
  ["status", "last will", { v: 1, kind: "will", boot: 7 }],
  [
    "status",
    "heartbeat",
    { v: 1, kind: "heartbeat", boot: 7, t: 0, battery: 80, charging: false, worn: true, firmware: "1.0" },
  ],
  ["status", "opened", { v: 1, kind: "heartbeat", boot: 7, tamper: true }],
  ["status", "battery of 101 %", { v: 1, kind: "heartbeat", battery: 101 }],
  ["status", "an unknown kind", { v: 1, kind: "goodbye" }],
];

/** JSON reports: read to a value, or refused with a reason. */
export function reportVectors() {
  return reportTexts.map(([uplink, name, json]) => {
    const text = JSON.stringify(json);
    const decoded = decodeReport(reportSchemas[uplink], new TextEncoder().encode(text));
    return decoded.ok ? { uplink, name, text, value: decoded.value } : { uplink, name, text, refused: decoded.reason };
  });
}

const topics = [
  uplinkTopic("watch-17", "accel"),
  uplinkTopic("a1b", "status"),
  "fallvakt/v2/watch-17/accel",
  "fallvakt/v1/Watch/accel",
  "fallvakt/v1/watch-17/other",
  "fallvakt/v1/watch-17/accel/x",
  "fallvakt/v1/watch-17",
  "fallvakt/v1//accel",
  "other/v1/watch-17/accel",
  "",
];

/** Topics, and how a gateway takes them. */
export function topicVectors() {
  return topics.map((topic) => {
    const parsed = parseUplinkTopic(topic);
    return parsed.ok ? { topic, deviceId: parsed.deviceId, uplink: parsed.uplink } : { topic, refused: parsed.reason };
  });
}
