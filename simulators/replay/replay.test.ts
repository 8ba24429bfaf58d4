import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Aedes } from "aedes";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { type AccelFrame, decodeFrame } from "../../firmware-contracts/frame.ts";
import type { Recording } from "../../firmware-contracts/recordings/format.ts";
import { parseUplinkTopic } from "../../firmware-contracts/topics.ts";
import { createDevice } from "../device/device.ts";
import { chooseRecordings } from "./choose.ts";
import { replayCommand } from "./command.ts";
import { readCredentials } from "./credentials.ts";
import { playSideBySide, playTrial, rangeOf } from "./play.ts";
import { replaySet } from "./replay.ts";

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A real broker that knows the secret of each device: its id backwards. */
async function broker() {
  const frames: { deviceId: string; frame: AccelFrame; at: number }[] = [];
  const aedes = await Aedes.createBroker({
    authenticate: (client, user, password, done) =>
      done(null, client.id === user && [...String(user)].reverse().join("") === String(password)),
    authorizePublish(_client, packet, done) {
      const topic = parseUplinkTopic(packet.topic);
      const decoded = topic.ok && topic.uplink === "accel" ? decodeFrame(Buffer.from(packet.payload)) : null;
      if (topic.ok && decoded?.ok) frames.push({ deviceId: topic.deviceId, frame: decoded.value, at: Date.now() });
      done(null);
    },
  });
  const server = createServer((socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    await new Promise<void>((resolve) => aedes.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  });
  return { frames, url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const secretOf = (deviceId: string) => [...deviceId].reverse().join("");
const credential = (deviceId: string, placement: "wrist" | "waist" | null = null) => ({
  deviceId,
  secret: secretOf(deviceId),
  placement,
});

function recording(seconds: number, rateHz = 50, value = 1000): Recording {
  const samples = Int16Array.from({ length: Math.round(seconds * rateHz) * 3 }, (_, i) =>
    i % 3 === 2 ? value : i % 500,
  );
  const trial = {
    part: "wrist",
    offset: 0,
    samples: samples.length / 3,
    rateHz,
    id: "t1",
    subject: "s",
    activity: "a",
    label: "fall" as const,
  };
  return { trial, placement: "wrist", samples };
}

/** A recording set on disk: two parts, one of a wearing place that its name tells. */
async function recordingSet(trials: unknown[], files: Record<string, number>) {
  const folder = await mkdtemp(join(tmpdir(), "fallvakt-replay-"));
  closers.push(() => rm(folder, { recursive: true }));
  const manifest = {
    dataset: "made",
    files: Object.fromEntries(Object.keys(files).map((part) => [part, { file: `${part}.bin.gz` }])),
    trials,
  };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  for (const [part, samples] of Object.entries(files)) {
    const data = Buffer.alloc(samples * 6);
    for (let i = 0; i < samples * 3; i++) data.writeInt16LE((i % 3) * 1000, i * 2);
    await writeFile(join(folder, `${part}.bin.gz`), gzipSync(data));
  }
  return folder;
}
const listed = (part: string, id: string, offset: number, more: object = {}) => ({
  part,
  id,
  offset,
  samples: 100,
  rateHz: 50,
  subject: 1,
  activity: "F1",
  label: "fall",
  ...more,
});

describe("a trial", () => {
  test("is played in real time by the clock, sample for sample", async () => {
    const net = await broker();
    const clock = systemClock(8);
    const device = createDevice({ clock, url: net.url, ...credential("watch-1"), rangeG: 4 });
    closers.push(() => device.disconnect());
    await device.connect();
    const source = recording(4.5);
    const began = Date.now();
    const played = await playTrial(device, source, clock);
    const took = Date.now() - began;
    expect(await device.drain()).toBe(true);
    expect(took).toBeGreaterThan(550);
    expect(took).toBeLessThan(900);
    const frames = net.frames.map(({ frame }) => frame);
    expect(frames.map(({ samples }) => samples.length / 3)).toEqual([50, 50, 50, 50, 25]);
    expect(frames.flatMap(({ samples }) => [...samples])).toEqual([...source.samples]);
    for (const [i, frame] of frames.entries()) {
      expect(frame.deviceTimeMs - frames[0]!.deviceTimeMs).toBe(i * 1000);
      expect(frame.ageMs).toBeLessThan(1500);
    }
    expect(played).toMatchObject({ deviceId: "watch-1", trial: { id: "t1" } });
    expect(played.frames.map(({ startSample, sampleCount, acked }) => [startSample, sampleCount, acked])).toEqual([
      [0, 50, true],
      [50, 50, true],
      [100, 50, true],
      [150, 50, true],
      [200, 25, true],
    ]);
    expect(frames[0]!.deviceTimeMs).toBe(Math.round(played.startedAt));
  });

  test("is cut into other frames where asked, and stops when stopped", async () => {
    const net = await broker();
    const clock = systemClock(20);
    const device = createDevice({ clock, url: net.url, ...credential("watch-1"), rangeG: 4 });
    closers.push(() => device.disconnect());
    await device.connect();
    const stop = new AbortController();
    const played = await playTrial(device, recording(60, 32), clock, {
      frameSeconds: 0.5,
      signal: stop.signal,
      onFrame: ({ sequence }) => sequence === 3 && stop.abort(),
    });
    expect(played.frames.map(({ sampleCount }) => sampleCount)).toEqual([16, 16, 16, 16]);
  });
});

test("the range is the smallest usual one that holds the samples", () => {
  expect(rangeOf([recording(1, 50, 2020)])).toBe(2);
  expect(rangeOf([recording(1, 50, -3990), recording(1)])).toBe(4);
  expect(rangeOf([recording(1, 50, 32_767)])).toBe(32);
});

test("side by side: never more at a time than workers, each job once, and what nobody may take comes back", async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  const left = await playSideBySide(
    ["a", "b", "c"],
    [1, 2, 3, 4, 5, 6, 7, 99],
    (_worker, job) => job < 90,
    async (_worker, job) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      done.push(job);
    },
  );
  expect(most).toBe(3);
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(left).toEqual([99]);
});

describe("credentials", () => {
  test("two or three columns, with or without a head", () => {
    expect(readCredentials('watch-1,s1\r\nwatch-2;"s2";waist\n\n', "f")).toEqual([
      { deviceId: "watch-1", secret: "s1", placement: null },
      { deviceId: "watch-2", secret: "s2", placement: "waist" },
    ]);
    expect(readCredentials("placement,key,deviceId,secret\nwrist,38,watch-1,s1", "f")).toEqual([
      { deviceId: "watch-1", secret: "s1", placement: "wrist" },
    ]);
  });
  test.each([
    ["Watch 1,s", /f, line 1: the device id must be 3 to 32/],
    ["watch-1,s\nwatch-1,s", /f, line 2: watch-1 is there twice/],
    ["watch-1", /f, line 1: no secret/],
    ["watch-1,s,ankle", /f, line 1: the placement is one of wrist/],
  ])("%s", (csv, message) => expect(() => readCredentials(csv, "f")).toThrow(message));
});

describe("a set", () => {
  test("is played by the devices of its wearing places; broken trials are told of and the rest goes on", async () => {
    const net = await broker();
    const folder = await recordingSet(
      [
        listed("wrist", "w1", 0),
        listed("wrist", "w2", 100),
        listed("wrist", "beyond", 150),
        listed("wrist", "slow", 0, { rateHz: 3 }),
        listed("waist", "b1", 0),
        listed("chest", "c1", 0),
      ],
      { wrist: 200, waist: 100, chest: 100 },
    );
    const set = await chooseRecordings(folder, {});
    const result = await replaySet({
      set,
      credentials: [
        credential("watch-1", "wrist"),
        { ...credential("watch-2", "wrist"), secret: "?" },
        credential("belt-1", "waist"),
      ],
      url: net.url,
      clock: systemClock(20),
      pauseSeconds: 1,
    });
    expect(result).toMatchObject({ trials: 3, falls: 3, devices: 2, frames: { sent: 6, acknowledged: 6 }, seconds: 6 });
    const problems = result.problems.map(({ where, why }) => `${where}: ${why}`);
    expect(problems.filter((text) => /trial (slow|beyond)/.test(text)).length).toBe(2);
    expect(problems.filter((text) => /device watch-2: The broker refuses/.test(text)).length).toBe(1);
    expect(problems.filter((text) => /1 trials worn at the chest: no device/.test(text)).length).toBe(1);
    expect(new Set(net.frames.map(({ deviceId }) => deviceId))).toEqual(new Set(["watch-1", "belt-1"]));
  });

  test("--placement narrows to parts worn there and names parts that do not tell", async () => {
    const folder = await recordingSet([listed("wrist", "w1", 0), listed("band", "x1", 0)], { wrist: 100, band: 100 });
    const names = async (options: Parameters<typeof chooseRecordings>[1]) =>
      (await chooseRecordings(folder, options)).parts.map(({ part, placement }) => [part, placement]);
    expect(await names({})).toEqual([["wrist", "wrist"]]);
    expect(await names({ placement: "waist" })).toEqual([["band", "waist"]]);
    expect(await names({ placement: "wrist" })).toEqual([
      ["wrist", "wrist"],
      ["band", "wrist"],
    ]);
    expect(await names({ placement: "hip", part: "wrist" })).toEqual([["wrist", "hip"]]);
  });
});

test("the command plays a set and prints one JSON object", async () => {
  const net = await broker();
  const folder = await recordingSet([listed("wrist", "w1", 0)], { wrist: 100 });
  const csv = join(folder, "devices.csv");
  await writeFile(csv, `deviceId,secret\nwatch-1,${secretOf("watch-1")}\n`);
  let out = "";
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => {
    out += text;
    return true;
  }) as typeof process.stdout.write;
  try {
    const flags = ["--url", net.url, "--credentials", csv, "--speed", "20", "--pause", "0.1", "--json"];
    await replayCommand().parseAsync(["node", "replay", folder, ...flags]);
  } finally {
    process.stdout.write = write;
  }
  expect(JSON.parse(out)).toEqual({
    dataset: "made",
    trials: 1,
    falls: 1,
    devices: 1,
    frames: { sent: 2, acknowledged: 2 },
    seconds: 2,
    problems: [],
  });
});
