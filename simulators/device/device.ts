import { randomInt } from "node:crypto";
import type { z } from "zod";
import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import { type AccelFrame, encodeFrame, type JsonFrame, maxFrameSamples } from "../../firmware-contracts/frame.ts";
import type { CancelReport, HelpReport, PresenceReport, StatusReport } from "../../firmware-contracts/reports.ts";
import { type Uplink, uplinkTopic } from "../../firmware-contracts/topics.ts";
import { type Connection, openConnection } from "./connection.ts";
import { type ClockError, deviceTime } from "./device-clock.ts";
import type { DeviceRecords, FrameRecord, ReportRecord } from "./records.ts";

export interface DeviceOptions {
  clock: Clock;
  /** The gateway's broker, `mqtt://host:port`. */
  url: string;
  deviceId: string;
  secret: string;
  /** The sensor's full scale in g, a whole number 1–32; samples are clipped there. */
  rangeG: number;
  /** `binary` (default) or `json` frames. */
  format?: "binary" | "json";
  /** How the device's own clock is wrong. Default `right`. */
  clockError?: ClockError;
  /** Between heartbeats, ms of the clock; 0: none. Default 60,000. */
  heartbeatMs?: number;
  /** Wait before a new try to connect, ms of the clock. Default 1,000. */
  reconnectMs?: number;
  /** Default 60. */
  keepAliveSeconds?: number;
  /** The id of each start. Default: at random. */
  newBootId?: () => number;
  /** Per cent, in birth and heartbeat. Default 80. */
  battery?: number;
  firmware?: string;
  /** Called where the broker refuses the device after it was connected once. */
  onRefused?: (error: Error) => void;
}

export interface FrameOptions {
  /** Samples a second, 20–200. */
  rateHz: number;
  /** Clock time of the first sample. Default: so that the last sample was taken one sample ago. */
  firstSampleAt?: WallMs;
  /** Marks the frame as stored, as one that was kept for want of a network. */
  stored?: boolean;
}

/** A simulated device on a real MQTT connection. */
export interface SimulatedDevice {
  readonly deviceId: string;
  readonly rangeG: number;
  /** Of the present start. */
  readonly bootId: number;
  readonly connected: boolean;
  readonly records: DeviceRecords;
  /** Frames and reports that wait on the device or for a PUBACK. */
  readonly pending: number;
  /** Frames that the device had to throw away because its store was full. */
  readonly dropped: number;
  /** Resolves at the first CONNACK; keeps trying where the broker is not there, until `timeoutMs` (default 30,000 of the clock). Rejects where it refuses the device. */
  connect(timeoutMs?: number): Promise<void>;
  /** Records a frame and sends it as soon as it can. `samples`: x, y, z interleaved, milli-g; 1 to 1,000 of them. */
  publishFrame(samples: Int16Array, options: FrameOptions): FrameRecord;
  /** The help button, the wearer's cancel, a presence sensor: resolves at the PUBACK. */
  help(): Promise<ReportRecord>;
  cancel(): Promise<ReportRecord>;
  presence(state: Pick<PresenceReport, "sensor" | "state" | "room">): Promise<ReportRecord>;
  heartbeat(): Promise<void>;
  /** Publishes any bytes on one of the device's topics, or on any topic at all: for bad input. Resolves at the PUBACK. */
  publishRaw(target: Uplink | { topic: string }, payload: Uint8Array | string): Promise<void>;
  loseNetwork(): void;
  restoreNetwork(): void;
  /** Cuts the power and starts again: new boot id, sequence 0; what was not acknowledged is gone. Resolves at the CONNACK. */
  reboot(): Promise<void>;
  /** Resolves when nothing waits any more: true; or false after `timeoutMs` of the clock (default 30,000). */
  drain(timeoutMs?: number): Promise<boolean>;
  /** Says goodbye and disconnects; the will is not sent. */
  disconnect(): Promise<void>;
}

/** Frames a device keeps for want of a network: ten minutes of frames of one second. */
const maxStored = 600;
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

  function connect(timeoutMs = 30_000): Promise<void> {
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
      payload: (now) => encode(record, Math.max(0, Math.round(now - lastSampleAt))),
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

  function encode(record: FrameRecord, ageMs: number): Uint8Array | string {
    const { bootId, sequence, deviceTimeMs, rateHz, stored, samples } = record;
    const clockUnset = clockError === "unset";
    if (options.format !== "json") {
      const frame: AccelFrame = { bootId, sequence, deviceTimeMs, ageMs, rateHz, rangeG, stored, clockUnset, samples };
      return encodeFrame(frame);
    }
    const rows: z.input<typeof JsonFrame>["samples"] = [];
    for (let i = 0; i < samples.length; i += 3) rows.push([samples[i] ?? 0, samples[i + 1] ?? 0, samples[i + 2] ?? 0]);
    const json: z.input<typeof JsonFrame> = {
      v: 1,
      boot: bootId,
      seq: sequence,
      t: deviceTimeMs,
      age: ageMs,
      rate: rateHz,
      range: rangeG,
      stored,
      clockUnset,
      samples: rows,
    };
    return JSON.stringify(json);
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
    drain(timeoutMs = 30_000) {
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
