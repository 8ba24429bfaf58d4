import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesPublishPacket } from "aedes";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { type AccelFrame, decodeFrame, decodeJsonFrame } from "../../firmware-contracts/frame.ts";
import { HelpReport, StatusReport } from "../../firmware-contracts/reports.ts";
import { createDevice, type DeviceOptions, type SimulatedDevice } from "./device.ts";
import { samplesOf } from "./records.ts";

interface Heard {
  uplink: string;
  payload: Buffer;
  dup: boolean;
}

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A real broker. `deaf` closes the connection instead of acknowledging the next publish. */
async function broker(port = 0) {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const state = { heard, url: "", port: 0, deaf: 0, close: async () => {} };
  const aedes = await Aedes.createBroker({
    authenticate: (_client, user, password, done) => done(null, user === "watch-1" && String(password) === "secret"),
    authorizePublish(_client, packet, done) {
      if (packet.topic.endsWith("/accel") && state.deaf > 0) {
        state.deaf--;
        done(new Error("not committed"));
        return;
      }
      const { topic, payload, dup } = packet as AedesPublishPacket & { dup?: boolean };
      heard.push({ uplink: topic.split("/").slice(3).join("/"), payload: Buffer.from(payload), dup: dup === true });
      done(null);
    },
  });
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  state.port = (server.address() as AddressInfo).port;
  state.url = `mqtt://127.0.0.1:${state.port}`;
  state.close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => aedes.close(resolve));
  };
  closers.push(() => state.close());
  return state;
}

function watch(url: string, options: Partial<DeviceOptions> = {}): SimulatedDevice {
  const device = createDevice({
    clock: systemClock(),
    url,
    deviceId: "watch-1",
    secret: "secret",
    rangeG: 4,
    reconnectMs: 20,
    heartbeatMs: 0,
    ...options,
  });
  closers.push(() => device.disconnect());
  return device;
}

const samples = (count: number, value = 1000) => new Int16Array(count * 3).fill(value);
const frameOf = ({ payload }: Heard): AccelFrame => {
  const decoded = decodeFrame(payload);
  if (!decoded.ok) throw new Error(decoded.detail);
  return decoded.value;
};
const accel = (heard: Heard[]) => heard.filter(({ uplink }) => uplink === "accel").map(frameOf);
const statuses = (heard: Heard[]) =>
  heard
    .filter(({ uplink }) => uplink === "status")
    .map(({ payload }) => StatusReport.parse(JSON.parse(String(payload))));

async function until(what: () => boolean, ms = 3000): Promise<void> {
  const end = Date.now() + ms;
  while (!what()) {
    if (Date.now() > end) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("publishes a birth, frames in order and reports; its records say what was acknowledged", async () => {
  const { heard, url } = await broker();
  const device = watch(url, { heartbeatMs: 30 });
  await device.connect();
  for (let i = 0; i < 3; i++) device.publishFrame(samples(50, i * 3000), { rateHz: 50 });
  const help = await device.help();
  expect(await device.drain()).toBe(true);
  const frames = accel(heard);
  expect(frames.map((frame) => frame.sequence)).toEqual([0, 1, 2]);
  expect(frames.map((frame) => frame.samples[0])).toEqual([0, 3000, 4000]);
  expect(frames[0]).toMatchObject({ bootId: device.bootId, rateHz: 50, rangeG: 4, stored: false, clockUnset: false });
  expect(device.records.frames.every((frame) => frame.sentAt !== null && frame.ackedAt !== null)).toBe(true);
  expect(device.records.frames.map((frame) => frame.startSample)).toEqual([0, 50, 100]);
  expect(samplesOf(device.records, device.bootId, "acked").length).toBe(450);
  const pressed = heard.find(({ uplink }) => uplink === "help");
  expect(HelpReport.parse(JSON.parse(String(pressed?.payload)))).toMatchObject({ boot: device.bootId, seq: 0 });
  expect(help.ackedAt).not.toBeNull();
  await until(() => statuses(heard).length >= 2);
  expect(
    statuses(heard)
      .map(({ kind }) => kind)
      .slice(0, 2),
  ).toEqual(["birth", "heartbeat"]);
});

test("a wrong secret is refused, and said", async () => {
  const { url } = await broker();
  await expect(watch(url, { secret: "wrong" }).connect()).rejects.toThrow(/refuses watch-1/);
});

test("no broker at all is said after the time given", async () => {
  await expect(watch("mqtt://127.0.0.1:9").connect(100)).rejects.toThrow(/no broker at/);
});

test("what was not acknowledged is sent again after a reconnect, nothing is lost", async () => {
  const net = await broker();
  const device = watch(net.url);
  await device.connect();
  net.deaf = 2;
  for (let i = 0; i < 5; i++) device.publishFrame(samples(50), { rateHz: 50 });
  expect(await device.drain()).toBe(true);
  expect(device.records.frames.every((frame) => frame.ackedAt !== null)).toBe(true);
  expect([...new Set(accel(net.heard).map((frame) => frame.sequence))]).toEqual([0, 1, 2, 3, 4]);
  expect(net.heard.some(({ uplink, dup }) => uplink === "accel" && dup)).toBe(true);
});

test("frames of a time without network are kept, sent later as stored, and say how old they are; a press goes first", async () => {
  const net = await broker();
  const device = watch(net.url);
  await device.connect();
  await device.heartbeat();
  device.loseNetwork();
  await until(() => !device.connected);
  device.publishFrame(samples(50), { rateHz: 50 });
  device.publishFrame(samples(50), { rateHz: 50, stored: true });
  const pressed = device.help();
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(accel(net.heard)).toEqual([]);
  device.restoreNetwork();
  await pressed;
  expect(await device.drain()).toBe(true);
  expect(accel(net.heard).every((frame) => frame.stored && frame.ageMs >= 150 && frame.ageMs < 2000)).toBe(true);
  const order = net.heard.map(({ uplink }) => uplink);
  expect(order.indexOf("help")).toBeLessThan(order.indexOf("accel"));
  await until(() => statuses(net.heard).some(({ kind }) => kind === "will"));
});

test("the broker may go away and come back", async () => {
  const net = await broker();
  const device = watch(net.url);
  await device.connect();
  await net.close();
  await until(() => !device.connected);
  device.publishFrame(samples(50), { rateHz: 50 });
  const again = await broker(net.port);
  expect(await device.drain()).toBe(true);
  expect(accel(again.heard).map((frame) => frame.sequence)).toEqual([0]);
});

test("a reboot takes a new boot id, starts at sequence 0 and forgets what was not acknowledged", async () => {
  const net = await broker();
  const ids = [7, 8];
  const device = watch(net.url, { newBootId: () => ids.shift() ?? 9 });
  await device.connect();
  device.publishFrame(samples(50), { rateHz: 50 });
  await device.drain();
  device.loseNetwork();
  device.publishFrame(samples(50), { rateHz: 50 });
  const lostPress = device.help();
  await Promise.all([expect(lostPress).rejects.toThrow(/lost its power/), device.reboot()]);
  device.publishFrame(samples(50), { rateHz: 50 });
  await device.drain();
  expect(accel(net.heard).map(({ bootId, sequence }) => [bootId, sequence])).toEqual([
    [7, 0],
    [8, 0],
  ]);
  expect(device.records.frames.map(({ bootId, ackedAt }) => [bootId, ackedAt !== null])).toEqual([
    [7, true],
    [7, false],
    [8, true],
  ]);
  expect(
    statuses(net.heard)
      .filter(({ kind }) => kind === "birth")
      .map(({ boot }) => boot),
  ).toEqual([7, 8]);
});

test("clocks can be wrong: unset, in 1970, or an hour ahead", async () => {
  const net = await broker();
  const seen: AccelFrame[] = [];
  for (const clockError of ["unset", "1970", 3_600_000] as const) {
    const device = watch(net.url, { clockError });
    await device.connect();
    await new Promise((resolve) => setTimeout(resolve, 50));
    device.publishFrame(samples(1), { rateHz: 50 });
    await device.drain();
    await device.disconnect();
    seen.push(...accel(net.heard.splice(0)));
  }
  expect(seen.map(({ clockUnset }) => clockUnset)).toEqual([true, false, false]);
  expect(seen[0]!.deviceTimeMs).toBeLessThan(10_000);
  expect(seen[1]!.deviceTimeMs).toBeLessThan(10_000);
  expect(seen[2]!.deviceTimeMs - Date.now()).toBeGreaterThan(3_500_000);
});

test("JSON frames carry the same samples", async () => {
  const net = await broker();
  const device = watch(net.url, { format: "json" });
  await device.connect();
  const record = device.publishFrame(Int16Array.from([1, -2, 3, 4, 5, -6]), { rateHz: 50 });
  await device.drain();
  const decoded = decodeJsonFrame(net.heard.find(({ uplink }) => uplink === "accel-json")!.payload);
  expect(decoded).toMatchObject({ ok: true, value: { samples: record.samples, sequence: 0, rangeG: 4 } });
});

test("a full store drops the oldest frames and counts them", async () => {
  const device = watch("mqtt://127.0.0.1:9");
  for (let i = 0; i < 605; i++) device.publishFrame(samples(1), { rateHz: 50 });
  expect([device.pending, device.dropped]).toEqual([600, 5]);
});
