import type { ControlDevice } from "../../firmware-contracts/intake.ts";

/** What is wanted of one dwelling's presence. */
export interface DwellingSetup {
  /** Opaque. */
  readonly id: string;
  /** Its devices, sensors and wearables, that are not revoked. */
  readonly devices: ReadonlySet<string>;
  /** Not known counts as no: then whoever walks may be somebody else. */
  readonly livesAlone: boolean;
  /** Contacts at doors that lead out. */
  readonly entrances: readonly string[];
}

/** The dwellings that these devices are in. A device without a dwelling is in none. */
export function dwellingsOf(devices: Iterable<ControlDevice>): ReadonlyMap<string, DwellingSetup> {
  const found = new Map<string, { id: string; devices: Set<string>; livesAlone: boolean; entrances: string[] }>();
  for (const { deviceId, dwelling, livesAlone = false, leadsOut = false, revoked } of devices) {
    if (dwelling === undefined || revoked) continue;
    const one = found.get(dwelling) ?? { id: dwelling, devices: new Set(), livesAlone: true, entrances: [] };
    found.set(dwelling, one);
    one.devices.add(deviceId);
    one.livesAlone &&= livesAlone;
    if (leadsOut) one.entrances.push(deviceId);
  }
  return found;
}
