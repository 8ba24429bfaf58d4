import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacks } from "../../test/services/needs.ts";
import { type AccelFrame, clipMg, decodeFrame, encodeFrame } from "../frame.ts";
import { CancelReport, decodeReport, HelpReport, StatusReport } from "../reports.ts";
import { decodeTimeSync, earliestTimeSync, encodeTimeSync } from "../time-sync.ts";
import { longFrameValue } from "../vectors.ts";
import { armCompiler, cortexM4, measureSize, sizeLimit } from "./size.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const vectors = (name: string) => JSON.parse(readFileSync(here(`../vectors/${name}.json`), "utf8"));
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || "-";
const textBytes = (text: string) => new TextEncoder().encode(text);
const fixedSeed = 20_260_115;

/** What the C decoder would print for what the TypeScript decoder says. */
function decodeLine(bytes: Uint8Array): string {
  const decoded = decodeFrame(bytes);
  if (!decoded.ok) return `refused ${decoded.reason}`;
  // Bits of `flags` that have no meaning yet are no part of an AccelFrame; C hands the whole byte on.
  return `ok ${fieldWords(decoded.value, bytes[1] ?? 0)}`;
}

function fieldWords(frame: AccelFrame, flags = (frame.stored ? 1 : 0) + (frame.clockUnset ? 2 : 0)): string {
  const { rangeG, bootId, sequence, ageMs, deviceTimeMs, rateHz, samples } = frame;
  const head = [flags, rangeG, bootId, sequence, ageMs, deviceTimeMs, Math.round(rateHz * 100), samples.length / 3];
  return [...head, ...samples].join(" ");
}

function timeLine(bytes: Uint8Array): string {
  const decoded = decodeTimeSync(bytes);
  return decoded.ok ? `ok ${decoded.value.bootId} ${decoded.value.wallMs}` : `refused ${decoded.reason}`;
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const int16 = fc.integer({ min: -32_768, max: 32_767 });
const frames: fc.Arbitrary<AccelFrame> = fc.record({
  bootId: u32,
  sequence: u32,
  deviceTimeMs: fc.maxSafeNat(),
  ageMs: u32,
  rateHz: fc.integer({ min: 2000, max: 20_000 }).map((hundredths) => hundredths / 100),
  rangeG: fc.integer({ min: 1, max: 32 }),
  stored: fc.boolean(),
  clockUnset: fc.boolean(),
  samples: fc
    .array(fc.tuple(int16, int16, int16), { minLength: 1, maxLength: 30 })
    .map((rows) => Int16Array.from(rows.flat())),
});

/** Good frames with bytes changed, cut or added: mostly in the header, where the checks are. */
const brokenFrames: fc.Arbitrary<Uint8Array> = fc
  .record({
    frame: frames,
    changes: fc.array(fc.tuple(fc.nat(35), fc.nat(255)), { maxLength: 3 }),
    cut: fc.oneof(fc.constant(0), fc.nat(60)),
    add: fc.oneof(fc.constant([]), fc.array(fc.nat(255), { maxLength: 7 })),
  })
  .map(({ frame, changes, cut, add }) => {
    const bytes = encodeFrame(frame);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return Uint8Array.from([...bytes.subarray(0, Math.max(0, bytes.length - cut)), ...add]);
  });

/** Header values on both sides of each bound, as they stand on the wire. */
const edges = fc
  .record({
    frame: frames,
    version: fc.constantFrom(1, 1, 1, 0, 2, 255),
    rangeG: fc.constantFrom(1, 32, 0, 33, 255),
    rate: fc.constantFrom(2000, 20_000, 1999, 20_001, 0, 65_535),
    count: fc.constantFrom(0, 1, 1000, 1001, 65_535, null),
    time: fc.constantFrom(0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n),
  })
  .map(({ frame, version, rangeG, rate, count, time }) => {
    const bytes = encodeFrame(frame);
    const view = new DataView(bytes.buffer);
    bytes[0] = version;
    bytes[2] = rangeG;
    view.setBigUint64(16, time, true);
    view.setUint16(24, rate, true);
    if (count !== null) view.setUint16(26, count, true);
    return bytes;
  });

function sample<T>(arbitrary: fc.Arbitrary<T>, numRuns: number): T[] {
  return fc.sample(arbitrary, { seed: fixedSeed, numRuns });
}

describe.skipIf(lacks("gcc"))("the C code does what the TypeScript does (needs gcc)", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "fallvakt-c-"));
    const strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsanitize=address,undefined"];
    const files = [here("fallvakt.c"), here("test-harness.c")];
    const options = [...strict, "-fno-sanitize-recover=all", "-g", ...files, "-o", join(folder, "harness")];
    execFileSync("gcc", options, { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Each command's answer. Fails where a sanitizer saw something. */
  function inC(commands: string[]): string[] {
    const { stdout, stderr, status } = spawnSync(join(folder, "harness"), {
      input: `${commands.join("\n")}\n`,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      timeout: 60_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.split("\n").slice(0, -1);
  }

  test("the README's example compiles", () => {
    const readme = readFileSync(here("../README.md"), "utf8");
    const example = /^```c\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? "";
    expect(example).toContain("fallvakt_frame_begin");
    const options = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-I", here("."), "-fsyntax-only"];
    const compiled = spawnSync("gcc", [...options, "-std=c99", "-x", "c", "-"], { input: example, encoding: "utf8" });
    expect(compiled).toMatchObject({ status: 0, stderr: "" });
  });

  test("golden frames, both ways, byte for byte", () => {
    const { good, refused } = vectors("frames");
    const whole = good.map((vector: { fields: AccelFrame; samples?: number[]; hex?: string; name: string }) => {
      const values = vector.samples ?? Array.from({ length: 3000 }, (_, i) => longFrameValue(i));
      return { ...vector, frame: { ...vector.fields, samples: Int16Array.from(values) } };
    });
    const written = inC(whole.map(({ frame }: { frame: AccelFrame }) => `encode ${fieldWords(frame)}`));
    for (const [i, { name, hex, sha256 }] of whole.entries()) {
      if (hex) expect(written[i], name).toBe(hex);
      else
        expect(
          createHash("sha256")
            .update(bytesOf(written[i] ?? ""))
            .digest("hex"),
          name,
        ).toBe(sha256);
    }
    const read = inC(written.map((hex) => `decode ${hex}`));
    expect(read).toEqual(whole.map(({ frame }: { frame: AccelFrame }) => `ok ${fieldWords(frame)}`));
    const verdicts = inC(refused.map(({ hex }: { hex: string }) => `decode ${hex || "-"}`));
    expect(verdicts).toEqual(refused.map(({ reason }: { reason: string }) => `refused ${reason}`));
  });

  test("golden times and clipped readings", () => {
    const { good, refused } = vectors("time-sync");
    const lines = inC([...good, ...refused].map(({ hex }: { hex: string }) => `time ${hex || "-"}`));
    expect(lines).toEqual([
      ...good.map(({ bootId, wallMs }: { bootId: number; wallMs: number }) => `ok ${bootId} ${wallMs}`),
      ...refused.map(({ reason }: { reason: string }) => `refused ${reason}`),
    ]);
    const clipping: { mg: number; rangeG: number; clipped: number }[] = vectors("clipping");
    expect(inC(clipping.map(({ mg, rangeG }) => `clip ${mg} ${rangeG}`))).toEqual(
      clipping.map(({ clipped }) => String(clipped)),
    );
  });

  test("3,000 frames written by both have the same bytes, and each reads the other's", () => {
    const many = sample(frames, 3000);
    const hexes = many.map((frame) => hexOf(encodeFrame(frame)));
    expect(inC(many.map((frame) => `encode ${fieldWords(frame)}`))).toEqual(hexes);
    expect(inC(hexes.map((hex) => `decode ${hex}`))).toEqual(many.map((frame) => `ok ${fieldWords(frame)}`));
  });

  test("12,000 broken frames: the same verdict, for the same reason", () => {
    const any = fc.uint8Array({ maxLength: 80 });
    const likely = any.map((bytes) => Uint8Array.from([1, ...bytes]));
    const many = [...sample(brokenFrames, 6000), ...sample(edges, 4000), ...sample(any, 1000), ...sample(likely, 1000)];
    const expected = many.map(decodeLine);
    expect(inC(many.map((bytes) => `decode ${hexOf(bytes)}`))).toEqual(expected);
    // The fuzz is worth nothing unless it meets each verdict.
    const met = new Set(
      expected.map((line) =>
        line
          .split(" ")
          .slice(0, line.startsWith("ok") ? 1 : 2)
          .join(" "),
      ),
    );
    const reasons = ["bad-header", "bad-rate", "too-short", "unknown-version", "wrong-length"];
    expect([...met].sort()).toEqual(["ok", ...reasons.map((reason) => `refused ${reason}`)]);
  });

  test("what TypeScript refuses to write, C refuses too; a frame without room is not written", () => {
    const [frame] = sample(frames, 1) as [AccelFrame];
    const base = { ...frame, samples: Int16Array.from([1, 2, 3]) };
    const wrong: [Partial<AccelFrame>, string][] = [
      [{ rangeG: 0 }, "bad-header"],
      [{ rangeG: 33 }, "bad-header"],
      [{ rateHz: 19.99 }, "bad-rate"],
      [{ rateHz: 200.01 }, "bad-rate"],
      [{ deviceTimeMs: 2 ** 53 }, "bad-header"],
      [{ samples: new Int16Array() }, "bad-header"],
      [{ samples: new Int16Array(3003) }, "bad-header"],
    ];
    for (const [change] of wrong) expect(() => encodeFrame({ ...base, ...change })).toThrow();
    expect(inC(wrong.map(([change]) => `encode ${fieldWords({ ...base, ...change })}`))).toEqual(
      wrong.map(([, reason]) => `refused ${reason}`),
    );
    expect(inC([`encode-cramped ${fieldWords(base)}`])).toEqual(["refused no-space"]);
  });

  test("a frame that is handed over later has a new age, is marked stored, and is otherwise the same", () => {
    const many = sample(fc.tuple(frames, u32, fc.boolean()), 500);
    const lines = inC(
      many.map(([frame, age, stored]) => `hand-over ${hexOf(encodeFrame(frame))} ${age} ${Number(stored)}`),
    );
    expect(lines).toEqual(
      many.map(([frame, ageMs, stored]) => hexOf(encodeFrame({ ...frame, ageMs, stored: stored || frame.stored }))),
    );
  });

  test("2,000 times and readings: the same answer", () => {
    const sync = fc.record({
      bootId: u32,
      wallMs: fc.integer({ min: earliestTimeSync, max: Number.MAX_SAFE_INTEGER }),
    });
    const changed = fc.tuple(sync, fc.nat(19), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = encodeTimeSync(value);
      if (at < 16) bytes[at] = byte;
      return at < 18 ? bytes : bytes.subarray(0, byte % 16);
    });
    const times = [...sample(sync, 500).map(encodeTimeSync), ...sample(changed, 500)];
    expect(inC(times.map((bytes) => `time ${hexOf(bytes)}`))).toEqual(times.map(timeLine));
    const readings = sample(fc.tuple(fc.integer({ min: -300_000, max: 300_000 }), fc.nat(255)), 1000);
    expect(inC(readings.map(([mg, rangeG]) => `clip ${mg} ${rangeG}`))).toEqual(
      readings.map(([mg, rangeG]) => String(clipMg(mg, rangeG))),
    );
  });

  test("the reports that C writes are read as what they say", () => {
    const reports = sample(fc.record({ boot: u32, seq: u32, t: fc.maxSafeNat(), age: u32 }), 300);
    const texts = inC(reports.map(({ boot, seq, t, age }) => `report 120 ${boot} ${seq} ${t} ${age}`));
    for (const [i, report] of reports.entries())
      for (const schema of [HelpReport, CancelReport])
        expect(decodeReport(schema, textBytes(texts[i] ?? ""))).toEqual({ ok: true, value: { v: 1, ...report } });
    // Room for the closing NUL too, or nothing.
    const longest = texts[0]?.length ?? 0;
    const { boot, seq, t, age } = reports[0] ?? {};
    const words = `${boot} ${seq} ${t} ${age}`;
    expect(inC([`report ${longest + 1} ${words}`, `report ${longest} ${words}`, `report 0 ${words}`])).toEqual([
      texts[0],
      "refused",
      "refused",
    ]);
    expect(inC([`report 120 0 0 ${2 ** 53} 0`])).toEqual(["refused"]);

    const kinds = ["birth", "heartbeat", "will"];
    const say = (line: string) => decodeReport(StatusReport, textBytes(inC([line])[0] ?? ""));
    for (const [number, kind] of kinds.entries())
      expect(say(`status ${number} 7 81250 80 0 1 0 1.0 (b)`)).toEqual({
        ok: true,
        value: {
          v: 1,
          kind,
          boot: 7,
          t: 81_250,
          battery: 80,
          charging: false,
          worn: true,
          tamper: false,
          firmware: "1.0 (b)",
        },
      });
    expect(say("status 1 4294967295 9007199254740991 -1 -1 -1 -1")).toEqual({
      ok: true,
      value: { v: 1, kind: "heartbeat", boot: 4_294_967_295, t: Number.MAX_SAFE_INTEGER },
    });
    const not = [
      "status 3 7 0 1 1 1 0",
      "status 1 7 0 101 1 1 0",
      'status 1 7 0 1 1 1 0 a"b',
      "status 1 7 0 1 1 1 0 a\\b",
    ];
    expect(inC([...not, `status 1 7 0 1 1 1 1 ${"x".repeat(41)}`, `status 1 7 ${2 ** 53} 1 1 1 1`])).toEqual(
      Array.from({ length: 6 }, () => "refused"),
    );
  });
});

describe.skipIf(lacks("arm-none-eabi-gcc"))("on a microcontroller (needs arm-none-eabi-gcc)", () => {
  test("takes no more flash than it may, no memory of its own, and no library", () => {
    const { flash, ram, needs } = measureSize();
    expect(flash).toBeGreaterThan(300);
    expect(flash).toBeLessThanOrEqual(sizeLimit);
    expect({ ram, needs }).toEqual({ ram: 0, needs: [] });
  });

  test.each(["cortex-m0", "cortex-m4", "cortex-m33"])("compiles for %s without a warning", (cpu) => {
    const options = [...cortexM4.filter((option) => !option.startsWith("-mcpu")), `-mcpu=${cpu}`, "-pedantic"];
    const run = () => execFileSync(armCompiler, [...options, "-c", here("fallvakt.c"), "-o", "/dev/null"]);
    expect(run).not.toThrow();
  });
});
