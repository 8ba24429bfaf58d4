import type { MonotonicMs } from "../../firmware-contracts/clock.ts";
import type { Detection } from "../../firmware-contracts/detection.ts";
import type { ControlDevice, DeviceEvent } from "../../firmware-contracts/intake.ts";

/** What is shown of a device that this gateway has heard. Null is not known. */
export interface ShownDevice {
  readonly online: boolean;
  readonly battery: number | null;
  /** Which kind of presence sensor it is, once it has spoken as one. */
  readonly sensor: string | null;
  readonly presence: "on" | "off" | null;
  readonly fallUntil: MonotonicMs | null;
  readonly helpUntil: MonotonicMs | null;
  readonly dwelling: string | null;
}

/** By device; only those that this gateway has heard, now or before. */
export type ShownDevices = ReadonlyMap<string, ShownDevice>;

export type ShownInput =
  | { kind: "event"; event: Pick<DeviceEvent, "deviceId" | "event" | "battery" | "detail"> }
  | { kind: "detection"; detection: Pick<Detection, "deviceId" | "kind"> }
  /** The register, and who may not be watched now. */
  | {
      kind: "register";
      devices: readonly Pick<ControlDevice, "deviceId" | "dwelling">[];
      unwatched: ReadonlySet<string>;
    }
  /** What an earlier start of this gateway had shown. */
  | { kind: "shown-before"; deviceId: string; sensor: string | null }
  | { kind: "tick" };

const unheard: ShownDevice = {
  ...{ online: false, battery: null, sensor: null, presence: null, fallUntil: null, helpUntil: null, dwelling: null },
};

/** The next state. @param alarmMs For how long an alarm is shown. */
export function stepShown(shown: ShownDevices, input: ShownInput, now: MonotonicMs, alarmMs: number): ShownDevices {
  switch (input.kind) {
    case "event":
      return heard(shown, input.event);
    case "detection": {
      const { deviceId, kind } = input.detection;
      const until = now + alarmMs;
      return change(shown, deviceId, {
        online: true,
        ...(kind === "fall" ? { fallUntil: until } : { helpUntil: until }),
      });
    }
    case "register":
      return registered(shown, input);
    case "shown-before":
      return shown.has(input.deviceId) ? shown : change(shown, input.deviceId, { sensor: input.sensor });
    case "tick": {
      const stillIn = (until: MonotonicMs | null) => (until !== null && until <= now ? null : until);
      return mapped(shown, (one) =>
        changed(one, { fallUntil: stillIn(one.fallUntil), helpUntil: stillIn(one.helpUntil) }),
      );
    }
  }
}

function heard(shown: ShownDevices, event: Extract<ShownInput, { kind: "event" }>["event"]): ShownDevices {
  const { deviceId, battery, detail = "" } = event;
  const charge = battery === undefined ? {} : { battery };
  switch (event.event) {
    case "online":
    case "heartbeat":
    case "cancel":
      return change(shown, deviceId, { online: true, ...charge });
    case "offline":
      // What it saw last may no longer be so.
      return change(shown, deviceId, { online: false, presence: null });
    case "presence": {
      const [sensor = null, state] = detail.split(":");
      const presence = state === "on" || state === "off" ? state : null;
      return change(shown, deviceId, { online: true, sensor, presence });
    }
    case "refused-payload":
    case "clock-suspect":
      return shown;
  }
}

function registered(
  shown: ShownDevices,
  { devices, unwatched }: Extract<ShownInput, { kind: "register" }>,
): ShownDevices {
  const known = new Map(devices.map(({ deviceId, dwelling }) => [deviceId, dwelling ?? null]));
  const next = new Map<string, ShownDevice>();
  for (const [deviceId, one] of shown) {
    const dwelling = known.get(deviceId);
    if (dwelling === undefined) continue;
    const held = unwatched.has(deviceId) ? { presence: null, fallUntil: null } : {};
    next.set(deviceId, changed(one, { ...held, dwelling }));
  }
  return next;
}

/** What has not changed stays the same object: what is made of it need not be made again. */
function change(shown: ShownDevices, deviceId: string, changes: Partial<ShownDevice>): ShownDevices {
  const before = shown.get(deviceId);
  const next = changed(before ?? unheard, changes);
  return next === before ? shown : new Map(shown).set(deviceId, next);
}

function changed(one: ShownDevice, changes: Partial<ShownDevice>): ShownDevice {
  const isNews = Object.entries(changes).some(([key, value]) => one[key as keyof ShownDevice] !== value);
  return isNews || one === unheard ? { ...one, ...changes } : one;
}

function mapped(shown: ShownDevices, as: (one: ShownDevice) => ShownDevice): ShownDevices {
  return new Map([...shown].map(([deviceId, one]) => [deviceId, as(one)]));
}

/** When the first alarm is no longer shown; null where none is. */
export function nextEnd(shown: ShownDevices): MonotonicMs | null {
  const ends = [...shown.values()].flatMap(({ fallUntil, helpUntil }) => [fallUntil ?? [], helpUntil ?? []].flat());
  return ends.length > 0 ? Math.min(...ends) : null;
}
