import { randomInt } from "node:crypto";
import type { WallMs } from "../../firmware-contracts/clock.ts";
import { maxFrameSamples } from "../../firmware-contracts/frame.ts";
import type { CancelReport, HelpReport, PresenceReport, StatusReport } from "../../firmware-contracts/reports.ts";
import { type Uplink, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { type Connection, openConnection } from "./connection.ts";
import { deviceTime } from "./device-clock.ts";
import { framePayload } from "./payload.ts";
import type { FrameRecord, ReportRecord } from "./records.ts";
import type { DeviceOptions, FrameOptions, SimulatedDevice } from "./simulated-device.ts";

export type { DeviceOptions, FrameOptions, SimulatedDevice } from "./simulated-device.ts";

/** Frames a device keeps for want of a network: ten minutes of frames of one second. */
const maxStored = 600;
/** Time for a broker to be there and to acknowledge, ms of the clock: at speed 8 it is 15 s of the machine's. */
const defaultTimeoutMs = 120_000;
/** Publishes that wait for their PUBACK at one time. */
const maxInFlight = 16;

interface Waiting {
  uplink: Uplink;
  frame: FrameRecord | null;
  /** Made only when the item is handed to the network, so that its age is right. */
  payload(now: WallMs): Uint8Array | string;
  sent(now: WallMs): void;
  acked(now: WallMs): void;
  failed(error: unknown): void;
}

/** Makes a device. It does nothing until `connect`, except that frames are kept from the first on. */
export function createDevice(options: DeviceOptions): SimulatedDevice {
  const { clock, deviceId, rangeG } = options;
  const clockError = options.clockError ?? "right";
  const newBootId = options.newBootId ?? (() => randomInt(1, 0xffff_ffff));
  const frames: FrameRecord[] = [];
  const reports: ReportRecord[] = [];
  let boot = start();
  let connection: Connection | null = null;
  let waiting: Waiting[] = [];
  let inFlight = 0;
  let dropped = 0;
  let callOffHeartbeat = () => {};
  const idle = new Set<() => void>();

  function start() {
    return {
      id: newBootId(),
      at: clock.wallNow(),
      frames: 0,
      samples: 0,
      reports: { help: 0, cancel: 0, presence: 0 },
    };
  }

  const shown = (at: WallMs) => deviceTime(clockError, boot.at, at);

  function status(kind: StatusReport["kind"]): string {
    const report: StatusReport = { v: 1, kind, boot: boot.id };
    if (kind !== "will") {
      report.t = shown(clock.wallNow());
      report.battery = options.battery ?? 80;
      report.charging = false;
      report.worn = true;
      report.firmware = options.firmware ?? "simulated-1";
    }
    return JSON.stringify(report);
  }

  function enqueue(item: Waiting): void {
    // A person's press goes before the frames that wait.
    if (item.frame) waiting.push(item);
    else waiting.unshift(item);
    if (waiting.length > maxStored) {
      const oldest = waiting.findIndex((other) => other.frame);
      waiting.splice(Math.max(0, oldest), 1);
      dropped++;
    }
    pump();
  }

  function pump(): void {
    const line = connection;
    const started = boot;
    while (line?.connected && inFlight < maxInFlight && waiting.length > 0) {
      const item = waiting.shift();
      if (!item) break;
      const now = clock.wallNow();
      inFlight++;
      item.sent(now);
      line
        .publish(uplinkTopic(deviceId, item.uplink), item.payload(now))
        .then(() => item.acked(clock.wallNow()), item.failed)
        .finally(() => {
          if (boot !== started) return;
          inFlight--;
          pump();
        });
    }
    if (!line?.connected) for (const item of waiting) if (item.frame) item.frame.stored = true;
    if (waiting.length + inFlight > 0) return;
    for (const resolve of idle) resolve();
    idle.clear();
  }

  function sendStatus(kind: "birth" | "heartbeat"): Promise<void> {
    // A sign of life is only worth something now: it is never stored.
    if (!connection?.connected) return Promise.resolve();
    return connection.publish(uplinkTopic(deviceId, "status"), status(kind)).catch(() => {});
  }

  function beat(): void {
    callOffHeartbeat();
    const every = options.heartbeatMs ?? 60_000;
    if (every <= 0) return;
    callOffHeartbeat = clock.after(every, () => {
      void sendStatus("heartbeat");
      beat();
    });
  }

  function connect(timeoutMs = defaultTimeoutMs): Promise<void> {
    if (connection) throw new Error(`${deviceId} is connected already`);
    return new Promise((resolve, reject) => {
      let first = true;
      const callOff = clock.after(timeoutMs, () => fail(new Error(`${deviceId}: no broker at ${options.url}`)));
      const fail = (error: Error) => {
        callOff();
        const was = connection;
        connection = null;
        callOffHeartbeat();
        void was?.end("power-cut");
        if (first) reject(error);
        else options.onRefused?.(error);
        first = false;
      };
      connection = openConnection({
        clock,
        url: options.url,
        deviceId,
        secret: options.secret,
        will: { topic: uplinkTopic(deviceId, "status"), payload: status("will") },
        reconnectMs: options.reconnectMs ?? 1_000,
        keepAliveSeconds: options.keepAliveSeconds ?? 60,
        onConnect() {
          callOff();
          void sendStatus("birth");
          beat();
          pump();
          if (first) resolve();
          first = false;
        },
        onLost: () => callOffHeartbeat(),
        onRefused: fail,
      });
    });
  }

  function publishFrame(samples: Int16Array, frameOptions: FrameOptions): FrameRecord {
    const { rateHz } = frameOptions;
    const sampleCount = samples.length / 3;
    if (!Number.isInteger(sampleCount) || sampleCount < 1 || sampleCount > maxFrameSamples) {
      throw new Error(`A frame holds 1 to ${maxFrameSamples} samples of x, y, z; these are ${samples.length} values`);
    }
    const firstSampleAt = frameOptions.firstSampleAt ?? clock.wallNow() - (sampleCount * 1000) / rateHz;
    const limit = Math.min(32_767, rangeG * 1000);
    const record: FrameRecord = {
      bootId: boot.id,
      sequence: boot.frames++,
      startSample: boot.samples,
      sampleCount,
      rateHz,
      rangeG,
      firstSampleAt,
      deviceTimeMs: shown(firstSampleAt),
      stored: frameOptions.stored ?? false,
      sentAt: null,
      ackedAt: null,
      samples: samples.map((value) => Math.max(-limit, Math.min(limit, value))),
    };
    boot.samples += sampleCount;
    frames.push(record);
    const lastSampleAt = firstSampleAt + ((sampleCount - 1) * 1000) / rateHz;
    enqueue({
      uplink: options.format === "json" ? "accel-json" : "accel",
      frame: record,
      payload(now) {
        const ageMs = Math.max(0, Math.round(now - lastSampleAt));
        return framePayload(record, ageMs, options.format ?? "binary", clockError === "unset");
      },
      sent: (now) => {
        record.sentAt = now;
      },
      acked: (now) => {
        record.ackedAt = now;
      },
      failed: () => {},
    });
    return record;
  }

  function report(kind: ReportRecord["kind"], extra: Partial<PresenceReport> = {}): Promise<ReportRecord> {
    const at = clock.wallNow();
    const record: ReportRecord = {
      kind,
      bootId: boot.id,
      sequence: boot.reports[kind]++,
      at,
      sentAt: null,
      ackedAt: null,
    };
    const t = shown(at);
    reports.push(record);
    return new Promise((resolve, reject) => {
      enqueue({
        uplink: kind,
        frame: null,
        payload(now) {
          const age = Math.max(0, Math.round(now - at));
          const body: HelpReport | CancelReport = { v: 1, boot: record.bootId, seq: record.sequence, t, age };
          return JSON.stringify({ ...body, ...extra });
        },
        sent: (now) => {
          record.sentAt = now;
        },
        acked(now) {
          record.ackedAt = now;
          resolve(record);
        },
        failed: reject,
      });
    });
  }

  return {
    deviceId,
    rangeG,
    get bootId() {
      return boot.id;
    },
    get connected() {
      return connection?.connected ?? false;
    },
    records: { frames, reports },
    get pending() {
      return waiting.length + inFlight;
    },
    get dropped() {
      return dropped;
    },
    connect,
    publishFrame,
    help: () => report("help"),
    cancel: () => report("cancel"),
    presence: (state) => report("presence", state),
    heartbeat: () => sendStatus("heartbeat"),
    publishRaw(target, payload) {
      if (!connection) return Promise.reject(new Error(`${deviceId} is not connected`));
      return connection.publish(typeof target === "string" ? uplinkTopic(deviceId, target) : target.topic, payload);
    },
    loseNetwork: () => connection?.lose(),
    restoreNetwork: () => connection?.restore(),
    async reboot() {
      const was = connection;
      connection = null;
      callOffHeartbeat();
      const lost = waiting;
      waiting = [];
      inFlight = 0;
      boot = start();
      for (const item of lost) item.failed(new Error(`${deviceId} lost its power`));
      await was?.end("power-cut");
      await connect();
    },
    drain(timeoutMs = defaultTimeoutMs) {
      if (waiting.length + inFlight === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          callOff();
          resolve(true);
        };
        const callOff = clock.after(timeoutMs, () => {
          idle.delete(done);
          resolve(false);
        });
        idle.add(done);
      });
    },
    async disconnect() {
      const was = connection;
      connection = null;
      callOffHeartbeat();
      await was?.end("goodbye");
    },
  };
}
