import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { impactSpan, placementOf, Trial } from "./format.ts";
import { readRecordingSet } from "./read.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A set with one part "wrist" of 100 samples: x counts, y is 0, z is 1,000. */
async function makeSet(change: (manifest: Record<string, unknown>) => void = () => {}, bytes?: Buffer) {
  const folder = await mkdtemp(join(tmpdir(), "fallvakt-set-"));
  folders.push(folder);
  const data = Buffer.alloc(600);
  for (let i = 0; i < 100; i++) {
    data.writeInt16LE(i, i * 6);
    data.writeInt16LE(1000, i * 6 + 4);
  }
  const manifest: Record<string, unknown> = {
    dataset: "made",
    files: { wrist: { file: "made.wrist.bin.gz" } },
    trials: [trial({ id: "a" }), trial({ id: "b", offset: 50, subject: 2, label: "adl" })],
  };
  change(manifest);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "made.wrist.bin.gz"), bytes ?? gzipSync(data));
  return folder;
}

function trial(change: object = {}) {
  const whole = {
    part: "wrist",
    offset: 0,
    samples: 50,
    rateHz: 50,
    id: "t",
    subject: "1",
    activity: "F1",
    label: "fall",
  };
  return { ...whole, ...change };
}

test("trials come with their samples, whatever keys are unknown or missing", async () => {
  const folder = await makeSet((manifest) => {
    manifest.extra = { any: "thing" };
  });
  const { dataset, parts, problems } = await readRecordingSet(folder);
  expect([dataset, problems, parts.length]).toEqual(["made", [], 1]);
  const [a, b] = parts[0]!.recordings;
  expect([a!.trial.id, a!.samples.length, b!.samples.slice(0, 3), b!.placement]).toEqual([
    "a",
    150,
    Int16Array.from([50, 0, 1000]),
    "wrist",
  ]);
});

test("can be narrowed to subjects, a number of trials, and a part", async () => {
  const folder = await makeSet();
  const ids = async (options: object) =>
    (await readRecordingSet(folder, options)).parts.flatMap(({ recordings }) =>
      recordings.map(({ trial }) => trial.id),
    );
  expect(await ids({ subjects: ["2"] })).toEqual(["b"]);
  expect(await ids({ limit: 1 })).toEqual(["a"]);
  expect(await ids({ part: "wrist" })).toEqual(["a", "b"]);
  await expect(readRecordingSet(folder, { part: "hip" })).rejects.toThrow(/no part "hip"; it has wrist/);
});

describe("a broken set says which file, which trial, and why", () => {
  const problemsOf = async (folder: string) => {
    const { problems, parts } = await readRecordingSet(folder);
    const read = parts.flatMap(({ recordings }) => recordings.map((recording) => recording.trial.id));
    return { read, problems: problems.map(({ where, why }) => `${where.slice(folder.length + 1)}: ${why}`) };
  };

  test("trials", async () => {
    const folder = await makeSet((manifest) => {
      manifest.trials = [
        trial({ id: "beyond", offset: 60 }),
        trial({ id: "slow", rateHz: 5 }),
        trial({ id: "lost", part: "hip" }),
        trial({ id: "proto", part: "constructor" }),
        trial({ id: "negative", offset: -1 }),
        trial({ id: "vague", label: "maybe" }),
        null,
        trial({ id: "good" }),
      ];
    });
    const { read, problems } = await problemsOf(folder);
    expect(read).toEqual(["good"]);
    expect(problems.map((text) => text.slice(0, 60))).toEqual([
      expect.stringMatching(/^manifest\.json, trial slow: rateHz/),
      expect.stringMatching(/^manifest\.json, trial lost: names a part/),
      expect.stringMatching(/^manifest\.json, trial proto: names a part/),
      expect.stringMatching(/^manifest\.json, trial negative: offset/),
      expect.stringMatching(/^manifest\.json, trial vague: label/),
      expect.stringMatching(/^manifest\.json, trial number 7/),
      expect.stringMatching(/^made\.wrist\.bin\.gz, trial beyond: ends at sample 110/),
    ]);
  });

  test("files", async () => {
    const cut = gzipSync(Buffer.alloc(600)).subarray(0, 20);
    expect((await problemsOf(await makeSet(undefined, cut))).problems).toEqual([
      expect.stringMatching(/^made\.wrist\.bin\.gz: unexpected end/),
    ]);
    expect((await problemsOf(await makeSet(undefined, Buffer.from("no gzip")))).problems.length).toBe(1);
    const outside = await makeSet((manifest) => {
      manifest.files = { wrist: { file: "../other.bin.gz" } };
    });
    expect((await readRecordingSet(outside)).problems[0]?.why).toMatch(/own folder/);
    const nowhere = await makeSet((manifest) => {
      manifest.files = { band: { file: "made.wrist.bin.gz" }, wrist: { file: "made.wrist.bin.gz" } };
    });
    expect((await problemsOf(nowhere)).problems).toEqual([expect.stringMatching(/wearing place unknown/)]);
  });

  test("a manifest that is none is an error with its path", async () => {
    const folder = await makeSet();
    await writeFile(join(folder, "manifest.json"), "{");
    await expect(readRecordingSet(folder)).rejects.toThrow(/manifest\.json: .*A recording set has a manifest/s);
    await writeFile(join(folder, "manifest.json"), '{"dataset":"x"}');
    await expect(readRecordingSet(folder)).rejects.toThrow(/manifest\.json: files/);
    await writeFile(join(folder, "manifest.json"), '{"dataset":"x","files":{},"trials":[]}');
    await expect(readRecordingSet(folder)).rejects.toThrow(/lists no files/);
    await expect(readRecordingSet(join(folder, "none"))).rejects.toThrow(/ENOENT/);
  });
});

test("the wearing place comes from the part's name, else from the manifest", () => {
  const manifest = { dataset: "x", files: {}, trials: [] };
  expect(placementOf("meta_wrist", manifest)).toBe("wrist");
  expect(placementOf("watch", manifest)).toBe("wrist");
  expect(placementOf("a", { ...manifest, placement: "waist (belt buckle)" })).toBe("waist");
  expect(placementOf("a", { ...manifest, placement: { a: "left thigh" } })).toBe("pocket");
  expect(placementOf("a", { ...manifest, placement: "wrist, waist, chest" })).toBeNull();
  expect(placementOf("a", manifest)).toBeNull();
});

test("a fall counts as found from 2 s before its labelled onset, or peak, to 5 s after its end", () => {
  const span = (labels: object) => impactSpan(Trial.parse(trial(labels)));
  expect(span({ peakS: 10 })).toEqual({ from: 8, to: 15 });
  expect(span({ peakS: 10, onsetS: 9, endS: 12 })).toEqual({ from: 7, to: 17 });
  expect(span({})).toBeNull();
  expect(span({ label: "adl", peakS: 10 })).toBeNull();
});

const sets = process.env.FALLVAKT_RECORDINGS;
if (!sets && process.env.CI) throw new Error("FALLVAKT_RECORDINGS is not set: name the folder of the recording sets");

test.skipIf(!sets)("every recording set given is read without a problem (FALLVAKT_RECORDINGS)", async () => {
  let read = 0;
  for (const entry of await readdir(sets ?? "", { withFileTypes: true })) {
    const folder = join(sets ?? "", entry.name);
    const there = entry.isDirectory() ? await readdir(folder) : [];
    if (!there.some((name) => name.endsWith(".bin.gz"))) continue;
    const { problems, parts } = await readRecordingSet(folder, { limit: 20 });
    expect(problems, entry.name).toEqual([]);
    expect(
      parts.every(({ recordings }) => recordings.length === 20),
      entry.name,
    ).toBe(true);
    read++;
  }
  expect(read).toBeGreaterThan(0);
});
