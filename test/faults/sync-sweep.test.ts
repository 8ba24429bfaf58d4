import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { decodeFrame } from "../../firmware-contracts/frame.ts";
import { decodeRecords, encodeRecords, type JournalRecord } from "../../gateway/stream/journal-format.ts";
import type { SimulatedDevice } from "../../simulators/device/device.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { lacks } from "../services/needs.ts";
import { impactFrame, scriptFall } from "./fall-script.ts";
import { holdsWithin, isPaged, openPhones, prepareService, type ServiceProcess } from "./service-process.ts";
import { type Call, cutPower, extent, isSync, pubacksIn, readCalls, strace } from "./strace.ts";

const clock = systemClock();
/** No further point of a sweep is begun after this, ms, once enough were reached: what was left out is printed. Both sweeps, the dry run and the rest are through within 90 s. */
const killSweepMs = 55_000;
const errorSweepMs = 12_000;
/** A device that falls silent in the middle of a fall is waited for by the detector for some 20 s. */
const pageMs = 45_000;
const journalFile = "gateway/journal/0000000001.journal";
let network: PhoneNetwork;

beforeAll(async () => {
  network = await openPhones(clock);
});
afterAll(() => network.close());

function sizesBelow(folder: string): Map<string, number> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(names.map((name) => [join(folder, name), statSync(join(folder, name)).size]));
}

interface Scene {
  service: ServiceProcess;
  belt: SimulatedDevice;
  button: SimulatedDevice;
  log: string;
  /** Keys of the dwellings: of who falls, and of who presses. */
  keys: [string, string];
  before: Map<string, number>;
  isBeltGone: boolean;
}

let scenes = 0;

/** A registered belt and a registered button, each in a dwelling of its own; nothing runs yet. */
async function setScene(): Promise<Scene> {
  const number = ++scenes;
  const service = await prepareService(network);
  const keys: Scene["keys"] = [`F${number}`, `H${number}`];
  const belt = await service.addDevice(`belt-${number}`, keys[0]);
  const button = await service.addDevice(`button-${number}`, keys[1]);
  const before = sizesBelow(service.dataDir);
  return { service, belt, button, keys, log: join(service.folder, "strace"), before, isBeltGone: false };
}

/**
 * The scripted fall and the press, each step after the acknowledgement of the one before. Devices find the service by themselves when it is there again,
 * and send again what was not acknowledged.
 */
async function play(scene: Scene, stopped: AbortSignal): Promise<void> {
  const { belt, button } = scene;
  const acknowledged = (is: () => boolean) => holdsWithin(60_000, () => stopped.aborted || is());
  void button.connect(60_000).catch(() => {});
  await belt.connect(60_000);
  const fall = scriptFall(belt, clock.wallNow());
  fall.sendLead();
  for (let sent = fall.sendNext(); sent && !stopped.aborted; sent = fall.sendNext()) {
    const { sequence } = sent;
    // A belt whose fall was acknowledged before the kill does not come back.
    await acknowledged(() => belt.records.frames[sequence]?.ackedAt !== null || scene.isBeltGone);
    if (scene.isBeltGone) break;
  }
  void button.help().catch(() => {});
  await acknowledged(() => button.records.reports[0]?.ackedAt !== null);
}

const isFallAcknowledged = ({ belt }: Scene) => typeof belt.records.frames[impactFrame]?.ackedAt === "number";
const isPressAcknowledged = ({ button }: Scene) => typeof button.records.reports[0]?.ackedAt === "number";

interface Point {
  name: string;
  /** For strace's `inject`; none: killed from outside. */
  fault: string | null;
  /** The file, below the data folder, whose calls the fault is counted in; null where a thread's own calls count. */
  only: string | null;
  /** When it is killed from outside: at an acknowledgement. */
  killAt: "fall" | "press" | null;
  /** After the kill what was not synced is taken away. */
  powerCut: boolean;
}

const pathOf = ({ only }: Point, { service }: Scene) => (only === null ? undefined : join(service.dataDir, only));

interface Outcome {
  tried: number;
  /** Points whose fault did not come, because the service did fewer syncs this time. */
  unreached: number;
  wrong: string[];
}

/** Kills the service at the point, starts it again and waits for the pages; returns what went wrong. */
async function tryKill(point: Point, outcome: Outcome): Promise<void> {
  const scene = await setScene();
  const { service, belt, button, log, before, keys } = scene;
  const stopped = new AbortController();
  try {
    await service.start(strace(log, point.fault ? [point.fault] : [], pathOf(point, scene)));
    const playing = play(scene, stopped.signal).catch(() => {});
    const isDue = () => (point.killAt === "fall" ? isFallAcknowledged(scene) : isPressAcknowledged(scene));
    if (point.killAt) await holdsWithin(20_000, isDue);
    // Pages are sent after the last acknowledgement, with syncs of their own.
    else await Promise.race([service.gone, playing.then(() => holdsWithin(500, () => !service.running))]);
    if (point.fault && service.running) outcome.unreached++;
    await service.kill();
    // Whose alarm was acknowledged is gone for good; the other sends again.
    if (isFallAcknowledged(scene)) {
      scene.isBeltGone = true;
      await belt.disconnect();
    }
    if (isPressAcknowledged(scene)) await button.disconnect();
    if (point.powerCut) cutPower(log, service.dataDir, before);
    if (await service.start()) {
      await holdsWithin(pageMs, () => keys.every((key) => isPaged(network, key)));
      judge(scene, point, outcome);
    } else outcome.wrong.push(`${point.name}: does not start again: ${service.errors}`);
  } finally {
    stopped.abort();
    await service.close();
  }
}

/** One sync of the running service fails: nothing is started again, and both alarms are paged. */
async function tryError(point: Point, outcome: Outcome): Promise<void> {
  const scene = await setScene();
  const { service, keys } = scene;
  const stopped = new AbortController();
  try {
    const isUp = await service.start(strace(scene.log, point.fault ? [point.fault] : [], pathOf(point, scene)));
    const playing = play(scene, stopped.signal).catch(() => {});
    await holdsWithin(pageMs, () => !service.running || keys.every((key) => isPaged(network, key)));
    if (!isUp || !service.running) outcome.wrong.push(`${point.name}: ended: ${service.errors}`);
    else judge(scene, point, outcome);
    await Promise.race([playing, holdsWithin(3000, () => isPressAcknowledged(scene))]);
    if (!isFallAcknowledged(scene)) outcome.wrong.push(`${point.name}: the fall is not acknowledged afterwards`);
    const wasHit = readCalls(scene.log).some((call) => call.text.includes("(INJECTED)"));
    if (!wasHit) outcome.unreached++;
  } finally {
    stopped.abort();
    await service.close();
  }
}

function judge({ service, keys }: Scene, { name }: Point, { wrong }: Outcome): void {
  for (const key of keys) if (!isPaged(network, key)) wrong.push(`${name}: ${key} is not paged`);
  const episodes = new Set(service.detections().map(({ episodeId }) => episodeId)).size;
  if (episodes !== 2) wrong.push(`${name}: ${episodes} episodes for two alarms`);
}

/** Tries the points, two at a time, until `ms` have passed and `enough` were reached: a slow machine takes longer. */
async function sweep(points: readonly Point[], one: typeof tryKill, ms: number, enough: number): Promise<Outcome> {
  const end = performance.now() + ms;
  const outcome: Outcome = { tried: 0, unreached: 0, wrong: [] };
  const lane = async () => {
    for (;;) {
      const point = points[outcome.tried];
      if (!point || (performance.now() > end && outcome.tried - outcome.unreached >= enough)) return;
      outcome.tried++;
      await one(point, outcome);
    }
  };
  await Promise.all([lane(), lane()]);
  const { tried, unreached } = outcome;
  console.info(`${points.length} points, ${tried} tried, ${tried - unreached} reached`);
  return outcome;
}

/** A sync of the dry run: the Nth of its name on its file, and of its thread. */
interface NthSync {
  name: Call["name"];
  /** Below the data folder. */
  path: string;
  ofFile: number;
  ofThread: number;
}

/** The syncs from the call `from` on, from the last to the first: where time runs out, it is the beginning of a start that was left out. */
function nthSyncs(calls: readonly Call[], folder: string, from: number): NthSync[] {
  const counts = new Map<string, number>();
  const count = (key: string) => {
    const n = (counts.get(key) ?? 0) + 1;
    counts.set(key, n);
    return n;
  };
  const syncs = calls.flatMap((call, index) => {
    if (!isSync(call)) return [];
    const { name, on, thread } = call;
    const nth = {
      name,
      path: relative(folder, on),
      ofFile: count(`${name} ${on}`),
      ofThread: count(`${name} ${thread}`),
    };
    return index >= from ? [nth] : [];
  });
  return syncs.reverse();
}

describe.skipIf(lacks("strace"))("the true service, at each of its syncs (needs strace)", () => {
  let calls: Call[] = [];
  let folder = "";
  let button = "";
  let outboxFiles: { main: Buffer; wal: Buffer };
  let journaled: JournalRecord[] = [];

  // The script without a fault, on a disk so slow that a PUBACK which does not wait for it is seen to come first.
  beforeAll(async () => {
    const scene = await setScene();
    const { service, keys } = scene;
    expect(await service.start(strace(scene.log, ["fdatasync:delay_enter=50000"]))).toBe(true);
    await play(scene, new AbortController().signal);
    await holdsWithin(5000, () => keys.every((key) => isPaged(network, key)));
    await service.kill();
    calls = readCalls(scene.log);
    folder = service.dataDir;
    button = `button-${scenes}`;
    const [main, wal] = ["gateway/gateway.sqlite", "gateway/gateway.sqlite-wal"].map((file) =>
      readFileSync(join(folder, file)),
    );
    outboxFiles = { main: main!, wal: wal! };
    journaled = decodeRecords(readFileSync(join(service.dataDir, journalFile))).records;
    await service.close();
  });

  /** PUBACKs of the belt and of the button, each as the index of the call that wrote it: the button's last are of its birth and of the press. */
  function pubacks(): { ofBelt: number[]; ofButton: number[] } {
    const bySocket = Object.values(
      Object.groupBy(
        calls.flatMap((call, index) => Array.from({ length: pubacksIn(call) }, () => ({ socket: call.on, index }))),
        ({ socket }) => socket,
      ),
    ).map((list = []) => list.map(({ index }) => index));
    // On a slow machine the button may have come twice, and been born twice.
    const [ofBelt = [], ...others] = bySocket.sort((a, b) => b.length - a.length);
    return { ofBelt, ofButton: others.flat().sort((a, b) => a - b) };
  }

  test("a frame's sync has returned before the bytes of its PUBACK are written, and so for a help call", () => {
    const { ofBelt, ofButton } = pubacks();
    expect(ofButton.length).toBeGreaterThanOrEqual(2);
    const frames = journaled.filter(({ kind }) => kind === "frame").map(({ bytes }) => decodeFrame(bytes));
    const at = frames.findIndex((frame) => frame.ok && frame.value.sequence === impactFrame);
    expect(at).toBeGreaterThanOrEqual(0);
    const end = encodeRecords(journaled.slice(0, at + 1)).length;
    // The belt's birth has the first PUBACK.
    const impactAcked = ofBelt[1 + impactFrame] ?? 0;
    expect(extent(calls.slice(0, impactAcked), journalFile).synced).toBeGreaterThanOrEqual(end);
    const [bornAt = 0, pressedAt = 0] = ofButton.slice(-2);
    const outbox = "gateway/gateway.sqlite-wal";
    expect(calls.slice(bornAt, pressedAt).some((call) => isSync(call) && call.on.endsWith(outbox))).toBe(true);
    // What others wrote meanwhile may wait for its own sync: what a power cut would leave at this moment holds the press.
    const { synced } = extent(calls.slice(0, pressedAt), outbox);
    expect(held(synced)).toContainEqual(expect.objectContaining({ kind: "help", deviceId: button }));
    const bornWith = extent(calls.slice(0, bornAt), outbox).synced;
    expect(held(bornWith)).not.toContainEqual(expect.objectContaining({ kind: "help" }));
  });

  /** Detections in the outbox as so many bytes of its write-ahead log tell. */
  function held(bytesOfWal: number): unknown[] {
    const copy = mkdtempSync(join(tmpdir(), "fallvakt-outbox-"));
    try {
      writeFileSync(join(copy, "gateway.sqlite"), outboxFiles.main);
      writeFileSync(join(copy, "gateway.sqlite-wal"), outboxFiles.wal.subarray(0, bytesOfWal));
      const db = new DatabaseSync(join(copy, "gateway.sqlite"));
      const rows = db.prepare("SELECT body FROM detection WHERE deliveredAt IS NULL").all();
      db.close();
      return rows.map(({ body }) => JSON.parse(String(body)));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  test("the power is cut as soon as an alarm is acknowledged: it is paged", { timeout: 120_000 }, async () => {
    const points = (["fall", "press"] as const).map((killAt) => ({
      name: `power cut at the acknowledgement of the ${killAt}`,
      fault: null,
      only: null,
      killAt,
      powerCut: true,
    }));
    expect((await sweep(points, tryKill, killSweepMs, points.length)).wrong).toEqual([]);
  });

  test("killed at each Nth sync, every second time with what was not synced taken away: both alarms are paged", {
    timeout: 200_000,
  }, async () => {
    // For a power cut all that is written must be in the log, and then strace counts by thread.
    const points = nthSyncs(calls, folder, 0).map(({ name, path, ofFile, ofThread }, i) => {
      const powerCut = i % 2 === 1;
      const fault = `${name}:signal=KILL:when=${powerCut ? ofThread : ofFile}`;
      const only = powerCut ? null : path;
      return { name: `${fault} of ${only ?? "a thread"}`, fault, only, killAt: null, powerCut };
    });
    const files = points.map(({ only }) => only);
    for (const file of [journalFile, "gateway/gateway.sqlite-wal", "alerting/alerting.db-wal"]) {
      expect(files).toContain(file);
    }
    const { tried, unreached, wrong } = await sweep(points, tryKill, killSweepMs, 13);
    expect(wrong).toEqual([]);
    expect(tried - unreached).toBeGreaterThan(10);
  });

  test("an Nth sync that fails with ENOSPC costs no alarm, and no restart", { timeout: 120_000 }, async () => {
    const running = pubacks().ofBelt[0] ?? 0;
    const all = nthSyncs(calls, folder, running);
    // The journal's first, then others spread evenly.
    const points = [
      ...all.filter(({ name }) => name === "fdatasync"),
      ...spread(all.filter((one) => one.name === "fsync")),
    ];
    const { tried, unreached, wrong } = await sweep(
      points.map(({ name, path, ofFile }) => {
        const fault = `${name}:error=ENOSPC:when=${ofFile}`;
        return { name: `${fault} of ${path}`, fault, only: path, killAt: null, powerCut: false };
      }),
      tryError,
      errorSweepMs,
      5,
    );
    expect(wrong).toEqual([]);
    expect(tried - unreached).toBeGreaterThan(3);
  });
});

/** Every third, then the rest. */
function spread<T>(list: readonly T[]): T[] {
  return [...list.filter((_, i) => i % 3 === 0), ...list.filter((_, i) => i % 3 !== 0)];
}
