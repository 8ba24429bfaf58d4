import type { DeviceClass, DeviceTrouble } from "../../firmware-contracts/intake.ts";

/** By which an outage is known. */
export interface DeviceTroubleKey {
  deviceId: string;
  trouble: DeviceTrouble;
  /** Since when it is so, wall ms; for `overdue`, when the device was last heard. */
  since: number;
}

/** What supervision found wrong with a device: one outage. */
export interface DeviceTroubleRow extends DeviceTroubleKey {
  /** When a gateway said so, wall ms. */
  at: number;
  /** When it was over, wall ms; null while it lasts. */
  endedAt: number | null;
  deviceClass: DeviceClass | null;
  gatewayId: string | null;
  battery: number | null;
  daysLeft: number | null;
  driftMs: number | null;
  /** A technical alarm was raised for it. */
  isRaised: boolean;
}

/** Outages of devices, those that are over too: what a history of blind time is made from. */
export interface DeviceTroubleStore {
  /** Adds one that is not known. @returns it as it stands. */
  begin(row: DeviceTroubleRow): Promise<DeviceTroubleRow>;
  raised(key: DeviceTroubleKey): Promise<void>;
  /** @returns whether it was known and open. One that was not known is none, and is not added. */
  end(key: DeviceTroubleKey, at: number): Promise<boolean>;
  /** Those that last, the oldest first. */
  open(): Promise<DeviceTroubleRow[]>;
  /** A device's, the newest first. */
  ofDevice(deviceId: string, limit: number): Promise<DeviceTroubleRow[]>;
  /** Those that lasted at some time from `from` until `until`, wall ms, by device and time. */
  between(from: number, until: number): Promise<DeviceTroubleRow[]>;
}
