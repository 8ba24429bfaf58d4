import { loadClassifier } from "../../detector/classifier/classifier.ts";
import { defaultSource, readTrials, type Source } from "./frames.ts";
import { type JournaledShare, journaledShare } from "./journaled-share.ts";
import { type MemoryRow, measureMemory } from "./memory.ts";
import type { Frames, Prepared, RunResult } from "./messages.ts";
import {
  findMosquitto,
  type Load,
  type Server,
  startAedes,
  startGateway,
  startLoad,
  startMosquitto,
} from "./servers.ts";

export interface Settings {
  source?: Source;
  publishers: number;
  window: number;
  rounds: number;
  seconds: number;
  warmSeconds: number;
  connections: number[];
  /** How long a server is left alone before its memory is read. */
  settleSeconds: number;
  /** Measure the share of frames journaled. */
  share: boolean;
  folder?: string;
  profile?: string;
  secret: string;
}

interface Case {
  server: Server;
  frames: Frames;
  hasSubscriber: boolean;
}

/** Medians over the rounds. */
export interface Row {
  name: string;
  messagesPerSecond: number;
  /** Of each round, in their order. */
  rounds: number[];
  cpuSecondsPer100k: number;
  /** Cores' worth of CPU that the load itself took: near 1 it would be what is measured. */
  loadCores: number;
  /** Of 1: what the subscriber was sent; null without one. */
  delivered: number | null;
  /** Of 1: frames journaled before their acknowledgement; null but for the gateway. */
  journaled: number | null;
  /** Falls told, over all rounds; null but for the gateway. */
  detections: number | null;
}

export interface Result {
  load: Prepared & { source: Source; publishers: number; window: number; rounds: number; seconds: number };
  node: string;
  classifier: string;
  rows: Row[];
  ratio: number;
  /** The same by CPU: aedes' CPU a message to ours. It hardly depends on what else the machine does. */
  ratioByCpu: number;
  /** The ratio of frames that open no gate. */
  quietRatio: number;
  shares: Record<string, JournaledShare>;
  memory: MemoryRow[];
  notes: string[];
}

export type Say = (line: string) => void;

const names = {
  aedes: "aedes, no subscriber",
  aedesOne: "aedes, one subscriber",
  mosquitto: "Mosquitto, one subscriber",
  gateway: "gateway, daily life",
  quiet: "gateway, quiet frames only",
} as const;

/** Runs the whole benchmark. Everything it starts has ended when it returns or throws. */
export async function measure(settings: Settings, say: Say): Promise<Result> {
  const source = settings.source ?? defaultSource();
  const notes: string[] = [];
  const program = findMosquitto();
  if (!program) notes.push("Mosquitto is not installed: its rows are left out");
  const load = startLoad(settings.secret);
  const servers: Server[] = [];
  try {
    say(`frames of ${source} …`);
    const prepared = await load.prepare({ source, publishers: settings.publishers });
    const start = async <S extends Server>(server: Promise<S>): Promise<S> => {
      servers.push(await server);
      return server;
    };
    const gatewayOptions = {
      devices: settings.publishers,
      placement: prepared.placement,
      secret: settings.secret,
      folder: settings.folder,
      profileFolder: settings.profile,
    };
    const gateway = await start(startGateway({ ...gatewayOptions, name: names.gateway }));
    const cases: Case[] = [
      { server: await start(startAedes(names.aedes)), frames: "daily", hasSubscriber: false },
      { server: await start(startAedes(names.aedesOne)), frames: "daily", hasSubscriber: true },
      { server: gateway, frames: "daily", hasSubscriber: false },
      {
        server: await start(startGateway({ ...gatewayOptions, name: names.quiet })),
        frames: "quiet",
        hasSubscriber: false,
      },
    ];
    if (program) {
      const server = await start(startMosquitto(names.mosquitto, program));
      cases.splice(2, 0, { server, frames: "daily", hasSubscriber: true });
    }
    const rows = await alternate(cases, load, settings, say);
    for (const server of servers.splice(0)) await server.close();

    const shares = settings.share ? await measureShares(source, say, notes) : {};
    const { secret, connections, folder, settleSeconds } = settings;
    const memory = await measureMemory({
      load,
      connections,
      secret,
      folder,
      placement: prepared.placement,
      program,
      settleSeconds,
      say,
    });
    const row = (name: string) => rows.find((one) => one.name === name)!;
    const { publishers, window, rounds, seconds } = settings;
    return {
      load: { ...prepared, source, publishers, window, rounds, seconds },
      node: process.version,
      classifier: gateway.backend,
      rows,
      ratio: row(names.gateway).messagesPerSecond / row(names.aedes).messagesPerSecond,
      ratioByCpu: row(names.aedes).cpuSecondsPer100k / row(names.gateway).cpuSecondsPer100k,
      quietRatio: row(names.quiet).messagesPerSecond / row(names.aedes).messagesPerSecond,
      shares,
      memory,
      notes,
    };
  } finally {
    load.close();
    for (const server of servers) await server.close().catch(() => {});
  }
}

/** Each server in turn, beginning with another one each round; one round that does not count goes before. */
async function alternate(cases: readonly Case[], load: Load, settings: Settings, say: Say): Promise<Row[]> {
  const runs = new Map<Case, RunResult[]>(cases.map((one) => [one, []]));
  const before = new Map<Case, Record<string, number> | null>();
  for (let round = 0; round <= settings.rounds; round++) {
    for (let turn = 0; turn < cases.length; turn++) {
      const one = cases[(turn + round) % cases.length]!;
      const { server, frames, hasSubscriber } = one;
      const result = await load.run({
        port: server.port,
        pid: server.pid,
        frames,
        hasSubscriber,
        window: settings.window,
        bootId: round + 1,
        warmMs: settings.warmSeconds * 1000,
        measureMs: settings.seconds * 1000,
      });
      const speed = Math.round(result.messages / result.seconds).toLocaleString("en");
      say(`${round === 0 ? "warm-up" : `round ${round} of ${settings.rounds}`}: ${server.name}: ${speed} a second`);
      if (round === 0) before.set(one, await server.counters());
      else runs.get(one)!.push(result);
    }
  }
  return Promise.all(
    cases.map(async (one) =>
      rowOf(one.server.name, runs.get(one)!, before.get(one) ?? null, await one.server.counters()),
    ),
  );
}

function rowOf(
  name: string,
  runs: readonly RunResult[],
  before: Record<string, number> | null,
  after: Record<string, number> | null,
): Row {
  const counted = (counter: string) => (after?.[counter] ?? 0) - (before?.[counter] ?? 0);
  const speeds = runs.map(({ messages, seconds }) => messages / seconds);
  return {
    name,
    messagesPerSecond: median(speeds),
    rounds: speeds.map(Math.round),
    cpuSecondsPer100k: median(runs.map(({ serverCpuSeconds, messages }) => (serverCpuSeconds / messages) * 100_000)),
    loadCores: median(runs.map(({ loadCpuSeconds, seconds }) => loadCpuSeconds / seconds)),
    delivered: runs[0]!.delivered === null ? null : median(runs.map(({ delivered }) => delivered ?? 0)),
    journaled: after ? counted("frames.journaled") / counted("publish.received") : null,
    detections: after ? counted("detections.fall") : null,
  };
}

async function measureShares(played: Source, say: Say, notes: string[]): Promise<Record<string, JournaledShare>> {
  const shares: Record<string, JournaledShare> = {};
  const classifier = await loadClassifier({ backend: "auto" });
  const wanted: Source[] = process.env.FALLVAKT_RECORDINGS ? ["stress-predict", "sisfall"] : ["generated"];
  if (!process.env.FALLVAKT_RECORDINGS)
    notes.push("FALLVAKT_RECORDINGS is not set: generated trials stand for recordings");
  for (const source of new Set([...wanted, played])) {
    say(`share of frames journaled: ${source} …`);
    const trials = await readTrials(source).catch((error: Error) => {
      notes.push(`${source}: ${error.message}`);
      return [];
    });
    const daily = trials.filter(({ label }) => label === "adl");
    if (daily.length > 0) shares[`${source}, daily life`] = await journaledShare(daily, classifier);
    if (trials.length > daily.length) shares[`${source}, falls too`] = await journaledShare(trials, classifier);
  }
  classifier.dispose();
  return shares;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
