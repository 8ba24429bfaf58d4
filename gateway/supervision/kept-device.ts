import { z } from "zod";
import type { StuckWatch } from "../../detector/presence/stuck.ts";
import { DeviceTrouble } from "../../firmware-contracts/intake.ts";
import type { Kept } from "../outbox/kept-tables.ts";
import type { Supervised } from "./device.ts";

const dwellingPrefix = "dwelling/";

/** Under which a dwelling's sensors are kept: no device's id has a slash. */
export const dwellingKey = (dwelling: string) => `${dwellingPrefix}${dwelling}`;
/** The dwelling of such a key; null where it is a device's id. */
export const dwellingIn = (key: string) => (key.startsWith(dwellingPrefix) ? key.slice(dwellingPrefix.length) : null);

const ms = z.number();
const since = ms.nullable();

/** As far as it is looked at here: a later release may have written it otherwise, under another `v`. */
const DeviceBody = z.object({
  v: z.literal(1),
  device: z.looseObject({
    deviceId: z.string(),
    heardAt: ms,
    gaps: z.object({ from: ms, longest: ms, before: since }),
    watchedSince: since,
    battery: z
      .object({ level: z.number(), bins: z.array(z.object({ at: ms, mean: z.number(), count: z.number() })) })
      .nullable(),
    notWornSince: since,
    chargingSince: since,
    tamperSince: since,
    stuckSince: since,
    drift: z.object({ since, aheadMs: z.number() }),
    open: z.partialRecord(DeviceTrouble, z.object({ since: ms, told: ms })),
    last: z.partialRecord(DeviceTrouble, ms),
  }),
});
const WatchBody = z.object({
  v: z.literal(1),
  watch: z.looseObject({
    sensors: z.array(z.looseObject({ deviceId: z.string(), heardAt: ms, changedAt: ms, fadedAt: ms })),
  }),
});

export const keptDevice = (device: Supervised): Kept => ({
  id: device.deviceId,
  body: JSON.stringify({ v: 1, device }),
});

export const keptWatch = (dwelling: string, watch: StuckWatch): Kept => ({
  id: dwellingKey(dwelling),
  body: JSON.stringify({ v: 1, watch }),
});

/** Null where it cannot be read. Never throws. */
export function deviceIn({ body }: Kept): Supervised | null {
  const parsed = read(body);
  return DeviceBody.safeParse(parsed).success ? (parsed as { device: Supervised }).device : null;
}

/** The same for a dwelling's sensors. */
export function watchIn({ body }: Kept): StuckWatch | null {
  const parsed = read(body);
  return WatchBody.safeParse(parsed).success ? (parsed as { watch: StuckWatch }).watch : null;
}

function read(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
