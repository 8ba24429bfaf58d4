import { z } from "zod";
import { DeviceId } from "../../firmware-contracts/topics.ts";
import type { OutConfig } from "./config.ts";
import type { ShownDevice, ShownDevices } from "./device-states.ts";

/** Apart from `fallvakt/…`, where devices speak: no rule that lets a device publish lets it publish here. */
export const outRoot = "fallvakt-out/v1";

const OnOff = z.enum(["ON", "OFF"]);

/** Retained at `fallvakt-out/v1/<gateway>/device/<device>/state`. Null is not known. */
export const OutDeviceState = z.strictObject({
  v: z.literal(1),
  fall: OnOff.meta({ description: "ON for `gateway.out.alarmMinutes` after a fall was told" }),
  help: OnOff.meta({ description: "The same after a call for help" }),
  battery: z.number().nullable().meta({ description: "Charge, per cent" }),
  sensor: z.string().nullable().meta({ description: "Which kind of presence sensor it is; null for a wearable" }),
  presence: OnOff.nullable(),
});
export type OutDeviceState = z.infer<typeof OutDeviceState>;

/** Retained at `fallvakt-out/v1/<gateway>/dwelling/<dwelling>/state`. */
export const OutDwellingState = z.strictObject({ v: z.literal(1), fall: OnOff, help: OnOff });

export interface OutNames {
  gatewayId: string;
  discoveryPrefix: string;
}

export function topicsOf({ gatewayId, discoveryPrefix }: OutNames) {
  const root = `${outRoot}/${gatewayId}`;
  return {
    gateway: `${root}/availability`,
    state: (device: string) => `${root}/device/${device}/state`,
    availability: (device: string) => `${root}/device/${device}/availability`,
    dwelling: (dwelling: string) => `${root}/dwelling/${dwelling}/state`,
    discovery: (device: string) => `${discoveryPrefix}/device/fallvakt_${gatewayId}_${device}/config`,
    dwellingDiscovery: (dwelling: string) =>
      `${discoveryPrefix}/device/fallvakt_${gatewayId}_dwelling_${dwelling}/config`,
    /** What an earlier start may have left behind. */
    left: [`${root}/device/+/state`, `${root}/dwelling/+/state`],
    status: `${discoveryPrefix}/status`,
  };
}

/** A device, or a dwelling, by a topic of `left`; null for any other. */
export function leftBehind(topic: string): { kind: "device" | "dwelling"; id: string } | null {
  const [, , , kind, id = "", last, ...rest] = topic.split("/", 8);
  if (last !== "state" || rest.length > 0 || !isPlainId(id)) return null;
  if (kind === "device") return DeviceId.safeParse(id).success ? { kind, id } : null;
  return kind === "dwelling" ? { kind, id } : null;
}

/** What may stand in a topic and in Home Assistant's ids. */
const isPlainId = (id: string) => /^[A-Za-z0-9_-]{1,64}$/.test(id);

/** What was made of a device is made again only when it is another object. */
export type MadeMessages = WeakMap<ShownDevice, readonly (readonly [topic: string, payload: string])[]>;

/** Every retained message that is to stand at the broker, by topic. Aliases, names and rooms are in none: only ids. */
export function wantedMessages(
  shown: ShownDevices,
  config: Pick<OutConfig, "homeAssistant">,
  names: OutNames,
  made: MadeMessages,
): Map<string, string> {
  const wanted = new Map<string, string>([[topicsOf(names).gateway, "online"]]);
  const dwellings = new Map<string, ShownDevice[]>();
  for (const [deviceId, one] of shown) {
    const own = made.get(one) ?? deviceMessages(deviceId, one, config, names);
    made.set(one, own);
    for (const [topic, payload] of own) wanted.set(topic, payload);
    if (one.dwelling === null || !isPlainId(one.dwelling)) continue;
    const others = dwellings.get(one.dwelling);
    if (others) others.push(one);
    else dwellings.set(one.dwelling, [one]);
  }
  for (const [dwelling, devices] of dwellings) {
    for (const [topic, payload] of dwellingMessages(dwelling, devices, config, names)) wanted.set(topic, payload);
  }
  return wanted;
}

type Messages = [topic: string, payload: string][];

function deviceMessages(
  deviceId: string,
  one: ShownDevice,
  { homeAssistant }: Pick<OutConfig, "homeAssistant">,
  names: OutNames,
): Messages {
  const topics = topicsOf(names);
  return [
    [topics.state(deviceId), JSON.stringify(stateOf(one))],
    [topics.availability(deviceId), one.online ? "online" : "offline"],
    ...(homeAssistant
      ? ([[topics.discovery(deviceId), JSON.stringify(deviceDiscovery(deviceId, one, names))]] as Messages)
      : []),
  ];
}

function dwellingMessages(
  dwelling: string,
  devices: readonly ShownDevice[],
  { homeAssistant }: Pick<OutConfig, "homeAssistant">,
  names: OutNames,
): Messages {
  const topics = topicsOf(names);
  const any = (is: (one: ShownDevice) => boolean) => (devices.some(is) ? "ON" : "OFF");
  const state = { v: 1, fall: any((one) => one.fallUntil !== null), help: any((one) => one.helpUntil !== null) };
  return [
    [topics.dwelling(dwelling), JSON.stringify(state)],
    ...(homeAssistant
      ? ([[topics.dwellingDiscovery(dwelling), JSON.stringify(dwellingDiscovery(dwelling, names))]] as Messages)
      : []),
  ];
}

function stateOf({ fallUntil, helpUntil, battery, sensor, presence }: ShownDevice): OutDeviceState {
  return {
    v: 1,
    fall: fallUntil === null ? "OFF" : "ON",
    help: helpUntil === null ? "OFF" : "ON",
    battery,
    sensor,
    presence: presence === null ? null : presence === "on" ? "ON" : "OFF",
  };
}

// Device discovery as https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload has it. An option of a component goes before one of the
// device's; a template that gives None makes an entity "unknown".

const origin = { name: "Fallvakt" };

function deviceDiscovery(deviceId: string, one: ShownDevice, names: OutNames): Record<string, unknown> {
  const topics = topicsOf(names);
  const id = `fallvakt_${names.gatewayId}_${deviceId}`;
  const gateway = { topic: topics.gateway };
  return {
    dev: { ids: [id], name: deviceId, mf: "Fallvakt", mdl: one.sensor === null ? "device" : `${one.sensor} sensor` },
    o: origin,
    state_topic: topics.state(deviceId),
    availability: [gateway, { topic: topics.availability(deviceId) }],
    availability_mode: "all",
    qos: 1,
    cmps: {
      fall: alarm(`${id}_fall`, "Fall", "fall"),
      help: alarm(`${id}_help`, "Help", "help"),
      battery: {
        ...{
          p: "sensor",
          unique_id: `${id}_battery`,
          name: "Battery",
          device_class: "battery",
          unit_of_measurement: "%",
        },
        ...{ value_template: "{{ value_json.battery }}", entity_category: "diagnostic" },
      },
      connection: {
        ...{ p: "binary_sensor", unique_id: `${id}_connection`, name: "Connection", device_class: "connectivity" },
        ...{ state_topic: topics.availability(deviceId), payload_on: "online", payload_off: "offline" },
        // Said to be lost, not unavailable, when the device is.
        ...{ availability: [gateway], entity_category: "diagnostic" },
      },
      ...(one.sensor === null ? {} : { presence: presence(`${id}_presence`, one.sensor) }),
    },
  };
}

function dwellingDiscovery(dwelling: string, names: OutNames): Record<string, unknown> {
  const topics = topicsOf(names);
  const id = `fallvakt_${names.gatewayId}_dwelling_${dwelling}`;
  return {
    dev: { ids: [id], name: `Dwelling ${dwelling}`, mf: "Fallvakt", mdl: "dwelling" },
    o: origin,
    state_topic: topics.dwelling(dwelling),
    availability: [{ topic: topics.gateway }],
    qos: 1,
    cmps: { fall: alarm(`${id}_fall`, "Fall", "fall"), help: alarm(`${id}_help`, "Help", "help") },
  };
}

function alarm(uniqueId: string, name: string, field: string) {
  const value = { payload_on: "ON", payload_off: "OFF", value_template: `{{ value_json.${field} }}` };
  return { p: "binary_sensor", unique_id: uniqueId, name, device_class: "safety", ...value };
}

/** Home Assistant's classes for what our sensors see; a bed, a seat and a radar see that somebody is there. */
const classes: Readonly<Record<string, string>> = { motion: "motion", contact: "opening", flush: "moving" };

function presence(uniqueId: string, sensor: string) {
  const value = { payload_on: "ON", payload_off: "OFF", value_template: "{{ value_json.presence }}" };
  return {
    p: "binary_sensor",
    unique_id: uniqueId,
    name: "Presence",
    device_class: classes[sensor] ?? "occupancy",
    ...value,
  };
}
