import {
  type Adapter,
  ageOf,
  type ForeignMessage,
  field,
  jsonObject,
  nothing,
  objectIn,
  percent,
  type Reading,
  type Said,
  type Setup,
  said,
  sensorAs,
} from "../adapter.ts";
import type { MappedDevice } from "../config.ts";
import { vs373Falls, vs373Presence } from "./vs373.ts";

/** `deduplicationId`s of the last messages, the newest last. */
export type ChirpstackMemory = readonly string[];

/** An uplink that several LoRaWAN gateways heard comes once; sent again, it comes within seconds. */
const remembered = 500;

/** ChirpStack v4: JSON events on `<base>/<application>/device/<devEui>/event/<event>`, with what the device's codec made of the payload in `object`. */
export const chirpstack: Adapter<ChirpstackMemory> = {
  what: "ChirpStack v4: Milesight VS373 (falls, presence) and what common codecs call presence, contacts and buttons",
  base: "application",
  open: () => [],
  filters: ({ base, devices }) =>
    [...new Set(devices.map(({ name }) => name.toLowerCase()))].flatMap((devEui) => [
      `${base}/+/device/${devEui}/event/up`,
      `${base}/+/device/${devEui}/event/status`,
    ]),
  read,
};

function read(
  message: ForeignMessage,
  { base, devices }: Setup,
  memory: ChirpstackMemory,
): [ChirpstackMemory, Reading] {
  const { topic, payload } = message;
  const levels = topic.startsWith(`${base}/`) ? topic.slice(base.length + 1).split("/", 6) : [];
  const [, device, devEui = "", event, kind, ...rest] = levels;
  if (device !== "device" || event !== "event" || rest.length > 0) return [memory, nothing("other-topic")];
  if (kind !== "up" && kind !== "status") return [memory, nothing("other-topic")];
  const own = devices.filter(({ name }) => name.toLowerCase() === devEui.toLowerCase());
  if (own.length === 0) return [memory, nothing("not-mapped")];
  const json = jsonObject(payload);
  if (!json) return [memory, nothing("bad-payload")];
  const told = field(json, "deduplicationId");
  const id = typeof told === "string" && told.length <= 64 ? told : null;
  if (id !== null && memory.includes(id)) return [memory, nothing("duplicate")];
  const next = id === null ? memory : [...memory, id].slice(-remembered);
  return [next, kind === "up" ? uplink(message, own, json, id) : status(own, json)];
}

/** What ChirpStack asks the device for now and then: its battery. 255 and a flag stand for unknown. */
function status(own: MappedDevice[], json: Record<string, unknown>): Reading {
  const isUnknown = field(json, "batteryLevelUnavailable") === true || field(json, "externalPowerSource") === true;
  const battery = isUnknown ? undefined : percent(field(json, "batteryLevel"));
  return said(own.map(({ device }) => ({ kind: "alive", device, ...battery })));
}

/** Milesight's contacts have a switch that is pressed while they sit where they were put. */
function tamperIn(object: Record<string, unknown> | null): { tamper?: boolean } {
  const told = field(object, "tamper_status");
  return told === "uninstalled" ? { tamper: true } : told === "installed" ? { tamper: false } : {};
}

function uplink(
  message: ForeignMessage,
  own: MappedDevice[],
  json: Record<string, unknown>,
  id: string | null,
): Reading {
  const object = objectIn(field(json, "object"));
  const age = ageOf(field(json, "time"), message);
  const key = id === null ? {} : { key: id };
  const list: Said[] = [];
  for (const mapped of own) {
    const { device } = mapped;
    list.push({ kind: "alive", device, ...percent(field(object, "battery")), ...tamperIn(object) });
    if (!object) continue;
    if (isPush(object)) list.push({ kind: "help", device, age, ...key });
    const sensor = mapped.sensor ?? "Milesight VS373";
    for (const { says, state } of vs373Falls(object))
      list.push({ kind: "fall", device, says, state, sensor, age, ...key });
    list.push(...presence(object, mapped, age));
  }
  return said(list);
}

/** A button: Milesight's WS101 tells how it was pressed, others only that it was. */
function isPush(object: Record<string, unknown>): boolean {
  const event = objectIn(field(object, "button_event"));
  const word = field(event, "status") ?? field(object, "button_event");
  return typeof word === "string" && /press/i.test(word);
}

const words: Readonly<Record<string, "on" | "off">> = {
  trigger: "on",
  occupied: "on",
  open: "on",
  normal: "off",
  vacant: "off",
  close: "off",
  closed: "off",
};

function presence(object: Record<string, unknown>, { device, as, room }: MappedDevice, age: number | null): Said[] {
  const told = radarState(object) ?? wordState(object);
  const sensor = told && sensorAs(as, told.sensor);
  return sensor ? [{ kind: "presence", device, room, age, ...told, sensor }] : [];
}

type Told = Pick<Extract<Said, { kind: "presence" }>, "sensor" | "state" | "atFloor">;

function radarState(object: Record<string, unknown>): Told | null {
  const radar = vs373Presence(object);
  return radar && { sensor: "radar", ...radar };
}

const fields: readonly [name: string, sensor: Told["sensor"]][] = [
  ["magnet_status", "contact"],
  ["pir", "motion"],
  ["occupancy", "radar"],
];

function wordState(object: Record<string, unknown>): Told | null {
  for (const [name, sensor] of fields) {
    const value = field(object, name);
    if (typeof value === "boolean") return { sensor, state: value ? "on" : "off" };
    if (typeof value === "string" && Object.hasOwn(words, value)) return { sensor, state: words[value]! };
  }
  return null;
}
