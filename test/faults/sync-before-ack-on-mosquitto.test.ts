import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { decodeFrame } from "../../firmware-contracts/frame.ts";
import { decodeRecords, encodeRecords } from "../../gateway/stream/journal-format.ts";
import type { PhoneNetwork } from "../../simulators/phone-network/network.ts";
import { createMosquitto, type OwnMosquitto } from "../services/mosquitto.ts";
import { lacks } from "../services/needs.ts";
import { impactFrame, scriptFall } from "./fall-script.ts";
import { holdsWithin, isPaged, openPhones, prepareService, type ServiceProcess } from "./service-process.ts";
import { extent, isSync, pubacksIn, readCalls, strace } from "./strace.ts";

const skipped = lacks("strace") || lacks("mosquitto");
const clock = systemClock();
const journalFile = "gateway/journal/0000000001.journal";
const outbox = "gateway/gateway.sqlite-wal";
let network: PhoneNetwork;
let folder: string;
let mosquitto: OwnMosquitto;
let service: ServiceProcess;

beforeAll(async () => {
  if (skipped) return;
  network = await openPhones(clock);
  folder = mkdtempSync(join(tmpdir(), "fallvakt-sync-"));
  mosquitto = await createMosquitto(folder);
  await mosquitto.start();
  service = await prepareService(network, { mosquitto });
});
afterAll(async () => {
  if (skipped) return;
  await service.close();
  await mosquitto.kill();
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(skipped)(
  "the gateway acknowledges to the broker when a frame's sync, and a help call's, has returned, and not before (needs strace, mosquitto)",
  { timeout: 60_000 },
  async () => {
    const belt = await service.addDevice("belt-1", "38");
    const button = await service.addDevice("button-1", "54");
    const log = join(folder, "strace");
    // On a disk so slow that an acknowledgement which does not wait for it is seen to come first.
    expect(await service.start(strace(log, ["fdatasync:delay_enter=50000"]))).toBe(true);
    await service.follows(2);
    await Promise.all([belt.connect(), button.connect()]);
    const fall = scriptFall(belt, clock.wallNow());
    fall.sendLead();
    while (fall.sendNext());
    expect(await holdsWithin(20_000, () => isPaged(network, "38"))).toBe(true);
    await button.help();
    expect(await holdsWithin(20_000, () => isPaged(network, "54"))).toBe(true);
    await service.kill();

    const calls = readCalls(log);
    const acks = calls.flatMap((call, index) =>
      Array.from({ length: pubacksIn(call) }, () => ({ on: call.on, index })),
    );
    const sessions = Object.values(Object.groupBy(acks, ({ on }) => on)).map((list = []) =>
      list.map((ack) => ack.index),
    );
    // One session has the frames and nothing else, the other two births and the press.
    const ofFrames = sessions.find((list) => list.length === belt.records.frames.length) ?? [];
    const ofReports = sessions.find((list) => list.length === 3) ?? [];
    expect(sessions).toHaveLength(2);

    const { records } = decodeRecords(readFileSync(join(service.dataDir, journalFile)));
    const frames = records.filter(({ kind }) => kind === "frame").map(({ bytes }) => decodeFrame(bytes));
    const at = frames.findIndex((frame) => frame.ok && frame.value.sequence === impactFrame);
    const end = encodeRecords(records.slice(0, at + 1)).length;
    expect(at).toBeGreaterThanOrEqual(0);
    expect(extent(calls.slice(0, ofFrames[impactFrame]), journalFile).synced).toBeGreaterThanOrEqual(end);

    const [, born = 0, pressed = 0] = ofReports;
    expect(calls.slice(born, pressed).some((call) => isSync(call) && call.on.endsWith(outbox))).toBe(true);
    const { written, synced } = extent(calls.slice(0, pressed), outbox);
    expect(synced).toBe(written);
  },
);
