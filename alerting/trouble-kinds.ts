import type { DeviceClass, DeviceTrouble } from "../firmware-contracts/intake.ts";
import type { TroubleKind } from "./episode-state.ts";

/** What each outage of a device is raised as. One that is not heard is told by what it is: what it means for falls differs. */
const kinds = {
  "battery-low": "battery-low",
  "not-worn": "not-worn",
  "charging-long": "charging-long",
  tamper: "tamper",
  stuck: "sensor-stuck",
  "clock-drift": "clock-drift",
} as const satisfies Record<Exclude<DeviceTrouble, "overdue">, TroubleKind>;
const overdueKinds = {
  wearable: "device-overdue",
  button: "button-overdue",
  presence: "sensor-overdue",
} as const satisfies Record<DeviceClass, TroubleKind>;

/** Kinds of technical alarm whose subject is a device. */
export const deviceTroubleKinds: readonly TroubleKind[] = [...Object.values(overdueKinds), ...Object.values(kinds)];

/** Kinds whose subject is a dwelling. */
export const dwellingTroubleKinds: readonly TroubleKind[] = ["presence-unheard", "dwelling-unwatched"];

/** While these last a fall may not be seen. */
export const deafTroubles: readonly DeviceTrouble[] = ["overdue", "not-worn", "charging-long"];

/** A device of which nobody knows what it is may be somebody's only alarm. */
export function kindOfTrouble(trouble: DeviceTrouble, deviceClass: DeviceClass | null): TroubleKind {
  return trouble === "overdue" ? overdueKinds[deviceClass ?? "wearable"] : kinds[trouble];
}

/** What raises no alarm while it lasts. A presence sensor sees no falls, and a button's silence is about calls for help. */
export function missedMeanwhile(trouble: DeviceTrouble, deviceClass: DeviceClass | null): "falls" | "help" | null {
  if (!deafTroubles.includes(trouble) || deviceClass === "presence") return null;
  return deviceClass === "button" ? "help" : "falls";
}
