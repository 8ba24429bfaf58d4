import type { Clock, WallMs } from "../../firmware-contracts/clock.ts";
import type { PresenceReport } from "../../firmware-contracts/reports.ts";
import type { Uplink } from "../../firmware-contracts/topics.ts";
import type { ClockError } from "./device-clock.ts";
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
  /** Resolves at the first CONNACK; keeps trying where the broker is not there, until `timeoutMs` (default 120,000 of the clock). Rejects where it refuses the device. */
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
  /** Resolves when nothing waits any more: true; or false after `timeoutMs` of the clock (default 120,000). */
  drain(timeoutMs?: number): Promise<boolean>;
  /** Says goodbye and disconnects; the will is not sent. */
  disconnect(): Promise<void>;
}
