import type { ConsoleArea } from "../routes.ts";
import { createSnapshots, type DevicesParts } from "./parts.ts";
import { devicesArea } from "./routes.ts";
import { testAlarmArea } from "./test-alarm.ts";
import { troublesArea } from "./troubles.ts";

/** Devices, their test alarms, gateways, and what is wrong with them. */
export function deviceAreas(parts: DevicesParts): ConsoleArea[] {
  const snapshots = createSnapshots(parts);
  return [troublesArea(parts, snapshots), devicesArea(parts, snapshots), testAlarmArea(parts, snapshots)];
}
