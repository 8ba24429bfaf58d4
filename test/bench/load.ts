import type { Socket } from "node:net";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { readTrials, shareOut } from "./frames.ts";
import { type Frames, type LoadAnswer, type LoadOrder, type Prepared, type RunResult, tell } from "./messages.ts";
import { disconnectPacket, pubackLength, subscribePacket } from "./packets.ts";
import { cpuSeconds } from "./process-figures.ts";
import {
  deviceName,
  openConnection,
  openPublisher,
  type Publisher,
  recordTape,
  type Tape,
  type Target,
} from "./publisher.ts";

// The load, in a process of its own: the same one for every server. Argument: the secret of all devices.
const [secret = ""] = process.argv.slice(2);
const clock = systemClock();
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
/** Connections that are opened side by side. */
const openAtOnce = 100;

let tapes: Record<Frames, Tape[]> = { daily: [], quiet: [] };
let quietest: Int16Array[] = [];
let rateHz = 0;
let rangeG = 0;
let held: Socket[] = [];

async function prepare(order: Extract<LoadOrder, { kind: "prepare" }>): Promise<Prepared> {
  const { placement, daily, quiet, ...rest } = shareOut(await readTrials(order.source), order.publishers);
  ({ rateHz, rangeG } = rest);
  quietest = quiet[0]!;
  const record = (lists: Int16Array[][]) => lists.map((list, i) => recordTape(deviceName(i), list, rateHz, rangeG));
  tapes = { daily: record(daily), quiet: record(quiet) };
  const total = (lists: Int16Array[][]) => lists.reduce((sum, list) => sum + list.length, 0);
  const packetBytes = tapes.daily[0]!.packetLength;
  return { rateHz, placement, packetBytes, dailySeconds: total(daily), quietSeconds: total(quiet) };
}

async function run(order: Extract<LoadOrder, { kind: "run" }>): Promise<RunResult> {
  const target = { port: order.port, secret };
  const subscriber = order.hasSubscriber ? await openSubscriber(order.port) : null;
  const publishers = await Promise.all(
    tapes[order.frames].map((tape) => openPublisher(target, tape, order.window, order.bootId)),
  );
  for (const publisher of publishers) publisher.start();
  await sleep(order.warmMs);
  const from = reading(publishers, order.pid, subscriber);
  await sleep(order.measureMs);
  const to = reading(publishers, order.pid, subscriber);
  await Promise.all(publishers.map((publisher) => publisher.finish()));
  await subscriber?.close();
  const messages = to.messages - from.messages;
  const packetBytes = tapes[order.frames][0]!.packetLength;
  return {
    messages,
    seconds: (to.at - from.at) / 1000,
    serverCpuSeconds: to.server - from.server,
    loadCpuSeconds: to.load - from.load,
    // At QoS 0 a message has no packet id: two bytes less.
    delivered: subscriber ? (to.delivered - from.delivered) / (packetBytes - 2) / messages : null,
  };
}

function reading(publishers: readonly Publisher[], pid: number, subscriber: { bytes(): number } | null) {
  return {
    at: clock.monotonicNow(),
    messages: publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    server: cpuSeconds(pid),
    load: cpuSeconds(process.pid),
    delivered: subscriber?.bytes() ?? 0,
  };
}

async function openSubscriber(port: number) {
  const socket = await openConnection({ port, secret }, "bench-subscriber");
  let bytes = 0;
  const subscribed = new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.write(subscribePacket());
  await subscribed;
  return {
    bytes: () => bytes,
    /** Once nothing more comes: aedes' emitter overflows the stack where the only subscriber leaves a long queue behind. */
    async close(): Promise<void> {
      for (let before = -1, tries = 0; before !== bytes && tries < 50; tries++) {
        before = bytes;
        await sleep(200);
      }
      socket.end(disconnectPacket);
    },
  };
}

async function hold(order: Extract<LoadOrder, { kind: "hold" }>): Promise<null> {
  const target = { port: order.port, secret };
  for (let i = held.length; i < order.connections; i += openAtOnce) {
    const names = Array.from({ length: Math.min(openAtOnce, order.connections - i) }, (_, k) => deviceName(i + k));
    held.push(...(await Promise.all(names.map((name) => openHeld(target, name, order.frames)))));
  }
  return null;
}

/** A connection on which, once some frames were acknowledged, nothing happens any more. */
async function openHeld(target: Target, deviceId: string, frames: number): Promise<Socket> {
  const socket = await openConnection(target, deviceId);
  if (frames > 0) {
    let left = frames * pubackLength;
    const acknowledged = new Promise<void>((resolve, reject) => {
      socket.once("close", () => reject(new Error(`${deviceId}: the connection was lost`)));
      socket.on("data", (chunk: Buffer) => {
        left -= chunk.length;
        if (left === 0) resolve();
      });
    });
    socket.write(recordTape(deviceId, quietest.slice(0, frames), rateHz, rangeG).bytes);
    await acknowledged;
  }
  return socket;
}

async function letGo(): Promise<null> {
  const closed = held.map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
  for (const socket of held) socket.destroy();
  held = [];
  await Promise.all(closed);
  return null;
}

async function follow(order: LoadOrder): Promise<LoadAnswer> {
  switch (order.kind) {
    case "prepare":
      return { ok: true, value: await prepare(order) };
    case "run":
      return { ok: true, value: await run(order) };
    case "hold":
      return { ok: true, value: await hold(order) };
    case "let-go":
      return { ok: true, value: await letGo() };
  }
}

process.on("disconnect", () => process.exit(0));
process.on("message", (order: LoadOrder) => {
  follow(order).then(tell, (error: unknown) =>
    tell({ ok: false, why: error instanceof Error ? error.message : String(error) }),
  );
});
